"""Cells that a spreadsheet program would run are made text (CWE-1236, formula injection)."""

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_text(text: str) -> str:
    """The text with an apostrophe in front when it would start a formula."""
    return (
        "'" + text if text.startswith(_DANGEROUS) or text.lstrip().startswith(("=", "+", "-", "@")) else text
    )
