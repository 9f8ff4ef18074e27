"""Files for clients to fetch, sealed at rest in chunks that cannot be reordered, swapped or cut short."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from gateway.domain.ports import KeyRing

_NAME = re.compile(r"[a-z0-9-]{1,80}")
_LAST = b"\x01"
_MORE = b"\x00"


class SealedFileStore:
    """`gateway.domain.ports.FileStore` in a folder: frames of 4-byte length and sealed chunk, the last one marked."""

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        self._folder, self._keys = folder, keys
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, file_id: str, chunks: Iterable[bytes]) -> int:
        """Seal and store; on disk before this returns. Returns the number of plain bytes."""
        path, size = self._path(file_id), 0
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                number = -1
                for number, chunk in enumerate(chunks):
                    size += len(chunk)
                    self._frame(file, file_id, number, _MORE + chunk)
                self._frame(file, file_id, number + 1, _LAST)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
        return size

    def _frame(self, file: BinaryIO, file_id: str, number: int, plain: bytes) -> None:
        sealed = self._keys.seal(f"file:{file_id}:{number}", plain)
        file.write(len(sealed).to_bytes(4, "big") + sealed)

    def read(self, file_id: str) -> Iterator[bytes]:
        """The chunks; FileNotFoundError at once, InvalidTag on the way when the file was changed."""
        return self._chunks(file_id, self._path(file_id).open("rb"))

    def _chunks(self, file_id: str, opened: BinaryIO) -> Iterator[bytes]:
        with opened as file:
            number = 0
            while True:
                length = int.from_bytes(file.read(4), "big")
                sealed = file.read(length)
                plain = self._keys.open(f"file:{file_id}:{number}", sealed if len(sealed) == length else b"")
                if plain[:1] == _LAST:
                    return
                yield plain[1:]
                number += 1

    def orphans(self, before: float) -> list[str]:
        """Files written before a moment (seconds since the epoch): candidates for having lost their card."""
        return [
            path.name.removesuffix(".partial")
            for path in self._folder.iterdir()
            if path.is_file() and path.stat().st_mtime < before
        ]

    def remove(self, file_id: str) -> None:
        """Delete the file, if it is there."""
        path = self._path(file_id)
        path.unlink(missing_ok=True)
        path.with_suffix(".partial").unlink(missing_ok=True)

    def _path(self, file_id: str) -> Path:
        if not _NAME.fullmatch(file_id):
            raise FileNotFoundError(file_id)
        return self._folder / file_id
