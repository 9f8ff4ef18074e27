"""Leads as they are kept, and the events their stream is fed from; limited by the grant's predicate."""

import asyncio
import sqlite3
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.model import Lead, SubjectId
from gateway.domain.ports import LeadQuery
from gateway.domain.predicate import All, And, InRegion, Predicate

_COLUMNS = {
    "region": "l.residence",
    "school": "l.school",
    "owner": "c.owner",
    "sealed": "c.sealed",
    "rule": "l.rule",
}
_LEAD = (
    "l.id, l.rule, l.case_ref, l.residence, l.status, l.opened_at, l.due_on, l.facts, l.school, c.owner, c.sealed,"
    " l.subject_id, l.rule_version"
)


def _lead(row: tuple[Any, ...]) -> Lead:
    return Lead(
        id=row[0],
        subject=SubjectId(row[11]),
        rule=row[1],
        case=row[2],
        region=row[3],
        status=row[4],
        opened_at=moment(row[5]),
        due_on=date.fromisoformat(row[6]),
        facts=tuple(orjson.loads(row[7])),
        school=row[8],
        owner=row[9],
        sealed=bool(row[10]),
        rule_version=row[12],
    )


_FROM = "lead l JOIN case_file c ON c.ref = l.case_ref"
"""Who may see a lead follows its case: sealed later, or handed to another officer."""


class SqliteLeads:
    """`gateway.domain.ports.Leads` over the embedded store."""

    def __init__(self, store: Store, journal: GroupCommitJournal) -> None:
        self._store, self._journal = store, journal

    @property
    def _db(self) -> sqlite3.Connection:
        return self._store.reader

    async def find(self, query: LeadQuery) -> list[Lead]:
        """One page, ordered by id: the order tells nothing."""
        asked = InRegion("region", query.region) if query.region else All()
        where, binds = to_sql(And((query.rows, asked)), _COLUMNS)
        for column in ("status", "rule"):
            value = getattr(query, column)
            if value is not None:
                where += f" AND l.{column} = :f_{column}"
                binds[f"f_{column}"] = value
        if query.after is not None:
            where += " AND l.id > :f_after"
            binds["f_after"] = query.after
        rows = self._db.execute(
            f"SELECT {_LEAD} FROM {_FROM} WHERE {where} ORDER BY l.id LIMIT :f_limit",
            {**binds, "f_limit": query.limit},
        )
        return [_lead(row) for row in rows]

    async def get(self, lead_id: str, rows: Predicate) -> Lead | None:
        """The lead, if it is among the rows the caller may see."""
        where, binds = to_sql(rows, _COLUMNS)
        row = self._db.execute(
            f"SELECT {_LEAD} FROM {_FROM} WHERE l.id = :f_id AND {where}", {**binds, "f_id": lead_id}
        ).fetchone()
        return _lead(row) if row else None

    async def events(self, rows: Predicate, after: int, limit: int) -> list[tuple[int, str, Lead]]:
        """What happened after a sequence number, oldest first, to leads the caller may see."""
        where, binds = to_sql(rows, _COLUMNS)
        found = self._db.execute(
            f"SELECT e.seq, e.kind, {_LEAD} FROM lead_event e JOIN lead l ON l.id = e.lead_id"
            " JOIN case_file c ON c.ref = l.case_ref"
            f" WHERE e.seq > :f_after AND {where} ORDER BY e.seq LIMIT :f_limit",
            {**binds, "f_after": after, "f_limit": limit},
        )
        return [(row[0], row[1], _lead(row[2:])) for row in found]

    async def last_event(self) -> int:
        """The newest sequence number; 0 when nothing has happened."""
        return int(self._db.execute("SELECT COALESCE(max(seq), 0) FROM lead_event").fetchone()[0])

    async def wait(self, seconds: float) -> None:
        """Until a commit of this process may have changed a lead, or `seconds` (for other processes' commits)."""
        event = self._journal.listen()
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._journal.unlisten(event)
