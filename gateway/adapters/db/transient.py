"""What is kept for minutes or a day only, removed when its time is over."""

from datetime import date, datetime

from gateway.adapters.db.engine import Store
from gateway.adapters.db.guard import forget_days
from gateway.adapters.db.proofs import forget_proofs


class Transient:
    """Runs in a worker thread, as often as one likes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget(self, now: datetime, today: date) -> None:
        """Spent proofs that nobody would take any more, and the children counted on days that are over."""
        with self._store.writing() as connection:
            forget_proofs(connection, now.timestamp())
            forget_days(connection, today)
