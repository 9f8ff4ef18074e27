"""Schooling over any history: silence is never "in school", and time alone never brings a child back."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.model import Absence, ChildFacts, Enrolment, Standing, Standings, SubjectId
from gateway.domain.schooling import REGISTER, Thresholds, judge

LIMITS = Thresholds(register_stale_days=120, transfer_days=30, absence_days=5, attendance_stale_days=120)
STATUSES = [
    "enrolled",
    "on_leave",
    "deferred",
    "exempt",
    "dropped_out",
    "transferred_out",
    "graduated",
    "deceased",
    "?",
]
START = date(2025, 1, 1)

days = st.integers(0, 700).map(lambda number: START + timedelta(days=number))
rows = st.builds(
    Enrolment,
    st.sampled_from(["530423", "530424"]),
    st.sampled_from(STATUSES),
    days,
    days,
    st.just("530423101"),
    st.just("2153001234"),
    st.just(date(2015, 3, 5)),
)
absences = st.none() | st.builds(
    Absence, st.dates(START, date(2026, 12, 31)).map(lambda day: f"{day:%Y-%m}"), st.integers(0, 31)
)
children = st.builds(
    ChildFacts,
    st.just(SubjectId(b"s" * 16)),
    st.lists(rows, max_size=4).map(tuple),
    absences,
    st.none() | days,
)


def stale(day: date, today: date) -> bool:
    return (today - day).days > LIMITS.register_stale_days


@given(absences, st.none() | days, days)
def test_no_register_never_gives_an_answer(
    absence: Absence | None, register: date | None, today: date
) -> None:
    found = judge(ChildFacts(None, (), absence, register), today, LIMITS)
    assert found.out_of_school == "unknown"
    assert (REGISTER in found.missing_sources) is (register is None or stale(register, today))


@given(children, days)
def test_only_a_fresh_row_that_says_so_gives_no(child: ChildFacts, today: date) -> None:
    if judge(child, today, LIMITS).out_of_school == "no":
        assert any(
            row.status in ("enrolled", "on_leave", "deferred", "exempt")
            and not stale(row.confirmed_on, today)
            for row in child.enrolments
        )


@given(children, days)
def test_an_unknown_for_want_of_a_fresh_register_names_it(child: ChildFacts, today: date) -> None:
    found = judge(child, today, LIMITS)
    fresh = [row for row in child.enrolments if not stale(row.confirmed_on, today)]
    register_at_hand = child.register_as_of is not None and not stale(child.register_as_of, today)
    if not fresh and (child.enrolments or not register_at_hand):
        assert found.out_of_school == "unknown"
        assert found.missing_sources == (REGISTER,)
    else:
        assert found.missing_sources == ()


@given(children, days, st.integers(121, 2000))
def test_every_answer_goes_stale(child: ChildFacts, today: date, later: int) -> None:
    newest = max([today, *(row.confirmed_on for row in child.enrolments), child.register_as_of or today])
    found = judge(child, newest + timedelta(days=later), LIMITS)
    assert found.out_of_school == "unknown"
    assert found.missing_sources == (REGISTER,)


@given(children, days, st.integers(0, 400))
def test_time_alone_brings_nobody_back_to_school(child: ChildFacts, today: date, later: int) -> None:
    """While the same rows are fresh, a `yes` stays and no `unknown` of a transfer becomes a `no`."""
    after = today + timedelta(days=later)
    if any(stale(row.confirmed_on, after) != stale(row.confirmed_on, today) for row in child.enrolments):
        return
    before, then = judge(child, today, LIMITS), judge(child, after, LIMITS)
    if before.out_of_school == "yes":
        assert then.out_of_school in ("yes", "unknown")
        assert then.out_of_school == "yes" or then.missing_sources
    if before.because == "transfer-under-way":
        assert then.out_of_school in ("unknown", "yes")


@given(children, days)
def test_the_order_of_registers_does_not_count_where_their_days_differ(
    child: ChildFacts, today: date
) -> None:
    keys = [(row.status_date, row.confirmed_on) for row in child.enrolments]
    if len(set(keys)) == len(keys) and len({row.status_date for row in child.enrolments}) == len(keys):
        turned = ChildFacts(child.subject, child.enrolments[::-1], child.absence, child.register_as_of)
        assert judge(turned, today, LIMITS) == judge(child, today, LIMITS)


@given(children, days)
def test_lists_judge_as_single_answers_do(child: ChildFacts, today: date) -> None:
    rows_ = tuple(
        Standing(row.region, row.status, row.status_date, row.confirmed_on) for row in child.enrolments
    )
    assert judge(Standings(rows_, child.absence, child.register_as_of), today, LIMITS) == judge(
        child, today, LIMITS
    )
