"""Cells that a spreadsheet program would run are made text (CWE-1236, formula injection)."""

import re

# A mark that starts a formula, full-width too, behind any blanks; or a control character in front.
_DANGEROUS = re.compile(r"[\t\r\n]|[\s\ufeff\u200b-\u200d\u2060]*[=+\-@＝＋－＠]")


def safe_text(text: str) -> str:
    """The text with an apostrophe in front when it would start a formula."""
    return "'" + text if _DANGEROUS.match(text) else text
