"""The days of the year: when offices are open, when children sit in class, when files come. Read for the tests alone."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import yaml

import policies

START, END = date(2025, 9, 1), date(2026, 8, 31)
ONE = timedelta(days=1)

TERMS = ((date(2025, 9, 1), date(2026, 1, 23)), (date(2026, 2, 25), date(2026, 7, 10)))
"""First and last day of class of both terms; between them the winter holiday, after them the summer's."""

_OFFICE = (3, 8, 13, 18, 25)


@cache
def _published() -> tuple[frozenset[date], frozenset[date]]:
    """What the State Council gave off, and the weekend days to be worked instead."""
    off: set[date] = set()
    worked: set[date] = set()
    for year in (2025, 2026):
        notice = yaml.safe_load(
            (Path(policies.__file__).parent / "calendar" / f"{year}.yaml").read_text(encoding="utf-8")
        )
        off.update(notice["holidays"])
        worked.update(notice["workdays"])
    return frozenset(off), frozenset(worked)


def open_on(day: date) -> bool:
    """Whether offices (and, in term, schools) are open."""
    off, worked = _published()
    if day in worked:
        return True
    return day not in off and day.isoweekday() <= 5


def after_working_days(start: date, count: int) -> date:
    """The day on which the `count`-th working day after `start` falls."""
    day = start
    for _ in range(count):
        day += ONE
        while not open_on(day):
            day += ONE
    return day


def month_of(day: date) -> str:
    return day.isoformat()[:7]


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE


def month_ends() -> list[date]:
    """The twelve month ends of the year."""
    found = [month_end(START)]
    while found[-1] < END:
        found.append(month_end(found[-1] + ONE))
    return found


def all_months() -> list[str]:
    return [month_of(day) for day in month_ends()]


def end_of(month: str) -> date:
    return month_end(date.fromisoformat(month + "-01"))


def school_days(month: str) -> int:
    """On how many days of `month` there is class."""
    last = end_of(month)
    days = [last.replace(day=number) for number in range(1, last.day + 1)]
    return sum(open_on(day) and any(first <= day <= end for first, end in TERMS) for day in days)


def school_months() -> list[str]:
    """The months of the year in which there is class."""
    return [month_of(day) for day in month_ends() if school_days(month_of(day))]


def file_day(month: str) -> date:
    """The day whose state the month's register shows."""
    return date.fromisoformat(month + "-25")


def handed_in(month: str) -> date:
    """The day on which the month's register came: one of the year is late."""
    return date(2026, 1, 8) if month == "2025-12" else file_day(month)


@cache
def office_days() -> tuple[date, ...]:
    """The days of the year on which people do anything: a handful a month, offices being open."""
    found = {START}
    for last in month_ends():
        for number in _OFFICE:
            day = last.replace(day=number)
            while not open_on(day):
                day += ONE
            found.add(day)
    return tuple(sorted(found))


def office(day: date) -> date:
    """The first of them that is no earlier than `day`; after the year's last, a day the year does not reach."""
    return next((each for each in office_days() if each >= day), END + ONE)
