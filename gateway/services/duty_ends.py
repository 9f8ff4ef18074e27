"""What a new day makes of duties by time alone: a reminder that nobody heeded is the court's to enforce, and what hangs
on no child and was not done for years is owed no more.

Sources: 行政强制法 art. 53, 54 (the application within three months, ten days after the reminder at the earliest).
"""

from datetime import date, datetime, timedelta

from gateway.domain.casefacts import Unheeded
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.landing import RegisterTransaction
from gateway.domain.model import DutyDraft
from gateway.domain.rulebook import Rulebook

COURT = "court-application"


class DutyEnds:
    """`gateway.services.daily.DayTask`: asked again for the same day it finds nothing more to do."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """One county as of that day."""
        for each in transaction.case_facts.unheeded(region, day):
            transaction.duties.open(self._application(region, each), now)
        before = day - timedelta(days=self._book.of(region).duties.lapse_days)
        transaction.duties.lapse(region, before, day, SYSTEM_ROLE)

    def _application(self, region: str, each: Unheeded) -> DutyDraft:
        """One for each reminder: its id is made of the reminder's, so that a second day opens no second one."""
        duties, case = self._book.of(region).duties, each.case
        return DutyDraft(
            kind=COURT,
            owner=duties.rules[COURT].owner_for(case.school, case.residence),
            region=region,
            due_on=duties.due(COURT, each.due_on),
            lead=None,
            facts={"notice": each.instrument},
            case=case.ref,
            residence=case.residence,
            school=case.school,
            basis=each.instrument,
        )
