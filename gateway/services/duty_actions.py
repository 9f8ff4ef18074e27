"""What an officer does with a duty: done, waiting for another agency, owed again, given to a colleague.

By an agency that owes it or that it went up to, only while it stands, and done only where no act of the gateway's own
ends it. Each is decided and looked at inside the commit that does it, and is in the evidence: with its child, unless it
was refused.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.duties import DONE, Duty, DutyStatus, moved
from gateway.domain.errors import Conflict, HuxueError, Malformed, NotPermitted, OfficerUnnamed
from gateway.domain.ports import Clock, Transaction
from gateway.domain.principal import Principal
from gateway.domain.proof_words import codes_zh
from gateway.domain.rulebook import Rulebook
from gateway.services import outgoing
from gateway.services.duties import EXCHANGE, LISTED, Duties, office_of
from gateway.services.evidence import Evidence, Request
from gateway.services.telling import Telling, one_told
from schemas.catalogue import EXCHANGES, Action

WAITING = ("reply", "document", "joint_visit", "decision", "record")
"""What of another agency it waits for."""

_Outcome = tuple[bytes | HuxueError, AuditEntry]
Deed = Callable[[Transaction, Duty], HuxueError | None]
"""Does it to a standing duty inside the commit, or says why it cannot be."""


@dataclass(frozen=True, slots=True)
class _Hand:
    """Whose hand is on which duty."""

    request: Request
    grant: Grant
    duty_id: str
    name: str

    @property
    def who(self) -> Principal:
        return self.request.principal


class DutyActions:
    """The use cases. NotPermitted: not the caller's to see or to do; Conflict: it does not stand that way any more."""

    def __init__(
        self, evidence: Evidence, duties: Duties, clock: Clock, rulebook: Rulebook, agencies: Collection[str]
    ) -> None:
        self._evidence, self._duties, self._clock = evidence, duties, clock
        self._book, self._agencies = rulebook, agencies

    async def done(self, principal: Principal, purpose: str, duty_id: str, what: str) -> bytes:
        """The duty, done today; `what` one of `DONE` that its kind takes. Conflict: only the act itself ends it."""
        today = self._clock.today()

        def deed(transaction: Transaction, duty: Duty) -> HuxueError | None:
            book = self._book.of(duty.region).duties
            allowed = book.done_by(duty.kind)
            if not allowed:
                return _by_the_act(*book.title(duty.kind))
            if flaw := _flaw(what, allowed, "what"):
                return flaw
            transaction.duty_work.done(duty.id, today, principal.name, what)
            return None

        return await self._act(principal, purpose, duty_id, f"done {what}", deed, _flaw(what, DONE, "what"))

    async def wait(self, principal: Principal, purpose: str, duty_id: str, agency: str, why: str) -> bytes:
        """The duty, waiting for another agency from today on: it is neither overdue nor escalated meanwhile.

        Conflict once it has gone up, for anybody but whom it went up to: an overdue duty is not hidden by its owner.
        """
        today = self._clock.today()

        def deed(transaction: Transaction, duty: Duty) -> HuxueError | None:
            if duty.status is not DutyStatus.OPEN:
                return Conflict("该职责已在等待。", "The duty waits already.")
            if duty.escalated_to not in (None, f"{principal.agency}@{principal.region}"):
                return Conflict(*_GONE_UP)
            if duty.waited >= self._book.of(duty.region).duties.wait_days:
                return Conflict(*_WAITED)
            if agency in (duty.owner, principal.agency):
                return _malformed("for", "等待的应是其他部门。", "It waits for another agency than its own.")
            transaction.duty_work.wait(duty.id, agency, today, why)
            return None

        flaw = _flaw(agency, self._agencies, "for") or _flaw(why, WAITING, "reason")
        return await self._act(principal, purpose, duty_id, f"waiting {agency} {why}", deed, flaw)

    async def resume(self, principal: Principal, purpose: str, duty_id: str) -> bytes:
        """The duty, owed again; its last day has moved by the days it waited."""
        today = self._clock.today()

        def deed(transaction: Transaction, duty: Duty) -> HuxueError | None:
            if duty.waiting_since is None:
                return Conflict("该职责没有在等待。", "The duty does not wait.")
            book = self._book.of(duty.region).duties
            transaction.duties.resume(duty.id, moved(book, duty, duty.waiting_since, today))
            return None

        return await self._act(principal, purpose, duty_id, "resumed", deed, None)

    async def assign(self, principal: Principal, purpose: str, duty_id: str, officer: str) -> bytes:
        """The duty, given to an officer of the caller's own office."""

        def deed(transaction: Transaction, duty: Duty) -> HuxueError | None:
            if duty.owner != principal.agency:
                return NotPermitted()
            if not transaction.duty_work.knows(office_of(principal), officer):
                return _malformed("officer", *_NOBODY)
            transaction.duty_work.assign(duty.id, officer)
            return None

        return await self._act(principal, purpose, duty_id, f"assigned {officer}", deed, None)

    async def hand_over(self, principal: Principal, purpose: str, leaving: str, taking: str) -> bytes:
        """How many standing duties of one officer of the caller's office another one has now.

        OfficerUnnamed when the caller names no officer: whoever gives away another's work says who it is.
        """
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        mask = Mask(EXCHANGES[EXCHANGE], grant, frozenset({"count"}))

        def work(transaction: Transaction) -> _Outcome:
            refusal = self._no_hand_over(transaction, principal, leaving, taking)
            if refusal is not None:
                return refusal, self._failed(request, grant, refusal)
            moved_of = transaction.duty_work.hand_over(grant.rows, principal.agency, leaving, taking)
            reference = self._evidence.reference()
            body = outgoing.referenced(mask.apply({"count": len(moved_of)}), reference)
            return body, self._evidence.entry(
                request,
                grant,
                reference=reference,
                count=len(moved_of),
                digest=hashlib.sha256(body).hexdigest(),
                members=[each for each in moved_of if each is not None],
                detail=f"handed-over {leaving} {taking}",
                fields=mask.words,
            )

        return await self._perform(work)

    def _no_hand_over(
        self, transaction: Transaction, who: Principal, leaving: str, taking: str
    ) -> HuxueError | None:
        if who.officer is None:
            return OfficerUnnamed()
        if leaving == taking:
            return _malformed("to_officer", "移交双方不能是同一人。", "Both are the same officer.")
        if not transaction.duty_work.knows(office_of(who), taking):
            return _malformed("to_officer", *_NOBODY)
        return None

    async def _act(
        self,
        principal: Principal,
        purpose: str,
        duty_id: str,
        detail: str,
        deed: Deed,
        flaw: HuxueError | None,
    ) -> bytes:
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        if flaw is not None:
            await self._evidence.failed(request, grant, flaw.name)
            raise flaw
        hand = _Hand(request, grant, duty_id, detail)
        return await self._perform(lambda transaction: self._inside(transaction, hand, deed))

    def _inside(self, transaction: Transaction, hand: _Hand, deed: Deed) -> _Outcome:
        duty = transaction.duty_work.get(hand.duty_id, hand.grant.rows)
        refusal: HuxueError | None
        if duty is None or hand.who.agency not in duty.holders:
            refusal = NotPermitted()
        elif not duty.standing:
            refusal = Conflict("该职责已办结或不再需要办理。", "The duty is done, or owed no more.")
        else:
            refusal = deed(transaction, duty)
        if refusal is not None:
            return refusal, self._failed(hand.request, hand.grant, refusal)
        return self._shown(transaction, hand)

    def _shown(self, transaction: Transaction, hand: _Hand) -> _Outcome:
        duty = transaction.duty_work.get(hand.duty_id, hand.grant.rows)
        assert duty is not None, "a duty does not leave the rows by being worked on"  # noqa: S101
        mask = Mask(EXCHANGES[EXCHANGE], hand.grant, LISTED)
        (record,) = self._duties.shown(hand.who, mask, [duty])
        telling = Telling(record, mask.words, duty.subject, f"{hand.name} {duty.id}")
        return one_told(self._evidence, hand.request, hand.grant, telling)

    def _failed(self, request: Request, grant: Grant, error: HuxueError) -> AuditEntry:
        return self._evidence.entry(request, grant, "fail", detail=error.name, fields={})

    async def _perform(self, work: Callable[[Transaction], _Outcome]) -> bytes:
        outcome = await self._evidence.journal.perform(work)
        if isinstance(outcome, HuxueError):
            raise outcome
        return outcome


_GONE_UP = (
    "该职责已逾期并上报，只有现在承办的上级单位可以登记等待。",
    "The duty is overdue and has gone up: only whom it went up to can have it wait.",
)
_WAITED = (
    "该职责累计等待已达最长期限，不能再等待。",
    "The duty has waited for as long as one may, all in all.",
)
_NOBODY = (
    "本单位没有使用过本系统的这位经办人。",
    "No officer of that name has worked on the duties of this office.",
)


def _by_the_act(zh: str, en: str) -> Conflict:
    return Conflict(
        f"“{zh}”在系统中办理后自动办结，不能手工登记办结，请办理该事项。",
        f"“{en}” ends by the act itself, recorded here, and is not marked as done by hand: do it.",
    )


def _flaw(value: str, allowed: Collection[str], name: str) -> HuxueError | None:
    if value in allowed:
        return None
    return _malformed(name, f"应为：{codes_zh(allowed)}。", f"One of: {', '.join(allowed)}.")


def _malformed(name: str, zh: str, en: str) -> Malformed:
    return Malformed.of("bad_code", zh, en, f"/{name}")
