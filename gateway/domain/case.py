"""The case of one child: its states, the steps between them, and the evidence each step takes.

Which steps there are stands in `policies/cases.yaml`, and is a pure table here: state × step → state. Who may see a
case is the policy's to say; what may be done with it is said here, by role and state. Sources: 义务教育法 art. 11, 13,
58; 未成年人保护法 art. 83.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, Self

from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal

SAME, PREVIOUS = "same", "previous"
CASE_REF = re.compile("case-[a-z2-7]{26}")
"""How a case is named: to be matched whole."""
OPENED = "open"
"""The first line of a case's history: nobody takes that step."""


class State(StrEnum):
    """Where a case stands; `domain.md`'s path, then its side exits."""

    SUSPECTED = "suspected"
    VERIFIED = "verified"
    PERSUADING = "persuading"
    NOTIFIED = "notified"
    SANCTIONED = "sanctioned"
    REFERRED = "referred"
    RETURNED = "returned"
    OBSERVING = "observing"
    CLOSED = "closed"
    EXEMPT = "exempt"
    MOVED = "moved"
    GRADUATED = "graduated"
    DECEASED = "deceased"
    DUPLICATE = "duplicate"
    WRONG_REPORT = "wrong_report"


@dataclass(frozen=True, slots=True)
class StateRule:
    """A state of `policies/cases.yaml`: whose turn it is, the ledger its child stands on, whether it is the end."""

    id: State
    title_zh: str
    title_en: str
    owner: str
    ledger: str | None
    end: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence a step takes.

    `kind`: date, day, text, texts (several), number, region, school, case, code or codes (one, or several, of `codes`).
    """

    name: str
    kind: str
    required: bool
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of `policies/cases.yaml`. `to` is None where the case goes back to where it was (`previous`)."""

    id: str
    title_zh: str
    title_en: str
    origins: frozenset[State]
    to: State | str
    by: frozenset[str]
    evidence: tuple[Proof, ...]
    done: tuple[str, ...]
    opens: tuple[str, ...]
    through: str | None = None
    """What takes the step by itself (`notices`, `referrals`, `outcomes`); then nobody takes it by hand."""


@dataclass(frozen=True, slots=True)
class RecordRule:
    """A line of the history that is no step (`visit`, `plan`, `comment`): what it takes, which duties end with it.

    `by`: the roles that write it; empty: all who work on the case.
    """

    title_zh: str
    title_en: str
    evidence: tuple[Proof, ...]
    done: tuple[str, ...]
    by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CaseBook:
    """The whole table of one county, with the days of observation after a return."""

    states: Mapping[State, StateRule]
    steps: Mapping[str, Step]
    observation: tuple[int, ...]
    version: str
    records: Mapping[str, RecordRule] = field(default_factory=dict)

    def after(self, state: State, step: str, previous: State | None = None) -> State | None:
        """The state that follows; None when the step cannot happen there, or nobody knows it."""
        found = self.steps.get(step)
        if found is None or state not in found.origins:
            return None
        if found.to == SAME:
            return state
        return previous if found.to == PREVIOUS else State(found.to)

    def ended(self, state: State) -> bool:
        """Whether a case in that state is over."""
        return self.states[state].end

    def steps_from(self, state: State, role: str) -> tuple[str, ...]:
        """What an officer of that role can do now, in the file's order."""
        return tuple(
            step.id
            for step in self.steps.values()
            if state in step.origins and role in step.by and step.through is None
        )


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as it is kept. `region` is the county, `residence` the child's home as far as known (township or finer).

    `since` is the law date on which the present state was entered, `previous` the state before it; `observed_from`
    the return under observation; `merged_into` the case it became a part of; `ended_on` None while it is open.
    """

    ref: str
    region: str
    subject: SubjectId = field(repr=False)
    state: State
    opened_at: datetime
    since: date
    residence: str
    school: str | None = None
    previous: State | None = None
    observed_from: date | None = None
    merged_into: str | None = None
    ended_on: date | None = None
    owner: str | None = None
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something: the client, the officer behind it if one is named, the agency and the role."""

    client: str
    officer: str | None
    agency: str
    role: str

    @classmethod
    def of(cls, who: Principal) -> Self:
        """The caller, as it is kept."""
        return cls(who.client, who.officer, who.agency, who.role)

    @property
    def name(self) -> str:
        """Who is written down as having done it: the officer, or the client where none is named."""
        return self.officer or self.client


class EntryKind(StrEnum):
    """What a line of the case's history is."""

    STEP = "step"
    VISIT = "visit"
    PLAN = "plan"
    COMMENT = "comment"
    NOTICE = "notice"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A line of a case's history, never changed: `on` the law date it is about, `at` when it was written.

    `body` holds codes, dates and numbers; `words` the officers' free text, kept sealed. `number` counts from 1 within
    the case and is given when it is kept.
    """

    case: str
    region: str
    kind: EntryKind
    on: date
    at: datetime
    by: Actor
    step: str | None = None
    origin: State | None = None
    to: State | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict, repr=False)
    number: int = 0


@dataclass(frozen=True, slots=True)
class LeadLine:
    """A lead as its case shows it."""

    id: str
    rule: str
    status: str
    opened_at: datetime
    due_on: date
    facts: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class DutyLine:
    """A duty as its case shows it."""

    id: str
    kind: str
    owner: str
    due_on: date
    status: str
    facts: Mapping[str, object]
    done_on: date | None
    lead: str | None


@dataclass(frozen=True, slots=True)
class CaseWork:
    """What hangs on a case."""

    leads: Sequence[LeadLine]
    duties: Sequence[DutyLine]


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Filters of the list of cases; `after` is the last reference seen. Without a region, all that `rows` allows."""

    rows: Predicate
    region: str | None = None
    state: State | None = None
    after: str | None = None
    limit: int = 100


class CaseShelf(Protocol):
    """Cases as they are kept, to be read; synchronous, for worker threads."""

    def find(self, query: CaseQuery) -> list[CaseFile]:
        """One page, ordered by reference: the order tells nothing."""
        ...


class CaseDesk(Protocol):
    """Cases inside one write transaction."""

    def get(self, ref: str) -> CaseFile | None:
        """The case, open or not."""
        ...

    def open_case_of(self, region: str, subject: SubjectId) -> CaseFile | None:
        """The child's open case in that county."""
        ...

    def current_case_of(self, region: str, subject: SubjectId) -> CaseFile | None:
        """The child's open case in that county, or the open one it was merged into."""
        ...

    def goes_on_in(self, ref: str) -> CaseFile | None:
        """Another open case that this one goes on in, or goes back to: by accepted hand-overs and by mergers."""
        ...

    def update(self, case: CaseFile) -> None:
        """Keeps everything of the case but its ref, county, child and opening."""
        ...

    def write(self, entry: CaseEntry) -> int:
        """Adds a line to the history; its number."""
        ...

    def entries(self, ref: str) -> Sequence[CaseEntry]:
        """The history, oldest first."""
        ...

    def close_leads(self, ref: str, fact: Mapping[str, object], at: datetime) -> int:
        """Closes the case's leads with the fact that says why; how many."""
        ...

    def visible(self, ref: str, rows: Predicate) -> CaseFile | None:
        """The case, open or not, if it is among the rows the caller may see."""
        ...

    def work_of(self, ref: str) -> CaseWork:
        """The case's leads and duties."""
        ...

    def hand_over(self, ref: str, into: str) -> Mapping[str, Sequence[str]]:
        """Moves leads and duties to another case; the ids of both, by `leads` and `duties`."""
        ...

    def take_back(self, ref: str, moved: Mapping[str, Sequence[str]], since: Collection[str]) -> None:
        """Moves those of the leads and duties back to the case that still belong to one of the cases `since`."""
        ...
