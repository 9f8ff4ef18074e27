"""Whose row is it? People of a file are looked up before the lock, and sorted into subjects inside it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.landing import Conflict, Person
from gateway.domain.model import SubjectId

_PART = 5_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """People looked up before the lock: known subjects, sealed newcomers by position, and the purges until then."""

    people: Sequence[Person]
    known: dict[bytes, bytes]
    newcomers: dict[int, tuple[bytes, bytes, bytes, bytes]]
    version: int = -1
    purges: str = ""


def purges_of(connection: sqlite3.Connection) -> str:
    """How many purges have removed something; whoever was known before another one may be known no more."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'purges'").fetchone()
    return str(row[0]) if row else ""


def lookups_of(people: Sequence[Person]) -> set[bytes]:
    """Every keyed identifier under which somebody of these people may be known."""
    found = {lookup for person in people for lookup in person.lookups}
    return found | {person.inside for person in people if person.inside is not None}


def find_people(
    connection: sqlite3.Connection, people: Sequence[Person], except_for: Mapping[bytes, bytes] | None = None
) -> dict[bytes, bytes]:
    """Subjects by these people's look-ups, except those found before; while the index key turns, whoever is known by
    an older one is found by the new one."""
    found = find_subjects(connection, lookups_of(people) - (except_for or {}).keys())
    former = [(new, old) for person in people for new, old in person.former if new not in found]
    if former:
        older = find_subjects(connection, {old for _, old in former})
        for new, old in former:
            if old in older and new not in (except_for or {}):
                found.setdefault(new, older[old])
    return found


def with_former(
    people: Sequence[Person], identifiers: Sequence[tuple[bytes, str, bytes]]
) -> list[tuple[bytes, str, bytes]]:
    """New identifiers, under the older keys too while there are any: a worker that knows only those finds them."""
    former: dict[bytes, list[bytes]] = {}
    for person in people:
        for new, old in person.former:
            former.setdefault(new, []).append(old)
    more = [(old, kind, subject) for new, kind, subject in identifiers for old in former.get(new, ())]
    return list({each[0]: each for each in (*identifiers, *more)}.values())


def find_subjects(connection: sqlite3.Connection, lookups: set[bytes]) -> dict[bytes, bytes]:
    """Subjects by keyed identifier, as many at a time as one statement takes."""
    found: dict[bytes, bytes] = {}
    if connection.execute("SELECT 1 FROM identifier LIMIT 1").fetchone() is None:
        return found
    ordered = list(lookups)
    for start in range(0, len(ordered), _PART):
        part = ordered[start : start + _PART]
        marks = ",".join("?" * len(part))
        found.update(
            connection.execute(f"SELECT lookup, subject_id FROM identifier WHERE lookup IN ({marks})", part)
        )
    return found


class Sorting:
    """Decides whose row it is, person by person, seeing what earlier rows of the file brought.

    The resident id decides. A student number alone finds a child only when that child has no other resident id:
    a number that moved from one id to another is a conflict for a person, never a silent merge. A student number
    made of the child's own id number (most are) is not kept beside it.
    """

    def __init__(
        self,
        newcomers: Mapping[int, tuple[bytes, bytes, bytes, bytes]],
        known: dict[bytes, bytes],
        with_id: set[bytes],
        pupils: set[bytes],
    ) -> None:
        self._newcomers, self._known, self.with_id = newcomers, known, with_id
        self._pupils = pupils
        self.now_with_id: set[bytes] = set()
        self.fresh: list[tuple[bytes, bytes, bytes, bytes]] = []
        self.identifiers: list[tuple[bytes, str, bytes]] = []

    def subjects(self, people: Sequence[Person]) -> list[SubjectId | Conflict | None]:
        """Everybody's subject, in their order."""
        if not self._known and len(self._newcomers) == len(people) and self._all_strangers(people):
            return [SubjectId(row[0]) for row in self.fresh]
        return [self.subject_of(index, person) for index, person in enumerate(people)]

    def _all_strangers(self, people: Sequence[Person]) -> bool:
        """A first file: nobody is known, no identifier stands twice, every number is the child's own."""
        firsts = {person.lookups[0] for person in people}
        if len(firsts) < len(people) or not all(person.own for person in people):
            return False
        if len({person.lookups[1] for person in people}) < len(people):
            return False
        self.fresh = [self._newcomers[index] for index in range(len(people))]
        pairs = zip(people, self.fresh, strict=True)
        self.identifiers = [(person.lookups[0], "resident_id", row[0]) for person, row in pairs]
        self.with_id = self.now_with_id = {row[0] for row in self.fresh}
        return True

    def subject_of(self, index: int, person: Person) -> SubjectId | Conflict | None:
        """The person's subject; Conflict; or None when nobody knows them and nobody is to be made."""
        subject, other = self._known_as(person)
        if subject is None and other is not None and other not in self.with_id:
            subject = other
        if other is not None and other != subject:
            return Conflict()
        if subject is None:
            row = self._newcomers.get(index)
            if row is None:
                return None
            subject = row[0]
            self.fresh.append(row)
        self._learn(person, subject)
        return SubjectId(subject)

    def _known_as(self, person: Person) -> tuple[bytes | None, bytes | None]:
        """Whom the first identifier names, and whom the student number names besides.

        A student number that is not known itself names whoever has the id number inside it.
        """
        lookups, known = person.lookups, self._known
        subject, other = known.get(lookups[0]), None
        if len(lookups) > 1:
            other = known.get(lookups[1])
            other = other or self._holder(person.inside)
        return subject or (
            self._holder(person.inside) if other is None and len(lookups) == 1 else None
        ), other

    def _holder(self, inside: bytes | None) -> bytes | None:
        """Who has the id number inside a student number, if a pupil of the county: others are not told of."""
        found = self._known.get(inside) if inside is not None else None
        return found if found in self._pupils else None

    def _learn(self, person: Person, subject: bytes) -> None:
        self._pupils.add(subject)
        for position, lookup in enumerate(person.lookups):
            if lookup not in self._known:
                self._known[lookup] = subject
                if position and person.own:
                    continue
                kind = person.kinds[position]
                self.identifiers.append((lookup, kind, subject))
                if kind == "resident_id":
                    self.with_id.add(subject)
                    self.now_with_id.add(subject)
