"""An xlsx, unpacked within bounds and packed anew: what is read afterwards is what was looked at here.

A workbook is a zip of XML. A few bytes can unpack to gigabytes, or claim a million rows of sixteen thousand
columns; two readers of one zip can disagree about what is in it. So the members are read once, measured, and
handed on.
"""

import io
import re
import struct
import zipfile
import zlib
from xml.parsers import expat

from gateway.domain.spreadsheet import UnreadableFile

MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 200
MAX_MEMBERS = 2_000
MAX_COLUMNS = 256
MAX_CELLS = 20_000_000
MAX_UNUSUAL = 64 * 2**20
_RATIO_COUNTS_FROM = 10 * 2**20
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = (".xml", ".rels")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_STRINGS_TAG = re.compile(rb"""<(?:[\w.-]+:)?sst\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_CLAIM = re.compile(rb"""\s(?:uniqueCount|count)\s*=\s*(?:"[^"]*"|'[^']*')""")
"""How many shared strings there are, as the part says: the reader sets memory aside for as many, unseen."""

_PIECE = 1 << 20

_CELL = re.compile(rb"<(?:[^<>\s/:]+:)?c(?=[\s/>])")
_ROW = re.compile(rb"<(?:[^<>\s/:]+:)?row(?=[\s/>])")
_USUAL_CELL = re.compile(rb"<(?:[^<>\s/:]+:)?c r=\"([A-Z]{1,3})(\d{1,7})\"")
_USUAL_ROW = re.compile(rb"<(?:[^<>\s/:]+:)?row r=\"(\d{1,7})\"")
_REFERENCE = re.compile(r"([A-Za-z]{0,3})(\d{1,7})")


def repacked(body: bytes) -> bytes:
    """The workbook's XML parts, uncompressed, none larger than it may be; raises UnreadableFile."""
    if body.startswith(_OLE2):
        encrypted = "EncryptedPackage".encode("utf-16-le") in body
        raise UnreadableFile("encrypted" if encrypted else "not_a_spreadsheet")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return _repack(archive, len(body))
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError),
        *(ValueError, OverflowError, expat.ExpatError),
    ):
        raise UnreadableFile("not_a_spreadsheet") from None


def _repack(archive: zipfile.ZipFile, packed: int) -> bytes:
    _check_members(archive.infolist(), packed)
    out, cells = io.BytesIO(), 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as clean:
        for member in archive.infolist():
            if not member.filename.lower().endswith(_PARTS):
                continue
            with archive.open(member) as stream:
                part = stream.read(member.file_size)
            if b"\0" in part or b"<!DOCTYPE" in part:
                raise UnreadableFile("not_a_spreadsheet")
            part = _STRINGS_TAG.sub(lambda tag: _CLAIM.sub(b"", tag[0]), part)
            if b"sheetData" in part:
                cells += _extent(part)
                if cells > MAX_CELLS:
                    raise UnreadableFile("too_large")
            clean.writestr(zipfile.ZipInfo(member.filename), part)
    return out.getvalue()


def _check_members(members: list[zipfile.ZipInfo], packed: int) -> None:
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile("encrypted")
    unpacked = sum(member.file_size for member in members)
    swollen = unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or swollen:
        raise UnreadableFile("zip_bomb")
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names or len({name.lower() for name in names}) != len(members):
        raise UnreadableFile("not_a_spreadsheet")
    if any(member.compress_type not in _METHODS for member in members):
        raise UnreadableFile("not_a_spreadsheet")


def _extent(part: bytes) -> int:
    """How many cells the grid of a sheet would have."""
    columns, rows = _usual_extent(part) or _unusual_extent(part)
    if columns > MAX_COLUMNS:
        raise UnreadableFile("too_large")
    return columns * rows


def _usual_extent(part: bytes) -> tuple[int, int] | None:
    """By pattern, where every cell and row says where it stands, as spreadsheet programs write; else None."""
    columns, rows, start = {b""}, 0, 0
    while start < len(part):
        end = part.find(b"<", start + _PIECE)
        piece = part[start : end if end > 0 else len(part)]
        found, lines = _USUAL_CELL.findall(piece), _USUAL_ROW.findall(piece)
        if len(found) != len(_CELL.findall(piece)) or len(lines) != len(_ROW.findall(piece)):
            return None
        columns.update(letters for letters, _ in found)
        rows = max([rows, *map(int, {digits for _, digits in found}), *map(int, lines)])
        start += len(piece)
    return max(_column_number(letters.decode()) for letters in columns), rows


def _unusual_extent(part: bytes) -> tuple[int, int]:
    """By parsing, where cells or rows follow from the one before."""
    if len(part) > MAX_UNUSUAL:
        raise UnreadableFile("too_large")
    place = _Place()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = place.start, place.end
    parser.Parse(part, True)
    return place.columns, place.rows


class _Place:
    """Where the last row and cell stood, and the farthest of each."""

    def __init__(self) -> None:
        self.columns = self.rows = 0
        self._row = self._column = 0
        self._in_cell = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A start tag of the sheet."""
        kind = name.rpartition(":")[2]
        if self._in_cell and kind in ("row", "c"):
            raise UnreadableFile("not_a_spreadsheet")
        self._in_cell = self._in_cell or kind == "c"
        if kind == "row":
            self._row, self._column = self._row + 1, 0
        elif kind == "c":
            self._column += 1
        if kind in ("row", "c"):
            self._jump(attributes.get("r", ""))
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)

    def end(self, name: str) -> None:
        """An end tag of the sheet."""
        if name.rpartition(":")[2] == "c":
            self._in_cell = False

    def _jump(self, reference: str) -> None:
        if not reference:
            return
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise UnreadableFile("too_large" if reference.isalnum() else "not_a_spreadsheet")
        self._row = int(found[2])
        self._column = _column_number(found[1]) or self._column


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
