"""An approved resolution is used up by a document instead of being shown: the same rules, the same one use.

Whoever puts a child's name into a document or fetches such a document asked for the resolution, and another officer
approved it; fifteen minutes later it is worth nothing (`gateway.domain.resolution`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain.alarms import IDENTITY_UNREADABLE
from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import Conflict, HuxueError, IdentityUnreadable, NotPermitted
from gateway.domain.limits import sighting_of_subject
from gateway.domain.model import AlarmDraft, SubjectId
from gateway.domain.ports import Clients, Transaction
from gateway.domain.resolution import Event, Resolution, after, is_requester
from gateway.domain.resolution_record import person_of
from gateway.services.evidence import Evidence, Request
from gateway.services.guard import Guard, quota_exceeded
from gateway.services.lapse import EXCHANGE
from schemas.catalogue import EXCHANGES

NAME = frozenset({"name"})


class Refusal(Exception):
    """What is told, and the entry that is committed in place of what was asked for."""

    def __init__(self, error: HuxueError, entry: AuditEntry) -> None:
        super().__init__(error.name)
        self.error, self.entry = error, entry


@dataclass(frozen=True, slots=True)
class Asking:
    """A step in whose commit an identity is needed: `request` and `grant` are those of exchange `identity`."""

    transaction: Transaction
    request: Request
    grant: Grant
    now: datetime


class UseResolution:
    """Checks a resolution, opens the name, uses the resolution up: in this order, inside one commit."""

    def __init__(self, evidence: Evidence, clients: Clients, guard: Guard) -> None:
        self._evidence, self._clients, self._guard = evidence, clients, guard

    def checked(self, asking: Asking, resolution_id: str, case: str) -> Resolution:
        """The caller's own approved resolution of that open case; Refusal otherwise."""
        desk, who = asking.transaction.resolutions, asking.request.principal
        found = desk.get(resolution_id, None)
        if found is None or not is_requester(found, who) or found.case != case:
            raise self.refusal(asking, NotPermitted(), None)
        still_good = (
            not found.lapsed(asking.now)
            and after(found.state, Event.SHOW) is not None
            and desk.open_case(case, asking.grant.rows) is not None
            and found.decider_client is not None
            and self._clients.is_active(found.decider_client)
        )
        if not still_good:
            raise self.refusal(asking, _used(), found.subject)
        return found

    def count(self, asking: Asking, subject: SubjectId) -> None:
        """One child of today; Refusal when it is one too many."""
        entry = self._guard.refusal(
            asking.transaction, asking.request, asking.grant, sighting_of_subject(subject), subject
        )
        if entry is not None:
            raise Refusal(quota_exceeded(), entry)

    def name(self, asking: Asking, found: Resolution) -> str:
        """The child's name, by the one mask; Refusal when the vault cannot say or no policy releases it."""
        try:
            person = asking.transaction.reveal(found.subject)
        except IdentityUnreadable as error:
            facts = {"case": found.case, "role": found.role}
            alarm = AlarmDraft(IDENTITY_UNREADABLE, found.county, found.requester_client, found.id, facts)
            asking.transaction.raise_alarm(alarm, asking.now)
            raise self.refusal(asking, error, found.subject) from None
        mask = Mask(EXCHANGES[EXCHANGE], asking.grant, NAME)
        told = mask.apply(person_of(person)).get("name") if mask.told >= NAME else None
        if not isinstance(told, str):
            raise self.refusal(asking, IdentityUnreadable(), found.subject)
        return told

    def spend(self, asking: Asking, found: Resolution) -> None:
        """Uses it up; Refusal when somebody was first."""
        state = after(found.state, Event.SHOW)
        if state is None or not asking.transaction.resolutions.move(
            found, Event.SHOW, replace(found, state=state, deadline=None)
        ):
            raise self.refusal(asking, _used(), found.subject)

    def entry(self, asking: Asking, subject: SubjectId, detail: str, digest: str = "") -> AuditEntry:
        """That the name was given, for the guardian to read."""
        words = Mask(EXCHANGES[EXCHANGE], asking.grant, NAME).words
        return self._evidence.entry(
            asking.request,
            asking.grant,
            count=1,
            digest=digest,
            subject=subject,
            detail=detail,
            fields=words,
        )

    def refusal(self, asking: Asking, error: HuxueError, subject: SubjectId | None) -> Refusal:
        """The error, with its entry under the child."""
        entry = self._evidence.entry(
            asking.request, asking.grant, "fail", subject=subject, detail=error.name, fields={}
        )
        return Refusal(error, entry)


def _used() -> Conflict:
    return Conflict(
        "身份还原申请未获批准、已使用或已过期。", "The resolution is not approved, used already, or expired."
    )
