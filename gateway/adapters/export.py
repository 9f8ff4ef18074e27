"""Released columns as NDJSON, CSV, Parquet or xlsx, column by column (Polars)."""

import io
from collections.abc import Mapping, Sequence

import polars as pl

from gateway.adapters.files.workbook import write_xlsx

_LIST_MARK = "|"
_BOM = b"\xef\xbb\xbf"
_DANGEROUS = r"^\s*[=+\-@＝＋－＠]"


class PolarsTableWriter:
    """`gateway.services.export.TableWriter`."""

    def write(self, form: str, columns: Mapping[str, Sequence[object]]) -> bytes:
        """The file's bytes. Lists become ``a|b`` in flat formats; no cell starts a formula."""
        frame = pl.DataFrame(
            {name: pl.Series(name, values, dtype=_dtype(values)) for name, values in columns.items()}
        )
        if form == "ndjson":
            return _saved(frame, "ndjson")
        if form == "parquet":
            return _saved(frame, "parquet")
        flat = _flat(frame)
        if form == "csv":
            return _BOM + _saved(flat, "csv")
        return write_xlsx(flat.columns, [list(row) for row in flat.iter_rows()])


def _saved(frame: pl.DataFrame, form: str) -> bytes:
    out = io.BytesIO()
    match form:
        case "ndjson":
            frame.write_ndjson(out)
        case "parquet":
            frame.write_parquet(out)
        case _:
            frame.write_csv(out)
    return out.getvalue()


def _dtype(values: Sequence[object]) -> pl.DataType | type[pl.DataType]:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, list):
        return pl.List(pl.String)
    if isinstance(first, bool):
        return pl.Boolean
    return pl.Boolean if first is None else pl.String


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists joined, texts that would start a formula with an apostrophe in front."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name).list.join(_LIST_MARK) if isinstance(kind, pl.List) else pl.col(name)
        if isinstance(kind, pl.List | pl.String):
            safe = pl.concat_str(pl.lit("'"), column)
            column = pl.when(column.str.contains(_DANGEROUS)).then(safe).otherwise(column).alias(name)
        columns.append(column)
    return frame.select(columns)
