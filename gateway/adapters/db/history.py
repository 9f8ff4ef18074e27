"""The history a rule is tried over: one snapshot of the store, opened read-only so that it can run beside a gateway."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from gateway.adapters.db.children import absence_of, enrolment_of
from gateway.domain.backtest import ChildHistory, Spell, Truth
from gateway.domain.case import State
from gateway.domain.errors import SourceUnavailable
from gateway.domain.model import Absence, SubjectId
from gateway.domain.rules import ABSENCE, STATUS, TRANSFER, Condition

_BUSY_MILLISECONDS = 10_000
_CONFIRMED = (State.VERIFIED, State.PERSUADING, State.NOTIFIED, State.SANCTIONED, State.REFERRED)
"""States of a case in which somebody has found that the child is out of school."""
_CHOSEN = {
    ABSENCE: "SELECT subject_id FROM attendance WHERE NOT excused AND longest_absence >= :least AND month <= :month",
    STATUS: "SELECT subject_id FROM student_register WHERE status = 'dropped_out' AND :least IS NOT :month",
    TRANSFER: "SELECT subject_id FROM student_register WHERE status = 'transferred_out' AND :least IS NOT :month",
}
_REGISTERS = (
    "SELECT subject_id, region, status, status_date, residence, school_code, birth_date, confirmed_on"
    " FROM student_register WHERE subject_id IN ({chosen}) ORDER BY subject_id, region"
)
_ATTENDANCE = (
    "SELECT subject_id, month || ':' || CASE WHEN excused THEN 0 ELSE longest_absence END FROM attendance"
    " WHERE subject_id IN ({chosen}) AND month <= :month ORDER BY subject_id, month"
)
_VERIFIED = (
    "SELECT c.subject_id, min(e.on_date), c.ended_on FROM case_file c JOIN case_entry e ON e.case_ref = c.ref"
    " WHERE e.kind = 'step' AND c.state <> 'wrong_report' AND e.state IN ({states}) GROUP BY c.ref"
)


@contextmanager
def reading(path: Path) -> Iterator["SqliteHistory"]:
    """One snapshot; nothing can be written. SourceUnavailable when it cannot be read."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        connection.execute("BEGIN")
        yield SqliteHistory(connection)
    except sqlite3.Error as error:
        raise SourceUnavailable("数据库暂不能读取。", "The store cannot be read now.") from error
    finally:
        if connection is not None:
            connection.close()


class SqliteHistory:
    """`gateway.domain.backtest.History`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def newest(self) -> date | None:
        """The last law date on which a register or attendance was handed in."""
        (found,) = self._db.execute(
            "SELECT max(law_date) FROM upload WHERE exchange IN ('student-register', 'attendance')"
        ).fetchone()
        return date.fromisoformat(found) if found else None

    def children(self, when: Condition, least: int, until: date) -> Iterable[ChildHistory]:
        """Those whom the condition can concern and a register knows, with all their rows up to that month."""
        chosen, month = _CHOSEN[when.word], {"least": least, "month": until.isoformat()[:7]}
        absences: dict[bytes, list[Absence]] = {}
        for subject, text in self._db.execute(_ATTENDANCE.format(chosen=chosen), month):
            absence = absence_of(text)
            if absence is not None:
                absences.setdefault(subject, []).append(absence)
        rows = self._db.execute(_REGISTERS.format(chosen=chosen), month)
        for subject, own in groupby(rows, key=lambda row: row[0]):
            enrolments = tuple(enrolment_of(row[1:]) for row in own)
            yield ChildHistory(SubjectId(subject), enrolments, tuple(absences.get(subject, ())))

    def truth(self, registered: bool) -> Truth:
        """A case counts from its first confirming step to its end; a register's dropout from its day on."""
        out: dict[SubjectId, list[Spell]] = {}
        marks = ", ".join("?" * len(_CONFIRMED))
        found = self._db.execute(_VERIFIED.format(states=marks), [state.value for state in _CONFIRMED])
        dropouts = self._db.execute(
            "SELECT subject_id, status_date, NULL FROM student_register WHERE status = 'dropped_out'"
        )
        for subject, since, until in [*found, *(dropouts if registered else ())]:
            end = date.fromisoformat(until) + timedelta(days=1) if until else None
            out.setdefault(SubjectId(subject), []).append(Spell(date.fromisoformat(since), end))
        return Truth(out, self._wrong())

    def _wrong(self) -> dict[SubjectId, date]:
        rows = self._db.execute(
            "SELECT subject_id, max(ended_on) FROM case_file WHERE state = 'wrong_report' GROUP BY subject_id"
        )
        return {SubjectId(subject): date.fromisoformat(day) for subject, day in rows if day}

    def officers(self) -> int:
        """Schools in the registers, and townships of children without one."""
        (found,) = self._db.execute(
            "SELECT count(DISTINCT COALESCE(NULLIF(school_code, ''), substr(residence, 1, 9))) FROM student_register"
        ).fetchone()
        return int(found)
