"""Entries and alarms for the auditor: limited by the grant's predicate, a bounded piece of the log at a time."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.log.ports import EntryPage, EntryQuery
from gateway.domain.predicate import Predicate

SCANNED = 20_000
"""Rows looked at for one page, so that a filter that finds nothing costs no more than one that finds much."""

_SLACK = timedelta(minutes=5)
_REGIONS = ("region", "asked_region")
_COLUMNS = {"region": "region", "school": "NULL", "owner": "NULL", "sealed": "FALSE"}
_ALARM = "id, kind, region, about, facts, raised, first_at, status"


def in_reach(rows: Predicate, body: Mapping[str, Any]) -> bool:
    """Whether the caller's region or the one asked about lies within the reader's reach.

    An entry without either is about the gateway itself (keys, purges), as some alarms are: every reader sees it.
    """
    regions = [body[name] for name in _REGIONS if body.get(name)]
    return not regions or any(rows.evaluate({"region": region, "sealed": False}) for region in regions)


class SqliteTrail:
    """`gateway.domain.log.ports.AuditTrail` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _db(self) -> sqlite3.Connection:
        return self._store.reader

    def entries(self, query: EntryQuery) -> EntryPage:
        """Oldest first; time is narrowed by the heads, everything else row by row."""
        found: list[tuple[int, Mapping[str, Any]]] = []
        looked = last = 0
        for seq, body in self._rows(query):
            looked, last = looked + 1, seq
            entry = orjson.loads(body)
            if query.until is not None and _at(entry) - query.until > _SLACK:
                return EntryPage(found, None)
            if _wanted(entry, query):
                found.append((seq, entry))
                if len(found) == query.limit:
                    return EntryPage(found, last)
        return EntryPage(found, last if looked == SCANNED else None)

    def _rows(self, query: EntryQuery) -> Iterator[tuple[int, bytes]]:
        if query.reference is not None:
            one = "SELECT seq, body FROM audit_entry WHERE reference = ? AND seq > ?"
            return iter(self._db.execute(one, (query.reference, query.after)).fetchall())
        after = max(query.after, self._before(query.since) if query.since else 0)
        many = "SELECT seq, body FROM audit_entry WHERE seq > ? ORDER BY seq LIMIT ?"
        return iter(self._db.execute(many, (after, SCANNED)))

    def _before(self, since: datetime) -> int:
        """The last row of the newest head before that moment: what is in it was committed earlier."""
        row = self._db.execute(
            "SELECT last_seq FROM audit_head WHERE at < ? ORDER BY at DESC LIMIT 1", (stamp(since),)
        ).fetchone()
        return int(row[0]) if row else 0

    def alarms(
        self, rows: Predicate, status: str | None, after: str | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """One page, ordered by id."""
        where, binds = _reach(rows)
        where += " AND (:f_status IS NULL OR status = :f_status) AND id > :f_after"
        asked = {**binds, "f_status": status, "f_after": after or "", "f_limit": limit}
        found = self._db.execute(
            f"SELECT {_ALARM} FROM alarm WHERE {where} ORDER BY id LIMIT :f_limit", asked
        )
        return [_alarm(row) for row in found]

    def alarm(self, alarm_id: str, rows: Predicate) -> Mapping[str, Any] | None:
        """The alarm, if it is in reach."""
        where, binds = _reach(rows)
        row = self._db.execute(
            f"SELECT {_ALARM} FROM alarm WHERE id = :f_id AND {where}", {**binds, "f_id": alarm_id}
        ).fetchone()
        return _alarm(row) if row else None


def _reach(rows: Predicate) -> tuple[str, dict[str, object]]:
    """An alarm about the gateway or its log is of no region: whoever may read alarms at all sees it."""
    where, binds = to_sql(rows, _COLUMNS)
    return f"({where} OR region = '')", binds


def _alarm(row: tuple[Any, ...]) -> Mapping[str, Any]:
    identity, kind, region, about, facts, raised, first_at, status = row
    return {
        "id": identity,
        "kind": kind,
        "region": region,
        "about": about,
        "facts": orjson.loads(facts),
        "raised": raised,
        "first_at": moment(first_at),
        "status": status,
    }


def _at(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _wanted(entry: Mapping[str, Any], query: EntryQuery) -> bool:
    if any(entry.get(name) != value for name, value in query.equal.items()):
        return False
    at = _at(entry)
    if (query.since is not None and at < query.since) or (query.until is not None and at > query.until):
        return False
    regions = [entry.get(name) or "" for name in _REGIONS]
    if query.region is not None and not any(each.startswith(query.region) for each in regions):
        return False
    return in_reach(query.rows, entry)
