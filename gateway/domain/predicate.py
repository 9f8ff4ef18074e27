"""Which rows a caller may see, as a small tree that decides a record and translates to SQL.

A leaf whose attribute is missing (or NULL) is false, so that silence never lets a row through; `Not` then
turns on what is known only. Constructors `conjunction`, `disjunction` and `negation` simplify; the classes
do not.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PROVINCE_DIGITS, PREFECTURE_DIGITS, COUNTY_DIGITS, TOWNSHIP_DIGITS = 2, 4, 6, 9
_LEVELS = (2, 4, 6, 9, 12)
_SCHOOL = re.compile(r"[0-9A-Z]{4,20}")
_REGION = re.compile(r"[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{3}(?:[0-9]{3})?)?)?)?")


def is_school(code: str) -> bool:
    """Whether `code` can be a school's (学校标识码, ten digits; older and private ones are 4 to 20 letters or digits)."""
    return _SCHOOL.fullmatch(code) is not None


def is_region(code: str) -> bool:
    """Whether `code` is 2, 4, 6, 9 or 12 digits: GB/T 2260, with township and village."""
    return _REGION.fullmatch(code) is not None


def region_chain(code: str) -> tuple[str, ...]:
    """The region and everything above it, nearest first: 530423 → 530423, 5304, 53.

    Raises ValueError when `code` has not the shape of a region.
    """
    if not is_region(code):
        raise ValueError("not a region code")
    return tuple(code[:level] for level in reversed(_LEVELS) if level <= len(code))


@dataclass(frozen=True, slots=True)
class All:
    """Every row."""

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """True."""
        return True


@dataclass(frozen=True, slots=True)
class Nothing:
    """No row."""

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """False."""
        return False


@dataclass(frozen=True, slots=True)
class InRegion:
    """The attribute's region is `region` or below it."""

    attribute: str
    region: str

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether the record's code begins with the region's."""
        value = record.get(self.attribute)
        return isinstance(value, str) and value.startswith(self.region)


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute is exactly `value`."""

    attribute: str
    value: str

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether the record has that value."""
        return record.get(self.attribute) == self.value


@dataclass(frozen=True, slots=True)
class Has:
    """The attribute is there at all."""

    attribute: str

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether the record has the attribute, and not as None."""
        return record.get(self.attribute) is not None


@dataclass(frozen=True, slots=True)
class IsTrue:
    """The attribute is true (a database may say 1)."""

    attribute: str

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether the record says true."""
        return record.get(self.attribute) == 1


@dataclass(frozen=True, slots=True)
class Not:
    """The rows that `part` leaves out."""

    part: "Predicate"

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """The opposite of the part."""
        return not self.part.evaluate(record)


@dataclass(frozen=True, slots=True)
class And:
    """The rows of every part."""

    parts: "tuple[Predicate, ...]"

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether every part holds."""
        return all(part.evaluate(record) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """The rows of any part."""

    parts: "tuple[Predicate, ...]"

    def evaluate(self, record: Mapping[str, object]) -> bool:
        """Whether some part holds."""
        return any(part.evaluate(record) for part in self.parts)


Predicate = All | Nothing | InRegion | Equals | Has | IsTrue | Not | And | Or


def covers(rows: Predicate, region: str, known: Mapping[str, object]) -> bool:
    """Whether the rows surely hold every record that lies in the region; in doubt not.

    `known`: attributes that are the same in every record. Each record has a region.
    """
    match rows:
        case Has("region"):
            return True
        case InRegion("region", reach):
            return region.startswith(reach)
        case And(parts):
            return all(covers(part, region, known) for part in parts)
        case Or(parts):
            return any(covers(part, region, known) for part in parts)
    return _attributes(rows) <= known.keys() and rows.evaluate(known)


def _attributes(rows: Predicate) -> set[str]:
    """The attributes a predicate looks at."""
    match rows:
        case And(parts) | Or(parts):
            return {name for part in parts for name in _attributes(part)}
        case Not(part):
            return _attributes(part)
        case InRegion(attribute, _) | Equals(attribute, _) | Has(attribute) | IsTrue(attribute):
            return {attribute}
    return set()


def conjunction(parts: Iterable[Predicate]) -> Predicate:
    """All of `parts`, without the trivial ones; `All()` of none."""
    kept = tuple(dict.fromkeys(part for part in parts if not isinstance(part, All)))
    if any(isinstance(part, Nothing) for part in kept):
        return Nothing()
    return And(kept) if len(kept) > 1 else (kept[0] if kept else All())


def disjunction(parts: Iterable[Predicate]) -> Predicate:
    """Any of `parts`, without the trivial ones; `Nothing()` of none."""
    kept = tuple(dict.fromkeys(part for part in parts if not isinstance(part, Nothing)))
    if any(isinstance(part, All) for part in kept):
        return All()
    return Or(kept) if len(kept) > 1 else (kept[0] if kept else Nothing())


def negation(part: Predicate) -> Predicate:
    """The opposite of `part`; a constant or a double negation folds."""
    if isinstance(part, All):
        return Nothing()
    if isinstance(part, Nothing):
        return All()
    return part.part if isinstance(part, Not) else Not(part)
