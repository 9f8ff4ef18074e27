"""Checks across the cells of one row, a dataset each: field and code of every contradiction."""

from collections.abc import Callable, Mapping
from datetime import date

from gateway.domain.cells import Problem, Value
from schemas.identifiers import parse_resident_id

_ID_LENGTH = 18


def _check_student(values: Mapping[str, Value | Problem]) -> list[tuple[str, str]]:
    id_number = values.get("id_number")
    if id_number is None:
        return [] if values["id_type"] == "other" else [("id_number", "missing_required")]
    if not _born_on(str(id_number), values["birth_date"]):
        return [("birth_date", "birth_date_mismatch")]
    return []


def _born_on(resident_id: str, birth: object) -> bool:
    """Whether that birth date stands inside an id number read before; the old foreigner's card is read again."""
    if not isinstance(birth, date):
        return False
    if len(resident_id) == _ID_LENGTH:
        return resident_id[6:14] == birth.isoformat().replace("-", "")
    return parse_resident_id(resident_id).birth_date == birth


def _check_attendance(values: Mapping[str, Value | Problem]) -> list[tuple[str, str]]:
    absent, expected = values["days_absent"], values["days_expected"]
    return [("days_absent", "out_of_range")] if int(str(absent)) > int(str(expected)) else []


def _check_relief(values: Mapping[str, Value | Problem]) -> list[tuple[str, str]]:
    start, end = values["from_date"], values.get("to_date")
    backwards = isinstance(start, date) and isinstance(end, date) and end < start
    return [("to_date", "out_of_range")] if backwards else []


ROW_CHECKS: dict[str, Callable[[Mapping[str, Value | Problem]], list[tuple[str, str]]]] = {
    "student-register": _check_student,
    "attendance": _check_attendance,
    "relief-register": _check_relief,
    "disability-assessment": lambda values: [],
}
