"""The ledgers as they are read: pages and counts, limited by the grant's predicate.

A sealed case seals its child on every page, of past days too: no comparison of days may tell of it.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from gateway.adapters.db.engine import Store
from gateway.adapters.db.ledger_refresh import ledger_days
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.ledger import Ledger
from gateway.domain.ledger_desk import LedgerCount, LedgerLine, LedgerQuery
from gateway.domain.model import SubjectId
from gateway.domain.predicate import COUNTY_DIGITS, TOWNSHIP_DIGITS, And, Equals, InRegion, Predicate

_COLUMNS = {"region": "e.township", "school": "e.school", "owner": "e.owner", "sealed": "e.sealed"}
_ENTRIES = (
    "(SELECT x.*, x.subject_id IN (SELECT c.subject_id FROM case_file c WHERE c.sealed) AS sealed,"
    " (SELECT max(o.owner) FROM case_file o WHERE o.subject_id = x.subject_id AND o.sealed) AS owner"
    " FROM ledger_entry x {by}) e"
)
_UNSEALED = {**_COLUMNS, "owner": "NULL", "sealed": "FALSE"}
_SEALED = "e.subject_id IN (SELECT c.subject_id FROM case_file c WHERE c.sealed)"
_BY_COUNT, _BY_CHILD = "INDEXED BY ix_ledger_count", "INDEXED BY ix_ledger_subject"
_LINE = "e.region, e.subject_id, e.status, e.since, e.township, e.school, e.case_ref, e.sources, e.carried_forward"


class SqliteLedgers:
    """`gateway.domain.ledger_desk.Ledgers` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _db(self) -> sqlite3.Connection:
        return self._store.reader

    def counties(self, region: str) -> list[str]:
        """Counties within the region that have handed in a file, or have a case."""
        known = "SELECT region FROM upload UNION SELECT region FROM case_file"
        if len(region) >= COUNTY_DIGITS:
            county = region[:COUNTY_DIGITS]
            return [county] if self._db.execute(f"SELECT ?1 IN ({known})", (county,)).fetchone()[0] else []
        return sorted(row[0] for row in self._db.execute(known) if row[0].startswith(region))

    def first_day(self, counties: Sequence[str]) -> date | None:
        """The first day for which any of the counties has ledgers."""
        days = [ledger_days(self._db, county) for county in counties]
        return min((found[0] for found in days if found), default=None)

    def page(self, query: LedgerQuery) -> list[LedgerLine]:
        """County by county, in the order of the random ids."""
        found: list[LedgerLine] = []
        for county in self.counties(query.region):
            after = self._after(query, county)
            if after is not None and len(found) < query.limit:
                found += self._of_county(query, county, after, query.limit - len(found))
        return found

    def _after(self, query: LedgerQuery, county: str) -> bytes | None:
        """Where to begin in that county; None when the pages are past it."""
        if query.after is None or county > query.after[0]:
            return b""
        return query.after[1] if county == query.after[0] else None

    def _of_county(self, query: LedgerQuery, county: str, after: bytes, limit: int) -> Iterator[LedgerLine]:
        where, binds = self._where(query, county, _COLUMNS)
        if query.status is not None:
            where, binds = f"{where} AND e.status = :f_status", {**binds, "f_status": query.status}
        entries = _ENTRIES.format(by=_by(query))
        rows = self._db.execute(
            f"SELECT {_LINE} FROM {entries} WHERE {where} AND e.ledger = :f_ledger AND e.subject_id > :f_after"
            " ORDER BY e.subject_id LIMIT :f_limit",
            {**binds, "f_ledger": query.ledger.value, "f_after": after, "f_limit": limit},
        )
        return (_line(row) for row in rows.fetchall())

    def _where(
        self, query: LedgerQuery, county: str, columns: Mapping[str, str]
    ) -> tuple[str, dict[str, object]]:
        asked = _asked(query)
        where, binds = to_sql(asked, columns)
        for index, (column, value) in enumerate(_required(asked)):
            where += f" AND {column} = :f_only_{index}"
            binds[f"f_only_{index}"] = value
        days = ledger_days(self._db, county)
        if days is None or query.day >= days[1]:
            stood = "e.valid_to IS NULL"
        else:
            stood = "e.valid_from <= :f_day AND (e.valid_to IS NULL OR e.valid_to > :f_day)"
        fixed = {"f_county": county, "f_day": query.day.isoformat()}
        return f"e.region = :f_county AND {stood} AND {where}", {**binds, **fixed}

    def counts(self, query: LedgerQuery) -> list[LedgerCount]:
        """Of every ledger, by status."""
        found: dict[tuple[str, str], int] = {}
        for county in self.counties(query.region):
            for ledger, status, children in self._counted(query, county):
                found[ledger, status] = found.get((ledger, status), 0) + children
        return [
            LedgerCount(Ledger(ledger), status, found[ledger, status]) for ledger, status in sorted(found)
        ]

    def _counted(self, query: LedgerQuery, county: str) -> list[tuple[str, str, int]]:
        """Everybody as if no case were sealed, from an index alone; then the few whose case is, put right."""
        anyone, binds = self._where(query, county, _UNSEALED)
        may_see, _ = self._where(query, county, _COLUMNS)  # the same values under the same names
        parts = (
            f"SELECT e.ledger, e.status, count(*) AS n FROM ledger_entry e {_BY_COUNT} WHERE {anyone}",
            f"SELECT e.ledger, e.status, -count(*) FROM ledger_entry e {_BY_CHILD} WHERE {anyone} AND {_SEALED}",
            f"SELECT e.ledger, e.status, count(*) FROM {_ENTRIES.format(by=_BY_CHILD)} WHERE {may_see} AND {_SEALED}",
        )
        each = " UNION ALL ".join(f"{part} GROUP BY 1, 2" for part in parts)
        summed = f"SELECT ledger, status, sum(n) FROM ({each}) GROUP BY 1, 2 HAVING sum(n) > 0"
        return self._db.execute(summed, binds).fetchall()

    def stale(self, counties: Sequence[str], day: date, days: int) -> bool:
        """Whether a county had handed in no student register on that day, or none for more than so many days."""
        oldest = day - timedelta(days=days)
        handed_in = (
            "SELECT 1 FROM upload WHERE region = ? AND exchange = 'student-register'"
            " AND law_date BETWEEN ? AND ?"
        )
        return not counties or any(
            self._db.execute(handed_in, (each, oldest.isoformat(), day.isoformat())).fetchone() is None
            for each in counties
        )


def _asked(query: LedgerQuery) -> And:
    """The rows that may be told, and of them those that were asked for."""
    within = (InRegion("region", query.within),) if query.within is not None else ()
    return And((query.rows, *within))


def _by(query: LedgerQuery) -> str:
    """The index that leaves least to look at: the planner knows nothing of how many share a value."""
    columns = {column for column, _ in _required(_asked(query))}
    if query.status is not None:
        columns.add("e.status")
    for name in ("school", "township", "status"):
        if f"e.{name}" in columns:
            return f"INDEXED BY ix_ledger_{name}"
    return ""


def _required(predicate: Predicate) -> Iterator[tuple[str, str]]:
    """(column, value) pairs that every row of the predicate has: said plainly once more, so that an index serves."""
    match predicate:
        case And(parts):
            for part in parts:
                yield from _required(part)
        case Equals("school", value):
            yield "e.school", str(value)
        case InRegion("region", region) if len(region) == TOWNSHIP_DIGITS:
            yield "e.township", region


def _line(row: tuple[Any, ...]) -> LedgerLine:
    return LedgerLine(
        region=row[0],
        subject=SubjectId(row[1]),
        status=row[2],
        since=date.fromisoformat(row[3]),
        township=row[4],
        school=row[5],
        case=row[6],
        sources=tuple(row[7].split(",")),
        carried_forward=bool(row[8]),
    )
