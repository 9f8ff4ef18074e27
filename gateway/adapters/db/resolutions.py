"""Resolutions of identity and the open cases they are about; limited by the grant's predicate, as leads are."""

import sqlite3
from datetime import datetime
from typing import Any

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import Predicate
from gateway.domain.resolution import Event, OpenCase, Resolution, ResolutionQuery, State, after

_COLUMNS = {"region": "l.residence", "school": "l.school", "owner": "c.owner", "sealed": "c.sealed"}
_RESOLUTION = (
    "r.id, r.subject_id, r.case_ref, r.county, r.role, r.client, r.officer, r.emergency, r.state,"
    " r.requested_at, r.deadline, r.reason, r.decider, r.decided_at, r.note"
)
_OPEN_CASE = (
    "SELECT c.subject_id, c.ref, c.region FROM lead l JOIN case_file c ON c.ref = l.case_ref"
    " WHERE c.ended_on IS NULL AND l.status <> 'closed' AND "
)
_OF_ITS_CASE = (
    "EXISTS (SELECT 1 FROM lead l JOIN case_file c ON c.ref = l.case_ref"
    " WHERE l.region = r.county AND l.subject_id = r.subject_id"
    " AND l.case_ref = r.case_ref AND {where})"
)


def purpose_of(resolution_id: str) -> str:
    """What the texts of a resolution are sealed under."""
    return f"resolution:{resolution_id}"


def _resolution(row: tuple[Any, ...], keys: KeyRing) -> Resolution:
    purpose = purpose_of(row[0])
    return Resolution(
        id=row[0],
        subject=SubjectId(row[1]),
        case=row[2],
        county=row[3],
        role=row[4],
        requester_client=row[5],
        requester_officer=row[6],
        emergency=bool(row[7]),
        state=State(row[8]),
        requested_at=moment(row[9]),
        deadline=moment(row[10]) if row[10] else None,
        reason=keys.open(purpose, row[11]).decode(),
        decider_client=row[12],
        decided_at=moment(row[13]) if row[13] else None,
        note=keys.open(purpose, row[14]).decode() if row[14] else None,
    )


def _case(row: tuple[Any, ...]) -> OpenCase:
    return OpenCase(SubjectId(row[0]), row[1], row[2])


class SqliteResolutionDesk:
    """`gateway.domain.resolution.ResolutionDesk` over an open write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def open_case(self, case: str, rows: Predicate) -> OpenCase | None:
        """The case, if it and a lead of it that the caller may see are open."""
        where, binds = to_sql(rows, _COLUMNS)
        known = self._db.execute("SELECT region, subject_id FROM case_file WHERE ref = ?", (case,)).fetchone()
        if known is None:
            return None
        row = self._db.execute(
            f"{_OPEN_CASE} l.region = :f_region AND l.subject_id = :f_subject AND l.case_ref = :f_case AND {where}",
            {**binds, "f_region": known[0], "f_subject": known[1], "f_case": case},
        ).fetchone()
        return _case(row) if row else None

    def asked_since(self, client: str, officer: str | None, since: datetime) -> int:
        """How many requests an officer has made since then."""
        found = self._db.execute(
            "SELECT count(*) FROM resolution WHERE client = ? AND officer IS ? AND requested_at > ?",
            (client, officer, stamp(since)),
        ).fetchone()
        return int(found[0])

    def asked_by_client(self, client: str, since: datetime) -> int:
        """How many requests a client has made since then, whomever it named."""
        found = self._db.execute(
            "SELECT count(*) FROM resolution WHERE client = ? AND requested_at > ?", (client, stamp(since))
        ).fetchone()
        return int(found[0])

    def get(self, resolution_id: str, rows: Predicate | None) -> Resolution | None:
        """The resolution; with `rows`, only if a lead of its case is among them."""
        where, binds = to_sql(rows, _COLUMNS) if rows is not None else ("TRUE", {})
        seen = _OF_ITS_CASE.format(where=where) if rows is not None else where
        row = self._db.execute(
            f"SELECT {_RESOLUTION} FROM resolution r WHERE r.id = :f_id AND {seen}",
            {**binds, "f_id": resolution_id},
        ).fetchone()
        return _resolution(row, self._keys) if row else None

    def add(self, resolution: Resolution) -> None:
        """Keeps a new one; its reason sealed."""
        self._db.execute(
            "INSERT INTO resolution (id, subject_id, case_ref, county, role, client, officer, emergency, state,"
            " requested_at, deadline, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                resolution.id,
                resolution.subject,
                resolution.case,
                resolution.county,
                resolution.role,
                resolution.requester_client,
                resolution.requester_officer,
                resolution.emergency,
                resolution.state.value,
                stamp(resolution.requested_at),
                stamp(resolution.deadline) if resolution.deadline else None,
                self._sealed(resolution.id, resolution.reason),
            ),
        )

    def move(self, resolution: Resolution, event: Event, changed: Resolution) -> bool:
        """One step of the state machine, taken only from the state the caller saw."""
        if after(resolution.state, event) is not changed.state:
            return False
        done = self._db.execute(
            "UPDATE resolution SET state = ?, deadline = ?, decider = ?, decided_at = ?, note = ?"
            " WHERE id = ? AND state = ?",
            (
                changed.state.value,
                stamp(changed.deadline) if changed.deadline else None,
                changed.decider_client,
                stamp(changed.decided_at) if changed.decided_at else None,
                self._sealed(changed.id, changed.note) if changed.note else None,
                resolution.id,
                resolution.state.value,
            ),
        )
        return done.rowcount == 1

    def _sealed(self, resolution_id: str, text: str) -> bytes:
        return self._keys.seal(purpose_of(resolution_id), text.encode())


class SqliteResolutions:
    """`gateway.domain.resolution.Resolutions` over the embedded store; for worker threads."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def open_cases(self, rows: Predicate) -> list[OpenCase]:
        """Every open case with an open lead among the rows."""
        where, binds = to_sql(rows, _COLUMNS)
        found = self._store.reader.execute(f"{_OPEN_CASE} {where} GROUP BY c.ref ORDER BY c.ref", binds)
        return [_case(row) for row in found]

    def find(self, query: ResolutionQuery) -> list[Resolution]:
        """Newest first."""
        where, binds = to_sql(query.rows, _COLUMNS)
        who = query.principal
        text = (
            f"SELECT {_RESOLUTION} FROM resolution r WHERE"
            " ((r.client = :f_client AND r.officer IS :f_officer)"
            f" OR (r.role = :f_role AND {_OF_ITS_CASE.format(where=where)}))"
        )
        binds |= {"f_client": who.client, "f_officer": who.officer, "f_role": who.role}
        if query.state is not None:
            text, binds["f_state"] = f"{text} AND r.state = :f_state", query.state.value
        if query.before is not None:
            text += " AND (r.requested_at, r.id) < (SELECT b.requested_at, b.id FROM resolution b WHERE b.id = :f_b)"
            binds["f_b"] = query.before
        binds["f_limit"] = query.limit
        rows = self._store.reader.execute(
            f"{text} ORDER BY r.requested_at DESC, r.id DESC LIMIT :f_limit", binds
        )
        return [_resolution(row, self._keys) for row in rows]

    def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Ids of those whose deadline has passed."""
        rows = self._store.reader.execute(
            "SELECT id FROM resolution WHERE deadline <= ? ORDER BY deadline LIMIT ?", (stamp(now), limit)
        )
        return [row[0] for row in rows]
