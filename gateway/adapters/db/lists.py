"""The rows of the list exchanges, limited by the grant's predicate inside the database."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from gateway.adapters.db.children import absence_of, register_as_of
from gateway.adapters.db.engine import Store
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.model import Standing, Standings
from gateway.domain.needy import ADULT_AGE, GONE
from gateway.domain.ports import NeedyRow
from gateway.domain.predicate import And, InRegion, Predicate

_Row = tuple[Any, ...]

_COLUMNS = {"region": "r.residence", "school": "r.school_code", "owner": "NULL", "sealed": "FALSE"}

_NEEDY = (
    "SELECT r.subject_id, CASE WHEN r.status = 'enrolled' THEN (SELECT a.month || ':' ||"
    " CASE WHEN a.excused THEN 0 ELSE a.longest_absence END FROM attendance a"
    " WHERE a.subject_id = r.subject_id ORDER BY a.month DESC LIMIT 1) END,"
    " r.region, r.status, r.status_date, r.confirmed_on, r.birth_date, r.sex, r.residence,"
    " r.economic_hardship, r.left_behind, r.single_parent"
    " FROM student_register r WHERE r.has_id = 1 AND r.birth_date > :adult"
    f" AND r.status NOT IN ({', '.join(repr(state) for state in sorted(GONE))})"
    " AND (r.economic_hardship OR r.left_behind OR r.single_parent"
    " OR r.status IN ('dropped_out', 'transferred_out'))"
    " AND NOT EXISTS (SELECT 1 FROM relief_register x WHERE x.subject_id = r.subject_id"
    " AND x.from_date <= :today AND (x.to_date IS NULL OR x.to_date >= :today))"
    " AND {rows} ORDER BY r.subject_id"
)


class SqliteLists:
    """`gateway.domain.ports.Lists` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def needy(self, rows: Predicate, region: str, today: date) -> Iterator[NeedyRow]:
        """One row a child: of a child in several registers, the rows follow each other and are put together."""
        where, binds = to_sql(And((rows, InRegion("region", region))), _COLUMNS)
        cursor = self._store.reader.execute(
            _NEEDY.format(rows=where),
            {**binds, "today": today.isoformat(), "adult": years_before(today, ADULT_AGE).isoformat()},
        )
        return _Assembly().children(cursor)

    def register_as_of(self, region: str) -> date | None:
        """The newest law date on which the county's register was handed in."""
        return register_as_of(self._store.reader, region)

    def version(self) -> object:
        """The number of files taken in: facts change by uploads only."""
        return self._store.reader.execute("SELECT max(rowid) FROM upload").fetchone()[0]


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for 29 February of a common year."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


class _Assembly:
    """Rows into children. Few registers' rows differ in what schooling is judged by, so those are made once."""

    def __init__(self) -> None:
        self._days: dict[str, date] = {}
        self._standings: dict[tuple[object, ...], Standings] = {}

    def children(self, cursor: Iterable[_Row]) -> Iterator[NeedyRow]:
        held: list[_Row] = []
        for row in cursor:
            if held and held[0][0] != row[0]:
                yield self._child(held)
                held = [row]
            else:
                held.append(row)
        if held:
            yield self._child(held)

    def _child(self, rows: list[_Row]) -> NeedyRow:
        key = rows[0][1:6] if len(rows) == 1 else tuple(row[1:6] for row in rows)
        standings = self._standings.get(key)
        if standings is None:
            standings = self._standings[key] = self._make(rows)
        newest = rows[0] if len(rows) == 1 else max(rows, key=lambda row: str(row[4]))
        subject, _, _, _, _, _, birth, sex, residence, *flags = newest
        hardship, left_behind, single_parent = flags
        return NeedyRow(
            subject,
            standings,
            self._day(birth),
            sex,
            residence,
            (hardship == 1, left_behind == 1, single_parent == 1),
        )

    def _make(self, rows: list[_Row]) -> Standings:
        return Standings(
            tuple(Standing(row[2], row[3], self._day(row[4]), self._day(row[5])) for row in rows),
            absence_of(rows[0][1]),
        )

    def _day(self, text: str) -> date:
        found = self._days.get(text)
        if found is None:
            found = self._days[text] = date.fromisoformat(text)
        return found
