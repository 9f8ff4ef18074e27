"""One child's rows in every table of facts of its county, and its cases with their history."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.cases import CASE, CASE_COLUMNS, case_of, entries_of
from gateway.adapters.db.engine import moment
from gateway.adapters.db.focus import groups_of
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import LeadLine
from gateway.domain.child_file import Kept
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import Predicate

_OF = "WHERE region = ? AND subject_id = ?"
_REGISTERS = (
    "SELECT region, school_code AS school, grade, boarding, status, status_date AS since, confirmed_on"
    f" FROM student_register {_OF} ORDER BY status_date DESC"
)
_ATTENDANCE = f"SELECT month, days_expected, days_absent, longest_absence, excused FROM attendance {_OF} ORDER BY month DESC"
_RELIEF = f"SELECT relief_class, from_date, to_date FROM relief_register {_OF} ORDER BY from_date DESC"
_ADVICE = (
    f"SELECT assessed_on, suitability AS advised_placement FROM disability_assessment {_OF}"
    " ORDER BY assessed_on DESC"
)
_PAYMENTS = f"SELECT term, scheme, amount, paid_on FROM aid_payment {_OF} ORDER BY paid_on DESC, term, scheme"
_SIGHTINGS = (
    "SELECT s.inspected_on, i.finding, i.measure FROM sighting s"
    " JOIN inspection i ON i.region = s.region AND i.id = s.inspection_id"
    " WHERE s.region = ? AND s.subject_id = ? ORDER BY s.inspected_on DESC, s.inspection_id"
)
_HANDED_IN = (
    "SELECT DISTINCT u.exchange FROM upload u LEFT JOIN client c ON c.id = u.client"
    " LEFT JOIN student_register r ON r.region = ?1 AND r.subject_id = ?2"
    " WHERE u.region = ?1 AND CASE WHEN c.school IS NOT NULL THEN c.school = r.school_code"
    " ELSE length(COALESCE(c.region, '')) <= 6 OR substr(r.residence, 1, length(c.region)) = c.region END"
    " AND (u.receipt = '{}' OR json_extract(u.receipt, '$.rejected') = 0"
    " OR json_extract(u.receipt, '$.rejected') < json_extract(u.receipt, '$.rows'))"
)
"""A teacher hands in for the own school, a township's office for the township: of other children that says nothing,
nor does a file of which no row was taken. (An old receipt is emptied.)"""
_BOOLEAN = frozenset({"excused"})
_LEAD_COLUMNS = {"region": "l.residence", "school": "l.school", "owner": "c.owner", "sealed": "c.sealed"}


class SqliteChildFiles:
    """`gateway.domain.child_file.ChildFiles` over an open write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def of(self, subject: SubjectId, region: str, today: date, rows: Predicate) -> Kept:
        """Facts of that county; cases and leads of it that are among the rows the caller may see."""
        who = (region, subject)
        return Kept(
            registers=self._rows(_REGISTERS, who),
            attendance=self._rows(_ATTENDANCE, who),
            relief=self._rows(_RELIEF, who),
            payments=self._rows(_PAYMENTS, who),
            sightings=self._rows(_SIGHTINGS, who),
            advice=self._rows(_ADVICE, who),
            groups=groups_of(self._db, subject, region, today),
            cases=[(case, entries_of(self._db, self._keys, case.ref)) for case in self._cases(who, rows)],
            leads=self._leads(who, rows),
            handed_in=frozenset(row[0] for row in self._db.execute(_HANDED_IN, who)),
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
            " JOIN case_file c ON c.ref = l.case_ref"
            f" WHERE l.region = :f_region AND l.subject_id = :f_child AND {where} ORDER BY l.opened_at DESC, l.id",
            {**binds, "f_region": who[0], "f_child": who[1]},
        )
        return [_lead(row) for row in found]


def _lead(row: Sequence[Any]) -> LeadLine:
    day = date.fromisoformat(row[4])
    return LeadLine(row[0], row[1], row[2], moment(row[3]), day, tuple(orjson.loads(row[5])))
