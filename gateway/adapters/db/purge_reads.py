"""What the purge asks of the store about children: whole, or only those of a temporary table."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag

from gateway.adapters.db.fact_tables import TABLES as FACT_TABLES
from gateway.adapters.places import TABLES
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.retention import Since, Span, Standing
from schemas.identifiers import IdentifierError, parse_resident_id

EVENTS: dict[str, tuple[str, Since]] = {
    # dataset: the column its rows count from by themselves
    "attendance": ("month", "month"),
    "relief-register": ("to_date", "relief_end"),
    "disability-assessment": ("assessed_on", "assessed"),
    "sightings": ("inspected_on", "inspected"),
    "focus-groups": ("to_date", "focus_end"),
}
_HOLDING = tuple(
    (place.id, place.child) for place in TABLES if place.child and place.rule in {*FACT_TABLES, "leads"}
)
"""Tables by which something is held about a child: the facts, and the work on them."""

UNREGISTERED_ANYWHERE = " UNION ".join(
    f"SELECT DISTINCT {column} AS id FROM {table} WHERE {column} NOT IN (SELECT subject_id FROM student_register)"
    for table, column in _HOLDING
    if table != "student_register"
)
"""Children of whom something is held, and whom no register shows."""

NOTHING = " AND ".join(f"id NOT IN (SELECT {column} FROM {table})" for table, column in _HOLDING)
_STILL_HELD = f"SELECT id FROM temp.going WHERE id IN (SELECT id FROM subject) OR NOT ({NOTHING})"
OPEN = (
    "SELECT subject_id FROM lead WHERE status <> 'closed'"
    " UNION SELECT subject_id FROM case_file WHERE ended_on IS NULL"
    " UNION SELECT l.subject_id FROM lead l JOIN case_file c ON c.ref = l.case_ref WHERE c.ended_on IS NULL"
)
"""Children with open work; a case merged into an open one is a part of it."""
REGISTERED = (
    "SELECT r.subject_id, r.birth_date, r.status, r.status_date, s.created_on FROM student_register r"
    " LEFT JOIN subject s ON s.id = r.subject_id WHERE r.subject_id IN ({which})"
)
UNREGISTERED = (
    "SELECT x.id, s.created_on, s.data_key, s.sealed FROM ({which}) x LEFT JOIN subject s ON s.id = x.id"
    " WHERE x.id NOT IN (SELECT subject_id FROM student_register)"
)
_LONG_AGO = date(1900, 1, 1)
"""When a row's child is not in the vault (any more), the row names nobody: it is due at once."""


def going(connection: sqlite3.Connection, subjects: Iterable[bytes]) -> None:
    """Put these children into the temporary table."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS going (id BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.going")
    connection.executemany("INSERT OR IGNORE INTO temp.going VALUES (?)", ((each,) for each in subjects))


def spans_of(connection: sqlite3.Connection, keys: KeyRing, subjects: Collection[bytes]) -> list[Span]:
    """These children, as they stand now; a child that another run deleted meanwhile is none any more."""
    going(connection, subjects)
    found = registered(connection.execute(REGISTERED.format(which="SELECT id FROM temp.going")))
    return [*found, *unregistered(connection, keys, _STILL_HELD)]


def open_work_of(connection: sqlite3.Connection, subjects: Collection[bytes]) -> set[bytes]:
    """Those of the children with a lead or case that is not closed."""
    going(connection, subjects)
    rows = connection.execute(
        f"SELECT subject_id FROM ({OPEN}) WHERE subject_id IN (SELECT id FROM temp.going)"
    )
    return {row[0] for row in rows}


def still_orphans(connection: sqlite3.Connection, subjects: Collection[bytes]) -> list[bytes]:
    """Those of the children about whom nothing is held."""
    going(connection, subjects)
    rows = connection.execute(f"SELECT id FROM subject WHERE id IN (SELECT id FROM temp.going) AND {NOTHING}")
    return [row[0] for row in rows]


def registered(rows: Iterable[tuple[Any, ...]]) -> list[Span]:
    """Rows of registers put together by child; of birth dates that differ, the youngest."""
    births: dict[bytes, date] = {}
    made: dict[bytes, date] = {}
    registers: dict[bytes, list[Standing]] = {}
    for subject, birth, status, since, created in rows:
        day = date.fromisoformat(birth)
        births[subject] = max(day, births.get(subject, day))
        made[subject] = date.fromisoformat(created) if created else _LONG_AGO
        registers.setdefault(subject, []).append(Standing(status, date.fromisoformat(since)))
    return [
        Span(subject, births[subject] if made[subject] > _LONG_AGO else None, made[subject], tuple(standing))
        for subject, standing in registers.items()
    ]


def unregistered(connection: sqlite3.Connection, keys: KeyRing, which: str) -> Iterator[Span]:
    """Children in no register: the birth date stands in the sealed id number only."""
    for subject, created, wrapped, sealed in connection.execute(UNREGISTERED.format(which=which)).fetchall():
        if created is None:
            yield Span(subject, None, _LONG_AGO)
            continue
        yield Span(subject, _birth(keys, subject, wrapped, sealed), date.fromisoformat(created))


def _birth(keys: KeyRing, subject: bytes, wrapped: bytes, sealed: bytes) -> date | None:
    try:
        identity = orjson.loads(keys.open_identity(SubjectId(subject), wrapped, sealed))
        return parse_resident_id(identity["resident_id"] or "").birth_date
    except (IdentifierError, InvalidTag):  # what cannot be opened or read counts from the day it was made
        return None
