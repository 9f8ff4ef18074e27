"""Time passes over what is owed: a reminder before the last day, one level up after it. Once for each day of law.

A duty that waits for another agency is neither, until it has waited for the longest that one may. Statements over sets
of rows: a county of half a million children owes some thousands at most. What was told to whom is read off the duty
itself; nobody is told anything about a child here.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from gateway.domain.duties import Calendar, DutyBook, moved
from gateway.domain.landing import RuleTransaction
from gateway.domain.rulebook import Rulebook


class Escalation:
    """The task of a new day, after the leads' own."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook

    def run(self, transaction: RuleTransaction, region: str, day: date, now: datetime) -> None:
        """What one county, prefecture or province owes, as of that day; asked again, it finds nothing left to do."""
        book = self._book.of(region).duties
        for duty in transaction.duties.waiting(region, day, book.wait_days):
            transaction.duties.resume(duty.id, moved(book, duty, duty.waiting_since or day, day))
        again = went_up_by(book.calendar, day, book.escalate_days)
        transaction.duties.escalate(region, day, again, now)
        transaction.duties.remind(region, day, until(book, day), now)


def until(book: DutyBook, day: date) -> Mapping[str, date]:
    """By kind of duty, the latest last day of which `day` is near enough for a reminder."""
    reach = {rule.remind_days for rule in book.rules.values() if rule.remind_days}
    ends = {days: book.calendar.add_working_days(day, days) for days in reach}
    return {kind: ends[rule.remind_days] for kind, rule in book.rules.items() if rule.remind_days}


def went_up_by(calendar: Calendar, day: date, days: int) -> date:
    """The latest day such that, gone up on it, a duty goes up again on `day`: so many working days lie between."""
    back = day - timedelta(days=days)
    while calendar.add_working_days(back, days) > day:
        back -= timedelta(days=1)
    return back
