"""The store itself as a log to be checked: read-only, as of one moment, also while a gateway runs on it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from gateway.adapters.db.disclosed_sets import assembled, kept_set
from gateway.adapters.db.evidence_index import INDEXED
from gateway.adapters.db.log import head_of
from gateway.domain.audit import members_digest
from gateway.domain.log.checkpoint import Head
from gateway.domain.log.verifying import Row

_ROWS = "SELECT seq, reference, subject_id, members, body, leaf FROM audit_entry WHERE seq > ? ORDER BY seq"
_MISSED = (
    "SELECT min(e.seq) FROM audit_entry e WHERE e.seq <= ? AND (e.subject_id IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM audit_subject s WHERE s.subject_id = e.subject_id AND s.seq = e.seq)"
    " OR e.members IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM audit_set t WHERE t.digest = e.members AND t.seq = e.seq))"
)
_STRAY = (
    "SELECT min(seq) FROM (SELECT s.seq FROM audit_subject s LEFT JOIN audit_entry e ON e.seq = s.seq"
    " WHERE e.subject_id IS NULL OR e.subject_id <> s.subject_id"
    " UNION ALL SELECT t.seq FROM audit_set t LEFT JOIN audit_entry e ON e.seq = t.seq"
    " WHERE e.members IS NULL OR e.members <> t.digest)"
)


def _bytes(value: object) -> bytes:
    """What somebody wrote there by hand may have become text."""
    return value if isinstance(value, bytes) else str(value).encode()


class DatabaseLog:
    """`gateway.domain.log.verifying.LogSource` over a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.set_holds = lru_cache(maxsize=65_536)(self._set_holds)
        self.tile = lru_cache(maxsize=1024)(self._tile)
        self._kept_set = lru_cache(maxsize=256)(lambda digest: kept_set(connection, digest))

    @property
    def origin(self) -> str:
        """The log's name; empty before the first start."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'log_origin'").fetchone()
        return str(row[0]) if row else ""

    def heads(self) -> Sequence[Head]:
        """Every head."""
        rows = self._db.execute("SELECT size, root, last_seq, at, note, vkey FROM audit_head ORDER BY size")
        return [head_of((size, _bytes(root), *rest)) for size, root, *rest in rows]

    def cosignatures(self, size: int) -> Sequence[str]:
        """Witnesses' lines."""
        rows = self._db.execute("SELECT line FROM audit_cosignature WHERE size = ? ORDER BY witness", (size,))
        return [str(row[0]) for row in rows]

    def _tile(self, level: int, index: int) -> bytes:
        row = self._db.execute(
            "SELECT hashes FROM audit_tile WHERE level = ? AND idx = ?", (level, index)
        ).fetchone()
        return _bytes(row[0]) if row else b""

    def tiles(self, level: int) -> int:
        """The highest index of that level, plus one."""
        row = self._db.execute("SELECT max(idx) FROM audit_tile WHERE level = ?", (level,)).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def rows(self, after: int) -> Iterator[Row]:
        """Entries in their order."""
        for seq, reference, subject, members, body, leaf in self._db.execute(_ROWS, (after,)):
            if type(body) is not bytes or type(leaf) is not bytes:
                body, leaf = _bytes(body), _bytes(leaf)  # noqa: PLW2901 - as the rows are kept
            yield Row(seq, reference, subject, members, body, leaf, True)

    def kept(self, leaf: bytes) -> bool:
        """By looking through all: asked only when something is wrong."""
        return self._db.execute("SELECT 1 FROM audit_entry WHERE leaf = ?", (leaf,)).fetchone() is not None

    def _set_holds(self, digest: bytes) -> bool:
        members = assembled(digest, self._kept_set)
        return bool(members) and members_digest(members) == digest

    def stray_index(self) -> int | None:
        """As far as the index is filled."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (INDEXED,)).fetchone()
        missed = self._db.execute(_MISSED, (int(row[0]) if row else 0,)).fetchone()[0]
        stray = self._db.execute(_STRAY).fetchone()[0]
        found = [int(each) for each in (missed, stray) if each is not None]
        return min(found, default=None)


@contextmanager
def opened(path: Path) -> Iterator[DatabaseLog]:
    """The store of a data folder. Raises sqlite3.Error when it cannot be read."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("BEGIN")
        yield DatabaseLog(connection)
    finally:
        connection.close()
