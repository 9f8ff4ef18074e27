"""One child's rows in every table of facts of its county, and its cases with their history."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.cases import CASE, CASE_COLUMNS, case_of, entries_of
from gateway.adapters.db.engine import moment
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import LeadLine
from gateway.domain.child_file import Kept
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import Predicate

_OF = "WHERE region = ? AND subject_id = ?"
_REGISTERS = (
    "SELECT region, school_code AS school, grade, boarding, status, status_date AS since, confirmed_on,"
    f" economic_hardship, left_behind, single_parent FROM student_register {_OF} ORDER BY status_date DESC"
)
_ATTENDANCE = f"SELECT month, days_expected, days_absent, longest_absence, excused FROM attendance {_OF} ORDER BY month DESC"
_RELIEF = f"SELECT relief_class, from_date, to_date FROM relief_register {_OF} ORDER BY from_date DESC"
_ADVICE = (
    f"SELECT assessed_on, suitability AS advised_placement FROM disability_assessment {_OF}"
    " ORDER BY assessed_on DESC"
)
_BOOLEAN = frozenset({"excused", "economic_hardship", "left_behind", "single_parent"})
_LEAD_COLUMNS = {"region": "l.residence", "school": "l.school", "owner": "l.owner", "sealed": "l.sealed"}


class SqliteChildFiles:
    """`gateway.domain.child_file.ChildFiles` over an open write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def of(self, subject: SubjectId, region: str, rows: Predicate) -> Kept:
        """Facts of that county; cases and leads of it that are among the rows the caller may see."""
        who = (region, subject)
        handed_in = self._db.execute("SELECT DISTINCT exchange FROM upload WHERE region = ?", (region,))
        return Kept(
            registers=self._rows(_REGISTERS, who),
            attendance=self._rows(_ATTENDANCE, who),
            relief=self._rows(_RELIEF, who),
            advice=self._rows(_ADVICE, who),
            cases=[(case, entries_of(self._db, self._keys, case.ref)) for case in self._cases(who, rows)],
            leads=self._leads(who, rows),
            handed_in=frozenset(row[0] for row in handed_in),
        )

    def _rows(self, text: str, who: tuple[str, bytes]) -> list[dict[str, object]]:
        cursor = self._db.execute(text, who)
        names = [column[0] for column in cursor.description]
        return [
            {name: bool(value) if name in _BOOLEAN else value for name, value in zip(names, row, strict=True)}
            for row in cursor
        ]

    def _cases(self, who: tuple[str, bytes], rows: Predicate) -> list[Any]:
        where, binds = to_sql(rows, CASE_COLUMNS)
        found = self._db.execute(
            f"SELECT {CASE} FROM case_file c WHERE c.region = :f_region AND c.subject_id = :f_child AND {where}"
            " ORDER BY c.opened_at DESC",
            {**binds, "f_region": who[0], "f_child": who[1]},
        )
        return [case_of(row) for row in found.fetchall()]

    def _leads(self, who: tuple[str, bytes], rows: Predicate) -> list[LeadLine]:
        where, binds = to_sql(rows, _LEAD_COLUMNS)
        found = self._db.execute(
            "SELECT l.id, l.rule, l.status, l.opened_at, l.due_on, l.facts FROM lead l"
            f" WHERE l.region = :f_region AND l.subject_id = :f_child AND {where} ORDER BY l.opened_at DESC, l.id",
            {**binds, "f_region": who[0], "f_child": who[1]},
        )
        return [_lead(row) for row in found]


def _lead(row: Sequence[Any]) -> LeadLine:
    day = date.fromisoformat(row[4])
    return LeadLine(row[0], row[1], row[2], moment(row[3]), day, tuple(orjson.loads(row[5])))
