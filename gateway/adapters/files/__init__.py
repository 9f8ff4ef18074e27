"""Spreadsheets and text tables: read with everything that can be wrong with them, written so that nothing runs."""

from collections.abc import Sequence

from gateway.adapters.files.delimited import read_csv, write_csv
from gateway.adapters.files.jsonlines import read_json, write_json
from gateway.adapters.files.workbook import read_xlsx, write_template, write_xlsx
from gateway.domain.cells import Cell
from gateway.domain.spreadsheet import Format, Kind, Sheet
from gateway.domain.template import Template


class Files:
    """`gateway.domain.spreadsheet.SpreadsheetFiles`."""

    def read(self, body: bytes, kind: Kind) -> tuple[Format, list[Sheet]]:
        """Every sheet of a file; raises UnreadableFile."""
        if kind == "csv":
            form, grid = read_csv(body)
            return form, [Sheet("", grid)]
        if kind == "xlsx":
            return Format("xlsx"), read_xlsx(body)
        return Format(kind), [Sheet("", read_json(body, kind), first_row=0)]

    def write(self, form: Format, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
        """A table in that format; no cell ever starts a formula."""
        if form.kind == "csv":
            return write_csv(form, headings, rows)
        if form.kind == "xlsx":
            return write_xlsx(headings, rows)
        return write_json(form.kind, headings, rows)

    def template(self, form: str, template: Template) -> tuple[Format, bytes]:
        """A template as xlsx (with drop-down lists) or csv (UTF-8 with BOM, as spreadsheet programs want it)."""
        if form == "xlsx":
            return Format("xlsx"), write_template(template)
        csv = Format("csv", "utf-8-sig")
        return csv, write_csv(csv, template.headings, [template.sample])
