"""From a grid of cells to records: find the heading row, read the columns, refuse row by row.

The grid comes from any file reader; row numbers are those the person sees (the first line is 1).
Checks of one row come first; a refused row takes no part in the comparison with other rows.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from gateway.domain.cells import Cell, Problem, Value, hint, is_blank, reader, text_of
from gateway.domain.rowchecks import ROW_CHECKS
from schemas.codes.region import regions
from schemas.codes.tables import table
from schemas.records import Column, Dataset, Kind

_SPECIAL_STARTS = frozenset("合总小共备说填制审注本全 \t\ufeff\u200b\u3000\xa0") | {""}
"""First characters after which a row may be something other than a record."""

Grid = Sequence[Sequence[Cell]]
Translate = Callable[[str, Cell], Cell]

_HEADING_SEARCH = 30
_TOTAL = re.compile(r"(本页|本校|全校|本县)?(合计|总计|小计|共计)[:：]?")
_REMARK = re.compile(r"(合计|总计|小计|共计|备注|说明|填表|制表|审核|注[:：])")
_NOISE = re.compile(r"[\s*＊:：()（）]|必填|\ufeff")


@dataclass(frozen=True, slots=True)
class RowFlaw:
    """One refused cell, or a warning about an accepted one. `column` is the heading as the file has it."""

    row: int
    column: str
    code: str
    field: str
    hint: str


class Record(NamedTuple):
    """One accepted row: its number in the file and its values by field name."""

    row: int
    values: Mapping[str, Value]


@dataclass(slots=True)
class Reading:
    """What a file held: accepted records, refused cells, warnings, repeated rows and rows passed over."""

    dataset: Dataset
    headings: Sequence[Cell] = ()
    heading_row: int = 0
    rows: int = 0
    skipped: int = 0
    records: list[Record] = field(default_factory=list)
    flaws: list[RowFlaw] = field(default_factory=list)
    warnings: list[RowFlaw] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    @property
    def refused_rows(self) -> set[int]:
        """The numbers of the rows that did not land."""
        return {flaw.row for flaw in self.flaws}


class UnreadableSheet(Exception):
    """The file as a whole is refused: `no_header`, `wrong_dataset` or `too_large`; `missing` names headings."""

    def __init__(self, code: str, missing: tuple[str, ...] = (), looks_like: str | None = None) -> None:
        super().__init__(code)
        self.code, self.missing, self.looks_like = code, missing, looks_like


def heading_key(cell: Cell) -> str:
    """A heading as compared: no blanks, stars, colons, brackets or case."""
    return _NOISE.sub("", text_of(cell)).casefold()


def place_columns(
    row: Sequence[Cell], dataset: Dataset, more: Mapping[str, tuple[str, ...]]
) -> dict[str, int]:
    """Where each field's column stands in a heading row: field name → index."""
    known = {
        heading_key(heading): column.name
        for column in dataset.columns
        for heading in (*column.headings, *more.get(column.name, ()))
    }
    placed: dict[str, int] = {}
    for index, cell in enumerate(row):
        name = known.get(heading_key(cell))
        if name is not None and name not in placed:
            placed[name] = index
    return placed


def find_headings(
    grid: Grid, dataset: Dataset, more: Mapping[str, tuple[str, ...]], others: Iterable[Dataset]
) -> tuple[int, dict[str, int]]:
    """The index of the heading row and its columns; raises UnreadableSheet when there is none that serves."""
    best = 0
    placed: dict[str, int] = {}
    for index, row in enumerate(grid[:_HEADING_SEARCH]):
        found = place_columns(row, dataset, more)
        if len(found) > len(placed):
            best, placed = index, found
    missing = tuple(column.header for column in dataset.required() if column.name not in placed)
    if not missing:
        return best, placed
    _refuse_other_dataset(grid, dataset, others)
    raise UnreadableSheet("no_header", missing)


def _refuse_other_dataset(grid: Grid, dataset: Dataset, others: Iterable[Dataset]) -> None:
    for other in others:
        if other.id == dataset.id:
            continue
        for row in grid[:_HEADING_SEARCH]:
            placed = place_columns(row, other, {})
            if all(column.name in placed for column in other.required()):
                raise UnreadableSheet("wrong_dataset", looks_like=other.title_zh)


def read_sheet(
    grid: Grid,
    dataset: Dataset,
    law_date: date,
    more_headings: Mapping[str, tuple[str, ...]] | None = None,
    translate: Translate | None = None,
    others: Iterable[Dataset] = (),
    first_row: int = 1,
) -> Reading:
    """Read a whole grid. `translate(field, cell)` maps an agency's own codes before they are read.

    `first_row` is the number of the grid's first row for the person who looks at the file.
    """
    start, placed = find_headings(grid, dataset, more_headings or {}, others)
    reading = Reading(dataset, grid[start], start + first_row)
    numbers, rows = _data_rows(grid, start, placed, reading, first_row)
    cells = _columns(rows, max(placed.values()) + 1)
    columns = {
        name: _read_column(dataset.by_name[name], cells[index], law_date, translate)
        for name, index in placed.items()
    }
    _collect(reading, numbers, rows, columns, placed)
    return reading


def _columns(rows: Sequence[Sequence[Cell]], width: int) -> list[tuple[Cell, ...]]:
    """The rows' cells column by column; short rows are filled up with nothing."""
    if not rows:
        return [()] * width
    filled = (row if len(row) >= width else [*row, *[None] * (width - len(row))] for row in rows)
    return list(zip(*(row[:width] for row in filled), strict=True))


def _at(row: Sequence[Cell], index: int) -> Cell:
    return row[index] if index < len(row) else None


def _data_rows(
    grid: Grid, start: int, placed: Mapping[str, int], reading: Reading, first_row: int
) -> tuple[list[int], list[Sequence[Cell]]]:
    """The rows that hold records; blank rows, totals, remarks and repeated headings are counted and passed over."""
    numbers: list[int] = []
    rows: list[Sequence[Cell]] = []
    heading = [heading_key(cell) for cell in grid[start]]
    starts = {text_of(cell)[:1] for cell in grid[start]} | _SPECIAL_STARTS
    reading.skipped = start
    for index in range(start + 1, len(grid)):
        row = grid[index]
        ordinary = row and row[0].__class__ is str and row[0][:1] not in starts
        if not ordinary and _passed_over(row, placed, reading.dataset, heading):
            reading.skipped += 1
        else:
            numbers.append(index + first_row)
            rows.append(row)
    reading.rows = len(rows)
    return numbers, rows


def _passed_over(
    row: Sequence[Cell], placed: Mapping[str, int], dataset: Dataset, heading: Sequence[str]
) -> bool:
    first = next((cell for cell in row if not is_blank(cell)), None)
    if first is None:
        return True
    if not isinstance(first, str):
        return False
    label = text_of(first).replace(" ", "")
    required = [placed[column.name] for column in dataset.required()]
    blanks = sum(is_blank(_at(row, index)) for index in required)
    if _TOTAL.fullmatch(label) and blanks:
        return True
    if _REMARK.match(label):
        return blanks * 2 >= len(required)
    return heading_key(first) == next(key for key in heading if key) and all(
        heading_key(_at(row, index)) == heading[index] for index in placed.values()
    )


def _read_column(
    column: Column, cells: Sequence[Cell], law_date: date, translate: Translate | None
) -> list[Value | Problem]:
    """Read each different cell once: most columns hold few different values."""
    read = reader(column)
    known = {cell: _read_cell(column, cell, law_date, read, translate) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _read_cell(
    column: Column,
    cell: Cell,
    law_date: date,
    read: Callable[[Cell], Value | Problem],
    translate: Translate | None,
) -> Value | Problem:
    if is_blank(cell):
        return Problem("missing_required") if column.required else None
    value = read(translate(column.name, cell) if translate else cell)
    if column.not_future and _after(value, law_date):
        return Problem("future_date")
    return value


def _after(value: Value | Problem, day: date) -> bool:
    if isinstance(value, date):
        return value > day
    return isinstance(value, str) and value > f"{day.year:04d}-{day.month:02d}"


def _collect(
    reading: Reading,
    numbers: Sequence[int],
    rows: Sequence[Sequence[Cell]],
    columns: Mapping[str, list[Value | Problem]],
    placed: Mapping[str, int],
) -> None:
    """Row by row: cell problems, then the checks across one row's cells, then comparison with other rows."""
    flawed = _flawed_rows(columns)
    names = tuple(columns)
    seen: dict[tuple[Value, ...], tuple[Value, ...]] | None = {}
    if _all_different(reading.dataset, columns):
        seen = None
    check = ROW_CHECKS[reading.dataset.id]
    for index, values in enumerate(zip(*columns.values(), strict=True)):
        number = numbers[index]
        problems = flawed.get(index) or check(record := dict(zip(names, values, strict=True)))
        if problems:
            reading.flaws.extend(
                _flaw(reading, number, rows[index], placed, name, code) for name, code in problems
            )
        elif seen is None:
            reading.records.append(Record(number, record))
        else:
            _admit(reading, number, record, values, seen)
    reading.warnings.extend(_region_warnings(reading, placed))


def _all_different(dataset: Dataset, columns: Mapping[str, Sequence[Value | Problem]]) -> bool:
    """Whether no identifier stands twice with the same key, so that no row needs comparing with another."""
    keys = [columns[name] for name in dataset.key]
    for name in ("id_number", "student_number"):
        if name in columns:
            found = list(zip(columns[name], *keys, strict=True))
            written = [row for row in found if row[0] is not None]
            if len(set(written)) < len(written):
                return False
    return True


def _flawed_rows(columns: Mapping[str, list[Value | Problem]]) -> dict[int, list[tuple[str, str]]]:
    flawed: dict[int, list[tuple[str, str]]] = {}
    for name, values in columns.items():
        for index, value in enumerate(values):
            if value.__class__ is Problem:
                flawed.setdefault(index, []).append((name, value.code))
    return flawed


def _flaw(
    reading: Reading, number: int, row: Sequence[Cell], placed: Mapping[str, int], name: str, code: str
) -> RowFlaw:
    index = placed.get(name)
    if index is None:
        return RowFlaw(number, reading.dataset.by_name[name].header, code, name, "")
    return RowFlaw(number, text_of(reading.headings[index]), code, name, hint(_at(row, index)))


def record_key(dataset: Dataset, values: Mapping[str, Value]) -> tuple[Value, ...]:
    """What makes two rows the same record: the child, and the dataset's further key columns."""
    child = values.get("id_number") or values[dataset.subject]
    return (child, *(values[name] for name in dataset.key))


def _earlier(
    dataset: Dataset,
    record: Mapping[str, Value],
    values: tuple[Value, ...],
    seen: dict[tuple[Value, ...], tuple[Value, ...]],
) -> tuple[Value, ...] | None:
    """An earlier row of the same record; a row without id number is found by student number, and finds by it.

    Two different id numbers with one student number are two children: that conflict is settled in the store.
    """
    key = record_key(dataset, record)
    earlier = seen.get(key)
    if earlier is None and "id_number" in dataset.by_name and dataset.subject != "id_number":
        number = record[dataset.subject]
        has_id = record.get("id_number") is not None
        earlier = seen.get(("without id", number) if has_id else ("with id", number))
        seen.setdefault(("with id" if has_id else "without id", number), values)
    seen.setdefault(key, values)
    return earlier


def _admit(
    reading: Reading,
    number: int,
    record: dict[str, Value],
    values: tuple[Value, ...],
    seen: dict[tuple[Value, ...], tuple[Value, ...]],
) -> None:
    earlier = _earlier(reading.dataset, record, values, seen)
    if earlier is None:
        reading.records.append(Record(number, record))
    elif earlier == values:
        reading.repeated.append(number)
    else:
        reading.flaws.append(RowFlaw(number, "", "duplicate_in_file", reading.dataset.subject, ""))


def _region_warnings(reading: Reading, placed: Mapping[str, int]) -> Iterable[RowFlaw]:
    """Codes that no table knows: accepted, but said."""
    known: dict[tuple[str, str], bool] = {}
    for column in reading.dataset.columns:
        code = {Kind.REGION: "unknown_region", Kind.RESIDENT_ID: "unknown_area"}.get(column.kind)
        if code is None or column.name not in placed:
            continue
        heading = text_of(reading.headings[placed[column.name]])
        for record in reading.records:
            value = record.values[column.name]
            if isinstance(value, str) and not _known(code, value, known):
                yield RowFlaw(record.row, heading, code, column.name, "")


def _known(code: str, value: str, known: dict[tuple[str, str], bool]) -> bool:
    region = value if code == "unknown_region" else _area(value)
    if not region:
        return True
    key = (code, region)
    if key not in known:
        known[key] = regions().is_known(region)
    return known[key]


def _area(resident_id: str) -> str:
    """The county an id was issued in; permits of residence (8…) and permanent residence (9…) name none."""
    return resident_id[:6] if resident_id[0] in "1234567" else ""


def code_choices(column: Column) -> tuple[str, ...]:
    """The Chinese labels a code column may hold, for messages and drop-downs."""
    return table(column.codes).labels_zh() if column.codes else ()
