"""Which law dates each county has lived through."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from gateway.adapters.db.engine import Store
from gateway.adapters.db.registers import SqliteRegisterTransaction
from gateway.domain.ports import KeyRing

_COUNTIES = "SELECT DISTINCT region FROM upload ORDER BY region"


class SqliteDays:
    """`gateway.services.daily.Days` over the embedded store."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def counties(self) -> list[str]:
        """Every county that has handed in anything."""
        return [row[0] for row in self._store.reader.execute(_COUNTIES)]

    def lived(self, region: str) -> date | None:
        """The last law date whose tasks are done."""
        row = self._store.reader.execute("SELECT value FROM meta WHERE key = ?", (_key(region),)).fetchone()
        return date.fromisoformat(row[0]) if row else None

    @contextmanager
    def living(self, region: str, day: date) -> Iterator[SqliteRegisterTransaction]:
        """One write transaction as of `day`; the day is marked as done when it ends well."""
        with self._store.writing() as connection:
            yield SqliteRegisterTransaction(connection, self._keys, day, self._store)
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (_key(region), day.isoformat()),
            )


def _key(region: str) -> str:
    return f"day/{region}"
