"""What a new day brings: everything that follows from time alone, once for every law date, county by county.

A gateway that was down lives through the days it missed, in order, each as if it had been there: a duty that fell due
on the second of them is escalated on the third.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.domain.landing import RegisterTransaction
from gateway.domain.ports import Clock


class DayTask(Protocol):
    """Something a new day brings about. Asked again for the same day it must change nothing more."""

    def run(self, transaction: RegisterTransaction, region: str, day: date, now: datetime) -> None:
        """Does it for one county, inside the transaction that also marks the day as done."""


class Days(Protocol):
    """Which days each county has lived through; synchronous, for worker threads."""

    def counties(self) -> Sequence[str]:
        """Every county that has handed in anything."""

    def lived(self, region: str) -> date | None:
        """The last law date whose tasks are done."""

    def living(self, region: str, day: date) -> AbstractContextManager[RegisterTransaction]:
        """One write transaction as of `day`; the day is marked as done when it ends well."""


class Daily:
    """Runs in a worker thread, as often as one likes."""

    def __init__(self, days: Days, tasks: Sequence[DayTask], clock: Clock) -> None:
        self._days, self._tasks, self._clock = days, tasks, clock
        self._done: date | None = None

    def counties(self) -> Sequence[str]:
        """Every county that has handed in anything."""
        return self._days.counties()

    def run(self) -> bool:
        """Do what is not done yet, if this process has not looked today; whether it looked."""
        today = self._clock.today()
        if self._done == today:
            return False
        for region in self._days.counties():
            for day in _missed(self._days.lived(region), today):
                self._live(region, day)
        self._done = today
        return True

    def _live(self, region: str, day: date) -> None:
        with self._days.living(region, day) as transaction:
            for task in self._tasks:
                task.run(transaction, region, day, self._clock.now())


def _missed(lived: date | None, today: date) -> list[date]:
    """The days from the one after `lived` to today; today alone where none is known."""
    if lived is None:
        return [today]
    return [lived + timedelta(days=ahead) for ahead in range(1, (today - lived).days + 1)]
