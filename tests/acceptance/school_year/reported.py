"""Which reports the county owed, as sentences; a person signs some of them.

On the first of a month every school and every township of which the register tells owes its report of the month before,
within three working days, and the county its list of lost students, within five. After a quarter the county owes its
review, within ten. Twenty days into a term it owes the analysis of its register, within ten days. The county and its
first township sign on the first office day of each month; nobody else does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from tests.acceptance.school_year import days
from tests.acceptance.school_year.owed import Owed
from tests.acceptance.school_year.people import COUNTY, TOWNSHIPS, World

OF_COUNTY = ("lost-students-report", "county-report", "register-analysis")
TERMS = (date(2025, 9, 1), date(2026, 3, 1))


def signing_days() -> set[date]:
    """The first office day of each month."""
    return {days.office(last.replace(day=1)) for last in days.month_ends()[1:]}


def reported(world: World, today: date) -> list[Owed]:
    """All duties to report that began by the end of `today`."""
    return [_signed(owed, today) for owed in _reports(world) if owed.began <= today]


def _signed(owed: Owed, today: date) -> Owed:
    if owed.kind in OF_COUNTY or (owed.kind == "township-report" and owed.lead == TOWNSHIPS[0]):
        owed.done = min((day for day in signing_days() if day >= owed.began), default=None)
    if owed.done and owed.done > today:
        owed.done = None
    return owed


def _reports(world: World) -> Iterator[Owed]:
    for last in days.month_ends()[:-1]:
        made = last + days.ONE
        schools, townships = _units(world, made)
        yield from (_owed("school-report", "school", made, 3, unit) for unit in schools)
        yield from (_owed("township-report", "township", made, 3, unit) for unit in townships)
        yield _owed("lost-students-report", "education", made, 5)
        if last.month % 3 == 0:
            yield _owed("county-report", "education", made, 10)
    for term in TERMS:
        made = term + timedelta(days=20)
        yield Owed(None, "register-analysis", made, made + timedelta(days=10), owner="education")


def _owed(kind: str, owner: str, made: date, working: int, unit: str = "") -> Owed:
    return Owed(None, kind, made, days.after_working_days(made, working), lead=unit, owner=owner)


def _units(world: World, day: date) -> tuple[set[str], set[str]]:
    """The schools and townships of which the county's registers have told before that day."""
    schools: set[str] = set()
    townships: set[str] = set()
    for told in world.files:
        if told.dataset == "student-register" and told.county == COUNTY and told.day < day:
            schools |= {entry.school or child.school[0] for child, entry in told.says.items()}
            townships |= {child.township for child in told.says}
    return schools, townships
