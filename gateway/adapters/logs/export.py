"""A log as one file of JSON lines, to be carried away and checked elsewhere. It names no child.

Lines: `log` (origin), `head`s with their cosignatures, `tile`s of every level, `entry` after entry, `end` with their
number. Entries of release 0.1 named their child; of them the hash alone is written.
"""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from gateway.adapters.db.engine import moment, stamp
from gateway.adapters.logs.database import DatabaseLog
from gateway.domain.log.checkpoint import Head
from gateway.domain.log.verifying import Row

FORM = 1


class NotAnExport(ValueError):
    """The file is not an export of a log, or was cut off."""


def write_export(log: DatabaseLog, path: Path) -> int:
    """Everything that is needed to check the log; how many entries were written. Never overwrites a file."""
    with path.open("xb") as file:
        _line(file, {"kind": "log", "form": FORM, "origin": log.origin})
        for head in log.heads():
            _line(file, _head_line(log, head))
        for level in range(64):
            for index in range(log.tiles(level)):
                hashes = base64.b64encode(log.tile(level, index)).decode()
                _line(file, {"kind": "tile", "level": level, "index": index, "hashes": hashes})
        count = 0
        for row in log.rows(0):
            _line(file, _entry_line(row))
            count += 1
        _line(file, {"kind": "end", "entries": count})
    return count


def _head_line(log: DatabaseLog, head: Head) -> dict[str, object]:
    return {
        "kind": "head",
        "size": head.size,
        "root": head.root.hex(),
        "last_seq": head.last_seq,
        "at": stamp(head.at),
        "note": head.note,
        "vkey": head.vkey,
        "cosignatures": log.cosignatures(head.size),
    }


def _entry_line(row: Row) -> dict[str, object]:
    body = bytes(row.body or b"")
    try:
        named = "v" not in orjson.loads(body)
        text = None if named else body.decode()
    except ValueError:  # tampered with beyond recognition: the checker will say so of its hash
        text = body.decode(errors="replace")
    return {
        "kind": "entry",
        "seq": row.seq,
        "reference": row.reference,
        "leaf": bytes(row.leaf).hex(),
        "body": text,
    }


def _line(file: IO[bytes], content: dict[str, object]) -> None:
    file.write(orjson.dumps(content) + b"\n")


class ExportedLog:
    """`gateway.domain.log.verifying.LogSource` over an export. Heads and tiles are held, entries streamed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._heads: list[Head] = []
        self._cosignatures: dict[int, Sequence[str]] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.origin = ""
        try:
            self._read()
        except (ValueError, KeyError, TypeError) as error:
            raise NotAnExport(str(path)) from error

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    def _read(self) -> None:
        for line in self._lines():
            if line["kind"] == "log":
                self.origin = line["origin"]
            elif line["kind"] == "head":
                head = Head(
                    line["size"],
                    bytes.fromhex(line["root"]),
                    line["last_seq"],
                    moment(line["at"]),
                    line["note"],
                    line["vkey"],
                )
                self._heads.append(head)
                self._cosignatures[head.size] = line["cosignatures"]
            elif line["kind"] == "tile":
                self._tiles[line["level"], line["index"]] = base64.b64decode(line["hashes"])
            else:
                break
        if not self.origin:
            raise NotAnExport("no log in it")

    def heads(self) -> Sequence[Head]:
        """Every head, in the order of the file."""
        return self._heads

    def cosignatures(self, size: int) -> Sequence[str]:
        """Witnesses' lines."""
        return self._cosignatures.get(size, ())

    def tile(self, level: int, index: int) -> bytes:
        """A tile's hashes."""
        return self._tiles.get((level, index), b"")

    def tiles(self, level: int) -> int:
        """The highest index of that level, plus one."""
        return max((index + 1 for each, index in self._tiles if each == level), default=0)

    def rows(self, after: int) -> Iterator[Row]:
        """Entries in the order of the file."""
        try:
            for line in self._lines():
                if line["kind"] == "entry" and line["seq"] > after:
                    body = line["body"].encode() if line["body"] is not None else None
                    leaf = bytes.fromhex(line["leaf"])
                    yield Row(line["seq"], line["reference"], None, None, body, leaf, False)
        except (ValueError, KeyError, TypeError) as error:
            raise NotAnExport(str(self._path)) from error

    def kept(self, leaf: bytes) -> bool:
        """By looking through all: asked only when something is wrong."""
        return any(row.leaf == leaf for row in self.rows(0))

    def set_holds(self, _digest: bytes) -> bool:
        """An export has no sets."""
        return True

    def stray_index(self) -> int | None:
        """An export has no index."""
        return None
