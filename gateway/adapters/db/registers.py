"""Taking in a whole file: who the children are, what changed, and everything that follows, in one commit.

What needs no lock is done before it is taken: keyed look-ups, and the sealing of identities nobody knew yet.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from operator import itemgetter
from typing import Any

import orjson

from gateway.adapters.db.aid_desk import SqliteAidDesk
from gateway.adapters.db.arrivals import late_departures
from gateway.adapters.db.effects import SqliteTransaction, identity_bytes, identity_tags
from gateway.adapters.db.engine import Store, stamp, unavailable
from gateway.adapters.db.fact_tables import TABLES
from gateway.adapters.db.inspections import SqliteInspectionDesk
from gateway.adapters.db.jobs import insert_file
from gateway.adapters.db.ledger_marks import file_landed, shown_elsewhere
from gateway.adapters.db.lived import lived_days, mark_key
from gateway.adapters.db.rule_reads import RuleReads
from gateway.adapters.db.settling import Prepared, Sorting, find_people, purges_of, with_former
from gateway.domain.jobs import StoredFile
from gateway.domain.landing import Conflict, LandedUpload, Person, Settled, Tally
from gateway.domain.model import SubjectId
from gateway.domain.ports import Clock, Identity, KeyRing

_SUBJECT_BYTES = 16


class SqliteRegisters:
    """`gateway.domain.landing.Registers` over the embedded store."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    def replay(
        self, client: str, exchange: str, key: str, now: datetime
    ) -> tuple[str, Mapping[str, object]] | None:
        """(body digest, receipt) that this Idempotency-Key was answered with within its time."""
        row = self._store.reader.execute(
            "SELECT i.body_digest, u.receipt FROM idempotency i JOIN upload u ON u.id = i.upload_id"
            " WHERE i.client = ? AND i.exchange = ? AND i.key = ? AND i.expires_at > ?",
            (client, exchange, key, stamp(now)),
        ).fetchone()
        return (row[0], orjson.loads(row[1])) if row else None

    def prepare(self, people: Sequence[Person], create: bool) -> Prepared:
        """Look everybody up; with `create`, seal the identities of those nobody knows."""
        version, purges = self._store.version(), purges_of(self._store.reader)
        known = find_people(self._store.reader, people)
        if not create:
            return Prepared(people, known, {}, purges=purges)
        strangers = [index for index, person in enumerate(people) if known.keys().isdisjoint(person.lookups)]
        newcomers = dict(zip(strangers, self._sealed([people[index] for index in strangers]), strict=True))
        return Prepared(people, known, newcomers, version, purges)

    def _sealed(self, people: Sequence[Person]) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
        """Subject id, wrapped data key, sealed identity and its tag for each, at once."""
        random = os.urandom(_SUBJECT_BYTES * len(people))
        subjects = [
            SubjectId(random[start : start + _SUBJECT_BYTES])
            for start in range(0, len(random), _SUBJECT_BYTES)
        ]
        identities = [person.identity for person in people]
        sealed = self._keys.seal_identities(subjects, [identity_bytes(each) for each in identities])
        tags = identity_tags(self._keys, identities)
        return (
            (subject, wrapped, body, tag)
            for subject, (wrapped, body), tag in zip(subjects, sealed, tags, strict=True)
        )

    @contextmanager
    def transaction(self) -> Iterator["SqliteRegisterTransaction"]:
        """One write transaction; everything of a receipt or nothing."""
        with self._store.writing() as connection:
            yield SqliteRegisterTransaction(connection, self._keys, self._clock.today(), self._store)


class SqliteRegisterTransaction(RuleReads, SqliteTransaction):
    """`gateway.domain.landing.RegisterTransaction`: the bulk side of one write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing, today: date, store: Store) -> None:
        super().__init__(connection, keys, today)
        self._store = store
        self._wanted: set[SubjectId] | None = None

    @property
    def aid(self) -> SqliteAidDesk:
        """Duties about relief and aid."""
        return SqliteAidDesk(self._db)

    @property
    def today(self) -> date:
        """The law date as of which this transaction writes."""
        return self._today

    def as_of(self, day: date) -> "SqliteRegisterTransaction":
        """The same transaction, writing as of another day."""
        return SqliteRegisterTransaction(self._db, self._keys, day, self._store)

    def lived(self, region: str) -> date | None:
        """The last day that the county has lived through; None for one of which nothing is known."""
        return lived_days(self._db).get(region)

    def mark_lived(self, region: str) -> None:
        """The tasks of this transaction's day are done; a mark never goes back."""
        self._db.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            " WHERE value < excluded.value",
            (mark_key(region), self._today.isoformat()),
        )

    def settle(self, prepared: Prepared, rename: bool, region: str) -> Settled:
        """Give every person a subject: known, new, or a conflict between two identifiers. None: nobody knows it."""
        self._check_nobody_went(prepared)
        known = {**prepared.known, **self._found_since(prepared)}
        holders = {known[each.inside] for each in prepared.people if each.inside in known}
        pupils: set[bytes] = {*self.schools_of(region, [SubjectId(each) for each in sorted(holders)])}
        with_id = self._with_resident_id(prepared.people, known)
        sorting = Sorting(prepared.newcomers, known, with_id, pupils)
        subjects = sorting.subjects(prepared.people)
        today = self._today.isoformat()
        self._db.executemany(
            "INSERT INTO subject (id, data_key, sealed, tag, has_id, created_on) VALUES (?, ?, ?, ?, ?, ?)",
            [(*row, row[0] in sorting.with_id, today) for row in sorted(sorting.fresh)],
        )
        self._db.executemany(
            "INSERT INTO identifier (lookup, kind, subject_id) VALUES (?, ?, ?)",
            sorted(with_former(prepared.people, sorting.identifiers)),
        )
        fresh = {SubjectId(row[0]) for row in sorting.fresh}
        self._db.executemany(
            "UPDATE subject SET has_id = 1 WHERE id = ?",
            ((subject,) for subject in sorting.now_with_id - fresh),
        )
        renamed = self._rename(prepared.people, subjects, fresh, region) if rename else set()
        return Settled(subjects, renamed, fresh)

    def _check_nobody_went(self, prepared: Prepared) -> None:
        """A purge since the look-up may have forgotten somebody of this file: it is to come again, all of it."""
        if purges_of(self._db) == prepared.purges:
            return
        if find_people(self._db, prepared.people) != prepared.known:
            raise unavailable()

    def _found_since(self, prepared: Prepared) -> dict[bytes, bytes]:
        """Whoever was unknown before the lock may have been made known meanwhile, if anyone wrote to the vault."""
        if self._store.version() == prepared.version:
            return {}
        return find_people(self._db, prepared.people, prepared.known)

    def _with_resident_id(self, people: Sequence[Person], known: Mapping[bytes, bytes]) -> set[bytes]:
        """Of the children named here by student number and a resident id nobody knows: those who have another id."""
        asked = {
            known[person.lookups[1]]
            for person in people
            if len(person.lookups) > 1 and person.lookups[0] not in known and person.lookups[1] in known
        }
        found = {known[each.inside] for each in people if each.inside is not None and each.inside in known}
        for subject in asked - found:
            if self._db.execute("SELECT has_id FROM subject WHERE id = ?", (subject,)).fetchone()[0]:
                found.add(subject)
        return found

    def _rename(
        self,
        people: Sequence[Person],
        subjects: Sequence[SubjectId | Conflict | None],
        fresh: set[SubjectId],
        region: str,
    ) -> set[SubjectId]:
        """Re-seal identities that changed (a name corrected, an id number added), unless they are another county's."""
        standing: dict[SubjectId, Identity] = {}
        for person, subject in zip(people, subjects, strict=True):
            if isinstance(subject, bytes) and subject not in fresh:
                standing.setdefault(SubjectId(subject), person.identity)
        self._want(standing)
        tags = dict(self._db.execute("SELECT id, tag FROM subject WHERE id IN (SELECT id FROM temp.wanted)"))
        changed: set[SubjectId] = set()
        former = self._former_tags(standing)
        for (subject, identity), tag in zip(
            standing.items(), identity_tags(self._keys, list(standing.values())), strict=True
        ):
            if (
                tags[subject] != tag
                and tags[subject] not in former.get(subject, ())
                and not self._elsewhere(subject, region)
            ):
                whole = self._joined(subject, identity)
                wrapped, sealed = self._keys.seal_identity(subject, identity_bytes(whole))
                self._db.execute(
                    "UPDATE subject SET data_key = ?, sealed = ?, tag = ? WHERE id = ?",
                    (wrapped, sealed, tag, subject),
                )
                changed.add(subject)
        return changed

    def _former_tags(self, standing: Mapping[SubjectId, Identity]) -> dict[SubjectId, set[bytes]]:
        """While the index key turns: the tags of these identities under its older versions."""
        found: dict[SubjectId, set[bytes]] = {}
        for version in self._keys.index_versions[1:]:
            tags = identity_tags(self._keys, list(standing.values()), version)
            for subject, tag in zip(standing, tags, strict=True):
                found.setdefault(subject, set()).add(tag)
        return found

    def _elsewhere(self, subject: SubjectId, region: str) -> bool:
        """Whether other counties' registers show the child and this one's does not, yet."""
        rows = self._db.execute("SELECT region FROM student_register WHERE subject_id = ?", (subject,))
        counties = {row[0] for row in rows}
        return bool(counties) and region not in counties

    def _joined(self, subject: SubjectId, new: Identity) -> Identity:
        """The new identity with what only the old one knew: an id number, former student numbers."""
        wrapped, sealed = self._db.execute(
            "SELECT data_key, sealed FROM subject WHERE id = ?", (subject,)
        ).fetchone()
        old = orjson.loads(self._keys.open_identity(subject, wrapped, sealed))
        numbers = dict.fromkeys((*new.student_numbers, *old["student_numbers"]))
        return Identity(new.resident_id or old["resident_id"], new.name or old["name"], tuple(numbers))

    def _want(self, subjects: Mapping[SubjectId, object]) -> None:
        """Put these children into the temporary table; nothing to do when they are in it from the step before."""
        if self._wanted is not None and subjects.keys() == self._wanted:
            return
        self._wanted = set(subjects)
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("DELETE FROM temp.wanted")
        self._db.executemany(
            "INSERT INTO temp.wanted VALUES (?)", ((subject,) for subject in sorted(subjects))
        )

    def merge(
        self,
        dataset: str,
        region: str,
        rows: Sequence[tuple[SubjectId, tuple[object, ...]]],
        upload_id: str,
        settled: Settled,
    ) -> Tally:
        """Write what is new or different. A row's values are the further key columns, then the content columns.

        Children new to the vault have nothing standing; a child whose identity changed counts as changed.
        """
        table, keys, contents = TABLES[dataset]
        older = [subject for subject, _ in rows if subject not in settled.fresh]
        standing = self._standing(table, keys, contents, region, dict.fromkeys(older))
        width, renamed = len(keys), settled.renamed
        late = late_departures(rows, standing) if dataset == "student-register" else set()
        writes = [
            (region, subject, *values, upload_id)
            for subject, values in rows
            if standing.get((subject, *values[:width])) != values[width:] or subject in renamed
            if subject not in late
        ]
        unchanged = len(rows) - len(writes)
        extra = ", confirmed_on" if dataset == "student-register" else ""
        self._upsert(table, keys, contents, writes, extra)
        if extra:
            self._want({subject: None for subject in older if subject not in late})
            self._confirm(region, upload_id)
            shown_elsewhere(self._db, region, self._today)
        return Tally(accepted=len(writes), unchanged=unchanged)

    def _standing(
        self,
        table: str,
        keys: tuple[str, ...],
        contents: tuple[str, ...],
        region: str,
        subjects: Mapping[SubjectId, None],
    ) -> dict[tuple[object, ...], tuple[object, ...]]:
        self._want(subjects)
        columns = ", ".join(("subject_id", *keys, *contents))
        width = 1 + len(keys)
        return {
            row[:width]: row[width:]
            for row in self._db.execute(
                f"SELECT {columns} FROM {table} WHERE region = ?"
                " AND subject_id IN (SELECT id FROM temp.wanted)",
                (region,),
            )
        }

    def _upsert(
        self,
        table: str,
        keys: tuple[str, ...],
        contents: tuple[str, ...],
        writes: Sequence[tuple[Any, ...]],
        extra: str,
    ) -> None:
        columns = ("region", "subject_id", *keys, *contents, "upload_id")
        marks = ", ".join("?" * len(columns))
        today = f", '{self._today.isoformat()}'" if extra else ""
        updates = ", ".join(f"{name} = excluded.{name}" for name in (*contents, "upload_id"))
        self._db.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}{extra}) VALUES ({marks}{today})"
            f" ON CONFLICT (region, subject_id{''.join(', ' + key for key in keys)}) DO UPDATE SET {updates}",
            sorted(writes, key=itemgetter(1)),
        )

    def _confirm(self, region: str, upload_id: str) -> None:
        """Every child of this file was confirmed today, changed or not: what freshness is counted from."""
        self._db.execute(
            "UPDATE student_register SET confirmed_on = ?, upload_id = ? WHERE region = ?"
            " AND (confirmed_on < ? OR upload_id <> ?) AND subject_id IN (SELECT id FROM temp.wanted)",
            (self._today.isoformat(), upload_id, region, self._today.isoformat(), upload_id),
        )

    def schools_of(self, region: str, subjects: Sequence[SubjectId]) -> dict[SubjectId, str]:
        """Each child's school in the county's register."""
        self._want(dict.fromkeys(subjects))
        return dict(
            self._db.execute(
                "SELECT subject_id, school_code FROM student_register WHERE region = ?"
                " AND subject_id IN (SELECT id FROM temp.wanted)",
                (region,),
            )
        )

    def name_schools(self, region: str, schools: Mapping[str, str]) -> None:
        """Keep the schools' names by code."""
        self._db.executemany(
            "INSERT INTO school (region, code, name) VALUES (?, ?, ?)"
            " ON CONFLICT (region, code) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
            ((region, code, name) for code, name in sorted(schools.items())),
        )

    @property
    def inspections(self) -> SqliteInspectionDesk:
        """What labour inspection found, in this transaction."""
        return SqliteInspectionDesk(self._db, self._keys)

    def save_upload(self, upload: LandedUpload) -> None:
        """The receipt, and the Idempotency-Key that asked for it."""
        file_landed(self._db, upload.region, upload.exchange, upload.id, upload.law_date)
        self._db.execute(
            "INSERT INTO upload (id, region, exchange, agency, client, law_date, received_at, body_digest, receipt)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                upload.id,
                upload.region,
                upload.exchange,
                upload.agency,
                upload.client,
                upload.law_date.isoformat(),
                stamp(upload.received_at),
                upload.body_digest,
                orjson.dumps(upload.receipt).decode(),
            ),
        )
        if upload.idempotency_key is not None:
            self._db.execute(
                "INSERT OR REPLACE INTO idempotency (client, exchange, key, body_digest, upload_id, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    upload.client,
                    upload.exchange,
                    upload.idempotency_key,
                    upload.body_digest,
                    upload.id,
                    stamp(upload.expires_at),
                ),
            )

    def save_file(self, file: StoredFile) -> None:
        """The card of the errors file, so that receipt and file are there together."""
        insert_file(self._db, file)
