"""The three ledgers 台账: which of them a child stands on, since when, and why it left.

Decided of one child from what the registers say, its case and the law date; nothing here reads or writes. Entries are
intervals of law dates, so that a past day is answered as it was known on that day. Sources: 义务教育法 art. 2, 11, 58;
控辍保学 “动态销号” (教基〔2020〕5号).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from gateway.domain.case import CaseBook, CaseFile, State
from gateway.domain.model import Absence, SchoolingAnswer, Standing, Standings
from gateway.domain.schooling import IN_SCHOOL, REGISTER, Thresholds, fresh_of, judge, newest

FIRST_AGE, LAST_AGE = 6, 15
"""Full years: school age begins with the first and ends with the last (义务教育法 art. 2, 11)."""

_IN_SCHOOL = {"enrolled": "in_school", "on_leave": "on_leave", "deferred": "exempt", "exempt": "exempt"}


class Ledger(StrEnum):
    """适龄儿童, 疑似辍学, 辍学."""

    SCHOOL_AGE = "school-age"
    SUSPECTED = "suspected"
    DROPPED_OUT = "dropped-out"


STATUSES: Mapping[Ledger, tuple[str, ...]] = {
    Ledger.SCHOOL_AGE: ("in_school", "on_leave", "exempt", "suspected", "dropped_out", "unknown"),
    Ledger.SUSPECTED: (State.SUSPECTED.value,),
    Ledger.DROPPED_OUT: (
        "registered-dropout",
        "transfer-not-arrived",
        *(state.value for state in State),
    ),
}
"""Every status an entry of a ledger can have."""


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What a county's ledgers go by for one child. `enrolments` are the rows of every register, this county's or not.

    `age`: full years on the day; None where no register of the county tells it. `case`: the county's open case about
    the child, else the one that ended last.
    """

    county: str
    age: int | None
    enrolments: tuple[Standing, ...] = ()
    absence: Absence | None = None
    case: CaseFile | None = None

    @property
    def own(self) -> Standing | None:
        """The row of the county's own register."""
        return next((row for row in self.enrolments if row.region == self.county), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The child's status on each ledger it stands on; of the others, why not. `sources` is what was looked at."""

    statuses: Mapping[Ledger, str]
    reasons: Mapping[Ledger, str]
    case: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a ledger, but for its days. `sources` as one text, comma by comma."""

    status: str
    township: str
    school: str | None
    case: str | None
    sources: str
    carried_forward: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """An entry over law dates: from `valid_from`, up to but not on `valid_to` (None: still). `since`: see `follow`.

    `reason` and `evidence` say why it ended: a rule or case, never another county's school.
    """

    entry: Entry
    valid_from: date
    since: date
    valid_to: date | None = None
    reason: str | None = None
    evidence: str | None = None


def decide(facts: LedgerFacts, day: date, limits: Thresholds, book: CaseBook) -> Verdict:
    """Where the child stands on that law date.

    Dropped out: the registers say so, or the case does. Suspected: the case does, and the child is not dropped out. An
    exemption or an exit of the case answers what the registers said before it, not what they say after.
    """
    case, state = facts.case, _state(facts.case, day)
    answer = judge(Standings(facts.enrolments, facts.absence), day, limits)
    gone, exempt = _gone(facts, state, day, limits), _holds(facts, state, State.EXEMPT)
    by_case = None if state is None or book.ended(state) else book.states[state].ledger
    out = answer.out_of_school == "yes" and gone is None and not exempt
    statuses: dict[Ledger, str] = {}
    if out or by_case == Ledger.DROPPED_OUT:
        statuses[Ledger.DROPPED_OUT] = state.value if state and by_case else answer.because
    elif by_case == Ledger.SUSPECTED:
        statuses[Ledger.SUSPECTED] = State.SUSPECTED.value
    if gone is None:
        statuses[Ledger.SCHOOL_AGE] = _status(statuses, exempt, answer)
    told = case.ref if case and (by_case or exempt) else None
    reasons = {each: _why(each, statuses, gone, state, answer) for each in Ledger if each not in statuses}
    return Verdict(statuses, reasons, told, _sources(facts, answer, told))


def _state(case: CaseFile | None, day: date) -> State | None:
    """The case's state on that day; one that was entered later had another before."""
    if case is None:
        return None
    return case.state if case.since <= day else case.previous


def _status(statuses: Mapping[Ledger, str], exempt: bool, answer: SchoolingAnswer) -> str:
    if Ledger.DROPPED_OUT in statuses:
        return "dropped_out"
    if Ledger.SUSPECTED in statuses:
        return "suspected"
    if exempt:
        return "exempt"
    return _IN_SCHOOL[answer.because] if answer.out_of_school == "no" else "unknown"


def _holds(facts: LedgerFacts, state: State | None, wanted: State) -> bool:
    """Whether the case ended so, and the county's own register has said nothing new since."""
    case, own = facts.case, facts.own
    if case is None or case.ended_on is None or state is not wanted:
        return False
    return own is None or own.status == "transferred_out" or own.status_date <= case.ended_on


def _gone(facts: LedgerFacts, state: State | None, day: date, limits: Thresholds) -> str | None:
    """Why the child is not the county's child of school age; None when it is. A register that is too old takes nobody
    off against one that is not."""
    own, rows = facts.own, fresh_of(facts.enrolments, day, limits) or facts.enrolments
    if own is None or facts.age is None:
        return "not-registered"
    if any(row.status == "deceased" for row in facts.enrolments) or _holds(facts, state, State.DECEASED):
        return "deceased"
    if _holds(facts, state, State.MOVED):
        return "moved"
    if own.status == "transferred_out" and any(_arrived(row, own) for row in rows):
        return "arrived"
    if newest(rows).status == "graduated" or _holds(facts, state, State.GRADUATED):
        return "graduated"
    if facts.age < FIRST_AGE:
        return "under-age"
    return "of-age" if facts.age > LAST_AGE else None


def _arrived(row: Standing, own: Standing) -> bool:
    """Whether another county's register shows the child in school, from the transfer on."""
    return row.region != own.region and row.status in IN_SCHOOL and row.status_date >= own.status_date


def _why(
    ledger: Ledger,
    statuses: Mapping[Ledger, str],
    gone: str | None,
    state: State | None,
    answer: SchoolingAnswer,
) -> str:
    """Why the child is not on the ledger."""
    if ledger is Ledger.SCHOOL_AGE:
        return gone or ""
    other = Ledger.DROPPED_OUT if ledger is Ledger.SUSPECTED else Ledger.SUSPECTED
    if other in statuses:
        return str(other)
    if state is not None:
        return f"case-{state}"
    return gone or f"register-{answer.because}"


def _sources(facts: LedgerFacts, answer: SchoolingAnswer, case: str | None) -> tuple[str, ...]:
    own = (REGISTER,) if facts.own else ()
    others = sorted(f"{REGISTER}:{row.region}" for row in facts.enrolments if row.region != facts.county)
    absence = ("attendance",) if answer.because == "absence-threshold" else ()
    return (*own, *others, *absence, *(("case",) if case else ()))


def follow(
    standing: Interval | None, wanted: Entry | None, day: date, why: tuple[str, str]
) -> list[Interval]:
    """The intervals that change on that day: the one that ends, the one that begins. Nothing changes, nothing comes.

    `since` stays while the status does, whatever else of the entry changes. What began on this same day is corrected in
    place: a past day is never touched. `why`: reason and evidence of an end without a successor.
    """
    if standing is None:
        return [Interval(wanted, day, day)] if wanted else []
    if standing.entry == wanted:
        return []
    day = max(day, standing.valid_from)
    if wanted is None:
        return [replace(standing, valid_to=day, reason=why[0], evidence=why[1])]
    since = standing.since if wanted.status == standing.entry.status else day
    begun = Interval(wanted, day, since)
    if standing.valid_from == day:
        return [begun]
    return [replace(standing, valid_to=day, reason="changed", evidence=None), begun]
