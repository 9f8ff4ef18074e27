"""The ledgers as they are kept and read: ports, and the values that cross them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from gateway.domain.ledger import Ledger
from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """One page: of the counties within `region`, as of `day`; `after` is the last (county, child) seen."""

    ledger: Ledger
    rows: Predicate
    region: str
    day: date
    within: str | None = None
    status: str | None = None
    after: tuple[str, bytes] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of a page."""

    region: str
    subject: SubjectId = field(repr=False)
    status: str
    since: date
    township: str
    school: str | None
    case: str | None
    sources: tuple[str, ...]
    carried_forward: bool


@dataclass(frozen=True, slots=True)
class LedgerCount:
    """How many children of one status."""

    ledger: Ledger
    status: str
    children: int


class Ledgers(Protocol):
    """The ledgers, read; synchronous, for worker threads."""

    def counties(self, region: str) -> Sequence[str]:
        """Counties within the region that have ledgers, or will have when they are refreshed."""
        ...

    def first_day(self, counties: Sequence[str]) -> date | None:
        """The first day for which any of the counties has ledgers."""
        ...

    def page(self, query: LedgerQuery) -> Sequence[LedgerLine]:
        """One page by county, then by random id: the order tells nothing."""
        ...

    def counts(self, query: LedgerQuery) -> Sequence[LedgerCount]:
        """Of every ledger, by status; the query's ledger, status and page do not matter."""
        ...

    def stale(self, counties: Sequence[str], day: date, days: int) -> bool:
        """Whether a county had handed in no student register on that day, or none for more than so many days."""
        ...


class LedgerKeeper(Protocol):
    """Brings ledgers up to date; synchronous, for worker threads."""

    def refresh(self, region: str, today: date) -> None:
        """Returns when everything committed before the call is on the county's ledgers, as of today."""
        ...
