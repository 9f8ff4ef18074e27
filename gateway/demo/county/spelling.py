"""How a clerk spells things: a date, id or grade is written in many ways, and all of them are right."""

from __future__ import annotations

import random
from datetime import date

Cell = str | int | float | date | None
GRADES = "一二三四五六七八九"
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


class Clerk:
    """Writes values into cells; `spreadsheet` allows real date cells and numbers."""

    def __init__(self, rng: random.Random, spreadsheet: bool) -> None:
        self._rng = rng
        self._spreadsheet = spreadsheet

    def day(self, day: date) -> Cell:
        """Write a date in one of the five accepted ways."""
        ways: tuple[Cell, ...] = (
            day.isoformat(),
            f"{day.year}/{day.month}/{day.day}",
            f"{day:%Y%m%d}",
            f"{day.year}年{day.month}月{day.day}日",
            day,
        )
        return ways[self._rng.randrange(5 if self._spreadsheet else 4)]

    def resident_id(self, number: str | None) -> str | None:
        """Write an id number, one in twelve untidily."""
        if number is None or self._rng.random() > 0.08:
            return number
        ways = (
            f" {number[:6]} {number[6:14]} {number[14:]}",
            number.translate(FULL_WIDTH),
            "'" + number,
            number.lower(),
            f"{number[:6]}-{number[6:14]}-{number[14:]}",
            f"{number[:6]}\u00a0{number[6:]}",
            f"{number}\ufeff",
        )
        return self._rng.choice(ways)

    def grade(self, grade: int) -> Cell:
        """Write a school grade as a number or in 汉字."""
        return grade if self._rng.random() < 0.5 else GRADES[grade - 1] + "年级"

    def severity(self, grade: int) -> str:
        """Write a grade of disability as 一级…四级 or 1…4."""
        return GRADES[grade - 1] + "级" if self._rng.random() < 0.8 else str(grade)

    def category(self, number: int, names: tuple[str, ...]) -> str:
        """Write a category of disability (0-based) by name or by its code from 1."""
        return names[number] if self._rng.random() < 0.8 else str(number + 1)
