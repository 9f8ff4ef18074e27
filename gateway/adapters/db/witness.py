"""What a witness remembers, in the embedded store."""

import hashlib
import sqlite3
from datetime import datetime
from typing import Any

from gateway.adapters.db.engine import Store, stamp
from gateway.domain.log.ports import Seen

FORKS_KEPT = 64
"""Pairs of notes kept for one log: the first prove enough, and nobody fills the store with more."""

_SEEN = "SELECT size, root, note FROM witnessed_head WHERE origin = ?"


class SqliteWitness:
    """`gateway.domain.log.ports.WitnessStore` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, origin: str) -> Seen | None:
        """The largest head cosigned."""
        return _seen(self._store.reader, f"{_SEEN} ORDER BY size DESC LIMIT 1", origin)

    def seen(self, origin: str, size: int) -> Seen | None:
        """The head of that size, if it was cosigned."""
        return _seen(self._store.reader, f"{_SEEN} AND size = ?", origin, size)

    def accept(self, origin: str, before: Seen | None, new: Seen, at: datetime) -> bool:
        """Compare and set on the newest size; the same head again is fine."""
        with self._store.writing() as connection:
            found = _seen(connection, f"{_SEEN} ORDER BY size DESC LIMIT 1", origin)
            if (found and found.size) != (before and before.size):
                return False
            connection.execute(
                "INSERT OR IGNORE INTO witnessed_head (origin, size, root, note, at) VALUES (?, ?, ?, ?, ?)",
                (origin, new.size, new.root, new.note, stamp(at)),
            )
        return True

    def is_new_fork(self, origin: str, known: str, offered: str) -> bool:
        """Not kept yet, and fewer than `FORKS_KEPT` of that log are."""
        row = self._store.reader.execute(
            "SELECT count(*), COALESCE(max(id = ?), 0) FROM log_fork WHERE origin = ?",
            (_fork_id(known, offered), origin),
        ).fetchone()
        return bool(row[0] < FORKS_KEPT and not row[1])

    def keep_fork(self, origin: str, known: str, offered: str, reason: str, at: datetime) -> None:
        """The pair under its digest."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO log_fork (id, origin, known, offered, reason, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_fork_id(known, offered), origin, known, offered, reason, stamp(at)),
            )


def _fork_id(known: str, offered: str) -> str:
    return hashlib.sha256(f"{known}\0{offered}".encode()).hexdigest()


def _seen(connection: sqlite3.Connection, query: str, *binds: Any) -> Seen | None:
    row = connection.execute(query, binds).fetchone()
    return Seen(row[0], bytes(row[1]), row[2]) if row else None
