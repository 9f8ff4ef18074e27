"""Whatever legal dress a file comes in, it reads to the same records; whatever bytes come, nothing else is raised."""

import io
import json
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.adapters.files import Files
from gateway.domain.cells import Cell, hint
from gateway.domain.sheet import UnreadableSheet, read_sheet
from gateway.domain.spreadsheet import Kind, Sheet, UnreadableFile
from schemas.records import DATASETS
from tests.people import STUDENT_HEADINGS, student

FILES = Files()
LAW_DATE = date(2026, 11, 20)
REGISTER = DATASETS["student-register"]
KINDS: tuple[Kind, ...] = ("csv", "xlsx", "ndjson", "json")

births = st.dates(date(2008, 1, 1), date(2020, 12, 31))
children = st.lists(st.tuples(st.integers(0, 999), births), min_size=1, max_size=6, unique=True)


def read(sheet: Sheet) -> list[dict[str, Any]]:
    found = read_sheet(sheet.grid, REGISTER, LAW_DATE, first_row=sheet.first_row)
    assert found.flaws == []
    return [dict(record.values) for record in found.records]


def plain(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    return read(Sheet("", [list(STUDENT_HEADINGS), *(list(row.values()) for row in rows)]))


def _full_width(text: str) -> str:
    return "".join(chr(ord(ch) + 0xFEE0) if ch.isalnum() else ch for ch in text)


DATE_DRESS = (
    lambda day: day.isoformat(),
    lambda day: f"{day.year}/{day.month}/{day.day}",
    lambda day: f"{day:%Y%m%d}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day.year}/{day.month}/{day.day} 0:00",
    lambda day: f"{day.isoformat()} 00:00:00",
    lambda day: _full_width(f"{day:%Y%m%d}"),
)
ID_DRESS = (
    str,
    str.lower,
    _full_width,
    lambda text: "'" + text,
    lambda text: f"{text[:6]}-{text[6:14]}-{text[14:]}",
    lambda text: f"\u00a0{text[:6]} {text[6:14]}\u3000{text[14:]}",
    lambda text: f"\ufeff{text}\u200b",
)
HEADING_DRESS = ("{}", "{}*", " {} ", "{}（必填）")
DATES = ("出生日期", "状态日期")
IDS = ("身份证件号", "学籍号")


@st.composite
def dressed(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[list[Cell]]]:
    """Rows, and a grid of texts that says the same in some legal way."""
    rows = [student(number, birth) for number, birth in draw(children)]
    order = draw(st.permutations(STUDENT_HEADINGS))
    grid: list[list[Cell]] = [["通海县学生信息表"]] * draw(st.integers(0, 3))
    grid.append([draw(st.sampled_from(HEADING_DRESS)).format(heading) for heading in order])
    for row in rows:
        grid.extend([[]] * draw(st.integers(0, 2)))
        line: list[Cell] = []
        for heading in order:
            value = row[heading]
            if heading in DATES:
                value = draw(st.sampled_from(DATE_DRESS))(date.fromisoformat(value))
            elif heading in IDS:
                value = draw(st.sampled_from(ID_DRESS))(value)
            elif heading == "年级":
                value = draw(st.sampled_from(("四年级", "4", "小学四年级", "４")))
            line.append(value)
        grid.append(line)
    grid.extend(draw(st.lists(st.sampled_from([[], ["合计"], ["备注：无"]]), max_size=2)))
    return rows, grid


def delimited(grid: list[list[Cell]], encoding: str, delimiter: str, quoted: bool) -> bytes:
    mark = '"' if quoted else ""
    lines = (delimiter.join(f"{mark}{cell}{mark}" for cell in row) for row in grid)
    return "\r\n".join(lines).encode(encoding)


@given(
    dressed(),
    st.sampled_from(("utf-8", "utf-8-sig", "gb18030", "utf-16")),
    st.sampled_from(",;\t"),
    st.booleans(),
)
@settings(max_examples=150)
def test_any_dress_of_a_csv_reads_to_the_same_records(
    made: tuple[list[dict[str, str]], list[list[Cell]]], encoding: str, delimiter: str, quoted: bool
) -> None:
    rows, grid = made
    [sheet] = FILES.read(delimited(grid, encoding, delimiter, quoted), "csv")[1]
    assert read(sheet) == plain(rows)


@given(dressed(), st.booleans())
@settings(max_examples=60)
def test_any_dress_of_an_xlsx_reads_to_the_same_records(
    made: tuple[list[dict[str, str]], list[list[Cell]]], typed: bool
) -> None:
    rows, grid = made
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for at, line in enumerate(grid):
            for column, cell in enumerate(line):
                text = str(cell)
                if typed and len(text) == 10 and text[4] == text[7] == "-":
                    sheet.write_datetime(at, column, datetime.fromisoformat(text), day)
                elif typed and text.isascii() and text.isdigit() and len(text) <= 10:
                    sheet.write_number(at, column, int(text))
                else:
                    sheet.write_string(at, column, text)
    [found] = FILES.read(out.getvalue(), "xlsx")[1]
    assert read(found) == plain(rows)


@given(children, st.booleans(), st.booleans())
@settings(max_examples=40)
def test_json_reads_to_the_same_records(made: list[tuple[int, date]], lines: bool, english: bool) -> None:
    rows = [student(number, birth) for number, birth in made]
    names = {place.header: place.name if english else place.header for place in REGISTER.columns}
    objects = [{names[heading]: value for heading, value in row.items()} for row in rows]
    body = "\n".join(map(json.dumps, objects)) if lines else json.dumps(objects)
    [sheet] = FILES.read(body.encode(), "ndjson" if lines else "json")[1]
    assert read(sheet) == plain(rows)


def _refusal(body: bytes, kind: Kind) -> str | None:
    try:
        _form, sheets = FILES.read(body, kind)
    except UnreadableFile as error:
        return error.code
    codes = {_sheet_refusal(sheet.grid, dataset) for sheet in sheets for dataset in DATASETS}
    assert codes <= {None, "no_header", "wrong_dataset"}
    return None


def _sheet_refusal(grid: Any, dataset: str) -> str | None:
    try:
        read_sheet(grid, DATASETS[dataset], LAW_DATE, None, None, DATASETS.values())
    except UnreadableSheet as error:
        return error.code
    return None


def _read_anything(body: bytes, kind: Kind) -> None:
    assert _refusal(body, kind) in {None, "not_a_spreadsheet", "too_large", "encrypted", "zip_bomb"}


@given(st.binary(max_size=300), st.sampled_from(KINDS))
@settings(max_examples=300)
@example(b"\xff\xfe", "csv")
@example(b'"', "csv")
@example(b"PK\x05\x06" + bytes(18), "xlsx")
def test_arbitrary_bytes_raise_nothing_else(body: bytes, kind: Kind) -> None:
    _read_anything(body, kind)


@given(st.text(max_size=200), st.sampled_from(KINDS), st.sampled_from(("utf-8", "gb18030", "utf-16")))
@settings(max_examples=200)
def test_arbitrary_text_raises_nothing_else(text: str, kind: Kind, encoding: str) -> None:
    _read_anything(text.encode(encoding, errors="replace"), kind)


def _sample() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([STUDENT_HEADINGS, student(2).values(), student(3).values()]):
            sheet.write_row(at, 0, row)
    return out.getvalue()


SAMPLE = _sample()
SAMPLE_CSV = b"\r\n".join(
    ",".join(row).encode() for row in (STUDENT_HEADINGS, student(2).values(), student(3).values())
)


def _mutated(body: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(body)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    return bytes(changed)


mutations = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8)


@given(mutations, st.sampled_from(((SAMPLE, "xlsx"), (SAMPLE_CSV, "csv"))))
@settings(max_examples=300)
def test_a_damaged_file_raises_nothing_else(changes: list[tuple[int, int]], made: tuple[bytes, Kind]) -> None:
    _read_anything(_mutated(made[0], changes), made[1])


with zipfile.ZipFile(io.BytesIO(SAMPLE)) as _archive:
    PARTS = {name: _archive.read(name) for name in _archive.namelist()}


@given(st.sampled_from(sorted(PARTS)), mutations, st.integers(0, 1 << 16))
@settings(max_examples=300)
def test_a_workbook_with_damaged_xml_inside_raises_nothing_else(
    name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    parts = {**PARTS, name: _mutated(PARTS[name], changes)[: max(1, cut % (2 * len(PARTS[name])))]}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for part, body in parts.items():
            archive.writestr(part, body)
    _read_anything(out.getvalue(), "xlsx")


cells = st.one_of(
    st.none(),
    st.text(max_size=24),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.sampled_from([*student().values(), *DATASETS["attendance"].by_name, "合计", "2026-10"]),
)


@given(st.sampled_from(sorted(DATASETS)), st.lists(st.lists(cells, max_size=18), max_size=8))
@settings(max_examples=300)
def test_an_arbitrary_grid_under_good_headings_accounts_for_every_row(
    dataset: str, grid: list[list[Cell]]
) -> None:
    schema = DATASETS[dataset]
    found = read_sheet([[place.header for place in schema.columns], *grid], schema, LAW_DATE)
    assert found.rows + found.skipped == len(grid)
    assert len(found.records) + len(found.repeated) + len(found.refused_rows) == found.rows
    # Every accepted record is complete and in bounds.
    for record in found.records:
        assert all(record.values[place.name] is not None for place in schema.required())


@given(st.lists(st.lists(cells, max_size=18), max_size=8), st.sampled_from(sorted(DATASETS)))
@settings(max_examples=150)
def test_an_arbitrary_grid_raises_nothing_else(grid: list[list[Cell]], dataset: str) -> None:
    assert _sheet_refusal(grid, dataset) in {None, "no_header", "wrong_dataset"}


@given(cells)
def test_a_hint_holds_no_digit_or_letter_of_the_value(cell: Cell) -> None:
    shown = hint(cell)
    if isinstance(cell, str):
        assert not any(ch.isalnum() and ch not in "9A字" for ch in shown)
    else:
        assert shown in {"", f"({type(cell).__name__})"}


@given(births.filter(lambda day: day > date(2009, 1, 1)), st.integers(0, len(DATE_DRESS) - 1))
def test_no_spelling_of_a_day_reads_as_another_day(day: date, dress: int) -> None:
    for other in (day, day + timedelta(days=9), day.replace(day=1)):
        row = {**student(2, other), "出生日期": DATE_DRESS[dress](other)}
        assert plain([row])[0]["birth_date"] == other
