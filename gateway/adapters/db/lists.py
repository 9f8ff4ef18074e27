"""The rows of the list exchanges, limited by the grant's predicate inside the database."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from gateway.adapters.db.children import absence_of, register_as_of
from gateway.adapters.db.engine import Store
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.model import Standing, Standings, SubjectId
from gateway.domain.needy import ADULT_AGE, GONE
from gateway.domain.ports import Likeness, PaidIn
from gateway.domain.predicate import And, InRegion, Predicate

_Row = tuple[Any, ...]

_COLUMNS = {"region": "r.residence", "school": "r.school_code", "owner": "NULL", "sealed": "FALSE"}

NeedyChild = tuple[SubjectId, Likeness, date]

_MARK = "|"
_ABSENCE = (
    "COALESCE(CASE WHEN r.status = 'enrolled' AND r.subject_id IN (SELECT n.subject_id FROM attendance n"
    " WHERE n.excused = 0 AND n.longest_absence > 0) THEN (SELECT a.month || ':' ||"
    " CASE WHEN a.excused THEN 0 ELSE a.longest_absence END FROM attendance a"
    " WHERE a.subject_id = r.subject_id ORDER BY a.month DESC LIMIT 1) END, '')"
)
_LIKENESS = (
    f"printf('%s{_MARK}%s{_MARK}%s{_MARK}%s{_MARK}%s{_MARK}%s{_MARK}%s{_MARK}%d%d%d%d', {_ABSENCE},"
    " r.region, r.status, r.status_date, r.confirmed_on, COALESCE(r.sex, ''), r.residence,"
    " r.economic_hardship, r.left_behind, r.single_parent,"
    " r.subject_id IN (SELECT p.subject_id FROM aid_payment p WHERE p.term = :term"
    " AND instr(:schemes, '|' || p.scheme || '|')))"
)
"""All that is judged or told of a child but for its birth date, as one text: what is alike is read once (see `_Assembly`).

Written at once: joined by operators it is copied at each of them."""
_NEEDY = (
    f"SELECT r.subject_id, {_LIKENESS}, r.birth_date"
    " FROM student_register r WHERE r.has_id = 1 AND r.birth_date > :adult"
    f" AND r.status NOT IN ({', '.join(repr(state) for state in sorted(GONE))})"
    " AND (r.economic_hardship OR r.left_behind OR r.single_parent"
    " OR r.status IN ('dropped_out', 'transferred_out'))"
    " AND r.subject_id NOT IN (SELECT x.subject_id FROM relief_register x"
    " WHERE x.from_date <= :today AND (x.to_date IS NULL OR x.to_date >= :today))"
    " AND {rows}"
)
_POPULATION = (
    "SELECT r.birth_date, r.sex, r.residence, count(DISTINCT r.subject_id) FROM student_register r"
    f" WHERE r.birth_date > :adult AND r.status NOT IN ({', '.join(repr(state) for state in sorted(GONE))})"
    " AND {rows} GROUP BY 1, 2, 3"
)

FACTS_VERSION = "SELECT (SELECT max(rowid) FROM upload), (SELECT value FROM meta WHERE key = 'purges')"
"""The number of files taken in, and of purges: facts change by nothing else."""


class SqliteLists:
    """`gateway.domain.ports.Lists` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def needy(self, rows: Predicate, region: str, today: date, paid: PaidIn) -> Sequence[NeedyChild]:
        """One row a child: of a child in several registers, the rows follow each other and are put together."""
        where, binds = to_sql(And((rows, InRegion("region", region))), _COLUMNS)
        cursor = self._store.reader.execute(
            _NEEDY.format(rows=where),
            {
                **binds,
                "today": today.isoformat(),
                "adult": years_before(today, ADULT_AGE).isoformat(),
                "term": paid.term,
                "schemes": one_of(paid.schemes),
            },
        )
        return _Assembly().children(cursor)

    def paying_counties(self, term: str) -> frozenset[str]:
        """The counties that have handed in payments of the term."""
        rows = self._store.reader.execute("SELECT DISTINCT region FROM aid_payment WHERE term = ?", (term,))
        return frozenset(row[0] for row in rows)

    def population(self, region: str, today: date) -> Sequence[tuple[date, str | None, str, int]]:
        """Counts of children under eighteen who live in the region, by birth date, sex and residence."""
        where, binds = to_sql(InRegion("region", region), _COLUMNS)
        cursor = self._store.reader.execute(
            _POPULATION.format(rows=where), {**binds, "adult": years_before(today, ADULT_AGE).isoformat()}
        )
        return [(date.fromisoformat(birth), sex, residence, count) for birth, sex, residence, count in cursor]

    def register_as_of(self, region: str) -> date | None:
        """The newest law date on which the county's register was handed in."""
        return register_as_of(self._store.reader, region)

    def version(self) -> object:
        """The number of files taken in, and of purges: facts change by nothing else."""
        return self._store.reader.execute(FACTS_VERSION).fetchone()


def one_of(codes: Iterable[str]) -> str:
    """Codes as one parameter, for ``instr(:codes, '|' || column || '|')``."""
    return f"|{'|'.join(sorted(codes))}|"


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for 29 February of a common year."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


class _Assembly:
    """Rows into children. Many are alike in all that is judged or told, so each likeness is made once."""

    def __init__(self) -> None:
        self._days: dict[str, date] = {}
        self._known: dict[str, Likeness] = {}

    def children(self, cursor: Iterable[_Row]) -> list[NeedyChild]:
        """A child a row; of one in several registers, the rows are put together."""
        known, learn = self._known.get, self._learn
        days, day = self._days.get, self._day
        rows = [
            (subject, known(text) or learn(text), days(birth) or day(birth))
            for subject, text, birth in cursor
        ]
        if len({row[0] for row in rows}) == len(rows):
            return rows
        grouped: dict[SubjectId, list[NeedyChild]] = {}
        for row in rows:
            grouped.setdefault(row[0], []).append(row)
        return [group[0] if len(group) == 1 else _joined(group) for group in grouped.values()]

    def _learn(self, text: str) -> Likeness:
        absence, region, status, since, confirmed, sex, residence, flags = text.split(_MARK)
        row = Standing(region, status, self._day(since), self._day(confirmed))
        hardship, left_behind, single_parent, aid = (flag == "1" for flag in flags)
        found = self._known[text] = Likeness(
            Standings((row,), absence_of(absence or None)),
            sex or None,
            residence,
            (hardship, left_behind, single_parent),
            aid,
        )
        return found

    def _day(self, text: str) -> date:
        found = self._days.get(text)
        if found is None:
            found = self._days[text] = date.fromisoformat(text)
        return found


def _joined(rows: list[NeedyChild]) -> NeedyChild:
    """A child in several registers: judged by all of them, told of by the newest."""
    subject, newest, birth = max(rows, key=lambda row: row[1].standings.enrolments[0].status_date)
    every = tuple(standing for row in rows for standing in row[1].standings.enrolments)
    return subject, replace(newest, standings=Standings(every, newest.standings.absence)), birth
