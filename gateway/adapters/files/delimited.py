"""CSV as offices write it: UTF-8 with or without BOM, or GB18030; comma, semicolon or tab."""

import csv
import io
from collections.abc import Sequence
from itertools import chain

from gateway.adapters.files.safe import plain_text, safe_text
from gateway.domain.cells import Cell
from gateway.domain.spreadsheet import Format, UnreadableFile

MAX_COLUMNS = 256
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
_FIELD_LIMIT = 32_768
_SAMPLE = 65_536
_END = "\0end"


def read_csv(body: bytes) -> tuple[Format, list[list[str]]]:
    """The grid and how it was written; raises UnreadableFile."""
    if b"\0" in body[:_SAMPLE] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("not_a_spreadsheet")
    encoding, text = _decode(body)
    delimiter = _delimiter(text)
    csv.field_size_limit(_FIELD_LIMIT)
    grid: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(chain(io.StringIO(text, newline=""), (_END,)), delimiter=delimiter):
            cells += len(row)
            if len(row) > MAX_COLUMNS or len(grid) > MAX_ROWS or cells > MAX_CELLS:
                raise UnreadableFile("too_large")
            grid.append(row)
    except csv.Error:
        raise UnreadableFile("not_a_spreadsheet") from None
    if grid.pop() != [_END]:  # a quotation mark never closed has swallowed the rest of the file
        raise UnreadableFile("not_a_spreadsheet")
    return Format("csv", encoding, delimiter), grid


def _decode(body: bytes) -> tuple[str, str]:
    if body.startswith((b"%PDF", b"PK\x03\x04")):
        raise UnreadableFile("not_a_spreadsheet")
    for encoding in ("utf-16",) if body.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        plain = "utf-8" if encoding == "utf-8-sig" and not body.startswith(b"\xef\xbb\xbf") else encoding
        return plain, text
    raise UnreadableFile("not_a_spreadsheet")


def _delimiter(text: str) -> str:
    """The separator that stands most often, outside quotes, in the first lines."""
    lines = [line for line in text[:_SAMPLE].splitlines() if line.strip()][:20]
    counts = {mark: sum(_outside_quotes(line).count(mark) for line in lines) for mark in (",", ";", "\t")}
    return max(counts, key=lambda mark: counts[mark])


def _outside_quotes(line: str) -> str:
    return "".join(part for index, part in enumerate(line.split('"')) if index % 2 == 0)


def write_csv(form: Format, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """A table in the encoding and with the separator of the file that it answers."""
    out = io.StringIO(newline="")
    # Every cell in quotes: a program that splits at another mark shall not find a cell that starts a formula.
    writer = csv.writer(out, delimiter=form.delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow([safe_text(heading) for heading in headings])
    for row in rows:
        writer.writerow([safe_text(plain_text(cell)) for cell in row])
    return out.getvalue().encode(form.encoding, errors="replace")
