"""What a new day brings to hand-overs: one whose case has ended meanwhile is taken back.

That one is overdue follows from its date; the duties of both counties escalate like any other.
"""

from dataclasses import replace
from datetime import date, datetime

from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.landing import RegisterTransaction
from gateway.domain.principal import Principal
from gateway.domain.referral import Event, State
from gateway.services.casework import SYSTEM
from gateway.services.evidence import Evidence, Request
from gateway.services.handover import EXCHANGE, PURPOSE, end_duties
from schemas.catalogue import Action


class HandoverDays:
    """`gateway.services.daily.DayTask`: asked again for the same day it finds nothing more to do."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """The county's pending hand-overs, each looked at with its case."""
        system = Principal(SYSTEM.client, SYSTEM.agency, SYSTEM_ROLE, region)
        for found in transaction.handovers.of_county(region, (State.PENDING,)):
            case = transaction.cases.get(found.case)
            if case is not None and case.ended_on is None:
                continue
            changed = replace(found, state=State.REVOKED, decided_on=day)
            if transaction.handovers.move(found, Event.REVOKE, changed):
                end_duties(transaction, found, day, SYSTEM.client)
                request = Request(system, Action.REFER, EXCHANGE, PURPOSE, region)
                detail = f"lapsed {found.id}"
                transaction.write_audit(
                    self._evidence.entry(
                        request, None, "fail", subject=found.subject, detail=detail, fields={}
                    )
                )
