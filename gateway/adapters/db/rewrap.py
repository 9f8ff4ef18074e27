"""Re-wrapping under a new key, beside a gateway that goes on answering: small batches, resumable, nothing lost.

`identity`: each child's data key, wrapped anew. `index`: each keyed identifier, computed anew from the identity in the
vault; the old one stays beside it until its key's overlap is over, so that whoever knows only the old key still finds
the child. `files`: the sealed words of officers on resolutions, cases, referrals and hand-overs, and legal instruments,
which outlive every file under that key. What cannot be done anew stays under its old key, and that key stays in the ring.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag

from gateway.adapters.db.cases import words_purpose
from gateway.adapters.db.effects import identity_tags
from gateway.adapters.db.engine import Store
from gateway.adapters.db.handovers import handover_purpose
from gateway.adapters.db.instruments import purpose_of as purpose_of_instrument
from gateway.adapters.db.referrals import referral_purpose
from gateway.adapters.db.resolutions import purpose_of
from gateway.adapters.keys.ring import FileKeyRing
from gateway.domain.model import SubjectId
from gateway.domain.ports import Identity
from gateway.domain.rows import RESIDENT_ID, STUDENT_NUMBER

JOBS = ("identity", "index", "files")
_BATCH = 250
_PAUSE_SECONDS = 0.004
"""Between two batches, so that waiting writers come in."""

_SUBJECTS = "SELECT id, data_key, sealed, tag FROM subject WHERE id > ? ORDER BY id LIMIT ?"
_IDENTIFIERS = (
    "SELECT i.lookup, i.kind, i.subject_id, s.data_key, s.sealed FROM identifier i"
    " JOIN subject s ON s.id = i.subject_id WHERE i.lookup > ? ORDER BY i.lookup LIMIT ?"
)
_LINE = "'cas-' || case_ref || ':' || number"
_COMMENT = "'cmt-' || referral_id || ':' || number"
_TEXTS = (
    "SELECT CAST(id AS BLOB), one, two, three FROM"
    " (SELECT id, reason AS one, note AS two, NULL AS three FROM resolution"
    " UNION ALL SELECT id, content, service, void_reason FROM instrument"
    " UNION ALL SELECT id, words, NULL, NULL FROM referral"
    " UNION ALL SELECT id, package, words, NULL FROM handover"
    f" UNION ALL SELECT {_COMMENT}, words, NULL, NULL FROM referral_comment"
    f" UNION ALL SELECT {_LINE}, words, NULL, NULL FROM case_entry WHERE words IS NOT NULL)"
    " WHERE id > CAST(? AS TEXT) ORDER BY id LIMIT ?"
)


def _case_line(identity: str) -> tuple[str, int]:
    ref, number = _numbered(identity)
    return ref, int(number)


class _Sealed(NamedTuple):
    """Sealed columns of a table, what they are sealed under by the row's id above, and how that id finds the row."""

    table: str
    columns: tuple[str, ...]
    under: Callable[[str], str]
    where: str = "id = ?"
    find: Callable[[str], tuple[str, ...]] = lambda identity: (identity,)


def _numbered(identity: str) -> tuple[str, ...]:
    """``cas-<case>:<number>`` and ``cmt-<referral>:<number>`` as the parts of a key."""
    return tuple(identity[4:].rsplit(":", 1))


_SEALED = {
    "res": _Sealed("resolution", ("reason", "note"), purpose_of),
    "ins": _Sealed("instrument", ("content", "service", "void_reason"), purpose_of_instrument),
    "rfl": _Sealed("referral", ("words",), referral_purpose),
    "hnd": _Sealed("handover", ("package", "words"), handover_purpose),
    "cmt": _Sealed(
        *("referral_comment", ("words",), lambda identity: referral_purpose(identity[4:])),
        *("referral_id = ? AND number = CAST(? AS INTEGER)", _numbered),
    ),
    "cas": _Sealed(
        *("case_entry", ("words",), lambda identity: words_purpose(*_case_line(identity))),
        *("case_ref = ? AND number = CAST(? AS INTEGER)", _numbered),
    ),
}
"""By the beginning of an id."""


class _Pass(NamedTuple):
    """The table, its rows in the order of their first column, and which column is empty when nothing is left to do."""

    table: str
    rows: str
    sealed: int


_PASSES = {
    "identity": _Pass("subject", _SUBJECTS, 1),
    "index": _Pass("identifier", _IDENTIFIERS, 3),
    "files": _Pass("resolution", _TEXTS, 1),
}


@dataclass(slots=True)
class Rewrapped:
    """What a pass did: rows seen, rows written, rows that stay under an old key."""

    seen: int = 0
    written: int = 0
    left: int = 0


class Rewrap:
    """Passes over the vault under the ring's newest versions."""

    def __init__(self, store: Store, keys: FileKeyRing) -> None:
        self._store, self._keys = store, keys
        self._counties: list[str] = []

    def total(self, job: str) -> int:
        """How many rows a pass sees, about."""
        table = _PASSES[job].table
        return int(self._store.reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def unfinished(self, job: str) -> int | None:
        """The version of a pass that was begun and not ended; None when there is none."""
        row = self._store.reader.execute("SELECT version FROM rotation WHERE job = ? AND NOT done", (job,))
        found = row.fetchone()
        return int(found[0]) if found else None

    def begin(self, job: str, version: int) -> None:
        """Write down that a pass to this version begins, before the ring has it."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO rotation (job, version, position, done) VALUES (?, ?, x'', 0)",
                (job, version),
            )

    def run(self, job: str, told: Callable[[int], None] = lambda _: None, drop: bool = False) -> Rewrapped:
        """Go on where the pass stands, to its end. `told` gets the rows of each batch; `drop` removes the old index."""
        self._counties = [
            row[0] for row in self._store.reader.execute("SELECT DISTINCT region FROM upload ORDER BY region")
        ]
        found = Rewrapped()
        while True:
            before = found.seen
            if not self._batch(job, found, drop):
                return found
            told(found.seen - before)
            time.sleep(_PAUSE_SECONDS)

    def _batch(self, job: str, found: Rewrapped, drop: bool) -> bool:
        """One write transaction; False at the end, which is written down."""
        with self._store.writing() as connection:
            row = connection.execute("SELECT position FROM rotation WHERE job = ?", (job,)).fetchone()
            rows = connection.execute(_PASSES[job].rows, (row[0], _BATCH)).fetchall()
            if not rows:
                connection.execute("UPDATE rotation SET done = 1, position = x'' WHERE job = ?", (job,))
                return False
            for each in rows:
                self._rewrap(connection, job, each, found, drop)
            connection.execute("UPDATE rotation SET position = ? WHERE job = ?", (rows[-1][0], job))
        found.seen += len(rows)
        return True

    def _rewrap(
        self, connection: sqlite3.Connection, job: str, row: tuple[Any, ...], found: Rewrapped, drop: bool
    ) -> None:
        try:
            changed = self._row(connection, job, row, drop)
        except InvalidTag:
            # An erased child has no data key any more: nothing is left to be wrapped.
            found.left += bool(row[_PASSES[job].sealed])
            return
        if changed is None:
            found.left += 1
        else:
            found.written += changed

    def _row(self, connection: sqlite3.Connection, job: str, row: tuple[Any, ...], drop: bool) -> bool | None:
        """Whether the row was written; None when it stays under its old key."""
        if job == "identity":
            return self._subject(connection, row)
        return self._texts(connection, row) if job == "files" else self._lookup(connection, row, drop)

    def _texts(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> bool:
        """A row's sealed words under the key in use; whether one of them was not before."""
        identity = row[0].decode()
        table, columns, under, where, find = _SEALED[identity.partition("-")[0]]
        texts = [
            self._keys.reseal(under(identity), text) if text else None for text in row[1 : len(columns) + 1]
        ]
        if not any(texts):
            return False
        kept = ", ".join(f"{column} = COALESCE(?, {column})" for column in columns)
        connection.execute(f"UPDATE {table} SET {kept} WHERE {where}", (*texts, *find(identity)))
        return True

    def _subject(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> bool:
        """The data key wrapped under the key in use; whether it was not before."""
        wrapped = self._keys.rewrap(SubjectId(row[0]), row[1])
        if wrapped is None:
            return False
        connection.execute("UPDATE subject SET data_key = ? WHERE id = ?", (wrapped, row[0]))
        return True

    def _lookup(self, connection: sqlite3.Connection, row: tuple[Any, ...], drop: bool) -> bool | None:
        """The identifier under the key in use, beside the old one; None when it cannot be computed."""
        lookup, kind, subject, data_key, sealed = row
        identity = self._identity(subject, data_key, sealed)
        newest, *older = self._keys.index_versions
        values = list(self._values(kind, identity))
        if any(self._keys.lookup(*value, newest) == lookup for value in values):
            self._retag(connection, subject, identity)
            return False
        for value in (value for version in older for value in values if self._is(value, version, lookup)):
            connection.execute(
                "INSERT OR IGNORE INTO identifier (lookup, kind, subject_id) VALUES (?, ?, ?)",
                (self._keys.lookup(*value, newest), kind, subject),
            )
            if drop:
                connection.execute("DELETE FROM identifier WHERE lookup = ?", (lookup,))
            self._retag(connection, subject, identity)
            return True
        return None

    def _is(self, value: tuple[str, str], version: int, lookup: bytes) -> bool:
        return self._keys.lookup(*value, version) == lookup

    def _identity(self, subject: bytes, data_key: bytes, sealed: bytes) -> Identity:
        opened: Mapping[str, Any] = orjson.loads(
            self._keys.open_identity(SubjectId(subject), data_key, sealed)
        )
        numbers = tuple(opened["student_numbers"])
        return Identity(opened["resident_id"], opened["name"], numbers)

    def _values(self, kind: str, identity: Identity) -> Iterator[tuple[str, str]]:
        """What an identifier may have been made of: a student number is looked up within each county."""
        if kind == RESIDENT_ID and identity.resident_id is not None:
            yield RESIDENT_ID, identity.resident_id
        if kind == STUDENT_NUMBER:
            for number, county in product(identity.student_numbers, self._counties):
                yield f"{STUDENT_NUMBER}/{county}", number

    def _retag(self, connection: sqlite3.Connection, subject: bytes, identity: Identity) -> None:
        """The identity's tag under the key in use. A tag is of the row last handed in, the vault may know more."""
        newest, *older = self._keys.index_versions
        (tag,) = connection.execute("SELECT tag FROM subject WHERE id = ?", (subject,)).fetchone()
        variants = [
            Identity(*parts)
            for parts in product(
                {identity.resident_id, None},
                {identity.name, None},
                {identity.student_numbers, identity.student_numbers[:1], ()},
            )
        ]
        current = identity_tags(self._keys, variants, newest)
        if tag in current:
            return
        for version in older:
            former = identity_tags(self._keys, variants, version)
            if tag in former:
                made = current[former.index(tag)]
                connection.execute("UPDATE subject SET tag = ? WHERE id = ?", (made, subject))
                return
