"""Any history of a child on a ledger: no overlaps, a past day stays as it was answered, nobody goes without a reason."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.rulebook import load_rulebook
from gateway.domain.ledger import (
    FIRST_AGE,
    LAST_AGE,
    Entry,
    Interval,
    Ledger,
    LedgerFacts,
    decide,
    follow,
)
from gateway.domain.model import Standing
from gateway.settings import POLICIES
from tests.ledger_history import as_of

START = date(2026, 1, 1)
BOOK = load_rulebook(POLICIES)
WHY = ("arrived", "student-register")
STATUSES = [
    "enrolled",
    "on_leave",
    "deferred",
    "dropped_out",
    "transferred_out",
    "graduated",
    "deceased",
    "?",
]

entries = st.none() | st.builds(
    Entry,
    st.sampled_from(["in_school", "unknown", "dropped_out"]),
    st.sampled_from(["530423101", "530423102"]),
    st.sampled_from(["a", "b"]),
    st.none(),
    st.just("student-register"),
    st.booleans(),
)
changes = st.lists(st.tuples(st.integers(0, 3), entries), max_size=25)


def kept(history: dict[date, Interval], news: list[Interval]) -> dict[date, Interval]:
    """As the store keeps them: one a day of beginning."""
    return {**history, **{each.valid_from: each for each in news}}


@given(changes)
def test_a_history_is_a_line_without_overlaps_and_the_past_stays(
    steps: list[tuple[int, Entry | None]],
) -> None:
    history: dict[date, Interval] = {}
    answered: dict[date, Entry | None] = {}
    day = START
    for ahead, wanted in steps:
        day += timedelta(days=ahead)
        standing = next((each for each in history.values() if each.valid_to is None), None)
        history = kept(history, follow(standing, wanted, day, WHY))
        found = as_of(history.values(), day)
        assert (found.entry if found else None) == wanted
        answered[day] = wanted
    for asked, entry in answered.items():
        again = as_of(history.values(), asked)
        assert (again.entry if again else None) == entry, "what was answered of a day stays"
    line = sorted(history.values(), key=lambda each: each.valid_from)
    for earlier, later in pairwise(line):
        assert earlier.valid_to is not None
        assert earlier.valid_from <= earlier.valid_to <= later.valid_from
    for each in line:
        assert (each.valid_to is None) == (each.reason is None), "an end has its reason"
        assert each.since <= each.valid_from


rows = st.builds(
    Standing,
    st.sampled_from(["530423", "530424"]),
    st.sampled_from(STATUSES),
    st.integers(0, 400).map(lambda ahead: START - timedelta(days=ahead)),
    st.integers(0, 400).map(lambda ahead: START - timedelta(days=ahead)),
)


@given(st.lists(rows, max_size=2, unique_by=lambda row: row.region), st.integers(0, 20))
def test_every_child_is_on_a_ledger_or_has_a_reason_not_to_be(found: list[Standing], age: int) -> None:
    facts = LedgerFacts("530423", age, tuple(found))
    verdict = decide(facts, START, BOOK.limits, BOOK.cases)
    assert verdict.statuses.keys() | verdict.reasons.keys() == set(Ledger)
    assert not verdict.statuses.keys() & verdict.reasons.keys()
    if Ledger.DROPPED_OUT in verdict.statuses:
        assert verdict.statuses[Ledger.SCHOOL_AGE] == "dropped_out"
    own = facts.own
    if own and own.status == "enrolled" and FIRST_AGE <= age <= LAST_AGE and len(found) == 1:
        assert Ledger.SCHOOL_AGE in verdict.statuses, "stale or not, a child is never dropped in silence"
