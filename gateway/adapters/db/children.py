"""What is known of a child: one statement on the hot path, set by set for the rules."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date

from gateway.domain.model import Absence, ChildFacts, Enrolment, SubjectId
from gateway.domain.predicate import COUNTY_DIGITS

_REGISTER_AS_OF = "SELECT max(law_date) FROM upload WHERE region = ? AND exchange = 'student-register'"
_ABSENCE = (
    "(SELECT a.month || ':' || CASE WHEN a.excused THEN 0 ELSE a.longest_absence END"
    " || CASE WHEN a.days_absent < a.days_expected THEN '' ELSE ':away' END FROM attendance a"
    " WHERE a.subject_id = {subject} ORDER BY a.month DESC LIMIT 1)"
)
_ENROLMENT = "r.region, r.status, r.status_date, r.residence, r.school_code, r.birth_date, r.confirmed_on"

ONE_CHILD = (
    f"SELECT i.subject_id, {_ABSENCE.format(subject='i.subject_id')}, {_ENROLMENT}"
    " FROM identifier i LEFT JOIN student_register r ON r.subject_id = i.subject_id WHERE i.lookup = ?"
)
MANY_CHILDREN = (
    f"SELECT b.id, {_ABSENCE.format(subject='b.id')}, {_ENROLMENT}"
    " FROM temp.facts_of b LEFT JOIN student_register r ON r.subject_id = b.id"
)

_Row = tuple[bytes, str | None, str | None, str, str, str, str, str, str]


def absence_of(text: str | None) -> Absence | None:
    """``2026-10:6`` as the newest attendance row; ``2026-10:6:away`` of a child who was there on no day."""
    if text is None:
        return None
    month, days, *away = text.split(":")
    return Absence(month, int(days), attended=not away)


def enrolment_of(row: Sequence[str]) -> Enrolment:
    """The seven columns of `_ENROLMENT` as an enrolment."""
    region, status, status_date, residence, school, birth, confirmed = row
    day = date.fromisoformat
    return Enrolment(region, status, day(status_date), day(confirmed), residence, school, day(birth))


def facts_of(rows: Sequence[_Row], register_as_of: date | None) -> ChildFacts:
    """All rows of one child put together."""
    return ChildFacts(
        SubjectId(rows[0][0]),
        tuple(enrolment_of(row[2:]) for row in rows if row[2] is not None),  # type: ignore[arg-type]
        absence_of(rows[0][1]),
        register_as_of,
    )


def register_as_of(connection: sqlite3.Connection, region: str) -> date | None:
    """The newest law date on which the county's register was handed in."""
    found = connection.execute(_REGISTER_AS_OF, (region[:COUNTY_DIGITS],)).fetchone()[0]
    return date.fromisoformat(found) if found else None


def one_child(connection: sqlite3.Connection, lookup: bytes, region: str) -> ChildFacts:
    """The child with that keyed identifier; `subject` is None when nobody knows it."""
    rows = connection.execute(ONE_CHILD, (lookup,)).fetchall()
    if rows and rows[0][2] is not None:
        return facts_of(rows, None)
    as_of = register_as_of(connection, region)
    return facts_of(rows, as_of) if rows else ChildFacts(None, register_as_of=as_of)


def many_facts(connection: sqlite3.Connection, subjects: Iterable[bytes]) -> dict[bytes, ChildFacts]:
    """The facts of many children, through a temporary table, by subject id."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS facts_of (id BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.facts_of")
    connection.executemany(
        "INSERT OR IGNORE INTO temp.facts_of VALUES (?)", ((subject,) for subject in subjects)
    )
    grouped: dict[bytes, list[_Row]] = {}
    for row in connection.execute(MANY_CHILDREN):
        grouped.setdefault(row[0], []).append(row)
    return {subject: facts_of(rows, None) for subject, rows in grouped.items()}
