"""What reports count: one grouped query a figure, whatever the number of schools or townships."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from gateway.domain.package import ORIGIN
from gateway.domain.reporting import LASTING, Level, Period

_CASE = "case_file c"
_STEPS = (
    "case_entry e JOIN case_file c ON c.ref = e.case_ref"
    f" AND json_extract(e.body, '$.{ORIGIN}') IS NULL"  # what another county did is in that county's reports
)
_REGISTER = "student_register r"
_IN = "BETWEEN :first AND :last"


class _Count(NamedTuple):
    """A figure: counted over `rows`, of alias `of`, where `where` holds; `what` is counted, rows by default."""

    of: str
    rows: str
    where: str
    what: str = "*"


_COUNTS: Mapping[str, _Count] = {
    "students": _Count("r", _REGISTER, "r.status IN ('enrolled', 'on_leave')"),
    "on_leave": _Count("r", _REGISTER, "r.status = 'on_leave'"),
    "exempt": _Count("r", _REGISTER, "r.status IN ('deferred', 'exempt')"),
    "left": _Count("r", _REGISTER, f"r.status = 'dropped_out' AND r.status_date {_IN}"),
    "transferred_out": _Count("r", _REGISTER, f"r.status = 'transferred_out' AND r.status_date {_IN}"),
    "absent": _Count(
        "r",
        "attendance a JOIN student_register r USING (region, subject_id)",
        "a.month BETWEEN substr(:first, 1, 7) AND substr(:last, 1, 7) AND a.excused = 0"
        " AND a.longest_absence >= :absence",
        "DISTINCT r.subject_id",
    ),
    "opened": _Count("c", _CASE, f"c.opened_on {_IN}"),
    "verified": _Count("c", _STEPS, f"e.step = 'verify' AND e.on_date {_IN}"),
    "returned": _Count("c", _STEPS, f"e.step = 'return' AND e.on_date {_IN}"),
    "closed": _Count("c", _STEPS, f"e.step = 'close' AND e.on_date {_IN}"),
    "relapsed": _Count("c", _STEPS, f"e.step = 'relapse' AND e.on_date {_IN}"),
    "visits": _Count("c", _STEPS, f"e.kind = 'visit' AND e.on_date {_IN}"),
    "suspected_now": _Count("c", _CASE, "c.ended_on IS NULL AND c.state = 'suspected'"),
    "dropped_out_now": _Count("c", _CASE, "c.ended_on IS NULL AND c.state <> 'suspected'"),
    "duties_due": _Count("d", "duty d", f"d.due_on {_IN} AND d.status <> 'cancelled'"),
    "duties_on_time": _Count(
        "d", "duty d", f"d.due_on {_IN} AND d.status = 'done' AND d.done_on <= d.due_on"
    ),
    "unconfirmed": _Count(
        "r",
        _REGISTER,
        "r.status IN ('enrolled', 'on_leave') AND r.confirmed_on < (SELECT max(o.confirmed_on)"
        " FROM student_register o WHERE o.region = :region)",
    ),
    "in_two_registers": _Count(
        "r",
        _REGISTER,
        "r.status = 'enrolled' AND EXISTS (SELECT 1 FROM student_register o WHERE o.subject_id = r.subject_id"
        " AND o.region <> r.region AND o.status = 'enrolled')",
    ),
}

_UNITS: Mapping[Level, Mapping[str, str]] = {
    "school": {"r": "r.school_code", "c": "c.school", "d": "d.school"},
    "township": {each: f"substr({each}.residence, 1, 9)" for each in "rcd"},
    "county": {each: f"{each}.region" for each in "rcd"},
}
_OWED_BY: Mapping[Level, str] = {"school": " AND d.owner = 'school'", "township": " AND d.owner = 'township'"}


def figures_of(
    connection: sqlite3.Connection,
    level: Level,
    region: str,
    period: Period,
    absence_days: int,
    lasting_only: bool = False,
) -> dict[str, dict[str, int]]:
    """Unit → figure → count over one county; a unit that has none of something counts 0 of it.

    A figure whose source is silent is not there: no data is no zero.
    """
    values: dict[str, object] = {
        "region": region,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "absence": absence_days,
    }
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    names = [name for name in (LASTING if lasting_only else _COUNTS) if _told(connection, name, values)]
    for name in names:
        for unit, count in connection.execute(_query(_COUNTS[name], level), values):
            found[unit][name] = count
    return {unit: {name: counts.get(name, 0) for name in names} for unit, counts in found.items()}


def _told(connection: sqlite3.Connection, name: str, values: dict[str, object]) -> bool:
    """Whether the figure's source has spoken for the period: without attendance files nobody is known to be there."""
    if name != "absent":
        return True
    spoken = (
        "SELECT EXISTS (SELECT 1 FROM attendance WHERE region = :region"
        " AND month BETWEEN substr(:first, 1, 7) AND substr(:last, 1, 7))"
    )
    return bool(connection.execute(spoken, values).fetchone()[0])


def _query(count: _Count, level: Level) -> str:
    unit = _UNITS[level][count.of]
    owed = _OWED_BY.get(level, "") if count.of == "d" else ""
    whole = f" AND length({unit}) = 9" if level == "township" else ""
    return (
        f"SELECT {unit}, count({count.what}) FROM {count.rows} WHERE {count.of}.region = :region"
        f" AND {unit} IS NOT NULL{whole} AND {count.where}{owed} GROUP BY 1"
    )


def today_or(text: str | None) -> date | None:
    """A day as the store keeps it."""
    return date.fromisoformat(text) if text else None
