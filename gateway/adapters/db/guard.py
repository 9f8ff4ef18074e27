"""Counts the different children that a person and a client were told of in a day, exactly, inside one transaction.

Nothing here can be read back: children and runs of ids are kept as keyed digests that are other ones every day.
"""

import sqlite3
from datetime import date

from gateway.domain.limits import Quota, Sighting
from gateway.domain.ports import KeyRing
from gateway.domain.principal import Principal

_KIND = "enumeration-guard"
_SEEN = "SELECT 1 FROM guard_seen WHERE day = ? AND key = ?"
_SEE = "INSERT INTO guard_seen (day, key) VALUES (?, ?)"
_COUNTED = "SELECT children FROM guard_count WHERE day = ? AND key = ?"
_COUNT = (
    "INSERT INTO guard_count (day, key, children) VALUES (?, ?, 1)"
    " ON CONFLICT (day, key) DO UPDATE SET children = children + 1"
)


def forget_days(connection: sqlite3.Connection, today: date) -> None:
    """Remove the counts of days that are over, inside an open write transaction."""
    for statement in ("DELETE FROM guard_seen WHERE day < ?", "DELETE FROM guard_count WHERE day < ?"):
        connection.execute(statement, (today.isoformat(),))


_KEPT = 65_536


class Counted:
    """Whom this process knows to be counted: keys that a commit holds. A key is of one day, and its row goes after it."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._fresh: list[bytes] = []

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def begin(self) -> None:
        """A write transaction has begun; what an earlier one left unfinished is forgotten."""
        self._fresh.clear()

    def add(self, key: bytes) -> None:
        """Counted, if this transaction is committed."""
        self._fresh.append(key)

    def committed(self) -> None:
        """What was added is known from here on."""
        if len(self._known) > _KEPT:
            self._known.clear()
        self._known.update(self._fresh)


Counter = tuple[str, bytes, int]
"""The limit's name, the counter's key, and how many may pass."""


class DayCount:
    """One law date's counters, over an open write transaction."""

    def __init__(
        self, connection: sqlite3.Connection, keys: KeyRing, today: date, counted: Counted | None = None
    ) -> None:
        self._db, self._keys, self._day = connection, keys, today.isoformat()
        self._known = Counted() if counted is None else counted

    def count(self, principal: Principal, quota: Quota, sighting: Sighting) -> str | None:
        """Counts the child if it is another one; the name of the limit it breaks, and then nothing is counted."""
        by_person = self._key("person", principal.person, sighting.child)
        if by_person in self._known:
            return None
        if self._seen(by_person):
            self._known.add(by_person)
            return None
        by_client = self._key("client", principal.client, sighting.child)
        counters = [("person", self._key("persons", principal.person), quota.person)]
        fresh = [by_person]
        if not self._seen(by_client):
            fresh.append(by_client)
            counters += self._client_counters(principal.client, quota, sighting)
        for name, key, most in counters:
            if self._counted(key) >= most:
                return name
        self._db.executemany(_SEE, [(self._day, key) for key in fresh])
        self._db.executemany(_COUNT, [(self._day, key) for _, key, _ in counters])
        self._known.add(by_person)
        return None

    def _client_counters(self, client: str, quota: Quota, sighting: Sighting) -> list[Counter]:
        """Runs are looked for by client: a run stays one when several officers are named for it."""
        runs = (
            ("neighbours", sighting.neighbours, quota.neighbours_from - 1),
            ("cohort", sighting.cohort, quota.cohort),
        )
        return [
            *((name, self._key(name, client, run), most) for name, run, most in runs if run is not None),
            ("client", self._key("clients", client), quota.client),
        ]

    def _key(self, *parts: str) -> bytes:
        return self._keys.lookup(_KIND, "\0".join((self._day, *parts)))

    def _seen(self, key: bytes) -> bool:
        return self._db.execute(_SEEN, (self._day, key)).fetchone() is not None

    def _counted(self, key: bytes) -> int:
        row = self._db.execute(_COUNTED, (self._day, key)).fetchone()
        return int(row[0]) if row else 0
