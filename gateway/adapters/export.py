"""A released list as NDJSON, CSV, Parquet or xlsx.

Rows that are alike but for the pseudonym are written down once and repeated, so the cost of a row is one
concatenation. Parquet and xlsx go through Polars and XlsxWriter.
"""

import csv
import io
from collections.abc import Mapping, Sequence

import orjson
import polars as pl

from gateway.adapters.files.safe import safe_text
from gateway.adapters.files.workbook import write_xlsx
from gateway.domain.deidentify import KEY, Released
from gateway.domain.listing import Table

_LIST_MARK = "|"
_BOM = "\ufeff"
_WORDS = {None: "", True: "true", False: "false"}


class ListWriter:
    """`gateway.services.export.TableWriter`."""

    def write(self, form: str, table: Table) -> bytes:
        """The file's bytes. Lists become ``a|b`` in flat formats; no cell starts a formula."""
        match form:
            case "ndjson":
                return _ndjson(table)
            case "csv":
                return _csv(table)
            case "parquet":
                return _parquet(table)
        return write_xlsx(table.names, [[_flat(cell) for cell in row.values()] for row in _all(table)])


def _all(table: Table) -> list[Released]:
    return table.rows(0, len(table.keys))


def _joined(table: Table, before: str, after: Sequence[str]) -> str:
    """Each row: `before`, its pseudonym, and what its kind says after it."""
    if not table.keyed:
        return "".join([after[kind] for kind in table.kinds])
    return "".join([before + key + after[kind] for key, kind in zip(table.keys, table.kinds, strict=True)])


def _ndjson(table: Table) -> bytes:
    bodies = [orjson.dumps(record).decode() for record in table.alike]
    if not table.keyed:
        return _joined(table, "", [f"{body}\n" for body in bodies]).encode()
    after = [f'",{body[1:]}\n' if body != "{}" else '"}\n' for body in bodies]
    return _joined(table, f'{{"{KEY}":"', after).encode()


def _csv(table: Table) -> bytes:
    lines = [_csv_line([_flat(cell) for cell in record.values()]) for record in table.alike]
    if table.keyed:
        lines = ["," + line if record else line for line, record in zip(lines, table.alike, strict=True)]
    return (_BOM + _csv_line(table.names) + _joined(table, "", lines)).encode()


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([safe_text(cell) for cell in cells])
    return out.getvalue()


def _flat(value: object) -> str:
    if isinstance(value, list):
        return _LIST_MARK.join(map(str, value))
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


def _parquet(table: Table) -> bytes:
    rows = _all(table)
    columns: Mapping[str, list[object]] = {name: [row[name] for row in rows] for name in table.names}
    frame = pl.DataFrame(
        {name: pl.Series(name, values, dtype=_dtype(values)) for name, values in columns.items()}
    )
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def _dtype(values: Sequence[object]) -> pl.DataType | type[pl.DataType]:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, list):
        return pl.List(pl.String)
    return pl.Boolean if first is None or isinstance(first, bool) else pl.String
