"""A rule tried over a history: the arithmetic, by figures worked out by hand."""

from collections.abc import Iterable
from datetime import date

import pytest

from gateway.adapters.rulebook import load_rulebook
from gateway.domain.backtest import (
    ChildHistory,
    Load,
    Named,
    Period,
    Spell,
    Truth,
    figures_of,
    load_of,
    merged,
    months,
)
from gateway.domain.errors import Malformed
from gateway.domain.model import Absence, Enrolment, SubjectId
from gateway.domain.rules import Condition
from gateway.services.backtest import Backtest, Report, Trial
from gateway.settings import POLICIES

A, B, C, D, E = (SubjectId(bytes([number]) * 16) for number in range(1, 6))
SEPTEMBER, OCTOBER = (
    Period(date(2026, 9, 1), date(2026, 9, 30)),
    Period(date(2026, 10, 1), date(2026, 10, 31)),
)
NOBODY = Truth({}, {})


def child(subject: SubjectId, school: str, status: str, since: date, **absent: int) -> ChildHistory:
    row = Enrolment("530423", status, since, date(2026, 11, 20), "530423101", school, date(2015, 3, 5))
    days = tuple(Absence(f"2026-{month[1:]}", count) for month, count in absent.items())
    return ChildHistory(subject, (row,), days)


class Kept:
    """A history held in memory."""

    def __init__(self, children: Iterable[ChildHistory], truth: Truth) -> None:
        self._children, self._truth = list(children), truth

    def newest(self) -> date | None:
        return date(2026, 11, 20)

    def children(self, when: Condition, least: int, until: date) -> Iterable[ChildHistory]:
        return self._children

    def truth(self, registered: bool) -> Truth:
        return self._truth

    def officers(self) -> int:
        return 4


def tried(rule: str, first: date, last: date, history: Kept, **figures: int) -> Report:
    return Backtest(history, load_rulebook(POLICIES))(Trial(rule, first, last, figures))


HISTORY = Kept(
    [
        child(A, "s1", "dropped_out", date(2026, 11, 3), m09=6, m10=8),
        child(B, "s1", "enrolled", date(2026, 9, 1), m09=5, m10=0),
        child(C, "s2", "enrolled", date(2026, 9, 1), m09=3, m10=5),
        child(D, "s1", "enrolled", date(2026, 9, 1), m08=7, m09=7, m10=1),
    ],
    Truth({A: [Spell(date(2026, 10, 9), None)], E: [Spell(date(2026, 10, 1), None)]}, {B: date(2026, 9, 20)}),
)


def test_absence_month_by_month() -> None:
    """September: A and B are new (D was so in August). October: C is; of A and E, out since, only A had been named."""
    september, october = tried("absence-threshold", date(2026, 9, 1), date(2026, 10, 31), HISTORY).months
    assert (september.named, september.confirmed, september.wrong, september.unverified) == (2, 1, 1, 0)
    assert (september.precision, september.recall, september.out) == (0.5, None, 0)
    assert september.load == Load(0.5, 2)
    assert (october.named, october.confirmed, october.wrong, october.unverified) == (1, 0, 0, 1)
    assert (october.precision, october.out, october.caught, october.recall) == (0.0, 2, 1, 0.5)
    assert october.load == Load(0.25, 1)


def test_a_lower_figure_names_more() -> None:
    found = tried("absence-threshold", date(2026, 9, 1), date(2026, 9, 30), HISTORY, absence_days=3)
    assert [each.named for each in found.months] == [3]


def test_a_transfer_is_named_when_its_days_have_passed() -> None:
    left = Kept([child(A, "s1", "transferred_out", date(2026, 9, 10))], NOBODY)
    named = [
        each.named
        for each in tried("transfer-not-arrived", date(2026, 9, 1), date(2026, 11, 20), left).months
    ]
    assert named == [0, 1, 0]
    sooner = tried("transfer-not-arrived", date(2026, 9, 1), date(2026, 11, 20), left, transfer_days=5)
    assert [each.named for each in sooner.months] == [1, 0, 0]


def test_nobody_is_no_perfect_score() -> None:
    found = figures_of(SEPTEMBER, [], frozenset(), NOBODY, 0)
    assert (found.precision, found.recall, found.load) == (None, None, Load(None, 0))


def test_a_time_out_of_school_that_was_over_confirms_nothing() -> None:
    named = [Named(A, "s1")]
    over = Truth({A: [Spell(date(2025, 1, 1), date(2025, 3, 1))]}, {})
    under_way = Truth({A: [Spell(date(2025, 1, 1), date(2026, 10, 2))]}, {})
    assert figures_of(OCTOBER, named, frozenset(), over, 1).unverified == 1
    assert figures_of(OCTOBER, named, frozenset(), under_way, 1).confirmed == 1


def test_load_counts_the_officers_who_get_nothing() -> None:
    assert load_of([Named(A, "s1"), Named(B, "s1"), Named(C, "s2")], 6) == Load(0.5, 2)


def test_months_are_cut_off_at_both_ends() -> None:
    assert months(date(2026, 11, 9), date(2027, 1, 5)) == [
        Period(date(2026, 11, 9), date(2026, 11, 30)),
        Period(date(2026, 12, 1), date(2026, 12, 31)),
        Period(date(2027, 1, 1), date(2027, 1, 5)),
    ]


def test_spells_that_touch_are_one() -> None:
    first, second, third = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
    assert merged([Spell(second, third), Spell(first, second)]) == [Spell(first, third)]
    assert merged([Spell(first, None), Spell(second, third)]) == [Spell(first, None)]
    assert merged([Spell(first, second), Spell(third, None)]) == [Spell(first, second), Spell(third, None)]


def test_a_status_of_a_later_day_was_not_known() -> None:
    history = child(A, "s1", "dropped_out", date(2026, 11, 3), m09=6)
    assert [row.status for row in history.on(date(2026, 10, 31)).enrolments] == ["enrolled"]
    assert history.on(date(2026, 9, 29)).enrolments == (), "the month was not over: nothing was known"
    assert [row.status for row in history.on(date(2026, 11, 3)).enrolments] == ["dropped_out"]


@pytest.mark.parametrize(
    ("rule", "figures", "says"),
    [
        ("applicant-under-16", {}, "nobody keeps what was not asked"),
        ("sighted-at-work", {}, "cannot be back-tested"),
        ("no-such-rule", {}, "no rule"),
        ("absence-threshold", {"no_such_days": 3}, "no such figure"),
    ],
)
def test_what_cannot_be_tried_is_said(rule: str, figures: dict[str, int], says: str) -> None:
    with pytest.raises(Malformed) as found:
        tried(rule, date(2026, 9, 1), date(2026, 9, 30), HISTORY, **figures)
    assert says in found.value.detail_en


def test_the_time_ends_with_the_history() -> None:
    assert tried("absence-threshold", date(2026, 11, 1), date(2027, 6, 30), HISTORY).trial.last == date(
        2026, 11, 20
    )
    with pytest.raises(Malformed):
        tried("absence-threshold", date(2027, 1, 1), date(2027, 6, 30), HISTORY)
