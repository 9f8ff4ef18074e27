"""What a witness remembers, in the embedded store."""

import hashlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.adapters.db.engine import Store, stamp
from gateway.domain.log.checkpoint import parse_checkpoint
from gateway.domain.log.note import parse_note
from gateway.domain.log.ports import UNPROVEN, Seen

FORKS_KEPT = 64
"""Pairs of notes kept for one log and reason: the first prove enough, and nobody fills the store with more.

By reason, because anybody can hand in a head of the log with a broken proof: that must not use up what a fork needs.
"""

_UNPROVEN = "SELECT offered FROM log_fork WHERE origin = ? AND reason = ?"
_SEEN = "SELECT size, root, note FROM witnessed_head WHERE origin = ?"


class SqliteWitness:
    """`gateway.domain.log.ports.WitnessStore` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, origin: str) -> Seen | None:
        """The largest head cosigned."""
        return _seen(self._store.reader, f"{_SEEN} ORDER BY size DESC LIMIT 1", origin)

    def signed_at(self, origin: str, size: int) -> Sequence[Seen]:
        """The head of that size that was cosigned, and those kept without a proof."""
        cosigned = _seen(self._store.reader, f"{_SEEN} AND size = ?", origin, size)
        kept = self._store.reader.execute(_UNPROVEN, (origin, UNPROVEN)).fetchall()
        heads = [(parse_checkpoint(parse_note(note).text), note) for (note,) in kept]
        unproven = [Seen(head.size, head.root, note) for head, note in heads if head.size == size]
        return [*([cosigned] if cosigned else []), *unproven]

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

    def is_new_fork(self, origin: str, known: str, offered: str, reason: str) -> bool:
        """Not kept yet, and fewer than `FORKS_KEPT` of that log and reason are."""
        fork = _fork_id(origin, known, offered, reason)
        count, kept = self._store.reader.execute(
            "SELECT count(*), COALESCE(max(id = ?), 0) FROM log_fork WHERE origin = ? AND reason = ?",
            (fork, origin, reason),
        ).fetchone()
        return bool(count < FORKS_KEPT and not kept)

    def keep_fork(self, origin: str, known: str, offered: str, reason: str, at: datetime) -> None:
        """Both notes, once."""
        fork = _fork_id(origin, known, offered, reason)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO log_fork (id, origin, known, offered, reason, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (fork, origin, known, offered, reason, stamp(at)),
            )


def _fork_id(origin: str, known: str, offered: str, reason: str) -> str:
    """A digest of what the log signed: lines that others add under a note make no other pair."""
    texts = (note.rpartition("\n\n")[0] for note in (known, offered))
    return hashlib.sha256("\0".join((origin, reason, *texts)).encode()).hexdigest()


def _seen(connection: sqlite3.Connection, query: str, *binds: Any) -> Seen | None:
    row = connection.execute(query, binds).fetchone()
    return Seen(row[0], bytes(row[1]), row[2]) if row else None
