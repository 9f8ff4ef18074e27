"""Deadlines by the State Council's notice for 2026, and by weekends alone where no notice is known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.adapters.rulebook import load_calendar, load_rulebook
from gateway.domain.duties import Calendar, Duty, DutyRule, DutyStatus
from gateway.domain.errors import Malformed, SourceUnavailable
from gateway.domain.owing import one_up
from gateway.services.duty_actions import moved
from gateway.services.escalation import went_up_by
from gateway.services.health import Health
from gateway.settings import POLICIES

CALENDAR = load_calendar(POLICIES / "calendar")
BOOK = load_rulebook(POLICIES).duties


NOTICES = [
    # 国办发明电〔2023〕7号
    (date(2024, 1, 1), date(2024, 1, 1), ()),
    (date(2024, 2, 10), date(2024, 2, 17), (date(2024, 2, 4), date(2024, 2, 18))),
    (date(2024, 4, 4), date(2024, 4, 6), (date(2024, 4, 7),)),
    (date(2024, 5, 1), date(2024, 5, 5), (date(2024, 4, 28), date(2024, 5, 11))),
    (date(2024, 6, 10), date(2024, 6, 10), ()),
    (date(2024, 9, 15), date(2024, 9, 17), (date(2024, 9, 14),)),
    (date(2024, 10, 1), date(2024, 10, 7), (date(2024, 9, 29), date(2024, 10, 12))),
    # 国办发明电〔2024〕12号
    (date(2025, 1, 1), date(2025, 1, 1), ()),
    (date(2025, 1, 28), date(2025, 2, 4), (date(2025, 1, 26), date(2025, 2, 8))),
    (date(2025, 4, 4), date(2025, 4, 6), ()),
    (date(2025, 5, 1), date(2025, 5, 5), (date(2025, 4, 27),)),
    (date(2025, 5, 31), date(2025, 6, 2), ()),
    (date(2025, 10, 1), date(2025, 10, 8), (date(2025, 9, 28), date(2025, 10, 11))),
    # 国办发明电〔2025〕7号
    (date(2026, 1, 1), date(2026, 1, 3), (date(2026, 1, 4),)),
    (date(2026, 2, 15), date(2026, 2, 23), (date(2026, 2, 14), date(2026, 2, 28))),
    (date(2026, 4, 4), date(2026, 4, 6), ()),
    (date(2026, 5, 1), date(2026, 5, 5), (date(2026, 5, 9),)),
    (date(2026, 6, 19), date(2026, 6, 21), ()),
    (date(2026, 9, 25), date(2026, 9, 27), (date(2026, 9, 20),)),
    (date(2026, 10, 1), date(2026, 10, 7), (date(2026, 10, 10),)),
]


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


@pytest.mark.parametrize(("first", "last", "worked"), NOTICES)
def test_the_holidays_are_those_of_the_published_notices(
    first: date, last: date, worked: tuple[date, ...]
) -> None:
    assert not any(CALENDAR.is_working_day(day) for day in between(first, last))
    assert all(CALENDAR.is_working_day(day) for day in worked)


def test_the_files_name_every_day_of_the_notices_and_no_other() -> None:
    assert {day for first, last, _ in NOTICES for day in between(first, last)} == CALENDAR.holidays
    assert {day for _, _, worked in NOTICES for day in worked} == CALENDAR.workdays


def between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


EVERY_ROW = {
    "first-contact": (3, True, "school"),
    "absence-report": (0, False, "school"),
    "transfer-check": (30, False, "education"),
    "transfer-receive": (30, False, "education"),
    "placement": (30, False, "education"),
    "assess-relief": (30, False, "civil_affairs"),
    "labour-visit": (3, True, "human_resources"),
    "guardian-return": (7, False, "township"),
    "reminder-return": (10, False, "township"),
    "court-application": (90, False, "education"),
    "referral-decision": (5, True, "justice"),
}


@pytest.mark.parametrize("kind", EVERY_ROW)
def test_the_deadlines_of_the_table_of_duties(kind: str) -> None:
    rule = BOOK.rules[kind]
    assert (rule.days, rule.working_days, rule.owner) == EVERY_ROW[kind]
    assert rule.remind_days < max(rule.days, 1)


@pytest.mark.parametrize(
    ("owner", "way"),
    [
        ("school", ["township@530423101", "education@530423", "education@5304", "education@53"]),
        ("township", ["education@530423", "education@5304", "education@53"]),
        ("education", ["education@5304", "education@53"]),
        ("human_resources", ["human_resources@5304", "human_resources@53"]),
    ],
)
def test_the_way_up(owner: str, way: list[str]) -> None:
    found, now = [], None
    while (now := one_up(owner, "530423", "530423101201", now)) is not None:
        found.append(now)
    assert found == way
    assert one_up("school", "530423", "530423", None) == "education@530423", "in which township nobody knows"


@pytest.mark.parametrize(("region", "way"), [("5304", ["education@53"]), ("53", [])])
def test_the_way_up_from_above_the_county(region: str, way: list[str]) -> None:
    found, now = [], None
    while (now := one_up("education", region, region, now)) is not None:
        found.append(now)
    assert found == way


@pytest.mark.parametrize("ahead", range(30))
def test_a_level_is_told_so_many_working_days_after_the_one_below(ahead: int) -> None:
    day = date(2026, 9, 20) + timedelta(days=ahead)
    back = went_up_by(CALENDAR, day, 5)
    assert CALENDAR.add_working_days(back, 5) <= day < CALENDAR.add_working_days(back + timedelta(days=1), 5)


def test_a_wait_moves_the_last_day_by_the_working_days_that_went() -> None:
    duty = Duty(
        id="duty-a",
        kind="labour-visit",
        owner="human_resources",
        region="530423",
        residence="530423",
        school=None,
        lead=None,
        case=None,
        due_on=date(2026, 9, 30),
        status=DutyStatus.WAITING,
        opened_at=datetime(2026, 9, 25, tzinfo=UTC),
        facts={},
        escalated_on=date(2026, 9, 29),
    )
    # from Tuesday 29 September to Friday 9 October: the 30th, the 8th and the 9th were worked
    again = moved(BOOK, duty, date(2026, 9, 29), date(2026, 10, 9))
    assert again == (date(2026, 10, 10), date(2026, 10, 9), 10)
    plain = replace(duty, kind="placement")
    assert moved(BOOK, plain, date(2026, 9, 29), date(2026, 10, 9))[0] == date(2026, 10, 10)
    assert moved(BOOK, plain, date(2026, 9, 29), date(2026, 9, 29))[0] == date(2026, 9, 30)
