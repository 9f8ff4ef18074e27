"""What a new day brings: everything that follows from time alone, once for every law date, county by county.

A gateway that was down lives through the days it missed, in order, each as if it had been there: a duty that fell due
on the second of them is escalated on the third. A day is lived before anything of it is taken in: at the start, before
anybody is answered; at midnight by whoever comes first, a minute's housekeeping or a file. Of several processes one
lives it: the mark is looked at inside the write transaction that sets it. That transaction also holds the evidence of
everything the day brought, bearing the day lived.

Prefectures and provinces live their days too, each after all of its counties that are known here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.domain.landing import RegisterTransaction
from gateway.domain.ports import Clock
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.services.evidence import Evidence


class DayTask(Protocol):
    """Something a new day brings about. Asked again for the same day it must change nothing more."""

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """Does it for one county, inside the transaction that also marks the day as done."""


class Days(Protocol):
    """Which days each county has lived through; synchronous, for worker threads."""

    def counties(self) -> Sequence[str]:
        """Every county of which anything is known."""

    def lived(self) -> Mapping[str, date]:
        """Of each such county the last law date whose tasks are done: at first that of the first thing known of it,
        since a day's tasks come before what the day brings and find an empty county."""

    def wider(self) -> Mapping[str, date]:
        """The same of each prefecture (four digits) and province (two) that has such a county."""

    def living(self, region: str, day: date) -> AbstractContextManager[RegisterTransaction | None]:
        """One write transaction as of `day`, marked as done when it ends well; None where somebody else has lived it,
        or where a county of it has not."""


class Daily:
    """Runs in a worker thread, as often as one likes."""

    def __init__(
        self,
        days: Days,
        tasks: Sequence[DayTask],
        clock: Clock,
        evidence: Evidence,
        wider: Sequence[DayTask] = (),
    ) -> None:
        self._days, self.tasks, self._clock, self._evidence = days, tasks, clock, evidence
        self._wider = wider
        self._done: date | None = None
        self._ahead: date | None = None

    def counties(self) -> Sequence[str]:
        """Every county of which anything is known."""
        return self._days.counties()

    def run(self) -> bool:
        """Do what is not done yet in any county; whether there was anything. Raises SourceUnavailable."""
        today, lived = self._clock.today(), self._days.lived()
        missed = [
            (day, -len(region), region)  # day by day, the narrower first
            for region, last in {**lived, **self._days.wider()}.items()
            for day in missed_days(last, today)
        ]
        for day, _, region in sorted(missed):
            self._live(region, day)
        self._ahead = max((last for last in lived.values() if last > today), default=None)
        self._done = today
        return bool(missed)

    def warnings(self) -> list[str]:
        """A clock that stands before days already lived brings nothing about until it has passed them."""
        if self._ahead is None or self._ahead <= self._clock.today():
            return []
        return [
            f"the law date {self._clock.today()} lies before {self._ahead}, which was lived through already"
        ]

    def before(self, transaction: RegisterTransaction, region: str) -> None:
        """Inside a transaction that takes something in: first the days of that county that nobody has lived yet."""
        last = transaction.lived(region)
        for day in missed_days(last, transaction.today) if last else ():
            then = transaction.as_of(day)
            self._tasks_of(then, region, day)
            then.mark_lived(region)

    def _live(self, region: str, day: date) -> None:
        with self._days.living(region, day) as transaction:
            if transaction is not None:
                self._tasks_of(transaction, region, day)

    def _tasks_of(self, transaction: RegisterTransaction, region: str, day: date) -> None:
        """What the day brings, and the evidence of it."""
        for task in self.tasks if len(region) == COUNTY_DIGITS else self._wider:
            task.run(transaction, region, day, self._clock.now())
        for entry in self._evidence.of_day(region, day, transaction.done):
            transaction.write_audit(entry)


def missed_days(lived: date, today: date) -> list[date]:
    """The days from the one after `lived` to today; none where the clock was set back."""
    return [lived + timedelta(days=ahead) for ahead in range(1, (today - lived).days + 1)]
