"""Whose row is it? People of a file are looked up before the lock, and sorted into subjects inside it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.landing import Conflict, Person
from gateway.domain.model import SubjectId

_PART = 5_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """People looked up before the lock: known subjects, and sealed newcomers by position."""

    people: Sequence[Person]
    known: dict[bytes, bytes]
    newcomers: dict[int, tuple[bytes, bytes, bytes, bytes]]
    version: int = -1


def find_subjects(connection: sqlite3.Connection, lookups: set[bytes]) -> dict[bytes, bytes]:
    """Subjects by keyed identifier, as many at a time as one statement takes."""
    found: dict[bytes, bytes] = {}
    ordered = sorted(lookups)
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
    a number that moved from one id to another is a conflict for a person, never a silent merge.
    """

    def __init__(
        self,
        newcomers: Mapping[int, tuple[bytes, bytes, bytes, bytes]],
        known: dict[bytes, bytes],
        with_id: set[bytes],
    ) -> None:
        self._newcomers, self._known, self.with_id = newcomers, known, with_id
        self.now_with_id: set[bytes] = set()
        self.fresh: list[tuple[bytes, bytes, bytes, bytes]] = []
        self.identifiers: list[tuple[bytes, str, bytes]] = []

    def subject_of(self, index: int, person: Person) -> SubjectId | Conflict | None:
        """The person's subject; Conflict; or None when nobody knows them and nobody is to be made."""
        lookups, known = person.lookups, self._known
        subject = known.get(lookups[0])
        other = known.get(lookups[1]) if len(lookups) > 1 else None
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

    def _learn(self, person: Person, subject: bytes) -> None:
        for position, lookup in enumerate(person.lookups):
            if lookup not in self._known:
                self._known[lookup] = subject
                kind = person.kinds[position]
                self.identifiers.append((lookup, kind, subject))
                if kind == "resident_id":
                    self.with_id.add(subject)
                    self.now_with_id.add(subject)
