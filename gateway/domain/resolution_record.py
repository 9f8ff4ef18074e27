"""What an officer asks for, and a resolution as the contract shows it: before the mask, and with nobody's name in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.errors import Malformed
from gateway.domain.freetext import REASON_LENGTH, wrong_text
from gateway.domain.moments import to_second
from gateway.domain.ports import Identity
from gateway.domain.principal import Principal
from gateway.domain.resolution import OpenCase, Resolution, opening


@dataclass(frozen=True, slots=True)
class Wish:
    """What an officer asks for: one of `pseudonym` and `case`."""

    principal: Principal
    purpose: str
    reason: str = field(repr=False)
    pseudonym: str | None = None
    case: str | None = None
    emergency: bool = False


def check(wish: Wish) -> None:
    """Malformed unless one child and a reason are given."""
    if (wish.pseudonym is None) == (wish.case is None):
        zh, en = "请填写代号或个案编号其中一项。", "Give either a pseudonym or a case."
        raise Malformed.of("bad_field", zh, en, "/pseudonym")
    if wrong := wrong_text(wish.reason, "/reason", REASON_LENGTH):
        raise wrong


def made(wish: Wish, case: OpenCase, now: datetime, resolution_id: str) -> Resolution:
    """The request as it begins."""
    state, deadline = opening(wish.emergency, now)
    return Resolution(
        id=resolution_id,
        subject=case.subject,
        case=case.case,
        county=case.county,
        role=wish.principal.role,
        requester_client=wish.principal.client,
        requester_officer=wish.principal.officer,
        emergency=wish.emergency,
        state=state,
        requested_at=now,
        deadline=deadline,
        reason=wish.reason.strip(),
    )


def record_of(found: Resolution, pseudonym: str) -> dict[str, object]:
    """A resolution with the child under the reader's own pseudonym."""
    deadline = to_second(found.deadline) if found.deadline else None
    officer = found.requester_officer
    return {
        "id": found.id,
        "state": found.state.value,
        "emergency": found.emergency,
        "case": found.case,
        "requested_by": f"{found.requester_client}/{officer}" if officer else found.requester_client,
        "requested_at": to_second(found.requested_at),
        "expires_at": None if found.emergency else deadline,
        "review_due_at": deadline if found.emergency else None,
        "pseudonym": pseudonym,
        "reason": found.reason,
        "note": found.note,
    }


def person_of(person: Identity | None) -> Mapping[str, object]:
    """Who the child is. No agency hands in how to reach a family yet, so `contact` is null."""
    if person is None:
        return {}
    return {
        "name": person.name,
        "resident_id": person.resident_id,
        "student_numbers": person.student_numbers,
        "contact": None,
    }
