"""Amounts of money: whole fen inside, yuan with two decimals where a person reads them. No floating point."""

import re

FEN = 100
_YUAN = re.compile(r"[¥￥]?(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{1,2})0*)?元?")


def fen_of(text: str) -> int:
    """250, 312.5, 312.50, 1,250.00, ¥250 or 250元 as fen; ValueError for anything else, a third decimal included."""
    found = _YUAN.fullmatch("".join(text.split()))
    if found is None:
        raise ValueError("no amount")
    return int(found[1].replace(",", "")) * FEN + int((found[2] or "").ljust(2, "0"))


def yuan(fen: int) -> str:
    """31250 as ``312.50``."""
    return f"{fen // FEN}.{fen % FEN:02d}"
