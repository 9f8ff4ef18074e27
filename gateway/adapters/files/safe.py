"""Cells as they are written back: as they came, but that a spreadsheet program would run none (CWE-1236)."""

import re
from datetime import datetime

from gateway.domain.cells import Cell

# A mark that starts a formula, full-width too, behind any blanks; or a control character in front.
_DANGEROUS = re.compile(
    r"[\t\r\n]|[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[=+\-@＝＋－＠]"
)


def safe_text(text: str) -> str:
    """The text with an apostrophe in front when it would start a formula."""
    return "'" + text if _DANGEROUS.match(text) else text


def plain_text(cell: Cell) -> str:
    """A cell's own text, not normalised: the clerk shall recognise the row."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
