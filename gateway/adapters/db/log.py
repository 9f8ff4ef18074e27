"""The sealed log in the embedded store: tiles, heads, places of entries, cosignatures, and who seals."""

import os
import secrets
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.db.evidence_index import index_entries
from gateway.domain.log.checkpoint import Head
from gateway.domain.log.ports import Placed
from gateway.domain.log.tiles import Tile

LEASE_SECONDS = 3
_ORIGIN = "log_origin"
_HEAD = "SELECT size, root, last_seq, at, note, vkey FROM audit_head"
_TILE_INSERT = (
    "INSERT INTO audit_tile (level, idx, hashes) VALUES (?, ?, ?)"
    " ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes"
)


def head_of(row: tuple[Any, ...]) -> Head:
    """A row of `audit_head` in the order of its columns."""
    size, root, last_seq, at, note, vkey = row
    return Head(size, root, last_seq, moment(at), note, vkey)


def keep_origin(store: Store, wanted: str) -> str:
    """The log's name, for good from the first start on: a log under another name would be another log."""
    with store.writing() as connection:
        connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (_ORIGIN, wanted))
        row = connection.execute("SELECT value FROM meta WHERE key = ?", (_ORIGIN,)).fetchone()
    return str(row[0])


class SqliteLog:
    """`gateway.domain.log.ports.LogStore` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _db(self) -> sqlite3.Connection:
        return self._store.reader

    def head(self) -> Head | None:
        """The newest head."""
        row = self._db.execute(f"{_HEAD} ORDER BY size DESC LIMIT 1").fetchone()
        return head_of(row) if row else None

    def tile(self, level: int, index: int) -> bytes:
        """A tile's hashes, none when it is not there."""
        found = self._db.execute(
            "SELECT hashes FROM audit_tile WHERE level = ? AND idx = ?", (level, index)
        ).fetchone()
        return bytes(found[0]) if found else b""

    def unsealed(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Entries after a row. The store gives rows their numbers in the order of its commits."""
        return self._db.execute(
            "SELECT seq, leaf FROM audit_entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()

    def append(self, before: Head | None, tiles: Sequence[Tile], head: Head) -> bool:
        """Compare and set: another sealer's head, seen only now, leaves everything as it is."""
        with self._store.writing() as connection:
            newest = connection.execute("SELECT COALESCE(max(size), 0) FROM audit_head").fetchone()[0]
            if newest != (before.size if before else 0):
                return False
            connection.executemany(_TILE_INSERT, [(tile.level, tile.index, tile.hashes) for tile in tiles])
            row = (head.size, head.root, head.last_seq, stamp(head.at), head.note, head.vkey)
            connection.execute(
                "INSERT INTO audit_head (size, root, last_seq, at, note, vkey) VALUES (?, ?, ?, ?, ?, ?)", row
            )
        return True

    def placed(self, reference: str) -> Placed | None:
        """An entry and its place in the tree."""
        row = self._db.execute(
            "SELECT seq, body, leaf FROM audit_entry WHERE reference = ?", (reference,)
        ).fetchone()
        if row is None:
            return None
        return Placed(row[0], bytes(row[1]), bytes(row[2]), self._index(row[0]))

    def _index(self, seq: int) -> int | None:
        """Counted from the head before; entries of one head have neighbouring rows unless a number was left out."""
        after = self._db.execute(
            "SELECT size, last_seq FROM audit_head WHERE last_seq >= ? ORDER BY last_seq LIMIT 1", (seq,)
        ).fetchone()
        if after is None:
            return None
        before = self._db.execute(
            "SELECT size, last_seq FROM audit_head WHERE last_seq < ? ORDER BY last_seq DESC LIMIT 1", (seq,)
        ).fetchone() or (0, 0)
        if after[1] - before[1] == after[0] - before[0]:
            return int(before[0] + seq - before[1] - 1)
        count = self._db.execute(
            "SELECT count(*) FROM audit_entry WHERE seq > ? AND seq <= ?", (before[1], seq)
        ).fetchone()
        return int(before[0] + count[0] - 1)

    def cosignatures(self, size: int) -> Sequence[str]:
        """Witnesses' lines under a head, in the order of their names."""
        rows = self._db.execute("SELECT line FROM audit_cosignature WHERE size = ? ORDER BY witness", (size,))
        return [str(row[0]) for row in rows]

    def add_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line; its newest counts."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO audit_cosignature (witness, size, line, at) VALUES (?, ?, ?, ?)",
                (witness, size, line, stamp(at)),
            )

    def last_cosigned(self, witness: str) -> int:
        """The newest size a witness signed."""
        row = self._db.execute(
            "SELECT COALESCE(max(size), 0) FROM audit_cosignature WHERE witness = ?", (witness,)
        ).fetchone()
        return int(row[0])

    def index_subjects(self, limit: int) -> int:
        """In batches, apart from the sealing."""
        with self._store.writing() as connection:
            return index_entries(connection, limit)


class SqliteLease:
    """`gateway.domain.log.ports.Lease`: one row a piece of work. It only spares work; safety is in compare-and-set."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.holder = f"{os.getpid()}-{secrets.token_hex(6)}"

    def take(self, name: str, now: datetime) -> bool:
        """Read first: whoever does not hold it writes nothing; the holder writes once in a while."""
        row = self._store.reader.execute(
            "SELECT holder, until FROM log_lease WHERE name = ?", (name,)
        ).fetchone()
        if row is not None and moment(row[1]) > now:
            mine = bool(row[0] == self.holder)
            if not mine or moment(row[1]) - now > timedelta(seconds=LEASE_SECONDS / 2):
                return mine
        return self._write(name, now)

    def _write(self, name: str, now: datetime) -> bool:
        until = now + timedelta(seconds=LEASE_SECONDS)
        with self._store.writing() as connection:
            changed = connection.execute(
                "INSERT INTO log_lease (name, holder, until) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE"
                " SET holder = ?2, until = ?3 WHERE holder = ?2 OR until <= ?4",
                (name, self.holder, stamp(until), stamp(now)),
            )
            return changed.rowcount == 1
