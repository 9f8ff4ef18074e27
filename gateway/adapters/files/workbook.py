"""xlsx: looked over before it is opened, read by cell type, never evaluated.

A workbook is a zip of XML. Before the reader sees it, its members are unpacked within bounds, once, to see how large
the grid would become: a few bytes can claim a million rows of sixteen thousand columns.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from gateway.adapters.files.safe import safe_text
from gateway.domain.cells import Cell
from gateway.domain.spreadsheet import Sheet, UnreadableFile
from gateway.domain.template import Template

MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 200
MAX_MEMBERS = 2_000
MAX_COLUMNS = 256
MAX_CELLS = 40_000_000
_RATIO_COUNTS_FROM = 10 * 2**20
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,9})["']""")
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CHUNK = 1 << 20


def read_xlsx(body: bytes) -> list[Sheet]:
    """Every sheet, from cell A1 on; raises UnreadableFile."""
    _look_over(body)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        return [
            Sheet(name, [[_cell(cell) for cell in row] for row in _rows(workbook, name)])
            for name in workbook.sheet_names
        ]
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile):
        raise UnreadableFile("not_a_spreadsheet") from None


def _rows(workbook: CalamineWorkbook, name: str) -> list[list[Any]]:
    return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)


def _cell(value: Any) -> Cell:
    if value == "" or isinstance(value, str | int | float | bool | date | datetime):
        return value  # type: ignore[no-any-return]
    return str(value)


def _look_over(body: bytes) -> None:
    if body.startswith(_OLE2):
        encrypted = "EncryptedPackage".encode("utf-16-le") in body
        raise UnreadableFile("encrypted" if encrypted else "not_a_spreadsheet")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            _check_members(archive, len(body))
            for member in archive.infolist():
                if _SHEET_PART.fullmatch(member.filename):
                    _check_extent(archive, member)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, zipfile.zlib.error):  # type: ignore[attr-defined]
        raise UnreadableFile("not_a_spreadsheet") from None


def _check_members(archive: zipfile.ZipFile, packed: int) -> None:
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile("encrypted")
    unpacked = sum(member.file_size for member in members)
    swollen = unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or swollen:
        raise UnreadableFile("zip_bomb")
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise UnreadableFile("not_a_spreadsheet")


def _check_extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Unpack within the size the archive claims, and see the largest cell reference."""
    columns, rows, seen, tail = 0, 0, 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            seen += len(chunk)
            if seen > member.file_size:
                raise UnreadableFile("zip_bomb")
            window = tail + chunk
            names = set(_REFERENCE.findall(window))
            columns = max([columns, *(_column_number(letters) for letters, _ in names)])
            rows = max([rows, *(int(digits) for _, digits in names)])
            tail = window[-40:]
            if columns > MAX_COLUMNS or columns * rows > MAX_CELLS:
                raise UnreadableFile("too_large")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def write_xlsx(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """One sheet of text cells; nothing in it is a formula or a link."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"bold": True, "num_format": "@"})
        sheet = workbook.add_worksheet()
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, safe_text(_text(cell)), text)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


_TEMPLATE_ROWS = 5000


def write_template(template: Template) -> bytes:
    """A sheet to fill in: every cell is text (so that no id number is rounded), lists drop down, one sample row."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"bold": True, "num_format": "@", "bg_color": "#DCE6F1"})
        sheet = workbook.add_worksheet(template.title)
        for column, heading in enumerate(template.headings):
            sheet.set_column(column, column, 18, text)
            sheet.write_string(0, column, heading, bold)
            sheet.write_string(1, column, template.sample[column], text)
            if template.choices[column]:
                rule = {"validate": "list", "source": list(template.choices[column])}
                sheet.data_validation(1, column, _TEMPLATE_ROWS, column, rule)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
