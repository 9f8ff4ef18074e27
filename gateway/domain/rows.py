"""From accepted records to what the store keeps: whose row it is, and its facts without identity.

One `Shape` a dataset. The fact values stand in the order of the store's columns: further key columns, then content.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.domain.cells import Value
from gateway.domain.landing import Person
from gateway.domain.ports import Identity, KeyRing
from gateway.domain.sheet import Record

Values = Mapping[str, Value]

RESIDENT_ID = "resident_id"
STUDENT_NUMBER = "student_number"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a dataset's records become facts.

    `creates`: an unknown child is made (otherwise only pupils of the own register are written about); `renames`: a
    changed identity is corrected.
    """

    facts: Callable[[Values], tuple[object, ...]]
    creates: bool = True
    renames: bool = False


def _iso(value: Value) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _yes(value: Value) -> int:
    return int(value == "yes")


def _student(values: Values) -> tuple[object, ...]:
    return (
        values["school_code"],
        int(str(values["grade"])),
        values["boarding"],
        values["status"],
        _iso(values["status_date"]),
        values["region"],
        _yes(values.get("economic_hardship")),
        _yes(values.get("left_behind")),
        _yes(values.get("single_parent")),
        values.get("sex"),
        _iso(values["birth_date"]),
        int(values.get("id_number") is not None),
    )


def _attendance(values: Values) -> tuple[object, ...]:
    excused = int(bool(values.get("reason")))
    return (
        values["month"],
        values["days_expected"],
        values["days_absent"],
        values["longest_absence"],
        excused,
    )


def _relief(values: Values) -> tuple[object, ...]:
    return (values["relief_class"], _iso(values["from_date"]), _iso(values.get("to_date")), values["region"])


def _assessment(values: Values) -> tuple[object, ...]:
    return (
        _iso(values["assessed_on"]),
        values["category"],
        values["grade"],
        values["suitability"],
        values["region"],
        values.get("assessor"),
    )


SHAPES: dict[str, Shape] = {
    "student-register": Shape(_student, renames=True),
    "attendance": Shape(_attendance, creates=False),
    "relief-register": Shape(_relief),
    "disability-assessment": Shape(_assessment),
}


def people(records: Sequence[Record], keys: KeyRing) -> list[Person]:
    """Whose rows they are: keyed look-ups of resident id (first) and student number, and the identity to seal."""
    ids = _lookups(records, "id_number", RESIDENT_ID, keys)
    numbers = _lookups(records, "student_number", STUDENT_NUMBER, keys)
    return [
        _person(record.values, by_id, by_number)
        for record, by_id, by_number in zip(records, ids, numbers, strict=True)
    ]


def _lookups(records: Sequence[Record], column: str, kind: str, keys: KeyRing) -> list[bytes | None]:
    values = [record.values.get(column) for record in records]
    found = iter(keys.lookups(kind, [str(value) for value in values if value is not None]))
    return [None if value is None else next(found) for value in values]


_BOTH = (RESIDENT_ID, STUDENT_NUMBER)


def _person(values: Values, by_id: bytes | None, by_number: bytes | None) -> Person:
    number, name = values.get("student_number"), _text(values.get("name"))
    numbers = (str(number),) if number is not None else ()
    identity = Identity(_text(values.get("id_number")), name, numbers)
    if by_id is not None and by_number is not None:
        return Person((by_id, by_number), _BOTH, identity)
    if by_id is not None:
        return Person((by_id,), _BOTH[:1], identity)
    return Person((by_number,) if by_number is not None else (), _BOTH[1:], identity)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
