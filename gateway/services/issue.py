"""A legal instrument is issued: the wording, the number and the evidence are of one commit, and so is the one use of
the resolution by which the child's name gets into it.

Everything that can go wrong is looked at before the number is taken, so that numbers have no gap.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.domain.case import CaseFile
from gateway.domain.decision import Grant
from gateway.domain.errors import Conflict, HuxueError, InvalidRecord, NotPermitted
from gateway.domain.instrument_record import Instrument, earlier, told_of
from gateway.domain.instruments import Document, Kind, Template, checked, numbered, worded
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.services.evidence import Request
from gateway.services.instruments import PURPOSE, Hand, InstrumentDeskwork, Told
from gateway.services.lapse import EXCHANGE as IDENTITY
from gateway.services.use_resolution import Asking, UseResolution
from schemas.catalogue import Action


@dataclass(frozen=True, slots=True)
class Order:
    """What an officer wants issued: for which case, by which approved resolution, with what in the gaps."""

    principal: Principal
    case: str
    kind: Kind
    resolution: str
    slots: Mapping[str, str] = field(repr=False)


class Issue:
    """The use case."""

    def __init__(self, desk: InstrumentDeskwork, using: UseResolution, rulebook: Rulebook) -> None:
        self._desk, self._using, self._book = desk, using, rulebook

    async def __call__(self, order: Order) -> bytes:
        """The record, without a name. NotPermitted, OfficerUnnamed, Malformed, Conflict, IdentityUnreadable."""
        desk, template = self._desk, self._desk.templates[order.kind]
        request, grant = await desk.named(order.principal)
        try:
            if order.principal.role not in template.issued_by:
                raise NotPermitted
            given = checked(template, order.slots)
        except HuxueError as error:
            await desk.evidence.failed(request, grant, error.name)
            raise
        identity = await identity_grant(desk, order.principal)

        def work(hand: Hand) -> Told:
            return self._issued(hand, Asking(hand.transaction, *identity, hand.now), order, given)

        return await desk.perform((request, grant), work)

    def _issued(self, hand: Hand, asking: Asking, order: Order, given: Mapping[str, str]) -> Told:
        desk, template = self._desk, self._desk.templates[order.kind]
        case = desk.case(hand, order.case)
        resolution = self._using.checked(asking, order.resolution, case.ref)
        try:
            before = earlier(template, hand.transaction.instruments.of_case(case.ref), case.state, hand.today)
        except Conflict as error:
            raise desk.refusal(hand, error, case.subject) from None
        self._using.count(asking, case.subject)
        values = {
            **given,
            **told_of(before),
            "child": self._using.name(asking, resolution),
            "term": self._term(case, template),
        }
        document = self._worded(hand, case, template, values)
        self._using.spend(asking, resolution)
        issued = self._numbered(hand, case, template, document)
        desk.noted(hand, issued)
        told = f"worded {issued.id} {resolution.id}"
        hand.transaction.write_audit(self._using.entry(asking, case.subject, told))
        return desk.answer(hand, issued, "issued")

    def _term(self, case: CaseFile, template: Template) -> str:
        rule = self._book.of(case.region).duties.rules[template.duty]
        return f"{rule.days}个工作日" if rule.working_days else f"{rule.days}日"

    def _worded(self, hand: Hand, case: CaseFile, template: Template, values: Mapping[str, str]) -> Document:
        office = self._desk.offices.name(hand.who.role, hand.who.region)
        if office is None:
            unknown = InvalidRecord("发文机关名称未知。", "The issuing office has no known name.")
            raise self._desk.refusal(hand, unknown, case.subject)
        wanted = {name: values[name] for name in template.slots if name in values}
        try:
            return worded(template, wanted, ("", office, hand.today))
        except HuxueError as error:
            raise self._desk.refusal(hand, error, case.subject) from None

    def _numbered(self, hand: Hand, case: CaseFile, template: Template, document: Document) -> Instrument:
        desk, who, year = hand.transaction.instruments, hand.who, hand.today.year
        serial = desk.next_serial(who.region, year, template.kind)
        number = numbered(template, self._desk.offices.sign(who.region), year, serial)
        issued = Instrument(
            id=f"ins-{secrets.token_hex(13)}",
            kind=template.kind,
            number=number,
            subject=case.subject,
            case=case.ref,
            county=case.region,
            office=who.region,
            role=who.role,
            client=who.client,
            officer=who.officer or "",
            issued_at=hand.now,
            issued_on=hand.today,
        )
        desk.add(issued, serial, replace(document, number=number))
        return issued


async def identity_grant(desk: InstrumentDeskwork, principal: Principal) -> tuple[Request, Grant]:
    """What the caller may learn of who a child is, by a resolution."""
    request = Request(principal, Action.RESOLVE, IDENTITY, PURPOSE, principal.region)
    return request, await desk.evidence.decide(request)
