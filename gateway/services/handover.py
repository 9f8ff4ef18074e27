"""Hand a case over to another county: sent, looked at without identity, accepted; only then it ends where it was.

Both counties may be on this gateway: then the child stays where it is in the vault, and the history travels in a
package signed by the gateway's own key and read again, signature first, before a line of it is kept. A register row
in the receiving county ends nothing; until somebody there accepts, the sending county has the case and its duties.
"""

from asyncio import to_thread
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.audit import AuditEntry
from gateway.domain.case import Actor, CaseFile
from gateway.domain.case_record import plan_of
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask, Released
from gateway.domain.errors import Conflict, HuxueError, Malformed, NotPermitted, OfficerUnnamed
from gateway.domain.freetext import wrong_text
from gateway.domain.handover import Handover, HandoverQuery, Handovers, line_of, record_of
from gateway.domain.model import DutyDraft, SubjectId
from gateway.domain.observation import standing
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.principal import Principal
from gateway.domain.referral import Event, ReferralBook, State, after
from gateway.domain.referral_record import served_in
from gateway.domain.rulebook import Rulebook
from gateway.services import pages
from gateway.services.arrival import Arrivals
from gateway.services.casework import Casework, Desks, Move
from gateway.services.evidence import Evidence, Request
from gateway.services.refer import new_id, row_of
from gateway.services.referral_desk import told, unnamed
from gateway.services.telling import Telling, one_told
from schemas.catalogue import EXCHANGES, Action
from schemas.codes.region import regions

EXCHANGE, PURPOSE = "case-handover", "dropout_control"
LEADS = frozenset({"education/dropout_lead"})
MOVE = "move"

_ALL = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields)
SENT = _ALL - {"new_case", "package"}
PREVIEW = frozenset(field.name for field in EXCHANGES[EXCHANGE].fields if field.classification == "plain")
RECEIVED = _ALL - {"case"}

Outcome = tuple[bytes | HuxueError, AuditEntry]


@dataclass(frozen=True, slots=True)
class _Step:
    transaction: Transaction
    request: Request
    grant: Grant
    found: Handover
    receiving: bool
    today: date
    now: datetime

    @property
    def who(self) -> Principal:
        return self.request.principal


class Handing:
    """The use cases: send, accept, reject, revoke, look."""

    def __init__(
        self,
        evidence: Evidence,
        handovers: Handovers,
        casework: Casework,
        rulebook: Rulebook,
        book: ReferralBook,
        keys: KeyRing,
        clock: Clock,
        arrivals: Arrivals,
    ) -> None:
        self._evidence, self._handovers, self._casework = evidence, handovers, casework
        self._book, self._terms = rulebook, book.handover
        self._keys, self._clock, self._arrivals = keys, clock, arrivals

    async def send(self, principal: Principal, case: str, to_region: str) -> bytes:
        """By the county's lead. NotPermitted for a case that is not the caller's; Conflict when nobody there could read."""
        request, grant = await self._decide(principal, named=True)

        def work(transaction: Transaction) -> Outcome:
            found = transaction.cases.get(case)
            try:
                if found is None or not grant.rows.evaluate(row_of(found)):
                    raise NotPermitted
                return self._send(transaction, request, grant, found, to_region)
            except HuxueError as error:
                subject = None if found is None or isinstance(error, NotPermitted) else found.subject
                return error, self._evidence.entry(
                    request, grant, "fail", subject=subject, detail=error.name, fields={}
                )

        return told(await self._evidence.journal.perform(work))

    def _send(
        self, transaction: Transaction, request: Request, grant: Grant, case: CaseFile, to_region: str
    ) -> Outcome:
        today, now = self._clock.today(), self._clock.now()
        known = transaction.handovers.pending_of(case.ref)
        if known is None:
            self._may_go(transaction, case, to_region)
            known = self._made(transaction, request.principal, case, to_region)
            transaction.handovers.add(known)
            transaction.cases.write(line_of(known, "sent", Actor.of(request.principal), today, now))
        elif known.to_region != to_region:
            raise Conflict("该个案正在移交另一县。", "The case is being handed over to another county.")
        return self._answer(_Step(transaction, request, grant, known, False, today, now), known, "sent")

    def _may_go(self, transaction: Transaction, case: CaseFile, to_region: str) -> None:
        known = len(to_region) == COUNTY_DIGITS and regions().is_known(to_region)
        if not known or to_region == case.region:
            zh, en = "请填写另一县的六位行政区划代码。", "Give the six digits of another county."
            raise Malformed.of("unknown_region", zh, en, "/to_region")
        if case.ended_on is not None:
            raise Conflict("个案已办结，不能移交。", "The case is over and cannot be handed over.")
        if not transaction.referrals.read_by(LEADS, to_region):
            raise Conflict(
                "接收县在本网关没有在用的控辍保学专干账号，移交后无人能看到；请先联系该县开通。",
                "Nobody could read it: no dropout lead of that county is active on this gateway.",
            )

    def _made(self, transaction: Transaction, who: Principal, case: CaseFile, to_region: str) -> Handover:
        today, now = self._clock.today(), self._clock.now()
        handover_id, entries = new_id("hnd"), standing(transaction.cases.entries(case.ref))
        due = self._book.of(to_region).duties.due(self._terms.duty, today)
        body = {
            "stage": case.state.value,
            "case_open_weeks": max(0, (today - case.opened_at.date()).days // 7),
            "notices_served": sorted(str(each["served_on"]) for each in served_in(entries)),
            "has_plan": plan_of(entries) is not None,
        }
        return Handover(
            id=handover_id,
            region=case.region,
            to_region=to_region,
            residence=case.residence,
            school=case.school,
            sealed=case.sealed,
            subject=case.subject,
            case=case.ref,
            sender=Actor.of(who),
            state=State.PENDING,
            sent_at=now,
            sent_on=today,
            due_on=due,
            body=body,
            package=self._arrivals.packed(transaction, handover_id, case, to_region),
            duty=self._owe(transaction, self._terms.duty, to_region, handover_id, None, now),
            follow_up=self._owe(transaction, self._terms.follow_up, case.region, handover_id, case, now),
        )

    def _owe(
        self,
        transaction: Transaction,
        kind: str,
        region: str,
        handover_id: str,
        case: CaseFile | None,
        now: datetime,
    ) -> str:
        """A duty of one of the counties. The receiver's names no case: it knows none before it accepts."""
        duties = self._book.of(region).duties
        draft = DutyDraft(
            kind=kind,
            owner=duties.rules[kind].owner,
            region=region,
            due_on=duties.due(kind, self._clock.today()),
            lead=None,
            facts={"handover": handover_id},
            case=case.ref if case else None,
            residence=case.residence if case else region,
            school=case.school if case else None,
            basis=handover_id,
        )
        return transaction.duties.open(draft, now)

    async def accept(self, principal: Principal, handover_id: str) -> bytes:
        """By the receiving county's lead: in one commit the case ends there and goes on here, history and all."""

        def work(step: _Step) -> Outcome:
            return self._answer(step, *self._accepted(step))

        return await self._act(principal, handover_id, Event.ACCEPT, work)

    def _accepted(self, step: _Step) -> tuple[Handover, str]:
        """Everything or nothing: what refuses is raised past the commit."""
        found, who = step.found, step.who
        case = step.transaction.cases.get(found.case)
        if case is None or not self._can_leave(case, who.role):
            raise Conflict("该个案在移出县已办结。", "The case is over in the county that sent it.")
        # The sending county has worked on since it sent: what goes along is the history of now, signed anew.
        package = self._arrivals.packed(step.transaction, found.id, case, found.to_region)
        arriving = self._arrivals.unpacked(package, found)
        for duty in (found.duty, found.follow_up):
            if duty is not None:
                step.transaction.duties.finish_one(duty, step.today, who.name)
        evidence = {"receiving_region": found.to_region, "confirmation": found.id}
        move = Move(MOVE, evidence, Actor.of(who), step.today, step.now, {"handover": found.id})
        self._casework.move(step.transaction, case, move)
        new = self._arrivals.arrive(step.transaction, case, arriving, who, step.today, step.now)
        received = line_of(found, "received", Actor.of(who), step.today, step.now)
        body = {**received.body, **({"sealed": True} if new.sealed else {})}
        step.transaction.cases.write(replace(received, case=new.ref, region=new.region, body=body))
        changed = replace(
            found,
            state=State.ACCEPTED,
            receiver=Actor.of(who),
            decided_on=step.today,
            package=package,
            new_case=new.ref,
        )
        _decided(step, Event.ACCEPT, changed)
        return changed, "accepted"

    def _can_leave(self, case: CaseFile, role: str) -> bool:
        book = self._book.of(case.region).cases
        return book.after(case.state, MOVE) is not None and role in book.steps[MOVE].by

    async def reject(self, principal: Principal, handover_id: str, reason: str) -> bytes:
        """By the receiving county's lead; the sending county keeps the case and learns why."""
        return await self._refuse(principal, handover_id, Event.REJECT, State.REJECTED, reason)

    async def revoke(self, principal: Principal, handover_id: str, reason: str) -> bytes:
        """By the sending county's lead, before acceptance."""
        return await self._refuse(principal, handover_id, Event.REVOKE, State.REVOKED, reason)

    async def _refuse(
        self, principal: Principal, handover_id: str, event: Event, state: State, reason: str
    ) -> bytes:
        def work(step: _Step) -> Outcome:
            if wrong := wrong_text(reason, "/reason"):
                raise wrong
            receiver = Actor.of(step.who) if step.receiving else None
            words = {"reason": reason.strip()}
            changed = replace(step.found, state=state, receiver=receiver, decided_on=step.today, words=words)
            _decided(step, event, changed)
            if receiver and step.found.duty:
                step.transaction.duties.finish_one(step.found.duty, step.today, step.who.name)
            end_duties(step.transaction, step.found, step.today, step.who.name)
            line = line_of(step.found, state.value, Actor.of(step.who), step.today, step.now)
            step.transaction.cases.write(replace(line, words=words))
            return self._answer(step, changed, state.value)

        return await self._act(principal, handover_id, event, work)

    async def get(self, principal: Principal, handover_id: str) -> bytes:
        """One hand-over: the sender's own, the preview, or the accepted one with its package."""
        return await self._on(
            await self._decide(principal), handover_id, lambda step: self._answer(step, step.found, "read")
        )

    async def find(self, principal: Principal, status: str | None, cursor: str | None, limit: int) -> bytes:
        """What the caller's county sends and is sent, newest first."""
        request, grant = await self._decide(principal)
        today = self._clock.today()
        query = HandoverQuery(grant.rows, principal.region, today, status, cursor, limit + 1)
        shown, last = pages.cut(await to_thread(self._handovers.find, query), limit)
        items: list[Released] = []
        words: dict[str, str] = {}
        for each in shown:
            receiving = each.to_region == principal.region
            mask = Mask(EXCHANGES[EXCHANGE], grant, _part(each, receiving) - {"package", "reason"})
            words.update(mask.words)
            items.append(
                mask.apply(record_of(each, today, self._keys.pseudonym(principal.agency, each.subject)))
            )
        members = [each.subject for each in shown]
        page = pages.Page(
            items,
            last.id if last else None,
            self._clock.now(),
            members=members,
            cut_from=(members, 0),
            detail="read",
            fields=words,
        )
        return await pages.told(self._evidence, request, grant, page)

    async def _decide(self, principal: Principal, *, named: bool = False) -> tuple[Request, Grant]:
        request = Request(principal, Action.REFER, EXCHANGE, PURPOSE, principal.region)
        grant = await self._evidence.decide(request)
        if named and principal.officer is None:
            await self._evidence.failed(request, grant, OfficerUnnamed.name)
            raise unnamed()
        return request, grant

    async def _act(
        self, principal: Principal, handover_id: str, event: Event, work: Callable[[_Step], Outcome]
    ) -> bytes:
        def step(taken: _Step) -> Outcome:
            if taken.receiving is (event is Event.REVOKE):
                raise NotPermitted
            if _done_by(taken, event):
                return self._answer(taken, taken.found, "read")
            if after(taken.found.state, event) is None:
                raise Conflict("该移交已办理。", "The hand-over was decided already.")
            return work(taken)

        return await self._on(await self._decide(principal, named=True), handover_id, step)

    async def _on(
        self, decided: tuple[Request, Grant], handover_id: str, work: Callable[[_Step], Outcome]
    ) -> bytes:
        request, grant = decided
        about: list[SubjectId] = []

        def perform(transaction: Transaction) -> Outcome:
            about.clear()  # a batch that broke is run again
            found = transaction.handovers.get(handover_id)
            step = None if found is None else self._seen(transaction, request, grant, found)
            if step is None:
                raise NotPermitted
            about.append(step.found.subject)
            return work(step)

        try:
            return told(await self._evidence.journal.perform(perform))
        except (NotPermitted, Malformed, Conflict) as error:
            # Raised past the commit, so that nothing of it stays; the evidence of the refusal is a commit of its own.
            child = about[0] if about else None
            entry = self._evidence.entry(request, grant, "fail", subject=child, detail=error.name, fields={})
            await self._evidence.journal.record(entry)
            raise

    def _seen(
        self, transaction: Transaction, request: Request, grant: Grant, found: Handover
    ) -> _Step | None:
        who = request.principal
        receiving = found.to_region == who.region and grant.rows.evaluate(
            {"region": found.to_region, "owner": found.owner_there, "sealed": found.sealed_there}
        )
        if not receiving and not grant.rows.evaluate(found.row):
            return None
        return _Step(transaction, request, grant, found, receiving, self._clock.today(), self._clock.now())

    def _answer(self, step: _Step, shown: Handover, detail: str) -> Outcome:
        mask = Mask(EXCHANGES[EXCHANGE], step.grant, _part(shown, step.receiving))
        record = record_of(shown, step.today, self._keys.pseudonym(step.who.agency, shown.subject))
        telling = Telling(mask.apply(record), mask.words, shown.subject, f"{detail} {shown.id}")
        return one_told(self._evidence, step.request, step.grant, telling)


def _decided(step: _Step, event: Event, changed: Handover) -> None:
    """Conflict when the row does not stand where it was read: what was done before it is undone with it."""
    if not step.transaction.handovers.move(step.found, event, changed):
        raise Conflict("该移交已办理。", "The hand-over was decided already.")


def end_duties(transaction: Desks, found: Handover, today: date, by: str) -> None:
    """Neither county owes this hand-over any more: it was not accepted. What was done before stays done."""
    for duty in (found.duty, found.follow_up):
        if duty is not None:
            transaction.duties.cancel_one(duty, today, by, "handover-ended")


def _part(shown: Handover, receiving: bool) -> frozenset[str]:
    if not receiving:
        return SENT
    return RECEIVED if shown.state is State.ACCEPTED else PREVIEW


def _done_by(step: _Step, event: Event) -> bool:
    """Whether this very officer's county has done the same already: then it is told again, and not done twice."""
    goal = after(State.PENDING, event)
    if step.found.state is not goal:
        return False
    return event is Event.REVOKE or step.found.receiver == Actor.of(step.who)
