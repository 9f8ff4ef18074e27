"""Checks across the cells of one row, a dataset each: index, field and code of every contradiction.

Columns may hold problems found before; a row with one is not judged again by its caller.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from gateway.domain.cells import Problem, Value
from gateway.domain.employers import LABOUR_AGE
from gateway.domain.redaction import scrubbed
from schemas.identifiers import age_on, parse_resident_id

Columns = Mapping[str, Sequence[Value | Problem]]
Contradiction = tuple[int, str, str]

_ID_LENGTH = 18


def _check_student(columns: Columns) -> Iterator[Contradiction]:
    births = columns["birth_date"]
    compact = {day: day.isoformat().replace("-", "") for day in set(births) if isinstance(day, date)}
    ids = columns.get("id_number") or [None] * len(births)
    for index, (id_number, birth) in enumerate(zip(ids, births, strict=True)):
        if id_number is None:
            if columns["id_type"][index] != "other":
                yield index, "id_number", "missing_required"
        elif not _born_on(id_number, birth, compact):
            yield index, "birth_date", "birth_date_mismatch"


def _born_on(id_number: object, birth: object, compact: Mapping[date, str]) -> bool:
    """Whether the id number holds that birth date; a cell refused before is not judged again."""
    if not isinstance(id_number, str) or not isinstance(birth, date) or id_number[6:14] == compact[birth]:
        return True
    return len(id_number) != _ID_LENGTH and parse_resident_id(id_number).birth_date == birth


def _check_attendance(columns: Columns) -> Iterator[Contradiction]:
    for index, (absent, expected) in enumerate(
        zip(columns["days_absent"], columns["days_expected"], strict=True)
    ):
        if isinstance(absent, int) and isinstance(expected, int) and absent > expected:
            yield index, "days_absent", "out_of_range"


def _check_period(columns: Columns) -> Iterator[Contradiction]:
    starts = columns["from_date"]
    for index, (start, end) in enumerate(
        zip(starts, columns.get("to_date") or [None] * len(starts), strict=True)
    ):
        if isinstance(start, date) and isinstance(end, date) and end < start:
            yield index, "to_date", "out_of_range"


def _check_sighting(columns: Columns) -> Iterator[Contradiction]:
    """Only who was under sixteen on the day is named; words about a place or a firm hold nobody's numbers."""
    days = columns["inspected_on"]
    for index, (id_number, day) in enumerate(
        zip(columns.get("id_number") or [None] * len(days), days, strict=True)
    ):
        if isinstance(id_number, str) and isinstance(day, date):
            born = parse_resident_id(id_number).birth_date
            if day < born or age_on(born, day) >= LABOUR_AGE:
                yield index, "id_number", "not_under_16"
    for name in ("place", "employer_name"):
        for index, text in enumerate(columns.get(name) or ()):
            if isinstance(text, str) and scrubbed(text) != text:
                yield index, name, "personal_data"


ROW_CHECKS: dict[str, Callable[[Columns], Iterator[Contradiction]]] = {
    "student-register": _check_student,
    "attendance": _check_attendance,
    "relief-register": _check_period,
    "disability-assessment": lambda _: iter(()),
    "sightings": _check_sighting,
    "aid-payments": lambda _: iter(()),
    "focus-groups": _check_period,
    "case-outcome": lambda _: iter(()),
}
