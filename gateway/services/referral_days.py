"""What a new day brings to referrals: what the end of a case makes of them.

A case that is over takes its pending referrals back, and the officer who accepted one is notified: a notification
informs, and needs no answer. That a referral is overdue follows from its date; its duty escalates like any other.
"""

from dataclasses import replace
from datetime import date, datetime

from gateway.domain.case import CaseFile
from gateway.domain.landing import RegisterTransaction
from gateway.domain.referral import CASE_OVER, Event, Kind, Referral, State
from gateway.domain.rulebook import Rulebook
from gateway.services.casework import SYSTEM
from gateway.services.refer import new_id
from gateway.services.referral_desk import ReferralOffice, line


class ReferralDays:
    """`gateway.services.daily.DayTask`: asked again for the same day it finds nothing more to do."""

    def __init__(self, office: ReferralOffice, rulebook: Rulebook) -> None:
        self._office, self._book = office, rulebook

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """The county's standing referrals, each looked at with its case."""
        for found in transaction.referrals.of_county(region, (State.PENDING, State.ACCEPTED)):
            case = transaction.cases.get(found.case) if found.case else None
            if case is None:
                continue
            if found.state is State.PENDING and self._too_late(found, case):
                self._take_back(transaction, found, day, now)
            elif found.state is State.ACCEPTED and case.ended_on is not None:
                self._notify(transaction, found, day, now)

    def _too_late(self, found: Referral, case: CaseFile) -> bool:
        """Whether nobody could accept it any more: its case has ended, or has come back meanwhile."""
        route = self._office.book.routes.get(found.route)  # None: the policy has given that route up
        book = self._book.of(case.region).cases
        return route is None or (route.step is not None and book.after(case.state, route.step) is None)

    def _take_back(self, transaction: RegisterTransaction, found: Referral, day: date, now: datetime) -> None:
        changed = replace(found, state=State.REVOKED, decided_on=day)
        if not transaction.referrals.move(found, Event.REVOKE, changed):
            return
        if found.duty is not None:
            transaction.duties.cancel_one(found.duty, day, SYSTEM.client, CASE_OVER)
        transaction.cases.write(line(changed, "revoked", SYSTEM, day, now))
        transaction.write_audit(self._office.by_time(found, "lapsed", day))

    def _notify(self, transaction: RegisterTransaction, found: Referral, day: date, now: datetime) -> None:
        changed = replace(found, state=State.CLOSED, outcome=CASE_OVER, outcome_on=day)
        if not transaction.referrals.move(found, Event.CLOSE, changed):
            return
        transaction.referrals.add(
            replace(
                changed,
                id=new_id("rfl"),
                kind=Kind.NOTIFICATION,
                state=State.INFORMED,
                sender=SYSTEM,
                sent_at=now,
                sent_on=day,
                due_on=None,
                body={"stage": "ended"},
                words={},
                decided_on=None,
                concerns=found.id,
                duty=None,
            )
        )
        transaction.cases.write(line(changed, "notified", SYSTEM, day, now))
        transaction.write_audit(self._office.by_time(found, "notified", day))
