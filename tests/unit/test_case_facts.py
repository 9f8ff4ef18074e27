"""What registers and attendance prove of a case, and what they leave open."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from gateway.domain.case import CaseFile, State
from gateway.domain.casefacts import Month, OpenCase, Proven, attended, proven
from gateway.domain.model import Absence, ChildFacts, Enrolment, SubjectId
from gateway.domain.schooling import Thresholds

LIMITS = Thresholds(register_stale_days=180, transfer_days=30, absence_days=3, attendance_stale_days=62)
TODAY, OPENED = date(2026, 12, 20), date(2026, 11, 20)
CHILD = SubjectId(bytes(16))
OPEN = [state for state in State if state not in (State.RETURNED, State.OBSERVING)]


def case(state: State = State.SUSPECTED, observed: date | None = None) -> OpenCase:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    file = CaseFile("case-x", "530423", CHILD, state, at, OPENED, "530423101", observed_from=observed)
    return OpenCase(file, OPENED, frozenset())


def child(status: str, since: str, region: str = "530423", absence: Absence | None = None) -> ChildFacts:
    day = date.fromisoformat(since)
    row = Enrolment(region, status, day, TODAY, "530423101", "2153001234", date(2015, 3, 5))
    return ChildFacts(CHILD, (row,), absence)


def step(found: OpenCase, facts: ChildFacts, today: date = TODAY) -> str | None:
    answer = proven(found, facts, today, LIMITS)
    return answer.step if answer else None


@pytest.mark.parametrize(
    ("status", "since", "wanted"),
    [
        ("enrolled", "2026-11-21", "return"),
        ("enrolled", "2026-11-20", None),
        ("enrolled", "2026-12-21", None),
        ("on_leave", "2026-12-01", None),
        ("deferred", "2026-12-01", None),
        ("graduated", "2026-12-01", "graduate"),
        ("graduated", "2026-06-30", None),
        ("deceased", "2026-06-30", "decease"),
        ("dropped_out", "2026-12-01", None),
        ("transferred_out", "2026-12-01", None),
    ],
)
def test_of_an_open_case(status: str, since: str, wanted: str | None) -> None:
    assert step(case(), child(status, since)) == wanted


def test_what_is_proven_is_dated_by_the_row_that_proves_it() -> None:
    """Of two registers the one that is too old to be believed says neither what is the case nor since when."""
    old = child("enrolled", "2026-12-10", region="530424").enrolments[0]
    old = msgspec.structs.replace(old, confirmed_on=date(2026, 1, 1))
    (fresh,) = child("graduated", "2026-12-01").enrolments
    answer = proven(case(), ChildFacts(CHILD, (old, fresh)), TODAY, LIMITS)
    assert answer == Proven("graduate", {"graduated_on": "2026-12-01"})


def test_of_two_rows_of_one_day_the_one_that_shows_the_child_speaks() -> None:
    (left,), (there,) = (
        child("transferred_out", "2026-12-01").enrolments,
        child("enrolled", "2026-12-01").enrolments,
    )
    left = msgspec.structs.replace(left, region="530424")
    for rows in ((left, there), (there, left)):
        assert step(case(), ChildFacts(CHILD, rows)) == "return"


def test_no_register_and_another_countys_move_nobody() -> None:
    assert step(case(), ChildFacts(CHILD)) is None
    assert step(case(), child("enrolled", "2026-12-01", region="530424")) is None
    assert step(case(), child("enrolled", "2026-12-01"), date(2027, 8, 1)) is None, "a register gone stale"


@pytest.mark.parametrize("state", [State.RETURNED, State.OBSERVING])
def test_of_a_child_that_was_back(state: State) -> None:
    back = case(state, date(2026, 11, 25))
    assert step(back, child("enrolled", "2026-12-01")) is None
    assert step(back, child("dropped_out", "2026-11-25")) is None, "what the register said before"
    assert step(back, child("dropped_out", "2026-11-26")) == "relapse"
    for month, wanted in (("2026-11", None), ("2026-12", "relapse")):
        assert step(back, child("enrolled", "2026-11-25", absence=Absence(month, 5))) == wanted
    assert step(case(State.VERIFIED), child("enrolled", "2026-09-01", absence=Absence("2026-12", 5))) is None


def months(**changed: Month) -> list[Month]:
    day = date(2027, 1, 31)
    found = {"2026_11": Month("2026-11", 22, 1, 1, day), "2026_12": Month("2026-12", 22, 0, 0, day)}
    return list({**found, **changed}.values())


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (months(), True),
        (months()[:1], False),
        (months()[1:], False),
        ([], False),
        (months(**{"2026_12": Month("2026-12", 22, 5, 3, date(2027, 1, 31))}), False),
        (months(**{"2026_12": Month("2026-12", 22, 5, 2, date(2027, 1, 31))}), True),
        (months(**{"2026_12": Month("2026-12", 22, 22, 0, date(2027, 1, 31))}), False),
        (months(**{"2026_12": Month("2026-12", 22, 0, 0, date(2026, 12, 24))}), False),
        ([Month("2026-11", 0, 0, 0, TODAY), Month("2026-12", 0, 0, 0, date(2027, 1, 31))], False),
    ],
)
def test_files_confirm_a_day_when_every_month_shows_the_child_in_class(
    there: list[Month], wanted: bool
) -> None:
    assert attended(there, date(2026, 11, 25), date(2026, 12, 25), LIMITS) is wanted
