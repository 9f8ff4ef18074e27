"""An agency's own files: which ones in a folder hold a dataset, as which media type, and their rows as text.

The gateway reads and judges uploads itself; the rows here are for what an agency's own system counts.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineWorkbook

from connectors.base import Mapping
from schemas.records import DATASETS

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
NDJSON = "application/x-ndjson"
JSON = "application/json"

_BY_SUFFIX = {
    ".csv": CSV,
    ".tsv": CSV,
    ".txt": CSV,
    ".xlsx": XLSX,
    ".xls": XLS,
    ".ndjson": NDJSON,
    ".jsonl": NDJSON,
    ".json": JSON,
}
_ZIP = b"PK\x03\x04"
_FOOT = ("合计", "总计", "小计", "备注", "说明")


def media_type(path: Path, content: bytes) -> str | None:
    """The media type by content where that is certain, else by name; None for a file that is no table.

    Only a zip is certain: a spreadsheet saved under `.csv` is common. A `.xlsx` that is no zip keeps the type
    of its name, so that the gateway can say what is wrong with it (encrypted, not a spreadsheet).
    """
    named = _BY_SUFFIX.get(path.suffix.lower())
    return XLSX if named is not None and content.startswith(_ZIP) else named


def read_drop(folder: Path, dataset: str) -> Iterator[tuple[Path, bytes, str]]:
    """The files of `folder` that hold `dataset`, by name: (path, content, media type).

    A file belongs to a dataset when its name is the dataset's id or Chinese title, or begins with one of them
    and a separator (`attendance-2026-10.csv`, `考勤_十月.xlsx`); hidden and lock files never do. Raises
    KeyError for an unknown dataset, OSError when the folder cannot be read.
    """
    names = (dataset, DATASETS[dataset].title_zh)
    for path in sorted(folder.iterdir()):
        if _belongs(path, names) and path.is_file():
            content = path.read_bytes()
            kind = media_type(path, content)
            if kind is not None:
                yield path, content, kind


def read_records(content: bytes, kind: str, mapping: Mapping) -> Iterator[dict[str, str]]:
    """The rows under the headings as {field: text}, CSV or xlsx, leaving out blank rows, totals and remarks.

    Raises ValueError for another media type or when no row has the headings of the required columns.
    """
    rows = iter(_cells(content, kind))
    fields = _headings(rows, mapping)
    subject = DATASETS[mapping.dataset].subject
    for row in rows:
        record = {name: text.strip() for name, text in zip(fields, row, strict=False) if name is not None}
        if record.get(subject) and not row[0].strip().startswith(_FOOT):
            yield record


def _belongs(path: Path, names: tuple[str, ...]) -> bool:
    stem = path.stem
    return any(stem == name or stem.startswith((f"{name}-", f"{name}_", f"{name}.")) for name in names)


def _headings(rows: Iterator[list[str]], mapping: Mapping) -> list[str | None]:
    required = {column.name for column in DATASETS[mapping.dataset].required()}
    for row in rows:
        fields = [mapping.field_of(text) for text in row]
        if required <= set(fields):
            return fields
    raise ValueError(f"no row holds the headings of {mapping.dataset}")


def _cells(content: bytes, kind: str) -> Iterator[list[str]]:
    if kind == CSV:
        text = _text(content)
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    elif kind == XLSX:
        for row in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python():
            yield [_cell(value) for value in row]
    else:
        raise ValueError(f"rows of {kind} are not read here")


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def _delimiter(text: str) -> str:
    return max(",;\t", key=text[:4096].count)
