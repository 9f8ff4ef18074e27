"""What officers do with duties, inside one write transaction."""

import sqlite3
from datetime import date

from gateway.adapters.db.duty_list import FROM, ROW_COLUMNS, get_duty
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.duties import Duty
from gateway.domain.model import SubjectId
from gateway.domain.owing import Office
from gateway.domain.predicate import Predicate

_STANDING = "status IN ('open', 'waiting')"


class SqliteDutyWork:
    """`gateway.domain.owing.DutyWork` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def met(self, office: Office, name: str, client: str, on: date) -> None:
        """That officer looked at the office's duties: from then on they can be given to them."""
        self._db.execute(
            "INSERT INTO duty_officer (region, agency, school, name, client, seen_on) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (region, agency, school, name)"
            " DO UPDATE SET client = excluded.client, seen_on = excluded.seen_on",
            (office.region, office.agency, office.school or "", name, client, on.isoformat()),
        )

    def knows(self, office: Office, name: str) -> bool:
        """Whether an officer of that name has worked in the office, by a client that is not revoked."""
        found = self._db.execute(
            "SELECT 1 FROM duty_officer o JOIN client c ON c.id = o.client"
            " WHERE o.region = ? AND o.agency = ? AND o.school = ? AND o.name = ? AND c.revoked_at IS NULL",
            (office.region, office.agency, office.school or "", name),
        )
        return found.fetchone() is not None

    def get(self, duty_id: str, rows: Predicate) -> Duty | None:
        """The duty as it stands in this commit, if it is among the rows."""
        return get_duty(self._db, duty_id, rows)

    def done(self, duty_id: str, on: date, by: str, what: str) -> None:
        """It is done; `what` a code."""
        self._set(
            duty_id, "status = 'done', done_on = ?, done_by = ?, done_what = ?", on.isoformat(), by, what
        )

    def wait(self, duty_id: str, agency: str, on: date, why: str) -> None:
        """It waits for another agency; `why` a code."""
        changes = "status = 'waiting', waiting_for = ?, waiting_since = ?, waiting_why = ?"
        self._set(duty_id, changes, agency, on.isoformat(), why)

    def assign(self, duty_id: str, name: str) -> None:
        """Who works on it."""
        self._set(duty_id, "assignee = ?", name)

    def hand_over(self, rows: Predicate, agency: str, leaving: str, taking: str) -> list[SubjectId | None]:
        """All standing duties of the agency among the rows that `leaving` works on; the child of each, if it has one."""
        where, binds = to_sql(rows, ROW_COLUMNS)
        found = self._db.execute(
            f"SELECT d.id, d.subject_id FROM {FROM} WHERE d.{_STANDING} AND d.owner = :f_agency"
            f" AND d.assignee = :f_leaving AND {where} ORDER BY d.id",
            {**binds, "f_agency": agency, "f_leaving": leaving},
        ).fetchall()
        self._db.executemany("UPDATE duty SET assignee = ? WHERE id = ?", [(taking, row[0]) for row in found])
        return [SubjectId(row[1]) if row[1] is not None else None for row in found]

    def _set(self, duty_id: str, changes: str, *values: str | None) -> None:
        self._db.execute(f"UPDATE duty SET {changes} WHERE id = ? AND {_STANDING}", (*values, duty_id))
