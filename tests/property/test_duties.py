"""Deadlines: working days are working days, more days never come due earlier, and none is skipped."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.rulebook import load_calendar
from gateway.domain.duties import Calendar, DutyRule
from gateway.settings import POLICIES

days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
weekdays = days.filter(lambda day: day.weekday() < 5)
weekends = days.filter(lambda day: day.weekday() >= 5)
invented = st.builds(
    Calendar,
    st.frozensets(weekdays, max_size=40),
    st.frozensets(weekends, max_size=20),
    st.just(frozenset(range(2024, 2029))),
)
calendars = st.just(load_calendar(POLICIES / "calendar")) | invented


@given(calendars, days, st.integers(1, 60))
def test_the_last_day_is_a_working_day_with_exactly_that_many_before_it(
    calendar: Calendar, start: date, count: int
) -> None:
    due = calendar.add_working_days(start, count)
    between = [start + timedelta(days=step) for step in range(1, (due - start).days + 1)]
    assert calendar.is_working_day(due)
    assert sum(map(calendar.is_working_day, between)) == count


@given(calendars, days, st.integers(0, 30), st.integers(0, 30))
def test_days_add_up(calendar: Calendar, start: date, one: int, other: int) -> None:
    by_steps = calendar.add_working_days(calendar.add_working_days(start, one), other)
    assert by_steps == calendar.add_working_days(start, one + other)


@given(calendars, days, days, st.integers(0, 30))
def test_a_later_event_is_never_due_earlier(calendar: Calendar, one: date, other: date, count: int) -> None:
    first, second = sorted((one, other))
    assert calendar.add_working_days(first, count) <= calendar.add_working_days(second, count)


@given(invented, days, st.integers(0, 20), weekdays)
def test_one_more_holiday_never_shortens_a_deadline(
    calendar: Calendar, start: date, count: int, holiday: date
) -> None:
    longer = Calendar(calendar.holidays | {holiday}, calendar.workdays, calendar.years)
    assert longer.add_working_days(start, count) >= calendar.add_working_days(start, count)


@given(calendars, days, st.integers(0, 60))
def test_calendar_days_are_plain_days(calendar: Calendar, start: date, count: int) -> None:
    rule = DutyRule("x", "甲", "x", "education", count, working_days=False)
    assert rule.due(start, calendar) == start + timedelta(days=count)
    assert DutyRule("x", "甲", "x", "education", count, working_days=True).due(start, calendar) >= start
