"""What hangs on a case: its leads and duties, read, handed over to another case, and taken back."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.engine import moment
from gateway.domain.case import CaseWork, DutyLine, LeadLine

_LEADS = (
    "SELECT id, rule, status, opened_at, due_on, facts FROM lead WHERE case_ref = ?"
    " AND region = (SELECT region FROM case_file WHERE ref = ?1) ORDER BY opened_at, id"
)
_DUTIES = "SELECT id, kind, owner, due_on, status, facts, done_on, lead_id FROM duty WHERE case_ref = ? ORDER BY due_on, id"


def work_of(connection: sqlite3.Connection, ref: str) -> CaseWork:
    """The case's leads and duties."""
    leads = [_lead(row) for row in connection.execute(_LEADS, (ref,))]
    return CaseWork(leads, [_duty(row) for row in connection.execute(_DUTIES, (ref,))])


def _lead(row: Sequence[Any]) -> LeadLine:
    day = date.fromisoformat(row[4])
    return LeadLine(row[0], row[1], row[2], moment(row[3]), day, tuple(orjson.loads(row[5])))


def _duty(row: Sequence[Any]) -> DutyLine:
    done = date.fromisoformat(row[6]) if row[6] else None
    return DutyLine(
        row[0], row[1], row[2], date.fromisoformat(row[3]), row[4], orjson.loads(row[5]), done, row[7]
    )


def hand_over(connection: sqlite3.Connection, ref: str, into: str) -> dict[str, list[str]]:
    """Moves the case's leads and duties to another; which they were."""
    work = work_of(connection, ref)
    moved = {"leads": [each.id for each in work.leads], "duties": [each.id for each in work.duties]}
    for table, ids in _tables(moved):
        connection.executemany(
            f"UPDATE {table} SET case_ref = ? WHERE id = ?", [(into, each) for each in ids]
        )
    return moved


def take_back(
    connection: sqlite3.Connection, ref: str, moved: Mapping[str, Sequence[str]], since: Collection[str]
) -> None:
    """Moves back what still belongs to one of those cases."""
    marks = ", ".join("?" * len(since))
    for table, ids in _tables(moved):
        connection.executemany(
            f"UPDATE {table} SET case_ref = ? WHERE id = ? AND case_ref IN ({marks})",
            [(ref, each, *since) for each in ids],
        )


def _tables(moved: Mapping[str, Sequence[str]]) -> list[tuple[str, Sequence[str]]]:
    return [("lead", moved["leads"]), ("duty", moved["duties"])]
