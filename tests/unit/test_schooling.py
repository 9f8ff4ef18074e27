"""Is the child out of school? Every status and every limit of the table, on the day and the day after."""

from datetime import date, timedelta

import pytest

from gateway.domain.model import Absence, ChildFacts, Enrolment, SchoolingAnswer, SubjectId
from gateway.domain.schooling import REGISTER, Thresholds, absent_too_long, judge, transfer_overdue

TODAY = date(2026, 11, 20)
LIMITS = Thresholds(register_stale_days=120, transfer_days=30, absence_days=5, attendance_stale_days=120)
SUBJECT = SubjectId(b"s" * 16)


def row(
    status: str, since: date = date(2026, 9, 1), confirmed: date = TODAY, region: str = "530423"
) -> Enrolment:
    return Enrolment(region, status, since, confirmed, region + "101", "2153001234", date(2015, 3, 5))


def judged(*rows: Enrolment, absence: Absence | None = None, register: date | None = None) -> SchoolingAnswer:
    return judge(ChildFacts(SUBJECT, rows, absence, register), TODAY, LIMITS)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("enrolled", "no"),
        ("on_leave", "no"),
        ("deferred", "no"),
        ("exempt", "no"),
        ("dropped_out", "yes"),
        ("graduated", "completed"),
        ("deceased", "unknown"),
        ("a-status-of-next-year", "unknown"),
    ],
)
def test_the_status_decides(status: str, answer: str) -> None:
    found = judged(row(status))
    assert found.out_of_school == answer
    assert found.as_of == TODAY
    assert found.missing_sources == ()


@pytest.mark.parametrize(("days", "answer"), [(0, "unknown"), (30, "unknown"), (31, "yes")])
def test_a_transfer_is_overdue_after_its_thirty_days(days: int, answer: str) -> None:
    left = TODAY - timedelta(days=days)
    assert judged(row("transferred_out", left)).out_of_school == answer
    assert transfer_overdue(left, TODAY, LIMITS) is (answer == "yes")


def test_a_child_who_arrived_elsewhere_is_in_school() -> None:
    left = row("transferred_out", date(2026, 6, 1))
    assert judged(left, row("enrolled", date(2026, 9, 1), region="530424")).out_of_school == "no"


def test_on_one_day_the_register_that_shows_the_child_arrived_wins() -> None:
    day = date(2026, 9, 1)
    rows = (row("transferred_out", day), row("enrolled", day, region="530424"))
    assert judged(*rows).out_of_school == judged(*reversed(rows)).out_of_school == "no"


def test_the_newest_status_speaks() -> None:
    assert (
        judged(row("enrolled", date(2026, 3, 1)), row("dropped_out", date(2026, 10, 1))).out_of_school
        == "yes"
    )


@pytest.mark.parametrize(("days", "answer"), [(120, "no"), (121, "unknown")])
def test_a_stale_register_says_nothing_and_is_named(days: int, answer: str) -> None:
    confirmed = TODAY - timedelta(days=days)
    found = judged(row("enrolled", confirmed=confirmed))
    assert found.out_of_school == answer
    assert found.as_of == confirmed
    assert found.missing_sources == ((REGISTER,) if answer == "unknown" else ())


def test_a_fresh_register_counts_where_a_newer_status_is_stale() -> None:
    stale = row("dropped_out", date(2026, 6, 1), confirmed=date(2026, 6, 2))
    assert judged(stale, row("enrolled", date(2026, 3, 1), region="530424")).out_of_school == "no"


def test_a_child_in_no_register_is_unknown_with_the_register_at_hand() -> None:
    found = judged(register=TODAY)
    assert (found.out_of_school, found.because, found.missing_sources) == ("unknown", "in-no-register", ())


@pytest.mark.parametrize("register", [None, TODAY - timedelta(days=121)])
def test_without_a_fresh_register_the_source_is_missing(register: date | None) -> None:
    found = judged(register=register)
    assert (found.out_of_school, found.missing_sources) == ("unknown", (REGISTER,))
    assert found.as_of == register


@pytest.mark.parametrize(("days", "answer"), [(4, "no"), (5, "unknown"), (22, "unknown")])
def test_absence_at_the_threshold_makes_an_enrolled_child_unknown(days: int, answer: str) -> None:
    found = judged(row("enrolled"), absence=Absence("2026-10", days))
    assert found.out_of_school == answer
    assert found.because == ("absence-threshold" if answer == "unknown" else "enrolled")


@pytest.mark.parametrize("status", ["on_leave", "exempt", "dropped_out", "graduated"])
def test_absence_counts_for_enrolled_children_only(status: str) -> None:
    assert judged(row(status), absence=Absence("2026-10", 22)) == judged(row(status))


@pytest.mark.parametrize(
    ("today", "counts"),
    [(date(2026, 4, 30), True), (date(2026, 5, 1), False)],  # 120 days after 31 December
)
def test_old_attendance_is_forgotten_counting_from_the_end_of_december(today: date, counts: bool) -> None:
    assert absent_too_long(Absence("2025-12", 9), today, LIMITS) is counts
