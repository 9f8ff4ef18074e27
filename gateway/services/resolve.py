"""Resolution of identity: ask, approve, show once, review. Whatever happens is in the evidence with the child.

Everything that decides (state, reach, other officer, clients not revoked) is read inside the commit that acts on it.
Only named officers act: of two clients that name nobody, one person could be both officers.
"""

import secrets
from asyncio import to_thread
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.alarms import (
    EMERGENCY_UNJUSTIFIED,
    IDENTITY_UNREADABLE,
    RESOLUTION_QUOTA,
)
from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import (
    Conflict,
    HuxueError,
    IdentityUnreadable,
    Malformed,
    NotPermitted,
    OfficerUnnamed,
)
from gateway.domain.freetext import REASON_LENGTH, wrong_text
from gateway.domain.limits import LimitBook, sighting_of_subject
from gateway.domain.model import AlarmDraft, SubjectId
from gateway.domain.ports import Clients, Clock, Identity, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.domain.resolution import (
    Event,
    Resolution,
    ResolutionQuery,
    Resolutions,
    State,
    after,
    deadline_of,
    is_case,
    is_requester,
    may_be_own,
    may_decide,
)
from gateway.domain.resolution_record import Wish, check, made, person_of, record_of
from gateway.services import pages
from gateway.services.evidence import Evidence, Request
from gateway.services.guard import Guard, quota_exceeded
from gateway.services.lapse import EXCHANGE, PURPOSE, Lapse
from gateway.services.telling import Telling, one_told
from schemas.catalogue import EXCHANGES, Action

PERSON = frozenset({"name", "resident_id", "student_numbers", "contact"})
STATE = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields) - PERSON
SHOWN = PERSON | {"id", "state", "case"}

_DAY = timedelta(days=1)
_NOBODY = SubjectId(bytes(16))


@dataclass(frozen=True, slots=True)
class _Step:
    """One caller's hand on one resolution, inside the commit."""

    transaction: Transaction
    request: Request
    grant: Grant
    found: Resolution
    now: datetime

    @property
    def who(self) -> Principal:
        return self.request.principal


_Outcome = tuple[bytes | HuxueError, AuditEntry]
_Work = Callable[[_Step], _Outcome]


class Resolve:
    """The use cases around resolutions."""

    def __init__(
        self,
        evidence: Evidence,
        resolutions: Resolutions,
        clients: Clients,
        keys: KeyRing,
        clock: Clock,
        limits: LimitBook,
        guard: Guard,
    ) -> None:
        self._evidence, self._resolutions, self._clients = evidence, resolutions, clients
        self._keys, self._clock, self._limits, self._guard = keys, clock, limits, guard
        self._lapse = Lapse(evidence, resolutions, clock)

    async def ask(self, wish: Wish) -> bytes:
        """A new request; in an emergency the identity with it. NotPermitted for any child that is not the team's.

        OfficerUnnamed, as in all that follow but `get` and `find`, when the token names no officer.
        """
        request, grant = await self._named(wish.principal, wish.purpose)
        try:
            check(wish)
        except Malformed as error:
            await self._evidence.failed(request, grant, error.name)
            raise
        case = await self._case_of(wish, grant)
        if case is None:
            await self._evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        now = self._clock.now()

        def work(transaction: Transaction) -> _Outcome:
            return self._open(transaction, request, grant, wish, case, now)

        return _told(await self._evidence.journal.perform(work))

    async def _decide(self, principal: Principal, purpose: str) -> tuple[Request, Grant]:
        request = Request(principal, Action.RESOLVE, EXCHANGE, purpose, principal.region)
        return request, await self._evidence.decide(request)

    async def _named(self, principal: Principal, purpose: str) -> tuple[Request, Grant]:
        request, grant = await self._decide(principal, purpose)
        if principal.officer is None:
            await self._evidence.failed(request, grant, OfficerUnnamed.name)
            raise OfficerUnnamed(
                "身份还原须由具名经办人办理：请在客户端断言中以 officer 注明。",
                "Identities are resolved by named officers: name yours in the client assertion (officer).",
            )
        return request, grant

    async def _case_of(self, wish: Wish, grant: Grant) -> str | None:
        """The case asked for, if it may be the team's; another agency's pseudonym is turned away by its shape."""
        if wish.case is not None:
            return wish.case if is_case(wish.case) else None
        agency, pseudonym = wish.principal.agency, wish.pseudonym or ""
        if not may_be_own(pseudonym, self._keys.pseudonym(agency, _NOBODY)):
            return None
        return await to_thread(self._search, agency, pseudonym, grant)

    def _search(self, agency: str, pseudonym: str, grant: Grant) -> str | None:
        """A pseudonym is not inverted: those of the team's own open cases are made and compared."""
        cases = self._resolutions.open_cases(grant.rows)
        subjects = [each.subject for each in cases]
        for version in self._keys.pseudonym_versions(agency):
            names = self._keys.pseudonyms(agency, subjects, version)
            for each, name in zip(cases, names, strict=True):
                if name == pseudonym:
                    return each.case
        return None

    def _open(
        self, transaction: Transaction, request: Request, grant: Grant, wish: Wish, case: str, now: datetime
    ) -> _Outcome:
        found = transaction.resolutions.open_case(case, grant.rows)
        if found is None:
            return NotPermitted(), self._evidence.entry(
                request, grant, "fail", detail=NotPermitted.name, fields={}
            )
        new = made(wish, found, now, f"res-{secrets.token_hex(13)}")
        step = _Step(transaction, request, grant, new, now)
        if self._asked_enough(transaction, new, now - _DAY):
            self._alarm(step, RESOLUTION_QUOTA, new.requester_client)
            return self._refused(step, quota_exceeded())
        if refusal := self._too_many(step):
            return refusal
        try:
            person = transaction.reveal(new.subject) if wish.emergency else None
        except IdentityUnreadable as error:
            return self._refused(step, error)
        transaction.resolutions.add(new)
        return self._answer(step, new, "emergency" if wish.emergency else "requested", person)

    def _asked_enough(self, transaction: Transaction, new: Resolution, since: datetime) -> bool:
        """Whether the officer, or the client with all the officers it names, has asked enough since then."""
        quota, desk = self._limits.resolutions_of(new.role), transaction.resolutions
        return (
            desk.asked_since(new.requester_client, new.requester_officer, since) >= quota.officer
            or desk.asked_by_client(new.requester_client, since) >= quota.client
        )

    def _too_many(self, step: _Step) -> _Outcome | None:
        """The refusal, when the child is one too many today; otherwise it is counted."""
        subject = step.found.subject
        sighting = sighting_of_subject(subject)
        refusal = self._guard.refusal(step.transaction, step.request, step.grant, sighting, subject)
        return (quota_exceeded(), refusal) if refusal else None

    async def approve(self, principal: Principal, resolution_id: str) -> bytes:
        """By another officer of the team; the requester then has fifteen minutes. Conflict when it is too late."""

        def work(step: _Step) -> _Outcome:
            case = step.transaction.resolutions.open_case(step.found.case, step.grant.rows)
            if case is None or not may_decide(step.found, step.who):
                return self._refused(step, NotPermitted())
            if not self._clients.is_active(step.found.requester_client):
                return self._refused(step, Conflict())
            return self._move(step, Event.APPROVE, "approved")

        return await self._act(principal, resolution_id, work)

    async def reject(self, principal: Principal, resolution_id: str, reason: str) -> bytes:
        """By another officer of the team; also takes back an approval that was not used yet."""

        def work(step: _Step) -> _Outcome:
            if not may_decide(step.found, step.who):
                return self._refused(step, NotPermitted())
            if wrong := wrong_text(reason, "/reason", REASON_LENGTH):
                return self._refused(step, wrong)
            return self._move(step, Event.REJECT, "rejected", reason)

        return await self._act(principal, resolution_id, work)

    async def review(self, principal: Principal, resolution_id: str, justified: bool, comment: str) -> bytes:
        """Of an emergency, by another officer of the team; unjustified raises an alarm at once."""
        event = Event.JUSTIFY if justified else Event.FAULT

        def work(step: _Step) -> _Outcome:
            if not may_decide(step.found, step.who):
                return self._refused(step, NotPermitted())
            if wrong := wrong_text(comment, "/comment", REASON_LENGTH):
                return self._refused(step, wrong)
            if event is Event.FAULT and after(step.found.state, event) is not None:
                self._alarm(step, EMERGENCY_UNJUSTIFIED, step.found.id)
            return self._move(step, event, "justified" if justified else "unjustified", comment)

        return await self._act(principal, resolution_id, work)

    async def show(self, principal: Principal, resolution_id: str) -> bytes:
        """The identity, to the requester, once, while the approval holds and the case is still theirs."""

        def work(step: _Step) -> _Outcome:
            if not is_requester(step.found, step.who):
                return self._refused(step, NotPermitted())
            if after(step.found.state, Event.SHOW) is None or not self._still_good(step):
                return self._refused(step, Conflict())
            if refusal := self._too_many(step):
                return refusal
            try:
                person = step.transaction.reveal(step.found.subject)
            except IdentityUnreadable as error:
                return self._refused(step, error)
            return self._move(step, Event.SHOW, "shown", person=person)

        return await self._act(principal, resolution_id, work)

    def _still_good(self, step: _Step) -> bool:
        """Whether the approver is still an officer here, and the case open and the team's."""
        approver = step.found.decider_client
        case = step.transaction.resolutions.open_case(step.found.case, step.grant.rows)
        return case is not None and approver is not None and self._clients.is_active(approver)

    async def get(self, principal: Principal, resolution_id: str) -> bytes:
        """Where it stands; never the identity."""

        def work(step: _Step) -> _Outcome:
            return self._answer(step, step.found, "read")

        return await self._on(await self._decide(principal, PURPOSE), resolution_id, work)

    async def find(self, principal: Principal, state: State | None, cursor: str | None, limit: int) -> bytes:
        """The caller's own requests and those the caller could decide, newest first."""
        request, grant = await self._decide(principal, PURPOSE)
        await self.lapse()
        query = ResolutionQuery(principal, grant.rows, state, cursor, limit + 1)
        found = await to_thread(self._resolutions.find, query)
        shown, last = pages.cut(found, limit)
        mask, subjects = Mask(EXCHANGES[EXCHANGE], grant, STATE), [each.subject for each in shown]
        known = self._keys.pseudonyms(principal.agency, subjects)
        items = [mask.apply(record_of(each, name)) for each, name in zip(shown, known, strict=True)]
        page = pages.Page(
            items,
            last.id if last else None,
            self._clock.now(),
            members=subjects,
            cut_from=(subjects, 0),
            detail="read",
            fields=mask.words,
        )
        return await pages.told(self._evidence, request, grant, page)

    async def lapse(self) -> int:
        """What time has overtaken; how many. From time to time."""
        return await self._lapse()

    async def _act(self, principal: Principal, resolution_id: str, work: _Work) -> bytes:
        return await self._on(await self._named(principal, PURPOSE), resolution_id, work)

    async def _on(self, decided: tuple[Request, Grant], resolution_id: str, work: _Work) -> bytes:
        """`work` on a resolution the caller may see, in the state it has now; a lapse is committed before it."""
        request, grant = decided

        def step(transaction: Transaction) -> tuple[bytes | HuxueError | None, AuditEntry]:
            now = self._clock.now()
            found = _visible(transaction, request.principal, resolution_id, grant)
            if found is None:
                refused = self._evidence.entry(request, grant, "fail", detail=NotPermitted.name, fields={})
                return NotPermitted(), refused
            if found.lapsed(now):
                return None, self._lapse.entry(transaction, found, now)
            return work(_Step(transaction, request, grant, found, now))

        while True:
            result = await self._evidence.journal.perform(step)
            if result is not None:
                return _told(result)

    def _move(
        self, step: _Step, event: Event, detail: str, note: str | None = None, person: Identity | None = None
    ) -> _Outcome:
        state = after(step.found.state, event)
        if state is None:
            return self._refused(step, Conflict())
        changed = replace(step.found, state=state, deadline=deadline_of(state, step.now))
        if event is not Event.SHOW:
            changed = replace(changed, decider_client=step.who.client, decided_at=step.now, note=note)
        if not step.transaction.resolutions.move(step.found, event, changed):
            return self._refused(step, Conflict())
        return self._answer(step, changed, detail, person)

    def _answer(
        self, step: _Step, shown: Resolution, detail: str, person: Identity | None = None
    ) -> _Outcome:
        """The masked answer with its entry. Of the person nothing, unless the person was revealed for it."""
        part = STATE if person is None else SHOWN if shown.state is State.SHOWN else STATE | PERSON
        mask = Mask(EXCHANGES[EXCHANGE], step.grant, part)
        record = {
            **record_of(shown, self._keys.pseudonym(step.who.agency, shown.subject)),
            **person_of(person),
        }
        telling = Telling(mask.apply(record), mask.words, shown.subject, f"{detail} {shown.id}")
        return one_told(self._evidence, step.request, step.grant, telling)

    def _refused(self, step: _Step, error: HuxueError) -> _Outcome:
        """What was not done for this child, by whom; kept with the child."""
        if isinstance(error, IdentityUnreadable):
            self._alarm(step, IDENTITY_UNREADABLE, step.found.id)
        return error, self._evidence.entry(
            step.request, step.grant, "fail", subject=step.found.subject, detail=error.name, fields={}
        )

    def _alarm(self, step: _Step, kind: str, key: str) -> None:
        facts = {"case": step.found.case, "role": step.found.role}
        about = step.found.requester_client
        step.transaction.raise_alarm(AlarmDraft(kind, step.found.county, about, key, facts), step.now)


def _told(result: bytes | HuxueError) -> bytes:
    """The answer, or the refusal that was committed in its place."""
    if isinstance(result, HuxueError):
        raise result
    return result


def _visible(transaction: Transaction, who: Principal, resolution_id: str, grant: Grant) -> Resolution | None:
    """The caller's own, or of the caller's role and among the rows; anything else is not there."""
    found = transaction.resolutions.get(resolution_id, None)
    if found is None or is_requester(found, who):
        return found
    return transaction.resolutions.get(resolution_id, grant.rows) if found.role == who.role else None
