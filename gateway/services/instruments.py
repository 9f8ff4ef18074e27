"""Legal instruments of a case: what they all stand on, the list of a case, and withdrawing one.

Only named officers of a county's education department or a township act (义务教育法 art. 13, 58); the policies say so, a
wall over them says so, and here the office itself is looked at once more.
"""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.audit import AuditEntry
from gateway.domain.case import Actor, CaseEntry, CaseFile, EntryKind
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask
from gateway.domain.errors import Conflict, HuxueError, NotPermitted, OfficerUnnamed
from gateway.domain.freetext import REASON_LENGTH, wrong_text
from gateway.domain.instrument_record import Instrument, Instruments, InstrumentState, record_of
from gateway.domain.instruments import Kind, Template
from gateway.domain.model import SubjectId
from gateway.domain.offices import Offices
from gateway.domain.ports import Clock, Transaction
from gateway.domain.principal import Principal
from gateway.services import pages
from gateway.services.evidence import Evidence, Request
from gateway.services.telling import Telling, one_told
from gateway.services.use_resolution import Refusal
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "notices"
PURPOSE = "dropout_control"


@dataclass(frozen=True, slots=True)
class Hand:
    """One officer's hand on a case's instruments, inside the commit."""

    transaction: Transaction
    request: Request
    grant: Grant
    today: date
    now: datetime

    @property
    def who(self) -> Principal:
        """The officer."""
        return self.request.principal

    @property
    def actor(self) -> Actor:
        """The officer, as a case's history names one."""
        return Actor.of(self.who)


Told = tuple[bytes, AuditEntry]
Work = Callable[[Hand], Told]


class InstrumentDeskwork:
    """What issuing, serving and withdrawing have alike."""

    def __init__(
        self, evidence: Evidence, clock: Clock, templates: Mapping[Kind, Template], offices: Offices
    ) -> None:
        self.evidence, self.clock, self.templates, self.offices = evidence, clock, templates, offices

    async def decide(self, principal: Principal) -> tuple[Request, Grant]:
        """May this caller deal with instruments of the own region?"""
        request = Request(principal, Action.SUBSCRIBE, EXCHANGE, PURPOSE, principal.region)
        return request, await self.evidence.decide(request)

    async def named(self, principal: Principal) -> tuple[Request, Grant]:
        """As `decide`, for a named officer of an office that issues; OfficerUnnamed or NotPermitted otherwise."""
        request, grant = await self.decide(principal)
        wrong: HuxueError | None = None
        if not self.offices.may_issue(principal):
            wrong = NotPermitted()
        elif principal.officer is None:
            wrong = OfficerUnnamed(
                "法律文书须由具名经办人办理：请在客户端断言中以 officer 注明。",
                "Notices are issued by named officers: name yours in the client assertion (officer).",
            )
        if wrong is not None:
            await self.evidence.failed(request, grant, wrong.name)
            raise wrong
        return request, grant

    async def perform(self, decided: tuple[Request, Grant], work: Work) -> bytes:
        """`work` in one commit; of a Refusal its entry is committed in place of everything, then its error raised."""
        request, grant = decided

        def step(transaction: Transaction) -> tuple[bytes | HuxueError, AuditEntry]:
            hand = Hand(transaction, request, grant, self.clock.today(), self.clock.now())
            try:
                return work(hand)
            except Refusal as refusal:
                return refusal.error, refusal.entry

        told = await self.evidence.journal.perform(step)
        if isinstance(told, HuxueError):
            raise told
        return told

    def refusal(self, hand: Hand, error: HuxueError, subject: SubjectId | None = None) -> Refusal:
        """What was not done, by whom, with the child if there is one."""
        entry = self.evidence.entry(
            hand.request, hand.grant, "fail", subject=subject, detail=error.name, fields={}
        )
        return Refusal(error, entry)

    def case(self, hand: Hand, ref: str) -> CaseFile:
        """The open case, of the officer's own region; Refusal otherwise."""
        found = hand.transaction.instruments.case(ref, hand.grant.rows)
        if found is None:
            raise self.refusal(hand, NotPermitted())
        if found.ended_on is not None:
            raise self.refusal(hand, Conflict("该个案已结束。", "The case is over."), found.subject)
        return found

    def own(self, hand: Hand, instrument_id: str) -> tuple[Instrument, CaseFile]:
        """An instrument of the officer's own office, with its open case; Refusal otherwise."""
        found = hand.transaction.instruments.get(instrument_id, hand.grant.rows)
        if found is None or not found.of_team(hand.who):
            raise self.refusal(hand, NotPermitted(), found.subject if found else None)
        return found, self.case(hand, found.case)

    def moved(self, hand: Hand, before: Instrument, changed: Instrument) -> None:
        """Keeps the change of an issued instrument, with a line in the case's history; Refusal when it is too late."""
        if before.state is not InstrumentState.ISSUED or not hand.transaction.instruments.move(
            before, changed
        ):
            late = Conflict("该文书已送达或已撤回。", "The notice was served or withdrawn already.")
            raise self.refusal(hand, late, before.subject)
        self.noted(hand, changed)

    def noted(self, hand: Hand, changed: Instrument) -> None:
        """A line in the case's history: numbers and days, no names."""
        body: dict[str, object] = {
            "notice": changed.id,
            "kind": changed.kind.value,
            "number": changed.number,
            "state": changed.state.value,
        }
        if changed.service and changed.due_on:
            body |= {
                "served_on": changed.service.served_on.isoformat(),
                "due_on": changed.due_on.isoformat(),
            }
        line = CaseEntry(
            changed.case,
            changed.county,
            EntryKind.NOTICE,
            hand.today,
            hand.now,
            hand.actor,
            body=body,
        )
        hand.transaction.cases.write(line)

    def answer(self, hand: Hand, shown: Instrument, detail: str) -> Told:
        """The masked record with its entry."""
        mask = Mask(EXCHANGES[EXCHANGE], hand.grant)
        record = mask.apply(record_of(shown, self.templates[shown.kind]))
        telling = Telling(record, mask.words, shown.subject, f"{detail} {shown.id}")
        return one_told(self.evidence, hand.request, hand.grant, telling)


class CaseInstruments:
    """The list of a case, and withdrawing what was not served yet."""

    def __init__(self, desk: InstrumentDeskwork, instruments: Instruments) -> None:
        self._desk, self._instruments = desk, instruments

    async def of_case(self, principal: Principal, case: str) -> bytes:
        """Every instrument of a case in the caller's region, oldest first; NotPermitted for any other case."""
        desk = self._desk
        request, grant = await desk.decide(principal)
        found = await to_thread(self._instruments.of_case, case, grant.rows)
        if found is None:
            await desk.evidence.failed(request, grant, NotPermitted.name)
            raise NotPermitted
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        items = [mask.apply(record_of(each, desk.templates[each.kind])) for each in found]
        page = pages.Page(
            items,
            None,
            desk.clock.now(),
            members=[each.subject for each in found[:1]],
            detail="read",
            fields=mask.words,
        )
        return await pages.told(desk.evidence, request, grant, page)

    async def void(self, principal: Principal, instrument_id: str, reason: str) -> bytes:
        """Withdrawn before service, by its office or the county's; the number stays taken. Conflict once it was served."""
        desk = self._desk

        def work(hand: Hand) -> Told:
            found = hand.transaction.instruments.get(instrument_id, hand.grant.rows)
            if found is None or not found.voidable_by(hand.who):
                raise desk.refusal(hand, NotPermitted(), found.subject if found else None)
            if wrong := wrong_text(reason, "/reason", REASON_LENGTH):
                raise desk.refusal(hand, wrong, found.subject)
            changed = replace(found, state=InstrumentState.VOIDED, void_reason=reason.strip())
            desk.moved(hand, found, changed)
            return desk.answer(hand, changed, "voided")

        return await desk.perform(await desk.named(principal), work)
