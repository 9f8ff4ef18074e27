"""Which law dates each county has lived through."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from gateway.adapters.db.engine import Store
from gateway.adapters.db.lived import lived_days, lived_wide, may_live
from gateway.adapters.db.registers import SqliteRegisterTransaction
from gateway.domain.ports import KeyRing


class SqliteDays:
    """`gateway.services.daily.Days` over the embedded store."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def counties(self) -> list[str]:
        """Every county of which anything is known."""
        return sorted(self.lived())

    def lived(self) -> dict[str, date]:
        """Of each county the last law date whose tasks are done: at first that of the first thing known of it."""
        return lived_days(self._store.reader)

    def wider(self) -> dict[str, date]:
        """The same of each prefecture and province that has such a county."""
        return lived_wide(self._store.reader)

    @contextmanager
    def living(self, region: str, day: date) -> Iterator[SqliteRegisterTransaction | None]:
        """One write transaction as of `day`, marked as done when it ends well; None where somebody else has lived it."""
        with self._store.writing() as connection:
            if not may_live(connection, region, day):
                yield None
                return
            transaction = SqliteRegisterTransaction(connection, self._keys, day, self._store)
            yield transaction
            transaction.mark_lived(region)
