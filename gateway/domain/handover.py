"""A case handed over from one county to another: a transfer. Until it is accepted, the sending county keeps the case.

The machine is that of referrals (`gateway.domain.referral`): pending, then accepted, rejected or revoked. Sources:
义务教育法 art. 12, 13; 未成年人保护法 art. 83.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from gateway.domain.case import Actor, CaseEntry, EntryKind
from gateway.domain.case import State as CaseState
from gateway.domain.model import SubjectId
from gateway.domain.package import digest
from gateway.domain.predicate import Predicate
from gateway.domain.referral import OVERDUE, Event, Kind, State


@dataclass(frozen=True, slots=True)
class Handover:
    """One hand-over. `body` is what the preview shows; `package` the signed history; `words` the reason of a refusal."""

    id: str
    region: str
    to_region: str
    residence: str
    subject: SubjectId = field(repr=False)
    case: str
    sender: Actor
    state: State
    sent_at: datetime
    sent_on: date
    due_on: date
    package: str = field(repr=False)
    body: Mapping[str, object] = field(default_factory=dict)
    words: Mapping[str, object] = field(default_factory=dict, repr=False)
    school: str | None = None
    sealed: bool = False
    owner: str | None = None
    """The officer whose case it is, as far as the case names one."""
    new_case: str | None = None
    owner_there: str | None = None
    sealed_there: bool = False
    """Who may see it in the receiving county, once it has a case there: as that case."""
    receiver: Actor | None = None
    decided_on: date | None = None
    duty: str | None = None
    follow_up: str | None = None

    def status(self, today: date) -> str:
        """The state as it is shown: a pending one past its last day is overdue."""
        return OVERDUE if self.state is State.PENDING and self.due_on < today else self.state.value

    @property
    def row(self) -> dict[str, object]:
        """What the policy's row rules look at, for the sending county."""
        return {"region": self.residence, "school": self.school, "owner": self.owner, "sealed": self.sealed}


def arriving(state: CaseState) -> CaseState:
    """The state in which a case begins at the receiver: justice of another county has no hand in it any more."""
    return CaseState.PERSUADING if state is CaseState.REFERRED else state


def line_of(handover: Handover, event: str, by: Actor, today: date, now: datetime) -> CaseEntry:
    """What happened to it, as a line of the history of the sender's case."""
    body = {
        "handover": handover.id,
        "event": event,
        "from_region": handover.region,
        "to_region": handover.to_region,
    }
    return CaseEntry(handover.case, handover.region, EntryKind.REFERRAL, today, now, by, body=body)


def record_of(shown: Handover, today: date, pseudonym: str) -> dict[str, object]:
    """All that the exchange may show of it; part and mask say what of it comes out."""
    return {
        "id": shown.id,
        "kind": Kind.TRANSFER.value,
        "status": shown.status(today),
        "from_region": shown.region,
        "to_region": shown.to_region,
        **{name: shown.body.get(name) for name in _SEEN},
        "sent_on": shown.sent_on.isoformat(),
        "due_on": shown.due_on.isoformat(),
        "decided_on": shown.decided_on.isoformat() if shown.decided_on else None,
        "package_sha256": digest(shown.package),
        "case": shown.case,
        "new_case": shown.new_case,
        "pseudonym": pseudonym,
        "reason": shown.words.get("reason"),
        "package": shown.package,
    }


_SEEN = ("stage", "case_open_weeks", "notices_served", "has_plan")


@dataclass(frozen=True, slots=True)
class HandoverQuery:
    """Whose list: of the sending reach (`rows`) or of the receiving county, or both. Newest first."""

    rows: Predicate
    to_region: str
    today: date
    status: str | None = None
    before: str | None = None
    limit: int = 100


class HandoverDesk(Protocol):
    """Hand-overs inside one write transaction."""

    def get(self, handover_id: str) -> Handover | None:
        """The hand-over of that id."""
        ...

    def pending_of(self, case: str) -> Handover | None:
        """The case's hand-over that is not decided yet."""
        ...

    def of_county(self, region: str, states: Collection[State]) -> Sequence[Handover]:
        """What that county sends, in those states."""
        ...

    def add(self, handover: Handover) -> None:
        """Keeps a new one."""
        ...

    def move(self, handover: Handover, event: Event, changed: Handover) -> bool:
        """Keeps the changed one if it is still where `handover` says; False when somebody else was first."""
        ...


class Handovers(Protocol):
    """Hand-overs as they are kept, read without a transaction; from worker threads."""

    def find(self, query: HandoverQuery) -> list[Handover]:
        """One page of the caller's list."""
        ...
