"""What becomes of a file as its sender reads it: counts, flaws row by row, and the table of refused rows."""

from collections.abc import Sequence

from gateway.domain.cells import Cell
from gateway.domain.jobs import StoredFile
from gateway.domain.landing import Tally
from gateway.domain.receipt import RowCounts, flaw_json, sentences
from gateway.domain.sheet import Reading, RowFlaw
from gateway.domain.spreadsheet import Sheet

WARNINGS_SHOWN = 1000


def refused_table(sheet: Sheet, reading: Reading) -> tuple[list[str], list[list[Cell]]]:
    """Headings and rows of the errors file: each refused row as it stood, its number, and what is wrong with it."""
    headings = [str(heading or "") for heading in reading.headings]
    texts = sentences(reading.flaws, reading.dataset)
    rows = [
        [*_padded(sheet.grid[number - sheet.first_row], len(headings)), number, text]
        for number, text in sorted(texts.items())
    ]
    return [*headings, "原文件行号", "错误说明"], rows


def _padded(row: Sequence[Cell], width: int) -> list[Cell]:
    return [*row[:width], *([None] * (width - len(row)))]


def receipt(
    upload_id: str, counts: RowCounts, reading: Reading, errors_file: StoredFile | None, language: str
) -> dict[str, object]:
    """The receipt in the contract's words."""

    def shown(flaws: Sequence[RowFlaw]) -> list[dict[str, object]]:
        return [flaw_json(flaw, reading.dataset, language) for flaw in flaws]

    return {
        "upload_id": upload_id,
        "rows": counts.rows,
        "accepted": counts.accepted,
        "unchanged": counts.unchanged,
        "rejected": counts.rejected,
        "skipped": counts.skipped,
        "errors": shown(reading.flaws),
        "warnings": shown(reading.warnings[:WARNINGS_SHOWN]),
        "warnings_total": len(reading.warnings),
        "errors_file": f"/v1/files/{errors_file.id}" if errors_file else None,
    }


def counts(reading: Reading, tally: Tally) -> RowCounts:
    """How many rows there were, and what became of them."""
    return RowCounts(
        rows=reading.rows,
        accepted=tally.accepted,
        unchanged=tally.unchanged + len(reading.repeated),
        rejected=len(reading.refused_rows),
        skipped=reading.skipped,
    )
