"""The demo's check takes a list at its word about what it generalised, and at nothing more."""

from typing import Any

from gateway.demo.check import _alike, _told_places
from gateway.demo.observed import Observed

TRUTH = {"530423100": 3, "530423101": 4, "530423102": 9}
POOL = {"field": "township", "to": "530423", "where": ["530423100", "530423101"]}


def said(k: int = 5, reached: bool = True, *notes: dict[str, Any]) -> dict[str, Any]:
    return {"k": k, "k_reached": reached, "generalised": list(notes)}


def seen(rows: int, *pages: dict[str, Any]) -> Observed:
    row = {"age_band": "6-15", "sex": None, "township": "530423100"}
    return Observed(listed=[row] * rows, said=list(pages))


def test_townships_told_of_as_their_county_count_as_it() -> None:
    assert _told_places(TRUTH, said(5, True, POOL)) == {"530423": 7, "530423102": 9}


def test_without_a_word_every_township_counts_by_itself() -> None:
    assert _told_places(TRUTH, said()) == TRUTH
    age = {"field": "age_band", "to": "6-15", "where": ["530423100"]}
    assert _told_places(TRUTH, said(5, True, age)) == TRUTH


def test_a_group_smaller_than_k_is_found() -> None:
    assert _alike(seen(5, said())).wrong == ()
    assert _alike(seen(4, said())).wrong != ()


def test_k_not_reached_must_be_said_and_only_then() -> None:
    assert _alike(seen(4, said(5, False))).wrong == ()
    assert _alike(seen(5, said(5, False))).wrong != ()
    assert _alike(seen(0, said())).wrong == ()


def test_pages_that_disagree_are_found() -> None:
    assert _alike(seen(5, said(5, True, POOL), said())).wrong != ()
