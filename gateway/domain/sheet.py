"""From a grid of cells to records: find the heading row, read the columns, refuse row by row.

The grid comes from any file reader; row numbers are those the person sees (the first line is 1).
Checks of one row come first; a refused row takes no part in the comparison with other rows.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from gateway.domain.cells import Cell, Problem, Value, hint, is_blank, reader, text_of
from gateway.domain.comparison import compare
from gateway.domain.rowchecks import ROW_CHECKS
from schemas.bulk import clean_resident_ids, clean_student_numbers
from schemas.codes.region import regions
from schemas.codes.tables import table
from schemas.identifiers import parse_uscc
from schemas.records import Column, Dataset, Kind

_SPECIAL_STARTS = frozenset("合总小共备说填制审注本全 \t\ufeff\u200b\u3000\xa0") | {""}
"""First characters after which a row may be something other than a record."""

Grid = Sequence[Sequence[Cell]]
Translate = Callable[[str, Cell], Cell]

_HEADING_SEARCH = 30
_CLEAN = {Kind.RESIDENT_ID: clean_resident_ids, Kind.STUDENT_NUMBER: clean_student_numbers}
_WITHOUT_CODES = frozenset({Kind.NAME, Kind.RESIDENT_ID, Kind.STUDENT_NUMBER})
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
    """What a file held: accepted records, refused cells, warnings, repeated rows and rows passed over.

    Accepted records are kept column by column: `columns[name][i]` belongs to the row numbered `numbers[i]`.
    """

    dataset: Dataset
    headings: Sequence[Cell] = ()
    rows: int = 0
    skipped: int = 0
    numbers: Sequence[int] = ()
    columns: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    flaws: list[RowFlaw] = field(default_factory=list)
    warnings: list[RowFlaw] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        """The accepted rows one by one."""
        rows = zip(*self.columns.values(), strict=True)
        return [
            Record(number, dict(zip(self.columns, row, strict=True)))
            for number, row in zip(self.numbers, rows, strict=True)
        ]

    def column(self, name: str) -> Sequence[Value]:
        """A column of the accepted records; all None when the file has no such column."""
        return self.columns.get(name) or [None] * len(self.numbers)

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
    reading = Reading(dataset, grid[start])
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
    """The rows that hold records; the others are counted and passed over.

    These are blank rows, totals, remarks, repeated headings, and the template's sample row left standing.
    """
    numbers: list[int] = []
    rows: list[Sequence[Cell]] = []
    heading = [heading_key(cell) for cell in grid[start]]
    samples = [reading.dataset.by_name[name].sample for name in placed]
    starts = {text_of(cell)[:1] for cell in grid[start]} | {samples[0][:1]} | _SPECIAL_STARTS
    reading.skipped = start
    for index in range(start + 1, len(grid)):
        row = grid[index]
        ordinary = row and row[0].__class__ is str and row[0][:1] not in starts
        if not ordinary and (
            _passed_over(row, placed, reading.dataset, heading)
            or [text_of(_at(row, place)) for place in placed.values()] == samples
        ):
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
    if column.kind in _WITHOUT_CODES:
        translate = None
    different = set(cells)
    clean = _CLEAN[column.kind](different) if column.kind in _CLEAN else []
    known: dict[Cell, Value | Problem] = dict(zip(clean, clean, strict=True))
    for cell in different.difference(clean):
        known[cell] = _read_cell(column, cell, law_date, read, translate)
    return list(map(known.__getitem__, cells))


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
    """Cell problems, then the checks across one row's cells, then comparison with other rows."""
    flawed = _flawed_rows(columns)
    for index, name, code in ROW_CHECKS[reading.dataset.id](columns):
        if index not in flawed:
            flawed[index] = [(name, code)]
    for index in sorted(flawed):
        reading.flaws.extend(
            _flaw(reading, numbers[index], rows[index], placed, name, code) for name, code in flawed[index]
        )
    sound = [index for index in range(len(numbers)) if index not in flawed] if flawed else range(len(numbers))
    compared = compare(reading.dataset, columns, sound)
    reading.repeated = [numbers[index] for index in compared.repeated]
    subject = reading.dataset.subject
    for index in compared.contradicted:
        flaw = _flaw(reading, numbers[index], rows[index], placed, subject, "duplicate_in_file")
        reading.flaws.append(replace(flaw, hint=""))
    _keep(reading, numbers, columns, compared.kept)
    reading.warnings.extend(_region_warnings(reading, placed))


def _keep(
    reading: Reading,
    numbers: Sequence[int],
    columns: Mapping[str, list[Value | Problem]],
    kept: Sequence[int],
) -> None:
    if len(kept) == len(numbers):
        reading.numbers, reading.columns = numbers, columns  # type: ignore[assignment]
        return
    reading.numbers = [numbers[index] for index in kept]
    reading.columns = {name: [values[index] for index in kept] for name, values in columns.items()}  # type: ignore[misc]


def _flawed_rows(columns: Mapping[str, list[Value | Problem]]) -> dict[int, list[tuple[str, str]]]:
    flawed: dict[int, list[tuple[str, str]]] = {}
    for name, values in columns.items():
        if Problem in set(map(type, values)):
            for index, value in enumerate(values):
                if isinstance(value, Problem):
                    flawed.setdefault(index, []).append((name, value.code))
    return flawed


def _flaw(
    reading: Reading, number: int, row: Sequence[Cell], placed: Mapping[str, int], name: str, code: str
) -> RowFlaw:
    index = placed.get(name)
    if index is None:
        return RowFlaw(number, reading.dataset.by_name[name].header, code, name, "")
    return RowFlaw(number, text_of(reading.headings[index]), code, name, hint(_at(row, index)))


def _region_warnings(reading: Reading, placed: Mapping[str, int]) -> Iterable[RowFlaw]:
    """Codes that no table knows, and employers' codes whose last character does not fit: accepted, but said."""
    for column in reading.dataset.columns:
        code = _DOUBTS.get(column.kind)
        if code is None or column.name not in placed:
            continue
        heading = text_of(reading.headings[placed[column.name]])
        known: dict[tuple[str, str], bool] = {}
        for number, value in zip(reading.numbers, reading.column(column.name), strict=True):
            if isinstance(value, str) and not _known(code, value, known):
                yield RowFlaw(number, heading, code, column.name, value if code == "unknown_region" else "")


_DOUBTS = {
    Kind.REGION: "unknown_region",
    Kind.RESIDENT_ID: "unknown_area",
    Kind.USCC: "uscc_checksum",
}


def _known(code: str, value: str, known: dict[tuple[str, str], bool]) -> bool:
    if code == "uscc_checksum":
        return parse_uscc(value).checksum_ok
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
