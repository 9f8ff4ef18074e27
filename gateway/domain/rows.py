"""From accepted records to what the store keeps: whose row it is, and its facts without identity.

One `Shape` a dataset. Fact values stand in the order of the store's columns: further key columns, then content.
Everything works on whole columns: a county's file has a hundred thousand rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat

from gateway.domain.cells import Value
from gateway.domain.landing import Person
from gateway.domain.ports import Identity, KeyRing
from gateway.domain.sheet import Reading

Fact = tuple[object, ...]

RESIDENT_ID = "resident_id"
STUDENT_NUMBER = "student_number"
_BOTH = (RESIDENT_ID, STUDENT_NUMBER)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a dataset's records become facts.

    `creates`: an unknown child is made (otherwise only pupils of the own register are written about); `renames`: a
    changed identity is corrected.
    """

    facts: Callable[[Reading], list[Fact]]
    creates: bool = True
    renames: bool = False


def _each(values: Sequence[Value], change: Callable[[Value], object]) -> list[object]:
    """A column changed, each different value once."""
    known = {value: change(value) for value in set(values)}
    return list(map(known.__getitem__, values))


def _iso(value: Value) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _yes(value: Value) -> int:
    return int(value == "yes")


def _number(value: Value) -> int:
    return int(str(value))


def _present(value: Value) -> int:
    return int(bool(value))


def _yes_or_unsaid(value: Value) -> int | None:
    return None if value is None else _yes(value)


def _scheme(value: Value) -> str:
    """A file without schemes is one of living allowances: what the aid office pays by the term."""
    return str(value or "living_allowance")


_CHANGES: dict[str, Callable[[Value], object]] = {
    "grade": _number,
    "status_date": _iso,
    "birth_date": _iso,
    "from_date": _iso,
    "to_date": _iso,
    "assessed_on": _iso,
    "inspected_on": _iso,
    "paid_on": _iso,
    "needs_support": _yes_or_unsaid,
    "scheme": _scheme,
    "economic_hardship": _yes,
    "left_behind": _yes,
    "single_parent": _yes,
    "id_number": _present,
    "reason": _present,
}
_PLAIN_GRADE = {"disability-assessment"}
"""There, the grade is the disability's and stays a code."""


def _facts(*names: str) -> Callable[[Reading], list[Fact]]:
    """The named columns side by side, dates as ISO text, yes/no and presence as 1/0."""

    def facts(reading: Reading) -> list[Fact]:
        columns: list[Sequence[object]] = []
        for name in names:
            change = _CHANGES.get(name)
            if name == "grade" and reading.dataset.id in _PLAIN_GRADE:
                change = None
            values = reading.column(name)
            columns.append(_each(values, change) if change else values)
        return list(zip(*columns, strict=True))

    return facts


SHAPES: dict[str, Shape] = {
    "student-register": Shape(
        _facts(
            "school_code",
            "grade",
            "boarding",
            "status",
            "status_date",
            "region",
            "economic_hardship",
            "left_behind",
            "single_parent",
            "sex",
            "birth_date",
            "id_number",
        ),
        renames=True,
    ),
    "attendance": Shape(
        _facts("month", "days_expected", "days_absent", "longest_absence", "reason"), creates=False
    ),
    "relief-register": Shape(_facts("relief_class", "from_date", "to_date", "region")),
    "disability-assessment": Shape(
        _facts("assessed_on", "category", "grade", "suitability", "region", "assessor", "needs_support")
    ),
    "sightings": Shape(
        _facts("employer_uscc", "inspected_on", "place", "finding", "measure", "region", "employer_name")
    ),
    "aid-payments": Shape(_facts("term", "scheme", "paid_on", "amount"), creates=False),
    "focus-groups": Shape(_facts("focus", "from_date", "to_date"), creates=False),
}


def people(reading: Reading, keys: KeyRing, county: str) -> list[Person]:
    """Whose rows they are: keyed look-ups of resident id (first) and student number, and the identity to seal.

    A student number is looked up within its county: what one county hands in names no child of another's register.
    Rows that name nobody, where a dataset has such, are left out. While the index key turns, each person bears the
    look-ups under its older versions too.
    """
    newest, *older = keys.index_versions
    found = _people(reading, _Index(keys, newest), county)
    for version in older:
        former = _people(reading, _Index(keys, version), county)
        found = [
            each._replace(former=(*each.former, *_former(each, before)))
            for each, before in zip(found, former, strict=True)
        ]
    return [each for each in found if each.lookups] if reading.dataset.otherwise else found


class _Index:
    """The key ring's look-ups under one version."""

    def __init__(self, keys: KeyRing, version: int) -> None:
        self._keys, self._version = keys, version

    def lookups(self, kind: str, values: Sequence[str]) -> list[bytes]:
        return self._keys.lookups(kind, values, self._version)


def _former(person: Person, before: Person) -> list[tuple[bytes, bytes]]:
    pairs = list(zip(person.lookups, before.lookups, strict=True))
    if person.inside is not None and before.inside is not None:
        pairs.append((person.inside, before.inside))
    return pairs


def _people(reading: Reading, keys: _Index, county: str) -> list[Person]:
    ids, numbers = reading.column("id_number"), reading.column(STUDENT_NUMBER)
    names = reading.column("name")
    by_id, by_number = _lookups(ids, RESIDENT_ID, keys), _lookups(numbers, f"{STUDENT_NUMBER}/{county}", keys)
    if None not in by_id and all(map(_own, numbers, ids)):
        identities = map(Identity, ids, names, zip(numbers, strict=False))  # type: ignore[arg-type]
        pairs = zip(by_id, by_number, strict=True)
        return list(map(Person, pairs, repeat(_BOTH), identities, repeat(True)))  # type: ignore[arg-type]
    inside = _lookups(list(map(_id_inside, numbers, ids)), RESIDENT_ID, keys)
    return list(map(_person, ids, numbers, names, by_id, by_number, inside))


def _own(number: Value, id_number: Value) -> bool:
    """Whether the student number is G and the row's own id number: most are."""
    return isinstance(number, str) and number[0] == "G" and number[1:] == id_number


def _id_inside(number: Value, id_number: Value) -> str | None:
    """The id number inside a national student number, where it is not the row's own."""
    if not isinstance(number, str) or number[0] != "G" or number[1:] == id_number:
        return None
    return number[1:]


def _lookups(values: Sequence[Value], kind: str, keys: _Index) -> list[bytes | None]:
    found = iter(keys.lookups(kind, [value for value in values if isinstance(value, str)]))
    return [next(found) if isinstance(value, str) else None for value in values]


def _person(
    id_number: Value,
    number: Value,
    name: Value,
    by_id: bytes | None,
    by_number: bytes | None,
    inside: bytes | None,
) -> Person:
    identity = Identity(id_number, name, (number,) if number is not None else ())  # type: ignore[arg-type]
    if by_id is None:
        return Person((by_number,) if by_number is not None else (), _BOTH[1:], identity, False, inside)
    if by_number is None:
        return Person((by_id,), _BOTH[:1], identity)
    own = inside is None and str(number)[0] == "G"
    return Person((by_id, by_number), _BOTH, identity, own, inside)
