"""What a new day brings to hand-overs: one whose case has ended meanwhile is taken back.

That one is overdue follows from its date; the duties of both counties escalate like any other.
"""

from dataclasses import replace
from datetime import date, datetime

from gateway.domain.handover import line_of
from gateway.domain.landing import RegisterTransaction
from gateway.domain.referral import Event, State
from gateway.services.casework import SYSTEM
from gateway.services.evidence import Evidence
from gateway.services.handover import EXCHANGE, end_duties
from schemas.catalogue import Action


class HandoverDays:
    """`gateway.services.daily.DayTask`: asked again for the same day it finds nothing more to do."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """The county's pending hand-overs, each looked at with its case."""
        for found in transaction.handovers.of_county(region, (State.PENDING,)):
            case = transaction.cases.get(found.case)
            if case is not None and case.ended_on is None:
                continue
            changed = replace(found, state=State.REVOKED, decided_on=day)
            if transaction.handovers.move(found, Event.REVOKE, changed):
                end_duties(transaction, found, day, SYSTEM.client)
                transaction.cases.write(line_of(found, State.REVOKED.value, SYSTEM, day, now))
                what = f"lapsed {found.id}"
                entry = self._evidence.by_itself(
                    region, day, EXCHANGE, what, action=Action.REFER, subject=found.subject
                )
                transaction.write_audit(entry)
