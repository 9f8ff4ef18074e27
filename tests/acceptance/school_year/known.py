"""What the truth keeps of a child: what was told of it, its cases, what happened; the words and figures it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tests.acceptance.school_year import days
from tests.acceptance.school_year.people import (
    DEAD,
    DEFERRED,
    EXEMPT,
    GRADUATED,
    IN_SCHOOL,
    ON_LEAVE,
    Absence,
    Child,
    Entry,
)

STALE, TRANSFER, THRESHOLD = 120, 30, 5
WORDS = {IN_SCHOOL: "in_school", ON_LEAVE: "on_leave", DEFERRED: "exempt", EXEMPT: "exempt"}
AFTER = {
    "verify": "verified",
    "persuade": "persuading",
    "return": "returned",
    "observe": "observing",
    "confirm": "same",
    "close": "closed",
    "relapse": "verified",
    "exempt": "exempt",
    "graduate": "graduated",
    "decease": "deceased",
    "merge": "duplicate",
    "dismiss": "wrong_report",
}
AFTER_NOTICE = {"return-order": "notified", "enforcement-reminder": "sanctioned"}
OBSERVED = (30, 60, 120)
BY_REGISTER = {GRADUATED: "graduate", DEAD: "decease"}
EXITS = {"closed", "exempt", "moved", "graduated", "deceased", "duplicate", "wrong_report"}
REGISTERS = {"registered-dropout", "transfer-not-arrived", "absence-threshold"}
CAN_ATTEND = {"可随班就读", "建议特殊教育学校", "建议送教上门"}


class Line(NamedTuple):
    """A child on a ledger."""

    status: str
    since: date
    carried_forward: bool


@dataclass
class Case:
    """A case as its steps left it: each state with its day."""

    opened: date
    because: tuple[str, str]
    states: list[tuple[date, str]]
    out_on: date
    """The last day on which anything said that the child is out."""
    back_on: date | None = None
    confirmed: set[int] = field(default_factory=set)
    reminded: date | None = None
    """The last day of a reminder before enforcement, until it is over."""

    @property
    def state(self) -> str:
        return self.states[-1][1]

    @property
    def over(self) -> bool:
        return self.state in EXITS


@dataclass
class Known:
    """What the county has been told of a child so far."""

    row: Entry | None = None
    confirmed: date | None = None
    missing: bool = False
    far: tuple[Entry, date] | None = None
    months: dict[str, Absence] = field(default_factory=dict)
    assessed: date | None = None
    cases: list[Case] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    needy: bool = False
    moot: bool = False
    relieved: bool = False
    leads: set[str] = field(default_factory=set)
    """The rules of which a lead is open."""

    @property
    def case(self) -> Case | None:
        """The open one."""
        return next((case for case in self.cases if not case.over), None)


def in_class(month: str, absence: Absence) -> bool:
    """A month in class: not away all of it, and not away for long without a reason."""
    expected = days.school_days(month)
    return absence.absent < expected and (bool(absence.reason) or absence.longest < THRESHOLD)


def birthday(born: date, age: int) -> date:
    """The day on which somebody is `age`; 1 March for those born on 29 February."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


class Event(NamedTuple):
    """Something that happened, as far as somebody owes something for it; `since` where it counts from another day."""

    day: date
    child: Child
    what: str
    name: str
    enrolled: bool
    since: date
    into: Child | None = None
