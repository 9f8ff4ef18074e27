"""Deadlines by the State Council's notice for 2026, and by weekends alone where no notice is known."""

from datetime import UTC, date, datetime

import pytest

from gateway.adapters.rulebook import load_calendar, load_rulebook
from gateway.domain.duties import Calendar, DutyRule
from gateway.domain.errors import Malformed, SourceUnavailable
from gateway.services.health import Health
from gateway.settings import POLICIES

CALENDAR = load_calendar(POLICIES / "calendar")
BOOK = load_rulebook(POLICIES).duties


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # the holiday lasts to 7 October, a Wednesday
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # Saturday the 10th is worked instead
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),  # known in the middle of the holiday
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # Sunday the 20th is worked instead
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # Spring Festival, Saturday the 14th worked before it
        (date(2026, 11, 20), 3, date(2026, 11, 25)),  # an ordinary weekend
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
    ],
)
def test_working_days_around_the_holidays_of_2026(start: date, days: int, due: date) -> None:
    assert CALENDAR.add_working_days(start, days) == due


def test_the_first_contact_with_a_family_waits_for_the_end_of_the_national_day_holiday() -> None:
    assert BOOK.due("first-contact", date(2026, 9, 30)) == date(2026, 10, 10)


def test_calendar_days_are_counted_through_holidays() -> None:
    assert BOOK.due("transfer-check", date(2026, 9, 30)) == date(2026, 10, 30)


def test_a_duty_of_no_days_is_due_the_same_day_even_on_a_holiday() -> None:
    assert BOOK.due("absence-report", date(2026, 10, 1)) == date(2026, 10, 1)


def test_a_year_without_a_calendar_has_weekends_only() -> None:
    assert not CALENDAR.knows(date(2027, 10, 1))
    assert CALENDAR.add_working_days(date(2027, 9, 30), 1) == date(2027, 10, 1)  # a Friday
    assert CALENDAR.add_working_days(date(2027, 9, 30), 2) == date(2027, 10, 4)


def test_every_known_year_has_its_holidays_on_days_of_that_year() -> None:
    assert {2024, 2025, 2026} <= CALENDAR.years
    assert all(CALENDAR.knows(day) for day in CALENDAR.holidays | CALENDAR.workdays)
    assert not CALENDAR.holidays & CALENDAR.workdays
    assert all(day.weekday() >= 5 for day in CALENDAR.workdays)


def test_an_unknown_duty_is_an_error_not_a_default() -> None:
    with pytest.raises(KeyError):
        BOOK.due("no-such-duty", date(2026, 9, 30))


def test_a_rule_runs_by_the_calendar_it_is_given() -> None:
    rule = DutyRule("x", "甲", "x", "education", 1, working_days=True)
    assert rule.due(date(2026, 9, 30), Calendar(frozenset(), frozenset(), frozenset())) == date(2026, 10, 1)


class _Clock:
    def now(self) -> datetime:
        return datetime(2027, 1, 1, tzinfo=UTC)

    def today(self) -> date:
        return date(2027, 1, 1)


def health(probe: object = lambda: None) -> Health:
    def warnings() -> list[str]:
        return [] if CALENDAR.knows(_Clock().today()) else ["no calendar"]

    return Health(probe, lambda: "v", _Clock(), lambda: None, warnings)  # type: ignore[arg-type]


def test_health_warns_but_stays_ready_without_a_calendar() -> None:
    assert health().report() == {"status": "ready", "missing": [], "warnings": ["no calendar"]}


def test_health_says_that_the_store_is_missing() -> None:
    def broken() -> None:
        raise SourceUnavailable

    assert health(broken).report() == {
        "status": "not_ready",
        "missing": ["store"],
        "warnings": ["no calendar"],
    }


@pytest.mark.parametrize(
    ("asked", "fits"), [(None, True), ("2027-01-01", True), ("2026-12-31", False), ("x", False)]
)
def test_only_today_can_be_asked_for(asked: str | None, fits: bool) -> None:
    if fits:
        health().check_as_of(asked)
    else:
        with pytest.raises(Malformed):
            health().check_as_of(asked)
