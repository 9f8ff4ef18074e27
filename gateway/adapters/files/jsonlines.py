"""NDJSON and JSON: one object a row, field names as headings; row 1 is the first line (JSON: the first object)."""

from collections.abc import Sequence

import orjson

from gateway.adapters.files.safe import plain_text
from gateway.domain.cells import BROKEN_TEXT, Cell
from gateway.domain.spreadsheet import Kind, UnreadableFile

MAX_FIELDS = 256
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
_LISTS = 100_000


def read_json(body: bytes, kind: Kind) -> list[list[Cell]]:
    """A grid with the field names in front, as row 0, so that row numbers stay line numbers."""
    if body.count(b"\n" if kind == "ndjson" else b"{") > MAX_ROWS:
        raise UnreadableFile("too_large")
    if body.count(b"[") > _LISTS or body.count(b",") > MAX_FIELDS * (body.count(b"{") + 1):
        raise UnreadableFile("too_large")
    objects = _lines(body) if kind == "ndjson" else _array(body)
    names: dict[str, None] = {}
    for item in objects:
        names.update(dict.fromkeys(item))
        if len(names) > MAX_FIELDS:
            raise UnreadableFile("too_large")
    if len(names) * len(objects) > MAX_CELLS:
        raise UnreadableFile("too_large")
    headings: list[Cell] = list(names)
    return [headings, *([_cell(item.get(name)) for name in names] for item in objects)]


def _lines(body: bytes) -> list[dict[str, object]]:
    """A blank line stays in the grid as a blank row, so that row numbers are line numbers."""
    return [_object(line) if line.strip() else {} for line in body.removeprefix(b"\xef\xbb\xbf").splitlines()]


def _array(body: bytes) -> list[dict[str, object]]:
    found = _parse(body.removeprefix(b"\xef\xbb\xbf"))
    rows = found.get("records", [found]) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableFile("not_a_spreadsheet")
    return rows


def _object(line: bytes) -> dict[str, object]:
    found = _parse(line)
    if not isinstance(found, dict):
        raise UnreadableFile("not_a_spreadsheet")
    return found


def _parse(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UnreadableFile("not_a_spreadsheet") from None


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return BROKEN_TEXT


def write_json(kind: Kind, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The rows as objects under their headings."""
    objects = [
        {heading: plain_text(cell) for heading, cell in zip(headings, row, strict=False)} for row in rows
    ]
    if kind == "ndjson":
        return b"".join(orjson.dumps(item) + b"\n" for item in objects)
    return orjson.dumps(objects)
