"""Assessed children, each with its newest assessment and what the registers say."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from gateway.adapters.db.children import register_as_of
from gateway.adapters.db.engine import Store
from gateway.adapters.db.lists import FACTS_VERSION
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.model import Standing, SubjectId
from gateway.domain.needy import GONE
from gateway.domain.placement import ASSESSMENTS, Advice, Assessed
from gateway.domain.predicate import And, InRegion, Predicate

_COLUMNS = {"region": "d.residence", "school": "NULL", "owner": "NULL", "sealed": "FALSE"}
_GONE = ", ".join(repr(state) for state in sorted(GONE))
_FOUND = (
    "SELECT d.subject_id, d.region, d.residence, d.suitability, d.needs_support, d.category, d.grade,"
    " r.region, r.status, r.status_date, r.confirmed_on"
    " FROM disability_assessment d LEFT JOIN student_register r ON r.subject_id = d.subject_id"
    " WHERE {rows} AND NOT EXISTS (SELECT 1 FROM disability_assessment n WHERE n.subject_id = d.subject_id"
    " AND (n.assessed_on, n.region) > (d.assessed_on, d.region))"
    f" AND NOT EXISTS (SELECT 1 FROM student_register g WHERE g.subject_id = d.subject_id AND g.status IN ({_GONE}))"
    " ORDER BY d.subject_id"
)
_HANDED_IN = "SELECT max(law_date) FROM upload WHERE region = ? AND exchange = ?"
_POPULATION = "SELECT r.residence, count(*) FROM student_register r WHERE {rows} GROUP BY 1"


class SqliteAssessments:
    """`gateway.domain.placement.Assessments` over the embedded store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, rows: Predicate, region: str) -> Iterable[Assessed]:
        """By residence, each child once."""
        where, binds = to_sql(And((rows, InRegion("region", region))), _COLUMNS)
        return _joined(self._store.reader.execute(_FOUND.format(rows=where), binds))

    def one(self, rows: Predicate, subject: SubjectId) -> Assessed | None:
        """The child, if it was assessed and is among the rows."""
        where, binds = to_sql(rows, _COLUMNS)
        found = self._store.reader.execute(
            _FOUND.format(rows=f"{where} AND d.subject_id = :subject"), {**binds, "subject": subject}
        )
        return next(iter(_joined(found)), None)

    def subject_of(self, lookup: bytes) -> SubjectId | None:
        """The child with that keyed identifier."""
        row = self._store.reader.execute(
            "SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,)
        ).fetchone()
        return SubjectId(row[0]) if row else None

    def handed_in(self, region: str) -> tuple[date | None, date | None]:
        """When the county last handed in assessments, and when a register."""
        reader = self._store.reader
        newest = reader.execute(_HANDED_IN, (region[:6], ASSESSMENTS)).fetchone()[0]
        return (date.fromisoformat(newest) if newest else None), register_as_of(reader, region)

    def population(self, region: str) -> Sequence[tuple[str, int]]:
        """Counts of registered children by residence."""
        where, binds = to_sql(InRegion("region", region), {**_COLUMNS, "region": "r.residence"})
        return self._store.reader.execute(_POPULATION.format(rows=where), binds).fetchall()

    def version(self) -> object:
        """Of the facts."""
        return self._store.reader.execute(FACTS_VERSION).fetchone()


def _joined(rows: Iterable[tuple[Any, ...]]) -> Iterable[Assessed]:
    found: dict[bytes, Assessed] = {}
    for subject, county, residence, suitability, support, category, grade, *register in rows:
        known = found.get(subject)
        standing = (_standing(register),) if register[0] is not None else ()
        if known is not None:
            found[subject] = known._replace(enrolments=(*known.enrolments, *standing))
            continue
        advice = Advice(suitability, None if support is None else bool(support), category, grade)
        found[subject] = Assessed(SubjectId(subject), county, residence, advice, standing)
    return found.values()


def _standing(row: Sequence[str]) -> Standing:
    region, status, since, confirmed = row
    return Standing(region, status, date.fromisoformat(since), date.fromisoformat(confirmed))
