"""A referral: one agency asks another for a measure, and the other accepts or rejects it after a preview.

A referral is not a transfer (a case changes hands, `gateway.domain.handover`) and not a notification (it informs, and
needs no answer). The state machine is one table; which agencies may refer what to whom is `policies/referrals.yaml`.
Sources: 义务教育法 art. 58; 未成年人保护法 art. 83, 118; 法律援助法 art. 24.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.case import Actor
from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate


class Kind(StrEnum):
    """What it asks of its receiver: an answer, taking a case over, or nothing."""

    REFERRAL = "referral"
    TRANSFER = "transfer"
    NOTIFICATION = "notification"


class State(StrEnum):
    """Where a referral or a hand-over stands, as it is kept. `informed` is the only state of a notification."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"
    CLOSED = "closed"
    INFORMED = "informed"


CASE_OVER = "case_over"
"""How one is closed whose case ended before its receiver told an outcome."""
OVERDUE = "overdue"
"""How a pending one is shown past its last day. It can still be answered: nobody is left out because of a date."""


class Event(StrEnum):
    """What can happen to it. `TAKE_OVER`: another officer of the receiving agency goes on with it; `SETTLE`: the outcome
    comes after the end of the case had closed it."""

    ACCEPT = "accept"
    REJECT = "reject"
    REVOKE = "revoke"
    COMMENT = "comment"
    TAKE_OVER = "take_over"
    CLOSE = "close"
    SETTLE = "settle"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.PENDING, Event.ACCEPT): State.ACCEPTED,
    (State.PENDING, Event.REJECT): State.REJECTED,
    (State.PENDING, Event.REVOKE): State.REVOKED,
    (State.PENDING, Event.COMMENT): State.PENDING,
    (State.ACCEPTED, Event.COMMENT): State.ACCEPTED,
    (State.ACCEPTED, Event.TAKE_OVER): State.ACCEPTED,
    (State.ACCEPTED, Event.CLOSE): State.CLOSED,
    (State.CLOSED, Event.SETTLE): State.CLOSED,
}
"""Whatever is not here does not happen."""


def after(state: State, event: Event) -> State | None:
    """The state that follows; None when the event cannot happen there."""
    return TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True)
class Route:
    """A row of `policies/referrals.yaml`: from which roles to which, what is asked for, and what is shown when."""

    id: str
    title_zh: str
    title_en: str
    about_case: bool
    senders: frozenset[str]
    receivers: frozenset[str]
    sender_purpose: str
    receiver_purpose: str
    measures: tuple[str, ...]
    step: str | None
    duty: str
    follow_up: str | None
    preview: frozenset[str]
    accepted: frozenset[str]
    outcomes: tuple[str, ...]
    closes_itself: bool


@dataclass(frozen=True, slots=True)
class HandoverTerms:
    """The duties of both counties while a case is handed over, and the rule under which the receiver has a lead."""

    duty: str
    follow_up: str
    rule: str


@dataclass(frozen=True, slots=True)
class ReferralBook:
    """Every route, the words for a refusal, and the terms of a hand-over."""

    routes: Mapping[str, Route]
    grounds: tuple[str, ...]
    handover: HandoverTerms
    version: str

    def purpose_of(self, role: str) -> str | None:
        """The purpose for which that role sends or receives referrals; None for a role that does neither."""
        for route in self.routes.values():
            if role in route.senders:
                return route.sender_purpose
            if role in route.receivers:
                return route.receiver_purpose
        return None

    def received_by(self, role: str) -> tuple[str, ...]:
        """The routes whose receiver that role is."""
        return tuple(route.id for route in self.routes.values() if role in route.receivers)


@dataclass(frozen=True, slots=True)
class Referral:
    """One referral or notification. `county` is the sender's; `residence` and `school` the case's, as far as known.

    `subject` and `case` are None where it is about an employer. `body` holds codes, dates and counts; `words` what is
    kept sealed: guardian, notices, note, reason. `concerns` is the referral that a notification is about.
    """

    id: str
    kind: Kind
    route: str
    county: str
    residence: str
    subject: SubjectId | None = field(repr=False)
    case: str | None
    measure: str
    sender: Actor
    state: State
    sent_at: datetime
    sent_on: date
    due_on: date | None
    body: Mapping[str, object] = field(default_factory=dict)
    words: Mapping[str, object] = field(default_factory=dict, repr=False)
    school: str | None = None
    sealed: bool = False
    owner: str | None = None
    """The officer whose case it is, as far as the case names one."""
    receiver: Actor | None = None
    decided_on: date | None = None
    ground: str | None = None
    outcome: str | None = None
    outcome_on: date | None = None
    concerns: str | None = None
    duty: str | None = None

    def status(self, today: date) -> str:
        """The state as it is shown: a pending one past its last day is overdue."""
        late = self.state is State.PENDING and self.due_on is not None and self.due_on < today
        return OVERDUE if late else self.state.value

    def is_receivers(self, client: str, officer: str | None) -> bool:
        """Whether that is the very officer who accepted it."""
        return self.receiver is not None and (self.receiver.client, self.receiver.officer) == (
            client,
            officer,
        )

    @property
    def row(self) -> dict[str, object]:
        """What the policy's row rules look at, for the sender's side."""
        return {"region": self.residence, "school": self.school, "owner": self.owner, "sealed": self.sealed}


@dataclass(frozen=True, slots=True)
class Comment:
    """What one side wrote under a referral; kept sealed."""

    at: datetime
    by: Actor
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReferralQuery:
    """Whose list: of the sender's reach (`rows`), or of the routes received in that county. Newest first."""

    rows: Predicate
    today: date
    routes: Collection[str] | None = None
    county: str | None = None
    senders: Collection[str] = ()
    status: str | None = None
    before: str | None = None
    limit: int = 100


class ReferralDesk(Protocol):
    """Referrals inside one write transaction: what is read there, nobody changes meanwhile."""

    def get(self, referral_id: str) -> Referral | None:
        """The referral of that id."""
        ...

    def standing(self, route: str, case: str) -> Referral | None:
        """The case's referral by that route which is pending or accepted."""
        ...

    def of_county(self, county: str, states: Collection[State]) -> Sequence[Referral]:
        """The county's referrals in those states; notifications too."""
        ...

    def add(self, referral: Referral) -> None:
        """Keeps a new one."""
        ...

    def move(self, referral: Referral, event: Event, changed: Referral) -> bool:
        """Keeps the changed one if it is still where `referral` says; False when somebody else was first."""
        ...

    def comment(self, referral_id: str, comment: Comment) -> None:
        """Adds a comment."""
        ...

    def comments(self, referral_id: str) -> Sequence[Comment]:
        """The comments, oldest first."""
        ...

    def read_by(self, roles: Collection[str], county: str) -> bool:
        """Whether a client of one of the roles that is not revoked is registered for that very region, not for one above."""
        ...

    def is_active(self, client: str) -> bool:
        """Whether that client is there and not revoked."""
        ...

    def employer_known(self, county: str, employer: str) -> bool:
        """Whether the county owes, or did, a labour visit because of a child at that employer."""
        ...


class Referrals(Protocol):
    """Referrals as they are kept, read without a transaction; from worker threads."""

    def find(self, query: ReferralQuery) -> list[Referral]:
        """One page of the caller's list."""
        ...
