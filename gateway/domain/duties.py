"""Duties and their deadlines: working days by the State Council's yearly holiday notice, calendar days otherwise.

Past the last year with a calendar, only weekends are free; `Calendar.knows` says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.domain.model import DutyDraft, SubjectId
from gateway.domain.predicate import TOWNSHIP_DIGITS

SATURDAY = 5
DONE = (
    "contacted",
    "visited",
    "reported",
    "located",
    "placed",
    "assessed",
    "inspected",
    "confirmed",
    "decided",
    "applied",
)
"""What was done, by which a duty ends."""


class DutyStatus(StrEnum):
    """Where a duty stands as it is kept; that an open one is overdue follows from its date."""

    OPEN = "open"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"


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
    """A row of `policies/duties.yaml`: who owes it and within how many days; `otherwise` where no school is known.

    `remind_days`: so many working days before its last day the owner is reminded; 0: never. `what`: which of `DONE` an
    officer can say; empty where only the act itself, which the gateway records, ends it.
    """

    id: str
    title_zh: str
    title_en: str
    owner: str
    days: int
    working_days: bool
    otherwise: str | None = None
    remind_days: int = 0
    what: tuple[str, ...] = ()

    def owner_for(self, school: str | None, residence: str) -> str:
        """Who owes it for a child of that school, or of none that is known, and of that home.

        Where the home is known no nearer than its county, no township sees the duty: the county's education owes it.
        """
        owner = self.otherwise if self.otherwise and not school else self.owner
        return "education" if owner == "township" and len(residence) < TOWNSHIP_DIGITS else owner

    def due(self, start: date, calendar: Calendar) -> date:
        """The last day on which the duty is done in time."""
        if self.working_days:
            return calendar.add_working_days(start, self.days)
        return start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class DutyBook:
    """All duty rules with the calendar they run by; `escalate_days`: working days between one level and the next.

    `lapse_days`: so long after its last day a duty that hangs on no case is owed no more. `wait_days`: the longest that
    one waits for another agency.
    """

    rules: Mapping[str, DutyRule]
    calendar: Calendar
    escalate_days: int = 5
    lapse_days: int = 1095
    wait_days: int = 60
    _known: dict[tuple[str, date], date] = field(default_factory=dict, repr=False, compare=False)

    def due(self, duty: str, start: date) -> date:
        """The deadline of `duty` starting on `start`; KeyError for an unknown duty (checked at load)."""
        found = self._known.get((duty, start))
        if found is None:
            found = self._known[duty, start] = self.rules[duty].due(start, self.calendar)
        return found

    def done_by(self, kind: str) -> tuple[str, ...]:
        """What an officer can say was done; anything for a kind that the file does not name any more."""
        rule = self.rules.get(kind)
        return rule.what if rule else DONE

    def title(self, kind: str) -> tuple[str, str]:
        """Chinese and English; the kind itself for one that the file does not name any more."""
        rule = self.rules.get(kind)
        return (rule.title_zh, rule.title_en) if rule else (kind, kind)


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty as it is kept. `region` is the county; `residence` and `school` say where in it, as far as known.

    `lead` and `case` are None for what is owed without a child (a report). `due_on` moves while it waits for another
    agency; `escalated_to` is `agency@region`, one level up.
    """

    id: str
    kind: str
    owner: str
    region: str
    residence: str
    school: str | None
    lead: str | None
    case: str | None
    due_on: date
    status: DutyStatus
    opened_at: datetime
    facts: Mapping[str, object]
    escalated_to: str | None = None
    escalated_on: date | None = None
    done_on: date | None = None
    above: str | None = None
    reminded_on: date | None = None
    waiting_for: str | None = None
    waiting_since: date | None = None
    waited: int = 0
    """Days that it has waited in earlier waits."""
    assignee: str | None = None
    subject: SubjectId | None = field(default=None, repr=False)

    @property
    def standing(self) -> bool:
        """Whether it is still owed."""
        return self.status in (DutyStatus.OPEN, DutyStatus.WAITING)

    @property
    def holders(self) -> frozenset[str]:
        """Agencies that may act on it: its owner and, once it is overdue, whoever it went up to."""
        told = self.escalated_to.partition("@")[0] if self.escalated_to else self.owner
        return frozenset({self.owner, self.above or self.owner, told})

    def overdue(self, today: date) -> bool:
        """Whether its last day has passed undone; one that waits for another agency is not."""
        return self.status is DutyStatus.OPEN and self.due_on < today


class Moved(NamedTuple):
    """A duty after a wait: its last day, the day on which it last went up, how many days it has waited in all."""

    due_on: date
    escalated_on: date | None
    waited: int


def moved(book: DutyBook, duty: Duty, since: date, today: date) -> Moved:
    """The last day after a wait from `since` to `today`, by working days where the duty counts those; and the day on
    which it last went up, moved as well, so that no level is skipped for the time it waited."""
    waited, rule = today - since, book.rules.get(duty.kind)
    up, all_in_all = duty.escalated_on + waited if duty.escalated_on else None, duty.waited + waited.days
    if rule is None or not rule.working_days:
        return Moved(duty.due_on + waited, up, all_in_all)
    days = (since + timedelta(days=step) for step in range(1, waited.days + 1))
    worked = sum(map(book.calendar.is_working_day, days))
    return Moved(book.calendar.add_working_days(duty.due_on, worked), up, all_in_all)


class Moot(NamedTuple):
    """A duty that nobody owes any more, and why: a code."""

    duty: str
    why: str


class DutyDesk(Protocol):
    """Duties inside one write transaction."""

    def open(self, draft: DutyDraft, at: datetime) -> str:
        """Its id: the same for the same basis, kind and facts. Opening it again changes nothing, done or not."""
        ...

    def open_all(self, drafts: Sequence[DutyDraft], at: datetime) -> list[str]:
        """Many that no lead stands behind, in one statement: their ids, as `open` gives them.

        One that was cancelled is owed again from here on: what ended it holds no more.
        """
        ...

    def finish(self, case: str, kinds: Collection[str], on: date, by: str) -> int:
        """Marks the case's open and waiting duties of those kinds as done; how many."""
        ...

    def finish_one(self, duty_id: str, on: date, by: str) -> bool:
        """Marks one as done; False when it is not open or waiting any more."""
        ...

    def finish_basis(self, region: str, kind: str, report: str, on: date, by: str) -> int:
        """Marks the county's standing duty to hand in that report as done; how many."""
        ...

    def finish_all(self, duties: Collection[str], on: date, by: str) -> int:
        """Marks each as done that stands; how many."""
        ...

    def cancel_all(self, moot: Collection[Moot], on: date, by: str) -> int:
        """Nobody owes these any more, each for its reason; how many of them stood."""
        ...

    def lapse(self, region: str, before: date, on: date, by: str) -> int:
        """The county's duties of no lead and no case whose last day lies before `before` are owed no more; how many."""
        ...

    def cancel(self, case: str, on: date, by: str, why: str) -> int:
        """Nobody owes what is left of the case's duties any more, `why` a code; how many."""
        ...

    def escalate(self, region: str, day: date, again: date, at: datetime) -> int:
        """Overdue duties of the county go one level up, those that did by `again` one more; how many."""
        ...

    def waiting(self, region: str, day: date, days: int) -> Sequence[Duty]:
        """The county's duties that by `day` have waited for other agencies for so many days, all waits together."""
        ...

    def resume(self, duty_id: str, again: Moved) -> None:
        """It is owed again, its last day moved; a reminder may come again."""
        ...

    def remind(self, region: str, day: date, until: Mapping[str, date], at: datetime) -> int:
        """Marks the county's duties due after `day` and by the day their kind says as reminded of; how many."""
        ...

    def cancel_one(self, duty_id: str, on: date, by: str, why: str) -> bool:
        """Nobody owes that one any more, `why` a code; False when it is not open or waiting."""
        ...

    def end_lead(self, lead: str, done: bool, on: date, by: str) -> int:
        """The lead's standing duties are done, or nobody owes them any more; how many."""
        ...
