"""What the registers prove of an open case: facts in, the step they carry out. Silence proves nothing.

Sources: 义务教育法 art. 13, 58; 控辍保学“动态销号”. A dropped lead is no step: see docs/decisions/0022.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from gateway.domain.case import CaseFile, State
from gateway.domain.model import ChildFacts, Enrolment
from gateway.domain.schooling import Thresholds, fresh_of, judge, newest

ENROLLED, GRADUATED, DECEASED = "enrolled", "graduated", "deceased"
_BACK = frozenset({State.RETURNED, State.OBSERVING})


@dataclass(frozen=True, slots=True)
class Month:
    """A month's attendance of a child in the case's own county; `as_of` the law date of the file it came with."""

    month: str
    expected: int
    absent: int
    longest_unexcused: int
    as_of: date


class Unheeded(NamedTuple):
    """A served instrument whose term is over, `due_on` its last day, and the case that stands where it stood."""

    instrument: str
    due_on: date
    case: CaseFile


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case with what its history says: `floor` the last day on which somebody or something said the child is
    out of school, `confirmed` the days of observation that are confirmed since the last return."""

    case: CaseFile
    floor: date
    confirmed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Proven:
    """A step, and its evidence."""

    step: str
    evidence: Mapping[str, object]


def proven(found: OpenCase, child: ChildFacts, today: date, limits: Thresholds) -> Proven | None:
    """The step that the registers carry, if any; what a register dates later than `today` is not known yet."""
    fresh = fresh_of(child.enrolments, today, limits)
    row = newest(fresh) if fresh else None
    if row is None or row.status_date > today:
        return None
    answer = judge(child, today, limits)
    on = row.status_date.isoformat()
    match answer.because:
        case "deceased":
            return Proven("decease", {"deceased_on": on})
        case "graduated" if row.status_date > found.floor:
            return Proven("graduate", {"graduated_on": on})
        case "enrolled" if _is_back(found, row):
            return Proven("return", {"returned_on": on, "school": row.school_code, "source": "register"})
        case "registered-dropout" | "absence-threshold" if found.case.state in _BACK:
            return _relapse(found.case, child, row, answer.because, today)
    return None


def _is_back(found: OpenCase, row: Enrolment) -> bool:
    """In a school of the case's own county, since a day after the last on which the child was out.

    Another county's register is no return and no move: the receiving county confirms that it took the child over.
    """
    case = found.case
    inside = row.region == case.region and row.status == ENROLLED
    return inside and row.status_date > found.floor and case.state not in _BACK


def _relapse(case: CaseFile, child: ChildFacts, row: Enrolment, because: str, today: date) -> Proven | None:
    since = case.observed_from or case.since
    if because == "registered-dropout":
        day = row.status_date
    elif child.absence is None or child.absence.month <= f"{since:%Y-%m}":
        return None  # the month of the return tells of days before it, too
    else:
        day = min(_end_of(child.absence.month), today)
    return Proven("relapse", {"relapsed_on": day.isoformat(), "source": "register"}) if day > since else None


def attended(months: Sequence[Month], since: date, until: date, limits: Thresholds) -> bool:
    """Whether the files show the child in class from `since` to `until`: every month there, none with an unexcused
    absence over the threshold or without a day in class, the last from a file of that day or later."""
    known = {each.month: each for each in months}
    asked = [known.get(month) for month in _months(since, until)]
    there = [each for each in asked if each is not None]
    return (
        len(there) == len(asked)
        and all(_in_class(each, limits) for each in there)
        and any(each.absent < each.expected for each in there)
        and there[-1].as_of >= until
    )


def _in_class(month: Month, limits: Thresholds) -> bool:
    present = month.expected == 0 or month.absent < month.expected
    return present and month.longest_unexcused < limits.absence_days


def _months(since: date, until: date) -> Iterator[str]:
    at = since.replace(day=1)
    while at <= until:
        yield f"{at:%Y-%m}"
        at = (at + timedelta(days=31)).replace(day=1)


def _end_of(month: str) -> date:
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
