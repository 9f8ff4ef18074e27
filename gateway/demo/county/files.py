"""Writes the four files as agencies do: titles, blank rows, totals and remarks around the rows that count."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from gateway.demo.county.places import COUNTY_NAME
from gateway.demo.county.rows import (
    ASSESSMENT,
    ATTENDANCE,
    COLUMNS,
    REGISTER,
    RELIEF,
    Cells,
    Row,
    month_before,
)
from gateway.demo.county.spelling import Cell

# Dataset: (file name, encoding).
FILES = {
    REGISTER: ("student-register.xlsx", ""),
    ATTENDANCE: ("attendance.csv", "gb18030"),
    RELIEF: ("relief-register.csv", "utf-8-sig"),
    ASSESSMENT: ("disability-assessment.csv", "utf-8"),
}
ROWS_PER_BLANK = 400


@dataclass(slots=True)
class Sheet:
    """A file before it is written: `lines` in order, None for a blank one; `footer` are total and remark."""

    dataset: str
    title: str | None
    lines: list[Row | None]
    footer: list[Cells]

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the Chinese headers in order."""
        return COLUMNS[self.dataset]

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """Yield (line number as a person sees it, row) without blank lines; the file's first line is 1."""
        first = 3 if self.title else 2
        for number, row in enumerate(self.lines, first):
            if row is not None:
                yield number, row

    def table(self) -> Iterator[list[Cell]]:
        """Yield every line below the title: headers, rows, blank lines, footer."""
        yield list(self.columns)
        for row in self.lines:
            yield [] if row is None else list(row.cells.values())
        for cells in self.footer:
            yield [cells.get(column) for column in self.columns]


def lay_out(dataset: str, rows: list[Row], as_of: date, rng: random.Random) -> Sheet:
    """Put rows in order, with blank lines here and there and the title and footer of that dataset."""
    ordered: list[Row | None] = [*sorted(rows, key=lambda row: row.order)]
    for _ in range(2 + len(rows) // ROWS_PER_BLANK):
        ordered.insert(rng.randrange(1, len(ordered)), None)
    return Sheet(dataset, _title(dataset, as_of), ordered, _footer(dataset, rows, as_of))


def write(sheet: Sheet, folder: Path, as_of: date) -> None:
    """Write the file of a sheet into `folder`."""
    name, encoding = FILES[sheet.dataset]
    if encoding:
        _write_csv(sheet, folder / name, encoding)
    else:
        _write_xlsx(sheet, folder / name, as_of)


def _title(dataset: str, as_of: date) -> str | None:
    year, month = month_before(as_of).split("-")
    titles = {
        REGISTER: f"{COUNTY_NAME}义务教育阶段学生名册",
        ATTENDANCE: f"{COUNTY_NAME}{year}年{int(month)}月学生出勤汇总表",
        RELIEF: f"{COUNTY_NAME}未成年人社会救助台账",
    }
    return titles.get(dataset)


def _footer(dataset: str, rows: list[Row], as_of: date) -> list[Cells]:
    first = COLUMNS[dataset][0]
    totals: dict[str, Cells] = {
        REGISTER: {"年级": len(rows)},
        ATTENDANCE: {column: _sum(rows, column) for column in ("应到天数", "缺勤天数")},
        RELIEF: {"身份证号": len(rows)},
    }
    total: list[Cells] = [{first: "合计", **totals[dataset]}] if dataset in totals else []
    return [*total, {first: f"备注:演示数据，由程序虚构，截至{as_of.year}年{as_of.month}月{as_of.day}日"}]


def _sum(rows: list[Row], column: str) -> int:
    values = (row.cells.get(column) for row in rows)
    return sum(value for value in values if isinstance(value, int))


def _write_csv(sheet: Sheet, path: Path, encoding: str) -> None:
    width = len(sheet.columns)
    with path.open("w", encoding=encoding, newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        if sheet.title:
            out.writerow([sheet.title, *[""] * (width - 1)])
        for number, line in enumerate(sheet.table()):
            # A blank line is either empty or, as spreadsheets save it, a row of commas.
            out.writerow(line or [""] * (width if number % 2 else 0))


def _write_xlsx(sheet: Sheet, path: Path, as_of: date) -> None:
    # A fixed creation time: the same seed gives the same bytes.
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime(as_of.year, as_of.month, as_of.day)})  # noqa: DTZ001
        day_format = book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet("学生名册")
        page.merge_range(0, 0, 0, len(sheet.columns) - 1, sheet.title)
        for y, line in enumerate(sheet.table(), 1):
            for x, cell in enumerate(line):
                if isinstance(cell, str):
                    page.write_string(y, x, cell)
                elif isinstance(cell, date):
                    page.write_datetime(y, x, cell, day_format)
                elif cell is not None:
                    page.write_number(y, x, cell)
