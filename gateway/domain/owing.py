"""What is owed and by whom, as it is read: filters, the count of what is overdue, the level above."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gateway.domain.duties import Duty
from gateway.domain.model import SubjectId
from gateway.domain.predicate import (
    COUNTY_DIGITS,
    PREFECTURE_DIGITS,
    PROVINCE_DIGITS,
    TOWNSHIP_DIGITS,
    Predicate,
)

_ABOVE = {COUNTY_DIGITS: PREFECTURE_DIGITS, PREFECTURE_DIGITS: PROVINCE_DIGITS}


def one_up(owner: str, region: str, residence: str, now_at: str | None) -> str | None:
    """`agency@region` one level above whoever has an overdue duty now; None above the province.

    `region` is the county, `residence` where in it, `now_at` where the duty went last (None: its owner has it).
    School → township (where the child's is known) → education of the county → prefecture → province; every other
    agency goes from its county up (义务教育法 art. 7, 13). What a prefecture owes, its province sees to; `region` is then
    the prefecture. Nobody stands above a province.
    """
    if now_at is None and len(region) < COUNTY_DIGITS:
        now_at = f"{owner}@{region}"
    if now_at is None:
        if owner == "school" and len(residence) >= TOWNSHIP_DIGITS:
            return f"township@{residence[:TOWNSHIP_DIGITS]}"
        if owner in ("school", "township"):
            return f"education@{region}"
        return f"{owner}@{region[:PREFECTURE_DIGITS]}"
    agency, _, place = now_at.partition("@")
    if agency == "township":
        return f"education@{region}"
    digits = _ABOVE.get(len(place))
    return f"{agency}@{place[:digits]}" if digits else None


def level_below(region: str) -> int:
    """How many digits a region is told in, where a count is asked for `region`: one level finer."""
    return {2: PREFECTURE_DIGITS, 4: COUNTY_DIGITS}.get(len(region), TOWNSHIP_DIGITS)


@dataclass(frozen=True, slots=True)
class DutyQuery:
    """Filters of the list; `after` the (last day, id) of the last one seen. `today` says what is overdue."""

    rows: Predicate
    today: date
    region: str | None = None
    owner: str | None = None
    kind: str | None = None
    status: str | None = None
    overdue: bool | None = None
    after: tuple[str, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many duties of a kind an agency has not done in time in a region, the oldest of them due on `since`."""

    owner: str
    region: str
    kind: str
    count: int
    since: date


@dataclass(frozen=True, slots=True)
class Office:
    """Where an officer works: officers of one office can be given each other's duties."""

    region: str
    agency: str
    school: str | None


class DutyWork(Protocol):
    """What officers do with duties, inside one write transaction; a name is an officer's, or its client's."""

    def met(self, office: Office, name: str, client: str, on: date) -> None:
        """That officer looked at the office's duties: from then on they can be given to them."""
        ...

    def knows(self, office: Office, name: str) -> bool:
        """Whether an officer of that name has worked in the office, by a client that is not revoked."""
        ...

    def get(self, duty_id: str, rows: Predicate) -> Duty | None:
        """The duty as it stands in this commit, if it is among the rows."""
        ...

    def done(self, duty_id: str, on: date, by: str, what: str) -> None:
        """It is done; `what` a code."""
        ...

    def wait(self, duty_id: str, agency: str, on: date, why: str) -> None:
        """It waits for another agency; `why` a code."""
        ...

    def assign(self, duty_id: str, name: str) -> None:
        """Who works on it."""
        ...

    def hand_over(
        self, rows: Predicate, agency: str, leaving: str, taking: str
    ) -> Sequence[SubjectId | None]:
        """All standing duties of the agency among the rows that `leaving` works on; the child of each, if it has one."""
        ...


class Owing(Protocol):
    """Duties as they are kept, limited by the grant's predicate."""

    async def find(self, query: DutyQuery) -> list[Duty]:
        """One page by last day, then id."""

    async def overdue(
        self, rows: Predicate, region: str | None, today: date, digits: int
    ) -> Sequence[Overdue]:
        """What is overdue, by owner, region (its first `digits`) and kind."""
