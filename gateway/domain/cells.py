"""Reading one cell: what a clerk or a spreadsheet wrote, into the value the schema means, or a stable error code.

A cell is text, a number, a date or None. Every reader is a pure function of the cell and the column.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.domain.employers import employer_code
from gateway.domain.money import fen_of
from gateway.domain.predicate import is_school
from gateway.domain.redaction import shape
from gateway.domain.terms import term_code
from schemas.codes.region import normalise_region
from schemas.codes.tables import table
from schemas.identifiers import IdentifierError, parse_resident_id, parse_student_number
from schemas.records import Column, Kind

Cell = str | int | float | bool | date | datetime | None
Value = str | int | date | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cell was refused: one of the codes of the file contract."""

    code: str


_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+?\d{2}", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTH = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:月|[-/.]0?1)?|([0-9]{2}))")
_MIDNIGHT = re.compile(r"(?:[\s\u200b-\u200d\u2060\ufeff]+|T)0{1,2}:00(?::00(?:\.0+)?)?$")
_BLANKS = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_SPREADSHEET_EPOCH = date(1899, 12, 30)
_NAME_LIMIT = 64

BROKEN_TEXT = "\N{REPLACEMENT CHARACTER}"
"""Stands for what could not be decoded, or is no single value: never taken as text."""

_TEXT_LIMIT = 200


def text_of(cell: Cell) -> str:
    """The cell as the person sees it: full-width made plain, ends trimmed, 3.0 shown as 3."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return unicodedata.normalize("NFKC", str(cell)).strip("\ufeff\u200b \t\r\n")


def is_blank(cell: Cell) -> bool:
    """Whether nothing is written in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip("\ufeff\u200b\u3000\xa0 \t\r\n"))


def read_date(cell: Cell) -> date | Problem:
    """2026-03-05, 2026/3/5, 20260305, 2026年3月5日, a spreadsheet date or its serial number."""
    if isinstance(cell, date):
        return _calendar_date(cell.year, cell.month, cell.day)
    text = _day_text(cell)
    if not isinstance(cell, str) and re.fullmatch(r"\d{5}", text):
        day = _SPREADSHEET_EPOCH + timedelta(days=int(text))
        return _calendar_date(day.year, day.month, day.day)
    found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if found is None:
        return Problem("bad_date")
    return _calendar_date(*(int(part) for part in found.groups()))


def _day_text(cell: Cell) -> str:
    """Without blanks, and without the midnight that spreadsheets save behind a date (2026/3/1 00:00)."""
    return _BLANKS.sub("", _MIDNIGHT.sub("", text_of(cell)))


def _calendar_date(year: int, month: int, day: int) -> date | Problem:
    try:
        found = date(year, month, day)
    except ValueError:
        return Problem("bad_date")
    return found if 1900 <= year <= 2100 else Problem("bad_date")


def read_month(cell: Cell) -> str | Problem:
    """A month as YYYY-MM; also 2026年10月, 202610, 2026/10 and a spreadsheet date in that month.

    The number 2026.1 is refused: it is what a spreadsheet makes of January and of 2026.10 alike.
    """
    text = _day_text(cell)
    if isinstance(cell, date) or (not isinstance(cell, str) and re.fullmatch(r"\d{5}", text)):
        day = read_date(cell)
        return f"{day.year:04d}-{day.month:02d}" if isinstance(day, date) else day
    found = _MONTH.fullmatch(text)
    if found is None or (isinstance(cell, float) and not cell.is_integer()):
        return Problem("bad_date")
    first = _calendar_date(int(found[1]), int(found[2] or found[3]), 1)
    return f"{first.year:04d}-{first.month:02d}" if isinstance(first, date) else first


def read_identifier(cell: Cell, parse: Callable[[str], str]) -> str | Problem:
    """An id number; a numeric cell has already lost its last digits to the spreadsheet's 15."""
    if not isinstance(cell, str):
        return Problem("precision_lost")
    try:
        return parse(cell)
    except IdentifierError as error:
        rounded = _SCIENTIFIC.fullmatch(_BLANKS.sub("", text_of(cell)))
        return Problem("precision_lost" if rounded else error.code)


def read_integer(cell: Cell, column: Column) -> int | Problem:
    """A whole number within the column's bounds."""
    text = text_of(cell).removesuffix("天")
    if not re.fullmatch(r"-?\d{1,6}(\.0+)?", text):
        return Problem("bad_code")
    number = int(float(text))
    return number if column.minimum <= number <= column.maximum else Problem("out_of_range")


def read_code(cell: Cell, column: Column) -> str | Problem:
    """A value of the column's code table, by code, label or alias."""
    try:
        return table(column.codes or "").parse(text_of(cell))
    except IdentifierError:
        return Problem("bad_code")


def read_region(cell: Cell) -> str | Problem:
    """A region code in short form; whether the code exists is a warning elsewhere, never a refusal."""
    try:
        return normalise_region(text_of(cell))
    except IdentifierError:
        return Problem("bad_code")


def read_text(cell: Cell, limit: int = _TEXT_LIMIT) -> str | Problem:
    """Free text, one line, bounded; control characters are blanks."""
    text = " ".join("".join(ch if ch.isprintable() else " " for ch in text_of(cell)).split())
    if BROKEN_TEXT in text:
        return Problem("bad_code")
    return text if len(text) <= limit else Problem("out_of_range")


def read_name(cell: Cell) -> str | Problem:
    """A person's name; numbers alone are a shifted column, not a name."""
    text = read_text(cell, _NAME_LIMIT)
    if isinstance(text, str) and not any(ch.isalpha() for ch in text):
        return Problem("bad_code")
    return text


def read_school_code(cell: Cell) -> str | Problem:
    """A school's ten-digit code (学校标识码); 4 to 20 letters or digits are taken."""
    text = _BLANKS.sub("", text_of(cell)).upper()
    return text if is_school(text) else Problem("bad_code")


def read_uscc(cell: Cell) -> str | Problem:
    """An employer's code; a person's id number in its place is refused."""
    if not isinstance(cell, str):
        return Problem("precision_lost")
    code = employer_code(text_of(cell))
    return Problem("bad_code") if code is None else code


def read_term(cell: Cell) -> str | Problem:
    """A term as its code (`gateway.domain.terms`)."""
    try:
        return term_code(text_of(cell))
    except ValueError:
        return Problem("bad_code")


def read_money(cell: Cell, column: Column) -> int | Problem:
    """An amount in fen, within the column's bounds."""
    try:
        fen = fen_of(text_of(cell))
    except ValueError:
        return Problem("bad_code")
    return fen if column.minimum <= fen <= column.maximum else Problem("out_of_range")


def _resident_id(text: str) -> str:
    return parse_resident_id(text).value


def _student_number(text: str) -> str:
    return parse_student_number(text).value


_READERS: dict[Kind, Callable[[Cell, Column], Value | Problem]] = {
    Kind.NAME: lambda cell, _: read_name(cell),
    Kind.RESIDENT_ID: lambda cell, _: read_identifier(cell, _resident_id),
    Kind.STUDENT_NUMBER: lambda cell, _: read_identifier(cell, _student_number),
    Kind.DATE: lambda cell, _: read_date(cell),
    Kind.MONTH: lambda cell, _: read_month(cell),
    Kind.INTEGER: read_integer,
    Kind.CODE: read_code,
    Kind.REGION: lambda cell, _: read_region(cell),
    Kind.SCHOOL_CODE: lambda cell, _: read_school_code(cell),
    Kind.USCC: lambda cell, _: read_uscc(cell),
    Kind.TERM: lambda cell, _: read_term(cell),
    Kind.MONEY: read_money,
    Kind.TEXT: lambda cell, _: read_text(cell),
}


def reader(column: Column) -> Callable[[Cell], Value | Problem]:
    """The reader of a column's cells. A blank cell never reaches it."""
    read = _READERS[column.kind]
    return lambda cell: read(cell, column)


def hint(cell: Cell) -> str:
    """The shape of a value without the value (`gateway.domain.redaction.shape`); safe to send back."""
    if not isinstance(cell, str):
        return "" if cell is None else f"({type(cell).__name__})"
    return shape(cell)
