"""Pupils as far as aid goes, set by set: what they are owed by, what they were paid, which sources have spoken."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from gateway.adapters.db.children import register_as_of
from gateway.adapters.db.lists import FACTS_VERSION, one_of
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.aid import RELIEF, AidBook, PupilAid, Term, Told
from gateway.domain.model import SubjectId
from gateway.domain.predicate import And, InRegion, Predicate

_COLUMNS = {"region": "r.residence", "school": "r.school_code", "owner": "NULL", "sealed": "FALSE"}
_PUPILS = (
    # Only the pupils of the rows are looked up: another county's payments and relief are not read for it, but what
    # another county paid to a pupil who came from there counts.
    "WITH whose AS (SELECT DISTINCT r.subject_id FROM student_register r WHERE {rows}),"
    " paid AS (SELECT subject_id, sum(amount) AS fen FROM aid_payment WHERE subject_id IN whose AND term = :term"
    " AND instr(:schemes, '|' || scheme || '|') GROUP BY subject_id),"
    " relieved AS (SELECT DISTINCT subject_id FROM relief_register WHERE subject_id IN whose AND from_date <= :until"
    " AND (to_date IS NULL OR to_date >= :starts) AND instr(:classes, '|' || relief_class || '|'))"
    " SELECT r.subject_id, r.region, r.status, r.status_date, r.confirmed_on, r.grade, r.boarding,"
    " r.economic_hardship, r.subject_id IN relieved, COALESCE(p.fen, 0), r.residence, r.school_code"
    " FROM student_register r LEFT JOIN paid p ON p.subject_id = r.subject_id"
    " WHERE (r.economic_hardship OR p.fen > 0 OR r.subject_id IN relieved)"
    " AND (r.status = 'enrolled' OR NOT EXISTS (SELECT 1 FROM student_register o WHERE o.subject_id = r.subject_id"
    " AND o.status = 'enrolled')) AND {rows} ORDER BY r.subject_id, r.status_date"
)
_TOLD = (
    "SELECT u.region, max(CASE WHEN u.exchange = :relief THEN u.law_date END),"
    " EXISTS (SELECT 1 FROM student_register r WHERE r.region = u.region AND r.economic_hardship),"
    " EXISTS (SELECT 1 FROM aid_payment p WHERE p.region = u.region AND p.term = :term)"
    " FROM upload u WHERE u.region >= :region AND u.region < :region || ':' GROUP BY u.region"
)
_POPULATION = (
    "SELECT r.residence, r.grade, r.boarding, count(*) FROM student_register r WHERE r.status = 'enrolled'"
    " AND {rows} GROUP BY 1, 2, 3"
)
_COUNTY = 6

_Pupil = tuple[SubjectId, PupilAid, str, str]


class SqliteAidRows:
    """`gateway.domain.aid_rows.AidRows` over a connection: the reader's, or that of a write transaction."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    def pupils(
        self, rows: Predicate, region: str, book: AidBook, term: Term, today: date
    ) -> Iterable[tuple[SubjectId, PupilAid, str]]:
        """(child, facts, residence); of a child in several registers, what the newest says."""
        where, binds = to_sql(And((rows, InRegion("region", region))), _COLUMNS)
        found = self._pupils(where, binds, book, term, today)
        return [(subject, pupil, residence) for subject, pupil, residence, _ in found]

    def enrolled(self, region: str, book: AidBook, term: Term, today: date) -> Iterable[_Pupil]:
        """(child, facts, residence, school) of the county's own register, wherever they live."""
        return self._pupils("r.region = :county", {"county": region}, book, term, today)

    def _pupils(
        self, where: str, binds: Mapping[str, object], book: AidBook, term: Term, today: date
    ) -> Iterable[_Pupil]:
        cursor = self._connection().execute(
            _PUPILS.format(rows=where), {**binds, **_terms(book, term, today)}
        )
        return _Assembly().pupils(cursor).values()

    def told(self, region: str, term: Term, today: date, stale_days: int) -> dict[str, Told]:
        """County → which of its sources have spoken; relief longer silent than a register may be has not."""
        fresh = (today - timedelta(days=stale_days)).isoformat()
        found = self._connection().execute(
            _TOLD, {"relief": RELIEF, "term": term.code, "region": region[:_COUNTY]}
        )
        return {
            county: Told(bool(hardship), bool(relief and relief >= fresh), bool(payments))
            for county, relief, hardship, payments in found
        }

    def population(self, region: str) -> Sequence[tuple[str, int, str, int]]:
        """Counts of enrolled pupils who live in the region."""
        where, binds = to_sql(InRegion("region", region), _COLUMNS)
        return self._connection().execute(_POPULATION.format(rows=where), binds).fetchall()

    def register_as_of(self, region: str) -> date | None:
        """The newest law date on which the county's register was handed in."""
        return register_as_of(self._connection(), region)

    def version(self) -> object:
        """Of the facts."""
        return self._connection().execute(FACTS_VERSION).fetchone()


def _terms(book: AidBook, term: Term, today: date) -> Mapping[str, str]:
    return {
        "term": term.code,
        "starts": term.starts.isoformat(),
        "until": min(term.ends, today).isoformat(),
        "classes": one_of(book.relief_classes),
        "schemes": one_of(book.schemes),
    }


class _Assembly:
    """Rows into pupils; what is alike is made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], PupilAid] = {}

    def pupils(self, cursor: Iterable[tuple[Any, ...]]) -> dict[SubjectId, _Pupil]:
        """By child; a later row of the same child takes the earlier one's place."""
        found: dict[SubjectId, _Pupil] = {}
        known, learn = self._known.get, self._learn
        for subject, *facts, residence, school in cursor:
            key = tuple(facts)
            found[subject] = (subject, known(key) or learn(key), residence, school)
        return found

    def _learn(self, row: tuple[Any, ...]) -> PupilAid:
        region, status, since, confirmed, grade, boarding, hardship, relief, paid = row
        day = date.fromisoformat
        made = PupilAid(
            region, status, day(since), day(confirmed), grade, boarding, bool(hardship), bool(relief), paid
        )
        self._known[row] = made
        return made
