"""Is the child out of school? Judged from the registers, three-valued: no data is never "in school".

Source: 义务教育法 art. 11, 14, 58; the table of defaults stands in `policies/thresholds.yaml`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from gateway.domain.model import Absence, ChildFacts, Schooling, SchoolingAnswer, Standing, Standings

REGISTER = "student-register"

Row = TypeVar("Row", bound=Standing)
IN_SCHOOL = frozenset({"enrolled", "on_leave", "deferred", "exempt"})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days; every county sets its own in `policies/thresholds.yaml`."""

    register_stale_days: int
    transfer_days: int
    absence_days: int
    attendance_stale_days: int


def judge(child: ChildFacts | Standings, today: date, limits: Thresholds) -> SchoolingAnswer:
    """The child's schooling as of `today` (law date, Asia/Shanghai).

    One county cannot take back what another says: a child whom one register shows in school and another as dropped
    out is unknown until a person has looked. A child transferred out has arrived where a register shows it.
    """
    fresh = fresh_of(child.enrolments, today, limits)
    if not fresh:
        return _without_register(child, today, limits)
    row = newest(fresh)
    if row.status in IN_SCHOOL and any(each.status == "dropped_out" for each in fresh):
        return SchoolingAnswer("unknown", "registers-disagree", row.confirmed_on)
    answer, because = _by_status(row, child.absence, today, limits)
    return SchoolingAnswer(answer, because, row.confirmed_on)


def fresh_of(rows: Iterable[Row], today: date, limits: Thresholds) -> list[Row]:
    """The rows of registers that are not too old to be believed."""
    return [row for row in rows if not _stale(row.confirmed_on, today, limits)]


def newest(rows: Iterable[Row]) -> Row:
    """The row that speaks last, of one or more: on one day, a register that shows the child arrived beats one it left."""
    return max(rows, key=lambda row: (row.status_date, row.status in IN_SCHOOL, row.confirmed_on))


def _stale(confirmed_on: date, today: date, limits: Thresholds) -> bool:
    return today - confirmed_on > timedelta(days=limits.register_stale_days)


def _without_register(child: ChildFacts | Standings, today: date, limits: Thresholds) -> SchoolingAnswer:
    """Known only from an old file, or from none: unknown, and whether the register itself is missing."""
    as_of = child.register_as_of
    if child.enrolments:
        told = max(row.confirmed_on for row in child.enrolments)
        return SchoolingAnswer("unknown", "register-stale", told, (REGISTER,))
    if as_of is None or _stale(as_of, today, limits):
        return SchoolingAnswer("unknown", "register-missing", as_of, (REGISTER,))
    return SchoolingAnswer("unknown", "in-no-register", as_of)


def _by_status(
    row: Standing, absence: Absence | None, today: date, limits: Thresholds
) -> tuple[Schooling, str]:
    match row.status:
        case "dropped_out":
            return "yes", "registered-dropout"
        case "transferred_out":
            return _by_transfer(row, today, limits)
        case "graduated":
            return "completed", "graduated"
        case status if status in IN_SCHOOL:
            if status == "enrolled" and absent_too_long(absence, today, limits):
                return "unknown", "absence-threshold"
            return "no", status
    return "unknown", row.status


def _by_transfer(row: Standing, today: date, limits: Thresholds) -> tuple[Schooling, str]:
    if transfer_overdue(row.status_date, today, limits):
        return "yes", "transfer-not-arrived"
    return "unknown", "transfer-under-way"


def transfer_overdue(left_on: date, today: date, limits: Thresholds) -> bool:
    """Whether the days a receiving school has to enrol the child have passed."""
    return today - left_on > timedelta(days=limits.transfer_days)


def absent_too_long(absence: Absence | None, today: date, limits: Thresholds) -> bool:
    """Whether the newest attendance shows unexcused absence at or over the threshold, and is recent enough to count."""
    if absence is None or absence.longest_unexcused < limits.absence_days:
        return False
    year, month = (int(part) for part in absence.month.split("-"))
    month_end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return today - month_end <= timedelta(days=limits.attendance_stale_days)
