"""A county lives through a school year by the clock: every ledger and every duty is, at every month end, what it truly is."""

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.school_year import days
from tests.acceptance.school_year.truth import Truth
from tests.acceptance.school_year.world import STORIES, build
from tests.acceptance.school_year.year import Year

SHOWN = 25


def live(year: Year, until: str) -> list[str]:
    """All differences at the month ends up to a day, and at a look back from its evening."""
    found: list[str] = []
    for day in year.days(days.end_of(until)):
        if day in days.month_ends():
            found += year.compare(day)
    return found + year.look_back()


def test_a_county_of_five_thousand_lives_through_the_year(tmp_path: Path) -> None:
    year = Year(build(seed=1, size=5000), tmp_path)
    try:
        found = live(year, "2026-08")
    finally:
        year.office.closes()
    assert not found, f"{len(found)} differences:\n" + "\n".join(found[:SHOWN])


@pytest.mark.parametrize("seed", [2, 3])
def test_small_counties_live_through_an_autumn(tmp_path: Path, seed: int) -> None:
    year = Year(build(seed, size=300), tmp_path)
    try:
        found = live(year, "2025-11")
        assert not found, f"{len(found)} differences:\n" + "\n".join(found[:SHOWN])
        out = next(child for child, known in year.truth.known.items() if known.case)
        year.truth.known[out].cases.clear()
        assert any(repr(out) in each for each in year.compare(days.end_of("2025-11")))
    finally:
        year.office.closes()


def test_the_script_holds_what_it_promises() -> None:
    world = build(seed=1, size=5000)
    told = Counter(child.story for child in world.children)
    assert told.keys() >= STORIES.keys()
    assert sum(told.values()) - told["far"] - told["twin"] == 5000
    assert len({child.school for child in world.children if child.story != "far"}) == 20
    assert {act.what for act in world.acts} >= {
        "ask",
        "visit",
        "step",
        "notice",
        "refer",
        "accept",
        "outcome",
    }
    assert world.days()[-1] <= days.END


def test_the_truth_has_somebody_on_every_ledger_at_every_month_end() -> None:
    truth = Truth(build(seed=1, size=5000))
    for day in days.month_ends():
        truth.until(day)
        assert all(truth.ledgers().values()), day
    ends = Counter(case.state for known in truth.known.values() for case in known.cases)
    assert ends.keys() >= {"closed", "exempt", "moved", "graduated", "deceased", "duplicate", "wrong_report"}
