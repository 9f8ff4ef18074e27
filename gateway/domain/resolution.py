"""Resolution of identity: pseudonym to person, for the team that owns the case and for nobody else.

A second officer approves; the requester is shown the identity once, within fifteen minutes. For a child at risk one
officer is enough, and another reviews it within a day. Sources: 个人信息保护法 art. 6, 28, 51; 未成年人保护法 art. 11.
The state machine is one table; time is an event like any other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from gateway.domain.case import CASE_REF
from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal

PENDING_FOR = timedelta(hours=24)
APPROVED_FOR = timedelta(minutes=15)
REVIEW_WITHIN = timedelta(hours=24)


class State(StrEnum):
    """Where a resolution stands."""

    PENDING = "pending"
    APPROVED = "approved"
    SHOWN = "shown"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVIEW_DUE = "review_due"
    ESCALATED = "escalated"
    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class Event(StrEnum):
    """What can happen to it; `LAPSE` is the passing of its deadline."""

    APPROVE = "approve"
    REJECT = "reject"
    SHOW = "show"
    JUSTIFY = "justify"
    FAULT = "fault"
    LAPSE = "lapse"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.PENDING, Event.APPROVE): State.APPROVED,
    (State.PENDING, Event.REJECT): State.REJECTED,
    (State.PENDING, Event.LAPSE): State.EXPIRED,
    (State.APPROVED, Event.SHOW): State.SHOWN,
    (State.APPROVED, Event.REJECT): State.REJECTED,
    (State.APPROVED, Event.LAPSE): State.EXPIRED,
    (State.REVIEW_DUE, Event.JUSTIFY): State.JUSTIFIED,
    (State.REVIEW_DUE, Event.FAULT): State.UNJUSTIFIED,
    (State.REVIEW_DUE, Event.LAPSE): State.ESCALATED,
    (State.ESCALATED, Event.JUSTIFY): State.JUSTIFIED,
    (State.ESCALATED, Event.FAULT): State.UNJUSTIFIED,
}
"""Whatever is not here does not happen. An approval can be taken back until it is used; a missed review can still be made."""


def after(state: State, event: Event) -> State | None:
    """The state that follows; None when the event cannot happen there."""
    return TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True)
class Resolution:
    """One request. `deadline` is when the present state lapses, None where it does not.

    `requester` and `decider` are `client/officer`; the texts `reason` and `note` are kept sealed.
    """

    id: str
    subject: SubjectId = field(repr=False)
    case: str
    county: str
    role: str
    requester_client: str
    requester_officer: str | None
    emergency: bool
    state: State
    requested_at: datetime
    deadline: datetime | None
    reason: str = field(repr=False)
    decider_client: str | None = None
    decided_at: datetime | None = None
    note: str | None = field(default=None, repr=False)

    def lapsed(self, now: datetime) -> bool:
        """Whether the present state's deadline has passed."""
        return self.deadline is not None and now >= self.deadline


def opening(emergency: bool, now: datetime) -> tuple[State, datetime]:
    """The state a request begins in, and when that lapses."""
    return (State.REVIEW_DUE, now + REVIEW_WITHIN) if emergency else (State.PENDING, now + PENDING_FOR)


def deadline_of(state: State, now: datetime) -> datetime | None:
    """When a state entered now lapses; of the two that begin, `opening` knows."""
    return now + APPROVED_FOR if state is State.APPROVED else None


def is_requester(resolution: Resolution, who: Principal) -> bool:
    """Whether this is the very officer who asked."""
    return (who.client, who.officer) == (resolution.requester_client, resolution.requester_officer)


def may_decide(resolution: Resolution, who: Principal) -> bool:
    """Whether this is another officer of the same team: another client, another person, the same role.

    One officer with two clients is one officer; who is not named is nobody's other. That the child is in reach is the
    policy's to say.
    """
    named = who.officer is not None and resolution.requester_officer is not None
    other = who.client != resolution.requester_client and who.officer != resolution.requester_officer
    return named and other and who.role == resolution.role


_PSEUDONYM = re.compile(r"([a-z]{2})[0-9]{1,4}-[a-z2-7]{32}")


def may_be_own(pseudonym: str, own: str) -> bool:
    """Whether the text has the shape of a pseudonym of the agency that knows some child as `own`.

    Another agency's is turned away by this alone: nothing is looked up.
    """
    found = _PSEUDONYM.fullmatch(pseudonym)
    return found is not None and found[1] == own[:2]


def is_case(text: str) -> bool:
    """Whether the text has the shape of a case reference."""
    return CASE_REF.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A child whose case the caller's team owns and that is open."""

    subject: SubjectId = field(repr=False)
    case: str
    county: str


class ResolutionDesk(Protocol):
    """Resolutions inside one write transaction: what is read there, nobody changes meanwhile."""

    def open_case(self, case: str, rows: Predicate) -> OpenCase | None:
        """The case, if it is open and a lead of it is among the rows."""
        ...

    def asked_since(self, client: str, officer: str | None, since: datetime) -> int:
        """How many resolutions an officer has asked for since then."""
        ...

    def asked_by_client(self, client: str, since: datetime) -> int:
        """How many resolutions a client has asked for since then, whomever it named."""
        ...

    def get(self, resolution_id: str, rows: Predicate | None) -> Resolution | None:
        """The resolution; with `rows`, only if a lead of its case is among them, open or not."""
        ...

    def add(self, resolution: Resolution) -> None:
        """Keeps a new one."""
        ...

    def move(self, resolution: Resolution, event: Event, changed: Resolution) -> bool:
        """Keeps the changed one if it is still where `resolution` says; False when somebody else was first."""
        ...


@dataclass(frozen=True, slots=True)
class ResolutionQuery:
    """Whose list: the requester's own, and of the same role all whose case is among the rows. Newest first."""

    principal: Principal
    rows: Predicate
    state: State | None = None
    before: str | None = None
    limit: int = 100


class Resolutions(Protocol):
    """Resolutions and open cases as they are kept, read without a transaction; from worker threads."""

    def open_cases(self, rows: Predicate) -> list[OpenCase]:
        """Every open case with a lead among the rows."""
        ...

    def find(self, query: ResolutionQuery) -> list[Resolution]:
        """One page of the caller's list."""
        ...

    def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Ids of those whose deadline has passed."""
        ...
