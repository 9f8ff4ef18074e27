"""When which report is made, what its period is called, and where a stated figure disagrees with the facts."""

import itertools
from datetime import date, timedelta

import pytest
import yaml

from gateway.adapters.reportbook import read_reports
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.reporting import (
    FIGURES,
    FLATTERING,
    LASTING,
    UNWELCOME,
    disagreements,
    is_period,
    period_of,
)
from gateway.services.reportsheet import tabled
from gateway.settings import POLICIES

BOOK = load_rulebook(POLICIES)
REPORTS, TERMS = BOOK.reports, BOOK.reports.terms


@pytest.mark.parametrize(
    ("every", "day", "label", "first", "last"),
    [
        ("month", date(2026, 2, 28), "2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("month", date(2026, 12, 31), "2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("quarter", date(2026, 5, 4), "2026-Q2", date(2026, 4, 1), date(2026, 6, 30)),
        ("quarter", date(2026, 10, 1), "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("year", date(2026, 7, 1), "2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("term", date(2026, 9, 1), "2026-2027-1", date(2026, 9, 1), date(2027, 2, 28)),
        ("term", date(2028, 2, 29), "2027-2028-1", date(2027, 9, 1), date(2028, 2, 29)),
        ("term", date(2026, 8, 31), "2025-2026-2", date(2026, 3, 1), date(2026, 8, 31)),
        ("term", date(2026, 1, 1), "2025-2026-1", date(2025, 9, 1), date(2026, 2, 28)),
    ],
)
def test_periods_are_called_as_people_call_them(every, day, label, first, last) -> None:
    found = period_of(every, day, TERMS)
    assert (found.label, found.first, found.last) == (label, first, last)
    assert is_period(label)


@pytest.mark.parametrize("text", ["2026-13", "26-10", "2026-Q5", "2026-2027-3", "2026-10-01", "", "２０２６"])
def test_what_is_no_period(text: str) -> None:
    assert not is_period(text)


@pytest.mark.parametrize("rule", list(REPORTS.rules.values()), ids=list(REPORTS.rules))
def test_over_three_years_every_report_is_made_once_for_every_period(rule) -> None:
    begin, made = date(2025, 9, 1), []
    for ahead in range(3 * 365):
        period = rule.made_on(begin + timedelta(days=ahead), TERMS)
        if period is not None:
            made.append(period)
    assert len({each.label for each in made}) == len(made)
    expected = {"month": 35, "quarter": 11, "term": 5, "year": 2}[rule.every] + rule.at_start
    assert len(made) in (expected, expected + 1)
    for earlier, later in itertools.pairwise(made):
        assert later.first == earlier.last + timedelta(days=1)


def test_the_register_is_analysed_within_thirty_days_of_the_start_of_term() -> None:
    rule = REPORTS.rules["register-analysis"]
    made = date(2026, 9, 1) + timedelta(days=rule.after)
    assert rule.made_on(made, TERMS) == TERMS.of(made)
    assert BOOK.duties.due(rule.duty, made) <= date(2026, 9, 1) + timedelta(days=30)


def test_a_stated_figure_that_is_not_the_facts_is_named_with_its_direction() -> None:
    found = disagreements(
        {"opened": 0, "students": 12, "visits": 9}, {"opened": 3, "students": 12, "visits": 4}
    )
    assert [(each.figure, each.told()["kind"]) for each in found] == [
        ("opened", "understated"),
        ("visits", "overstated"),
    ]
    assert set(LASTING) <= set(FIGURES)


@pytest.mark.parametrize(
    ("figure", "more", "less"),
    [
        ("students", "虚报", "少报"),
        ("returned", "虚报", "少报"),
        ("duties_on_time", "虚报", "少报"),
        ("dropped_out_now", "多报", "瞒报"),
        ("left", "多报", "瞒报"),
        ("absent", "多报", "瞒报"),
        ("transferred_out", "多报", "少报"),
    ],
)
def test_a_difference_bears_the_name_of_what_it_is_in_either_direction(
    figure: str, more: str, less: str
) -> None:
    for stated, word, kind in ((5, more, "overstated"), (1, less, "understated")):
        (found,) = disagreements({figure: stated}, {figure: 3})
        assert (found.told()["finding_zh"], found.told()["kind"]) == (word, kind)
    assert FLATTERING.isdisjoint(UNWELCOME)
    assert set(FIGURES) >= FLATTERING | UNWELCOME


def test_a_prefectures_and_provinces_reports_are_made_where_they_live_their_days() -> None:
    made = {
        region: {rule.id for rule in REPORTS.rules.values() if rule.made_in(region)}
        for region in ("530423", "5304", "53")
    }
    assert made["5304"] == {"city-term"}
    assert made["53"] == {"province-yearly"}
    assert made["530423"] == set(REPORTS.rules) - {"city-term", "province-yearly"}


def test_the_table_says_in_words_what_is_wrong() -> None:
    told = {**disagreements({"opened": 0}, {"opened": 3})[0].told(), "place": "示范小学"}
    item = {"title_zh": "学校月报", "status": "signed", "figures": {"opened": 3}, "disagreements": [told]}
    headings, rows = tabled([item])  # type: ignore[list-item]
    assert len(headings) == len(rows[0])
    assert rows[0][-1] == "示范小学 本期新增个案：瞒报，自报0，事实3"
    assert rows[0][headings.index("本期新增个案 cases opened in the period")] == "3"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["reports"]["school-monthly"].update(duty="no-duty"),
        lambda body: body["reports"]["school-monthly"].update(signs="school/nobody"),
        lambda body: body["reports"]["school-monthly"].update(every="week"),
        lambda body: body["reports"]["school-monthly"].update(after=0),
        lambda body: body["reports"]["school-monthly"].pop("level"),
        lambda body: body.update(terms=["02-30", "09-01"]),
    ],
)
def test_a_book_with_a_mistake_is_not_taken(change) -> None:
    body = yaml.safe_load((POLICIES / "reports.yaml").read_text(encoding="utf-8"))
    roles = yaml.safe_load((POLICIES / "roles.yaml").read_text(encoding="utf-8"))["roles"]
    read_reports(body, roles, BOOK.duties.rules)
    change(body)
    with pytest.raises((ValueError, KeyError)):
        read_reports(body, roles, BOOK.duties.rules)
