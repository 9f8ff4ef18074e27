"""Deadlines: working days by the State Council's yearly holiday notice, calendar days otherwise.

Past the last year with a calendar, only weekends are free; `Calendar.knows` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """`holidays`: weekdays off; `workdays`: weekend days worked instead; `years`: the years that are known."""

    holidays: frozenset[date]
    workdays: frozenset[date]
    years: frozenset[int]

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open on `day`."""
        return day in self.workdays or (day.weekday() < SATURDAY and day not in self.holidays)

    def add_working_days(self, start: date, days: int) -> date:
        """The last of `days` working days after `start`."""
        day = start
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_working_day(day)
        return day

    def knows(self, day: date) -> bool:
        """Whether the holiday notice of that year is loaded; when not, weekends only."""
        return day.year in self.years


@dataclass(frozen=True, slots=True)
class DutyRule:
    """A row of `policies/duties.yaml`: who owes it and within how many days."""

    id: str
    title_zh: str
    title_en: str
    owner: str
    days: int
    working_days: bool

    def due(self, start: date, calendar: Calendar) -> date:
        """The last day on which the duty is done in time."""
        if self.working_days:
            return calendar.add_working_days(start, self.days)
        return start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class DutyBook:
    """All duty rules with the calendar they run by."""

    rules: Mapping[str, DutyRule]
    calendar: Calendar
    _known: dict[tuple[str, date], date] = field(default_factory=dict, repr=False, compare=False)

    def due(self, duty: str, start: date) -> date:
        """The deadline of `duty` starting on `start`; KeyError for an unknown duty (checked at load)."""
        found = self._known.get((duty, start))
        if found is None:
            found = self._known[duty, start] = self.rules[duty].due(start, self.calendar)
        return found
