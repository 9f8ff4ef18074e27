"""One child's entries in the evidence, found without an index on it.

Single entries stand in a side table, filled in batches up to a mark; what is newer than the mark is looked through, so
that an entry made a moment ago is not missed. An entry about several children points to their set: sets are searched
for the child's 16 bytes at a multiple of 16, and each set's entries stand in a side table too.
"""

import sqlite3
from collections.abc import Iterator, Sequence

import orjson

from gateway.adapters.db.disclosed_sets import sets_with
from gateway.adapters.db.engine import Store
from gateway.domain.model import SubjectId

INDEXED = "audit_indexed_to"
"""In `meta`: up to which row the side tables are filled."""

_BATCH = 5_000
_TAIL = 2_000
"""So many entries past the mark are looked through rather than indexed: a look then writes nothing but its evidence."""


class SqliteEvidenceIndex:
    """`gateway.domain.disclosure.EvidenceIndex` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def seqs_of(self, subject: SubjectId) -> list[int]:
        """Every entry about the child, newest first; as of one instant."""
        if self._behind() > _TAIL:
            self.catch_up()
        reader = self._store.reader
        reader.execute("BEGIN")
        try:
            return sorted(set(_found(reader, subject)), reverse=True)
        finally:
            reader.execute("COMMIT")

    def _behind(self) -> int:
        newest = self._store.reader.execute("SELECT COALESCE(max(seq), 0) FROM audit_entry").fetchone()[0]
        return int(newest) - _mark(self._store.reader)

    def catch_up(self) -> int:
        """Index what is past the mark, a batch a transaction; how many entries."""
        done = 0
        while True:
            with self._store.writing() as connection:
                count = index_entries(connection, _BATCH)
            done += count
            if count < _BATCH:
                return done


def _mark(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (INDEXED,)).fetchone()
    return int(row[0]) if row else 0


def index_entries(connection: sqlite3.Connection, limit: int) -> int:
    """One batch past the mark, in an open write transaction; how many entries.

    Commits are one after another, so nothing appears below the mark later.
    """
    rows = connection.execute(
        "SELECT seq, subject_id, members FROM audit_entry WHERE seq > ? ORDER BY seq LIMIT ?",
        (_mark(connection), limit),
    ).fetchall()
    if not rows:
        return 0
    connection.executemany(
        "INSERT OR IGNORE INTO audit_subject (subject_id, seq) VALUES (?, ?)",
        [(subject, seq) for seq, subject, _ in rows if subject is not None],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO audit_set (digest, seq) VALUES (?, ?)",
        [(digest, seq) for seq, _, digest in rows if digest is not None],
    )
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (INDEXED, str(rows[-1][0])))
    return len(rows)


def _found(reader: sqlite3.Connection, subject: SubjectId) -> Iterator[int]:
    """Indexed entries, those of the child's sets, and what is past the mark; some may come twice."""
    yield from (
        row[0] for row in reader.execute("SELECT seq FROM audit_subject WHERE subject_id = ?", (subject,))
    )
    sets = sets_with(reader, [subject])
    for digest in sets:
        yield from (row[0] for row in reader.execute("SELECT seq FROM audit_set WHERE digest = ?", (digest,)))
    newer = reader.execute("SELECT seq, subject_id, members FROM audit_entry WHERE seq > ?", (_mark(reader),))
    yield from (seq for seq, who, digest in newer if who == subject or digest in sets)


class SqliteChildEvidence:
    """`gateway.domain.disclosure.ChildEvidence` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def subject_of(self, lookup: bytes) -> SubjectId | None:
        """The child with that keyed identifier."""
        row = self._store.reader.execute(
            "SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,)
        ).fetchone()
        return SubjectId(row[0]) if row else None

    def places(self, subject: SubjectId) -> frozenset[str]:
        """County and residence of every row about the child."""
        rows = self._store.reader.execute(_PLACES, {"subject": subject})
        return frozenset(place for row in rows for place in row if place)

    def seq_of(self, reference: str) -> int | None:
        """By the evidence's own index on references."""
        row = self._store.reader.execute(
            "SELECT seq FROM audit_entry WHERE reference = ?", (reference,)
        ).fetchone()
        return int(row[0]) if row else None

    def bodies(self, seqs: Sequence[int]) -> list[bytes]:
        """The entries' bytes, newest first."""
        rows = self._store.reader.execute(
            "SELECT body FROM audit_entry WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq DESC",
            (orjson.dumps(list(seqs)).decode(),),
        )
        return [row[0] for row in rows]


_PLACES = " UNION ".join(
    f"SELECT region, {residence} FROM {table} WHERE subject_id = :subject"
    for table, residence in (
        ("student_register", "residence"),
        ("attendance", "region"),
        ("relief_register", "residence"),
        ("disability_assessment", "residence"),
        ("sighting", "region"),
        ("case_file", "region"),
        ("(SELECT l.* FROM case_file c JOIN lead l USING (region, subject_id))", "residence"),
    )
)
"""Leads are found by way of the child's cases: `lead` has no index on the child alone."""
