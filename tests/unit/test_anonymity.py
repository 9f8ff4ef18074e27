"""k, l and the risk of being found, against figures worked out by hand."""

import pytest

from gateway.domain.anonymity import Attack, Group, effect

# Two children alike, one alone; the population has four and three who answer to the same descriptions.
GROUPS = [
    Group("a", 1, {"need": ("poor",), "school": "in"}),
    Group("a", 1, {"need": ("left",), "school": "in"}),
    Group("b", 1, {"need": ("poor",), "school": "out"}),
]
PEOPLE = {"a": 4, "b": 3, "c": 100}


def test_classes_and_k() -> None:
    found = effect(GROUPS, PEOPLE, 0.2)
    assert (found.records, found.k, dict(found.sizes)) == (3, 1, {1: 1, 2: 1})


def test_l_is_the_least_number_of_values_in_a_class() -> None:
    assert effect(GROUPS, PEOPLE, 0.2).diversity == {"need": 1, "school": 1}
    assert effect(GROUPS[:2], PEOPLE, 0.2).diversity == {"need": 2, "school": 1}


def test_a_prosecutor_knows_who_is_on_the_list() -> None:
    found = effect(GROUPS, PEOPLE, 0.6).prosecutor
    assert found == Attack(maximum=1.0, average=pytest.approx(2 / 3), above=pytest.approx(1 / 3))


def test_a_journalist_has_to_choose_from_the_population() -> None:
    found = effect(GROUPS, PEOPLE, 0.3).journalist
    expected = max(2 / 7, (2 / 4 + 1 / 3) / 3)
    assert found == Attack(pytest.approx(1 / 3), pytest.approx(expected), pytest.approx(1 / 3))


def test_a_marketer_matches_so_many_rightly() -> None:
    assert effect(GROUPS, PEOPLE, 0.2).marketer == pytest.approx((2 / 4 + 1 / 3) / 3)


def test_the_threshold_itself_is_not_above_it() -> None:
    assert effect([Group("a", 5, {})], {}, 0.2).prosecutor.above == 0
    assert effect([Group("a", 4, {})], {}, 0.2).prosecutor.above == 1


def test_a_population_smaller_than_the_list_counts_as_the_list() -> None:
    assert effect(GROUPS, {}, 0.2).journalist.maximum == effect(GROUPS, {}, 0.2).prosecutor.maximum


def test_nobody_is_at_no_risk() -> None:
    told = effect([], {"a": 1}, 0.2).told()
    assert (told["records"], told["k"], told["sizes"], told["l"]) == (0, 0, [], {})


def test_counts_only_are_told() -> None:
    assert "poor" not in str(effect(GROUPS, PEOPLE, 0.2).told())
