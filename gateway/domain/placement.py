"""What an assessment advises and what came of it. Three-valued: no data is never "placed" and never "not placed".

Source: 残疾人教育条例 art. 20. Whether a child is placed is read from the registers' states alone; attendance says
nothing here, so that nobody learns of it by way of a placement.
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple, Protocol

from gateway.domain.model import Standing, Standings, SubjectId
from gateway.domain.predicate import Predicate
from gateway.domain.schooling import Thresholds, judge

ASSESSMENTS = "disability-assessment"

Answer = Literal["yes", "no", "unknown"]

_NOT_IN_A_SCHOOL = frozenset({"deferred", "exempt"})
_ANSWERS: dict[str, Answer] = {"no": "yes", "yes": "no"}


class Advice(NamedTuple):
    """A child's newest assessment, as the assessor wrote it; `needs_support` None where it does not say."""

    suitability: str
    needs_support: bool | None
    category: str
    grade: str


class Assessed(NamedTuple):
    """An assessed child: the advice, where it lives, and what the registers say; `county` assessed it."""

    subject: SubjectId
    county: str
    residence: str
    advice: Advice
    enrolments: tuple[Standing, ...]


class Assessments(Protocol):
    """Assessed children; for worker threads."""

    def find(self, rows: Predicate, region: str) -> Iterable[Assessed]:
        """By residence; each child once, with its newest assessment. Not who graduated or died."""
        ...

    def one(self, rows: Predicate, subject: SubjectId) -> Assessed | None:
        """The child, if it was assessed and is among the rows."""
        ...

    def subject_of(self, lookup: bytes) -> SubjectId | None:
        """The child with that keyed identifier."""
        ...

    def handed_in(self, region: str) -> tuple[date | None, date | None]:
        """When the county last handed in assessments, and when a register."""
        ...

    def population(self, region: str) -> Iterable[tuple[str, int]]:
        """(residence, how many) of every child in the registers."""
        ...

    def version(self) -> object:
        """Changes when any fact does."""
        ...


def placed(child: Assessed, register_as_of: date | None, today: date, limits: Thresholds) -> Answer:
    """Whether a register shows the child in a school; a fresh register that does not know the child says no."""
    judged = judge(Standings(child.enrolments, None, register_as_of), today, limits)
    if judged.because in _NOT_IN_A_SCHOOL or judged.because == "in-no-register":
        return "no"
    return _ANSWERS.get(judged.out_of_school, "unknown")


def support(advice: Advice) -> Answer:
    """Whether the assessor says that the child needs support."""
    if advice.needs_support is None:
        return "unknown"
    return "yes" if advice.needs_support else "no"
