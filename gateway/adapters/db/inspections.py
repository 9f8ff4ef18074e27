"""Inspections and sightings: written inside one transaction, and read as lists limited by the grant's predicate."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from gateway.adapters.db.engine import Store
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.inspections import CONFIRMED, EmployerHits, Found, HitQuery, Inspected
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import COUNTY_DIGITS, And, InRegion

_COLUMNS = {"region": "i.residence", "school": "NULL", "owner": "NULL", "sealed": "FALSE"}
_CONTENTS = ("place", "finding", "measure", "residence", "employer_name")
_INSERT = (
    "INSERT INTO inspection (region, id, employer_uscc, inspected_on, place, finding, measure, residence,"
    " employer_name, upload_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (region, id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_CONTENTS, "upload_id"))
)
_BROUGHT = (
    "SELECT s.subject_id, i.employer_uscc, i.inspected_on, i.finding FROM inspection i"
    " LEFT JOIN sighting s ON s.region = i.region AND s.inspection_id = i.id"
    " WHERE i.upload_id = ? ORDER BY i.employer_uscc, i.inspected_on, i.id"
)
_STILL = (
    "SELECT 1 FROM sighting s JOIN inspection i ON i.region = s.region AND i.id = s.inspection_id"
    " WHERE s.subject_id = ? AND i.finding = ? LIMIT 1"
)
_LEADS = (
    "SELECT l.id FROM case_file c JOIN lead l USING (region, subject_id)"
    " WHERE c.subject_id = ? AND l.rule = ? AND l.status <> 'closed' ORDER BY l.id"
)


class SqliteInspectionDesk:
    """`gateway.domain.inspections.InspectionDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def merge(self, region: str, rows: Sequence[tuple[SubjectId | None, Found]], upload_id: str) -> int:
        """A row's id is made of employer, day and child, or place where no child is named."""
        accepted = 0
        for subject, row in rows:
            made = self._id(region, subject, row)
            if self._standing(region, made) == row[2:]:
                continue
            accepted += 1
            self._db.execute(_INSERT, (region, made, *row, upload_id))
            if subject is not None:
                self._db.execute(
                    "INSERT OR IGNORE INTO sighting (region, subject_id, inspection_id, inspected_on)"
                    " VALUES (?, ?, ?, ?)",
                    (region, subject, made, row.inspected_on),
                )
        return accepted

    def _id(self, region: str, subject: SubjectId | None, row: Found) -> str:
        whom = [b"child", subject] if subject is not None else [b"place", (row.place or "").encode()]
        return self._keys.derived_id(
            "insp", region.encode(), row.employer_uscc.encode(), row.inspected_on.encode(), *whom
        )

    def _standing(self, region: str, made: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(
            f"SELECT {', '.join(_CONTENTS)} FROM inspection WHERE region = ? AND id = ?", (region, made)
        ).fetchone()
        return row

    def brought_by(self, upload_id: str) -> Sequence[Inspected]:
        """What the upload wrote."""
        return [
            Inspected(SubjectId(subject) if subject else None, employer, date.fromisoformat(day), finding)
            for subject, employer, day, finding in self._db.execute(_BROUGHT, (upload_id,)).fetchall()
        ]

    def confirmed(self, subject: SubjectId) -> bool:
        """Whether any county's inspection still confirms it."""
        return self._db.execute(_STILL, (subject, CONFIRMED)).fetchone() is not None

    def lead_of(self, subject: SubjectId, rule: str) -> Sequence[str]:
        """Found by way of the child's cases: `lead` has no index on the child alone."""
        return list(dict.fromkeys(row[0] for row in self._db.execute(_LEADS, (subject, rule))))

    def visits_owed(self, region: str, employer: str) -> Sequence[tuple[str, date]]:
        """Standing duties that name the employer."""
        rows = self._db.execute(
            "SELECT id, due_on FROM duty WHERE region = ? AND kind = 'labour-visit'"
            " AND status IN ('open', 'waiting') AND json_extract(facts, '$.employer_uscc') = ? ORDER BY id",
            (region, employer),
        )
        return [(duty, date.fromisoformat(due)) for duty, due in rows]

    def hits(self, region: str, employer: str) -> Sequence[date]:
        """Every confirmed hit's day."""
        rows = self._db.execute(
            "SELECT inspected_on FROM inspection WHERE region = ? AND employer_uscc = ? AND finding = ?"
            " ORDER BY inspected_on",
            (region, employer, CONFIRMED),
        )
        return [date.fromisoformat(row[0]) for row in rows]

    def standing_crossings(self, region: str, employer: str) -> Sequence[tuple[str, str]]:
        """(duty, month) of those that stand."""
        return self._db.execute(
            "SELECT id, json_extract(facts, '$.crossed') FROM duty WHERE region = ? AND kind = 'repeated-employer'"
            " AND status IN ('open', 'waiting') AND json_extract(facts, '$.employer_uscc') = ? ORDER BY id",
            (region, employer),
        ).fetchall()

    def crossings(self, region: str, employer: str) -> Sequence[str]:
        """By the duties' own facts."""
        rows = self._db.execute(
            "SELECT json_extract(facts, '$.crossed') FROM duty WHERE region = ? AND kind = 'repeated-employer'"
            " AND status <> 'cancelled' AND json_extract(facts, '$.employer_uscc') = ?",
            (region, employer),
        )
        return [row[0] for row in rows]


class SqliteInspections:
    """`gateway.domain.inspections.Inspections` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def employers(self, query: HitQuery) -> list[EmployerHits]:
        """Employers by code, each with the days of its hits."""
        return list(self._employers(query))

    def _employers(self, query: HitQuery) -> Iterator[EmployerHits]:
        where, binds = to_sql(And((query.rows, InRegion("region", query.region))), _COLUMNS)
        rows = self._store.reader.execute(
            "SELECT i.employer_uscc, group_concat(i.inspected_on) FROM inspection i"
            f" WHERE i.finding = :finding AND i.employer_uscc > :after AND {where}"
            " GROUP BY i.employer_uscc HAVING max(i.inspected_on) >= :since"
            " ORDER BY i.employer_uscc LIMIT :limit",
            {
                **binds,
                "finding": CONFIRMED,
                "after": query.after or "",
                "since": query.since.isoformat() if query.since else "",
                "limit": -1 if query.limit is None else query.limit,
            },
        )
        for employer, days in rows:
            yield EmployerHits(employer, sorted(map(date.fromisoformat, days.split(","))))

    def as_of(self, region: str) -> date | None:
        """The newest file of sightings from a county of the region, or from the one it lies in."""
        county = region[:COUNTY_DIGITS]
        row = self._store.reader.execute(
            "SELECT max(law_date) FROM upload WHERE exchange = 'sightings' AND substr(region, 1, ?) = ?",
            (len(county), county),
        ).fetchone()
        return date.fromisoformat(row[0]) if row[0] else None
