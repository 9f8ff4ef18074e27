"""Proof of service: from here on, and not before, the term runs.

The case moves by its own table (`notify`, `sanction`), the duty is due on the term's last day, and both are of the
commit that keeps the proof.
"""

from dataclasses import replace

from gateway.domain.case import CaseFile, State
from gateway.domain.errors import HuxueError, Malformed
from gateway.domain.instrument_record import Instrument, InstrumentState, Service, check_service
from gateway.domain.instruments import Kind
from gateway.domain.model import DutyDraft
from gateway.domain.principal import Principal
from gateway.domain.rulebook import Rulebook
from gateway.services.casework import Casework, Move
from gateway.services.instruments import Hand, InstrumentDeskwork, Told


class Serve:
    """The use case."""

    def __init__(self, desk: InstrumentDeskwork, casework: Casework, rulebook: Rulebook) -> None:
        self._desk, self._casework, self._book = desk, casework, rulebook

    async def __call__(self, principal: Principal, instrument_id: str, service: Service) -> bytes:
        """The record with its term. Malformed: the proof is not whole; Conflict: served, withdrawn, or the case moved on."""

        def work(hand: Hand) -> Told:
            found, case = self._desk.own(hand, instrument_id)
            try:
                check_service(service, found.issued_on, hand.today)
            except Malformed as error:
                raise self._desk.refusal(hand, error, found.subject) from None
            return self._served(hand, found, case, service)

        return await self._desk.perform(await self._desk.named(principal), work)

    def _served(self, hand: Hand, found: Instrument, case: CaseFile, service: Service) -> Told:
        duty = self._desk.templates[found.kind].duty
        due = self._book.of(case.region).duties.due(duty, service.served_on)
        changed = replace(found, state=InstrumentState.SERVED, service=service, due_on=due)
        if found.state is InstrumentState.ISSUED:
            case = self._moved(hand, found, case, service)
        self._desk.moved(hand, found, changed)
        self._owed(hand, changed, case, duty)
        return self._desk.answer(hand, changed, "served")

    def _moved(self, hand: Hand, found: Instrument, case: CaseFile, service: Service) -> CaseFile:
        """The case, one step on, unless it is there already."""
        notified = found.kind is Kind.RETURN_ORDER
        if case.state is (State.NOTIFIED if notified else State.SANCTIONED):
            return case
        evidence = {"notice": found.number, "served_on": service.served_on.isoformat()}
        move = Move("notify" if notified else "sanction", evidence, hand.actor, hand.today, hand.now)
        try:
            return self._casework.move(hand.transaction, case, move)
        except HuxueError as error:
            raise self._desk.refusal(hand, error, found.subject) from None

    def _owed(self, hand: Hand, served: Instrument, case: CaseFile, duty: str) -> None:
        if served.due_on is None:
            return
        rule = self._book.of(case.region).duties.rules[duty]
        draft = DutyDraft(
            kind=duty,
            owner=rule.owner_for(case.school, case.residence),
            region=case.region,
            due_on=served.due_on,
            lead=None,
            facts={"notice": served.id},
            case=case.ref,
            residence=case.residence,
            school=case.school,
            basis=served.id,
        )
        hand.transaction.duties.open(draft, hand.now)
