"""Terms of school: one code for what forms and files write in many ways.

The code is ``2026-2027-1``: the school year, and 1 for autumn (第一学期) or 2 for spring (第二学期).
"""

import re

_CODE = re.compile(r"(\d{4})-(\d{4})-([12])")
_LONG = re.compile(r"(\d{4})[-—–~至/](\d{4})(?:学年度?)?第?([12一二上下])学期")
_SEASON = re.compile(r"(\d{4})年?([秋春])季?(?:学期)?")
_NUMBERS = {"1": 1, "2": 2, "一": 1, "二": 2, "上": 1, "下": 2, "秋": 1, "春": 2}
_FIRST_YEAR, _LAST_YEAR = 1990, 2100

CODE = r"^[0-9]{4}-[0-9]{4}-[12]$"
"""The shape of a code, for the routes' parameter checks."""


def term_code(text: str) -> str:
    """2026-2027-1, 2026-2027学年第一学期, 2026—2027学年度上学期, 2026年秋季, 2027春: the code they mean.

    ValueError for anything else; ``2026-1`` is refused, since it is a month to every spreadsheet.
    """
    plain = "".join(text.split())
    if found := _CODE.fullmatch(plain) or _LONG.fullmatch(plain):
        first, last, number = int(found[1]), int(found[2]), _NUMBERS[found[3]]
    elif season := _SEASON.fullmatch(plain):
        number = _NUMBERS[season[2]]
        first = int(season[1]) - (number - 1)
        last = first + 1
    else:
        raise ValueError("no term")
    if last != first + 1 or not _FIRST_YEAR <= first <= _LAST_YEAR:
        raise ValueError("no school year")
    return f"{first}-{last}-{number}"
