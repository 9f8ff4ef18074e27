"""How long a copy may be kept: periods, what they count from, and when a child's schooling ends. No I/O.

A deadline is the last day on which a copy may be there (law date, Asia/Shanghai): the first purge after it removes the
copy. Sources: 个人信息保护法 art. 19, 47; the figures and their own sources stand in `policies/retention.yaml`.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from gateway.domain.duties import Calendar
from gateway.domain.needy import GONE

Since = Literal["schooling", "month", "relief_end", "assessed", "inspected", "focus_end"]


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time. Years and months end on the corresponding day, or the month's last (民法典 art. 202)."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    def after(self, day: date) -> date:
        """The day this period after `day`; hours count as the days they fill."""
        months = day.month - 1 + self.months
        year, month = day.year + self.years + months // 12, months % 12 + 1
        there = date(year, month, min(day.day, monthrange(year, month)[1]))
        return there + timedelta(days=self.days + self.hours // 24)

    def after_moment(self, moment: datetime) -> datetime:
        """The moment this period after `moment`."""
        there = self.after(moment.date())
        return datetime.combine(there, moment.timetz()) + timedelta(hours=self.hours % 24)

    def before_moment(self, now: datetime) -> datetime:
        """The newest moment whose period is over at `now`: the other way round, months of all lengths considered."""
        months = now.year * 12 + now.month - 1 - self.years * 12 - self.months
        year, month = months // 12, months % 12 + 1
        day = date(year, month, min(now.day, monthrange(year, month)[1]))
        found = datetime.combine(day, now.timetz()) - timedelta(days=self.days, hours=self.hours)
        while self.after_moment(found) > now:
            found -= timedelta(days=1)
        while self.after_moment(found + timedelta(days=1)) <= now:
            found += timedelta(days=1)
        return found


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """How long one purpose needs a dataset."""

    since: Since
    keep: Period


@dataclass(frozen=True, slots=True)
class DatasetRule:
    """A dataset's purposes by id; `held` while the child has open leads or cases."""

    purposes: Mapping[str, PurposeRule]
    held: bool

    def deadline(self, events: Mapping[Since, date]) -> date | None:
        """The latest of the purposes' deadlines; None while what one of them counts from is not known."""
        if any(rule.since not in events for rule in self.purposes.values()):
            return None
        return max(rule.keep.after(events[rule.since]) for rule in self.purposes.values())

    @property
    def by_schooling(self) -> bool:
        """Whether a purpose counts from the end of schooling."""
        return any(rule.since == "schooling" for rule in self.purposes.values())


@dataclass(frozen=True, slots=True)
class ReceiptRule:
    """Within how many days a recipient confirms a deletion."""

    days: int
    working_days: bool

    def due(self, day: date, calendar: Calendar) -> date:
        """The last day for a notice of `day`."""
        if self.working_days:
            return calendar.add_working_days(day, self.days)
        return day + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Standing:
    """What one register row says, as far as the end of schooling goes."""

    status: str
    since: date


@dataclass(frozen=True, slots=True)
class Span:
    """A child as the purge sees it: birth date where any source has it, the day the vault made it, its registers."""

    subject: bytes
    birth: date | None
    made: date
    registers: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """`policies/retention.yaml` as read."""

    version: str
    compulsory_age: int
    majority: int
    lapse_age: int
    child: Period
    datasets: Mapping[str, DatasetRule]
    copies: Mapping[str, Period]
    receipts_due: ReceiptRule

    def schooling_end(self, span: Span) -> date:
        """The day the child's schooling ends: death; the compulsory age when every register says it finished; majority.

        Without a birth date the child counts as born when the vault made it: kept too long rather than too short.
        """
        majority = birthday(span.birth or span.made, self.majority)
        if not span.registers or not all(row.status in GONE for row in span.registers):
            return majority
        dead = [row.since for row in span.registers if row.status == "deceased"]
        if dead:
            return max(dead)
        finished = max(row.since for row in span.registers)
        return min(max(birthday(span.birth or span.made, self.compulsory_age), finished), majority)

    def child_deadline(self, span: Span) -> date:
        """The last day for everything about the child; open work holds it longer."""
        return self.child.after(self.schooling_end(span))

    def lapses_on(self, span: Span) -> date:
        """The day on which open leads and cases lapse."""
        return birthday(span.birth or span.made, self.lapse_age)


def birthday(birth: date, age: int) -> date:
    """The day on which somebody is `age` years old, as `schemas.identifiers.age_on` counts."""
    return Period(years=age).after(birth)


def month_end(month: str) -> date:
    """``2026-10`` as its last day."""
    year, number = (int(part) for part in month.split("-"))
    return date(year, number, monthrange(year, number)[1])


@dataclass(frozen=True, slots=True)
class Removed:
    """How much of one place goes or went, and by which row of the policy file."""

    place: str
    rule: str
    count: int


def total(parts: Iterable[Removed]) -> list[Removed]:
    """Counts of the same place and rule put together, in the order they came; empty ones left out."""
    counts: dict[tuple[str, str], int] = {}
    for part in parts:
        key = (part.place, part.rule)
        counts[key] = counts.get(key, 0) + part.count
    return [Removed(place, rule, count) for (place, rule), count in counts.items() if count]


def batches(items: Sequence[bytes], size: int) -> Iterable[Sequence[bytes]]:
    """The items, `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
