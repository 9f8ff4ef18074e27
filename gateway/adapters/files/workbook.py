"""xlsx: looked over before it is opened, read by cell type, never evaluated.

The reader makes a dense grid of whatever the cell references claim, and a claim it has no memory for ends the
process. So the look-over (`unpacking`) comes first, and the reader only sees what has been looked over.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from gateway.adapters.files.safe import plain_text, safe_text
from gateway.adapters.files.unpacking import repacked
from gateway.domain.cells import Cell
from gateway.domain.spreadsheet import Sheet, UnreadableFile
from gateway.domain.template import Template


def read_xlsx(body: bytes) -> list[Sheet]:
    """Every worksheet, from cell A1 on; raises UnreadableFile."""
    clean = repacked(body)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(clean))
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        return [Sheet(name, _grid(workbook.get_sheet_by_name(name))) for name in names]
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile):
        raise UnreadableFile("not_a_spreadsheet") from None


def _grid(sheet: CalamineSheet) -> list[list[Cell]]:
    grid = [[_cell(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    _fill_down(grid, sheet.merged_cell_ranges or [])
    return grid


def _fill_down(grid: list[list[Cell]], merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """A cell merged over several rows of one column stands for all of them; one merged sideways a title."""
    left = sum(len(row) for row in grid)
    for (top, column), (bottom, last) in merged:
        if column != last or top >= len(grid) or column >= len(grid[top]):
            continue
        rows = range(top + 1, min(bottom + 1, len(grid)))
        left -= len(rows)
        if left < 0:
            raise UnreadableFile("too_large")
        for row in rows:
            grid[row][column] = grid[top][column]


def _cell(value: Any) -> Cell:
    if value == "" or isinstance(value, str | int | float | bool | date | datetime):
        return value  # type: ignore[no-any-return]
    return str(value)


def write_xlsx(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """One sheet of text cells; nothing in it is a formula or a link."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"bold": True, "num_format": "@"})
        sheet = workbook.add_worksheet()
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, safe_text(heading), bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, safe_text(plain_text(cell)), text)
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
