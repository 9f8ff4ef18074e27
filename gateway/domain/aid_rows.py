"""What the aid list and the aid duties read of the store."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from gateway.domain.aid import AidBook, PupilAid, Term, Told
from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate


class AidRows(Protocol):
    """Pupils as far as aid goes; for worker threads."""

    def pupils(
        self, rows: Predicate, region: str, book: AidBook, term: Term, today: date
    ) -> Iterable[tuple[SubjectId, PupilAid, str]]:
        """(child, facts, residence) of everybody whom aid may be owed to or was paid to in the term; each once."""
        ...

    def told(self, region: str, term: Term, today: date, stale_days: int) -> dict[str, Told]:
        """County → which of its sources have spoken."""
        ...

    def population(self, region: str) -> Sequence[tuple[str, int, str, int]]:
        """(residence, grade, boarding, how many) of every enrolled pupil."""
        ...

    def register_as_of(self, region: str) -> date | None:
        """The newest law date on which the county's register was handed in."""
        ...

    def version(self) -> object:
        """Changes when any fact does."""
        ...
