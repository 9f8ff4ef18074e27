"""Files for clients to fetch, sealed at rest in chunks that cannot be reordered, swapped or cut short."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

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
        with partial.open("wb") as file:
            number = 0
            for number, chunk in enumerate(chunks):
                size += len(chunk)
                self._frame(file, file_id, number, _MORE + chunk)
            self._frame(file, file_id, number + 1, _LAST)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        return size

    def _frame(self, file: object, file_id: str, number: int, plain: bytes) -> None:
        sealed = self._keys.seal(f"file:{file_id}:{number}", plain)
        file.write(len(sealed).to_bytes(4, "big") + sealed)  # type: ignore[attr-defined]

    def read(self, file_id: str) -> Iterator[bytes]:
        """The chunks; raises FileNotFoundError, or InvalidTag when the file was changed."""
        with self._path(file_id).open("rb") as file:
            number = 0
            while True:
                length = int.from_bytes(file.read(4), "big")
                plain = self._keys.open(f"file:{file_id}:{number}", file.read(length))
                if plain[:1] == _LAST:
                    return
                yield plain[1:]
                number += 1

    def remove(self, file_id: str) -> None:
        """Delete the file, if it is there."""
        self._path(file_id).unlink(missing_ok=True)

    def _path(self, file_id: str) -> Path:
        if not _NAME.fullmatch(file_id):
            raise FileNotFoundError(file_id)
        return self._folder / file_id
