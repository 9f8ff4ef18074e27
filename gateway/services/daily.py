"""What a new day brings: rules that fire by time alone are evaluated once for every law date, county by county."""

from datetime import date

from gateway.domain.landing import Registers
from gateway.domain.ports import Clock
from gateway.domain.rulebook import Rulebook
from gateway.services.sweep import Sweep


class Daily:
    """Runs in a worker thread, as often as one likes."""

    def __init__(self, registers: Registers, rulebook: Rulebook, clock: Clock) -> None:
        self.registers, self._book, self._clock = registers, rulebook, clock
        self._done: date | None = None

    def run(self) -> bool:
        """Evaluate every county's rules if this process has not done so today; whether it did."""
        today = self._clock.today()
        if self._done == today:
            return False
        with self.registers.transaction() as transaction:
            for region in transaction.regions():
                Sweep(self._book, today, self._clock.now()).run(transaction, region)
        self._done = today
        return True
