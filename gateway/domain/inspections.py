"""What labour inspection found, as it is kept: the employer's side names no child, the child's side goes with the child.

An inspection row is a fact about an employer; a sighting ties a child to one. When the child is forgotten, the sighting
goes and the employer's confirmed hit stays, saying nothing of whom it was about.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate

CONFIRMED = "confirmed"
PENDING = "pending"


class Found(NamedTuple):
    """One row as handed in, in the order of `gateway.domain.rows.SHAPES["sightings"]`; `inspected_on` as ISO text."""

    employer_uscc: str
    inspected_on: str
    place: str | None
    finding: str
    measure: str
    residence: str
    employer_name: str | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """A row that an upload brought or changed."""

    subject: SubjectId | None
    employer_uscc: str
    inspected_on: date
    finding: str


@dataclass(frozen=True, slots=True)
class EmployerHits:
    """The days of an employer's confirmed hits, as far as a caller's rows go; oldest first."""

    employer_uscc: str
    days: Sequence[date]


class InspectionDesk(Protocol):
    """Inspections and sightings inside one write transaction."""

    def merge(self, region: str, rows: Sequence[tuple[SubjectId | None, Found]], upload_id: str) -> int:
        """Write what is new or different; how many rows that were."""
        ...

    def brought_by(self, upload_id: str) -> Sequence[Inspected]:
        """What the upload wrote, in the order of employers and days."""
        ...

    def confirmed(self, subject: SubjectId) -> bool:
        """Whether any county's inspection still confirms the child at work."""
        ...

    def lead_of(self, subject: SubjectId, rule: str) -> Sequence[str]:
        """The child's leads under that rule which are not closed."""
        ...

    def visits_owed(self, region: str, employer: str) -> Sequence[tuple[str, date]]:
        """(duty, its last day) of the visits to the employer that labour inspection still owes."""
        ...

    def hits(self, region: str, employer: str) -> Sequence[date]:
        """The days of the employer's confirmed hits in the county, oldest first."""
        ...

    def standing_crossings(self, region: str, employer: str) -> Sequence[tuple[str, str]]:
        """Duties that stand because the employer became a repeated one, each with the month in which it did."""
        ...

    def crossings(self, region: str, employer: str) -> Collection[str]:
        """The months of the hits by which duties about the employer as a repeated one were opened."""
        ...


@dataclass(frozen=True, slots=True)
class HitQuery:
    """Employers ordered by code: those with a confirmed hit from `since` on; `after` is the last code seen."""

    rows: Predicate
    region: str
    since: date | None = None
    after: str | None = None
    limit: int | None = None


class Inspections(Protocol):
    """Inspections as they are kept, limited by the grant's predicate; for worker threads."""

    def employers(self, query: HitQuery) -> Sequence[EmployerHits]:
        """One page of them; `days` are those of all the employer's confirmed hits, before `since` too."""
        ...

    def as_of(self, region: str) -> date | None:
        """The newest law date on which a county of the region handed in sightings."""
        ...
