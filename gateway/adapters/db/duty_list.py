"""Duties as they are read; limited by the grant's predicate."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.duties import Duty, DutyStatus
from gateway.domain.model import SubjectId
from gateway.domain.owing import DutyQuery, Overdue
from gateway.domain.predicate import All, And, InRegion, Predicate

ROW_COLUMNS = {
    "region": "d.residence",
    "school": "d.school",
    "owner": "d.officer",
    "sealed": "d.sealed",
    "agency": "d.owner",
    "above": "d.above",
}
FROM = (
    "(SELECT d.*, c.subject_id, c.owner AS officer, COALESCE(c.sealed, 0) AS sealed"
    " FROM duty d LEFT JOIN case_file c ON c.ref = d.case_ref) d"
)
DUTY = (
    "d.id, d.kind, d.owner, d.region, d.residence, d.school, d.lead_id, d.case_ref, d.due_on, d.status, d.opened_at,"
    " d.facts, d.escalated_to, d.escalated_on, d.done_on, d.above, d.reminded_on, d.waiting_for, d.waiting_since,"
    " d.assignee, d.subject_id, d.waited"
)
_OVERDUE = "d.status = 'open' AND d.due_on < :f_today"
_STATUS = {"overdue": _OVERDUE, "open": "d.status = 'open' AND d.due_on >= :f_today"}


def duty_of(row: Sequence[Any]) -> Duty:
    """A row of `DUTY`, read."""
    return Duty(
        id=row[0],
        kind=row[1],
        owner=row[2],
        region=row[3],
        residence=row[4],
        school=row[5],
        lead=row[6],
        case=row[7],
        due_on=date.fromisoformat(row[8]),
        status=DutyStatus(row[9]),
        opened_at=moment(row[10]),
        facts=orjson.loads(row[11]),
        escalated_to=row[12],
        escalated_on=_day(row[13]),
        done_on=_day(row[14]),
        above=row[15],
        reminded_on=_day(row[16]),
        waiting_for=row[17],
        waiting_since=_day(row[18]),
        assignee=row[19],
        subject=SubjectId(row[20]) if row[20] is not None else None,
        waited=row[21],
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def get_duty(connection: sqlite3.Connection, duty_id: str, rows: Predicate) -> Duty | None:
    """The duty, if it is among the rows."""
    where, binds = to_sql(rows, ROW_COLUMNS)
    statement = f"SELECT {DUTY} FROM {FROM} WHERE d.id = :f_id AND {where}"
    row = connection.execute(statement, {**binds, "f_id": duty_id}).fetchone()
    return duty_of(row) if row else None


def _within(rows: Predicate, region: str | None) -> tuple[str, dict[str, object]]:
    asked = InRegion("region", region) if region else All()
    return to_sql(And((rows, asked)), ROW_COLUMNS)


def _conditions(query: DutyQuery) -> tuple[str, dict[str, object]]:
    """The filters as SQL; whether a duty is overdue follows from its last day and is kept nowhere."""
    where, binds = _within(query.rows, query.region)
    binds["f_today"] = query.today.isoformat()
    for column, value in (("owner", query.owner), ("kind", query.kind)):
        if value is not None:
            where, binds[f"f_{column}"] = f"{where} AND d.{column} = :f_{column}", value
    if query.status is not None:
        where, binds["f_status"] = (
            f"{where} AND {_STATUS.get(query.status, 'd.status = :f_status')}",
            query.status,
        )
    if query.overdue is not None:
        where += f" AND {_OVERDUE}" if query.overdue else f" AND NOT ({_OVERDUE})"
    if query.after is not None:
        where += " AND (d.due_on, d.id) > (:f_due, :f_after)"
        binds["f_due"], binds["f_after"] = query.after
    return where, binds


class SqliteDuties:
    """`gateway.domain.owing.Owing` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, query: DutyQuery) -> list[Duty]:
        """One page by last day, then id."""
        where, binds = _conditions(query)
        rows = self._store.reader.execute(
            f"SELECT {DUTY} FROM {FROM} WHERE {where} ORDER BY d.due_on, d.id LIMIT :f_limit",
            {**binds, "f_limit": query.limit},
        )
        return [duty_of(row) for row in rows]

    async def overdue(self, rows: Predicate, region: str | None, today: date, digits: int) -> list[Overdue]:
        """What is overdue, by owner, region (its first `digits`) and kind: one statement."""
        where, binds = _within(rows, region)
        found = self._store.reader.execute(
            "SELECT d.owner, substr(d.residence, 1, :f_digits) AS place, d.kind, count(*), min(d.due_on)"
            f" FROM {FROM} WHERE {where} AND {_OVERDUE} GROUP BY d.owner, place, d.kind"
            " ORDER BY d.owner, place, d.kind",
            {**binds, "f_digits": digits, "f_today": today.isoformat()},
        )
        return [
            Overdue(owner, place, kind, count, date.fromisoformat(since))
            for owner, place, kind, count, since in found
        ]
