"""Which ledgers a child stands on: by the registers, by its case, by its age, by its home."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.adapters.rulebook import load_rulebook
from gateway.domain.case import CaseFile, State
from gateway.domain.ledger import STATUSES, Entry, Ledger, LedgerFacts, Verdict, decide, follow
from gateway.domain.model import Absence, Standing, SubjectId
from gateway.settings import POLICIES
from tests.ledger_history import as_of

HERE, THERE = "530423", "530424"
TODAY = date(2026, 11, 20)
BOOK = load_rulebook(POLICIES)
ALL = {Ledger.SCHOOL_AGE, Ledger.SUSPECTED, Ledger.DROPPED_OUT}


def row(status: str, since: date = date(2026, 9, 1), region: str = HERE, confirmed: date = TODAY) -> Standing:
    return Standing(region, status, since, confirmed)


def case(state: State, since: date = date(2026, 11, 1), previous: State | None = None) -> CaseFile:
    ended = BOOK.cases.ended(state)
    return CaseFile(
        ref="case-x",
        region=HERE,
        subject=SubjectId(b"0" * 16),
        state=state,
        opened_at=datetime(2026, 10, 1, tzinfo=UTC),
        since=since,
        residence="530423101",
        previous=previous,
        ended_on=since if ended else None,
    )


def judged(
    *rows: Standing,
    age: int | None = 11,
    case: CaseFile | None = None,
    absence: Absence | None = None,
    on: date = TODAY,
) -> Verdict:
    return decide(LedgerFacts(HERE, age, rows, absence, case), on, BOOK.limits, BOOK.cases)


def statuses(verdict: Verdict) -> dict[str, str]:
    return {str(ledger): status for ledger, status in verdict.statuses.items()}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("enrolled", {"school-age": "in_school"}),
        ("on_leave", {"school-age": "on_leave"}),
        ("deferred", {"school-age": "exempt"}),
        ("exempt", {"school-age": "exempt"}),
        ("dropped_out", {"school-age": "dropped_out", "dropped-out": "registered-dropout"}),
        ("transferred_out", {"school-age": "dropped_out", "dropped-out": "transfer-not-arrived"}),
        ("graduated", {}),
        ("deceased", {}),
    ],
)
def test_by_the_register_alone(status: str, expected: dict[str, str]) -> None:
    verdict = judged(row(status))
    assert statuses(verdict) == expected
    assert verdict.sources == ("student-register",)
    assert verdict.reasons.keys() == ALL - verdict.statuses.keys()
    assert all(verdict.reasons.values()), "nobody is off a ledger without a reason"


@pytest.mark.parametrize(
    ("age", "there", "why"), [(5, False, "under-age"), (6, True, ""), (15, True, ""), (16, False, "of-age")]
)
def test_school_age_begins_with_six_and_ends_with_sixteen(age: int, there: bool, why: str) -> None:
    verdict = judged(row("enrolled"), age=age)
    assert (Ledger.SCHOOL_AGE in verdict.statuses) == there
    assert verdict.reasons.get(Ledger.SCHOOL_AGE, "") == why


@pytest.mark.parametrize("state", list(State))
def test_every_state_of_a_case_has_its_place(state: State) -> None:
    """A case that is open puts its child on one ledger, whatever the register says; one that ended on none."""
    verdict = judged(row("enrolled"), case=case(state))
    on = {ledger for ledger in verdict.statuses if ledger is not Ledger.SCHOOL_AGE}
    rule = BOOK.cases.states[state]
    assert on == (set() if rule.end else {Ledger(str(rule.ledger))})
    for ledger, status in verdict.statuses.items():
        assert status in STATUSES[ledger]
    if not rule.end:
        assert verdict.case == "case-x"
        assert "case" in verdict.sources


def test_the_cases_state_is_told_where_there_is_one() -> None:
    out = judged(row("dropped_out"), case=case(State.VERIFIED))
    assert statuses(out) == {"school-age": "dropped_out", "dropped-out": "verified"}
    assert statuses(judged(row("dropped_out"), case=case(State.SUSPECTED)))["dropped-out"] == "suspected"
    assert Ledger.SUSPECTED not in judged(row("dropped_out"), case=case(State.SUSPECTED)).statuses


def test_a_closed_case_removes_only_when_the_register_agrees() -> None:
    assert statuses(judged(row("dropped_out"), case=case(State.CLOSED)))["dropped-out"] == (
        "registered-dropout"
    )
    back = judged(row("enrolled", date(2026, 11, 10)), case=case(State.CLOSED))
    assert Ledger.DROPPED_OUT not in back.statuses
    assert back.reasons[Ledger.DROPPED_OUT] == "case-closed"


@pytest.mark.parametrize(
    ("state", "status"), [(State.EXEMPT, "exempt"), (State.MOVED, None), (State.DECEASED, None)]
)
def test_an_exit_answers_what_the_register_said_before_it_and_not_after(
    state: State, status: str | None
) -> None:
    before = judged(row("dropped_out", date(2026, 10, 1)), case=case(state))
    assert before.statuses.get(Ledger.SCHOOL_AGE) == status
    assert Ledger.DROPPED_OUT not in before.statuses
    after = judged(row("dropped_out", date(2026, 11, 10)), case=case(state))
    assert after.statuses[Ledger.DROPPED_OUT] == "registered-dropout"


def test_a_case_is_seen_as_it_was_on_the_day() -> None:
    verified = case(State.VERIFIED, date(2026, 11, 10), State.SUSPECTED)
    assert Ledger.SUSPECTED in judged(row("enrolled"), case=verified, on=date(2026, 11, 9)).statuses
    assert Ledger.DROPPED_OUT in judged(row("enrolled"), case=verified, on=date(2026, 11, 10)).statuses


def test_an_arrival_takes_the_child_over() -> None:
    left = row("transferred_out", date(2026, 9, 1))
    arrived = row("enrolled", date(2026, 9, 20), THERE)
    here = judged(left, arrived)
    assert here.statuses == {}
    assert here.reasons[Ledger.SCHOOL_AGE] == "arrived"
    there = decide(LedgerFacts(THERE, 11, (left, arrived)), TODAY, BOOK.limits, BOOK.cases)
    assert statuses(there) == {"school-age": "in_school"}
    assert there.sources == ("student-register", "student-register:530423")
    early = row("enrolled", date(2026, 8, 1), THERE)
    assert judged(left, early).statuses, "in school there before it left here is no arrival"


def test_absence_is_named_as_what_was_looked_at() -> None:
    absent = judged(row("enrolled"), absence=Absence("2026-10", 9))
    assert statuses(absent) == {"school-age": "unknown"}
    assert absent.sources == ("student-register", "attendance")


def test_a_case_about_a_child_in_no_register_is_on_its_ledger_only() -> None:
    verdict = judged(age=None, case=case(State.SUSPECTED))
    assert statuses(verdict) == {"suspected": "suspected"}
    assert verdict.reasons[Ledger.SCHOOL_AGE] == "not-registered"


# --- intervals -----------------------------------------------------------------------------------------------

ENTRY = Entry("in_school", "530423101", "2153001234", None, "student-register", False)
WHY = ("of-age", "student-register")


def test_since_stays_while_the_status_does() -> None:
    (first,) = follow(None, ENTRY, date(2026, 11, 1), WHY)
    ended, second = follow(first, replace(ENTRY, carried_forward=True), date(2026, 11, 5), WHY)
    assert (ended.valid_to, ended.reason) == (date(2026, 11, 5), "changed")
    assert (second.valid_from, second.since) == (date(2026, 11, 5), date(2026, 11, 1))
    _, third = follow(second, replace(ENTRY, status="on_leave"), date(2026, 11, 9), WHY)
    assert third.since == date(2026, 11, 9)


def test_a_day_is_corrected_in_place_and_the_past_is_not() -> None:
    (first,) = follow(None, ENTRY, date(2026, 11, 1), WHY)
    assert follow(first, ENTRY, date(2026, 11, 5), WHY) == []
    (same,) = follow(first, replace(ENTRY, status="unknown"), date(2026, 11, 1), WHY)
    assert (same.valid_from, same.valid_to) == (date(2026, 11, 1), None)
    (gone,) = follow(first, None, date(2026, 11, 5), WHY)
    assert (gone.valid_to, gone.reason, gone.evidence) == (date(2026, 11, 5), *WHY)
    assert as_of([gone], date(2026, 11, 4)) == gone
    assert as_of([gone], date(2026, 11, 5)) is None


OLD = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ("enrolled", "graduated", {"school-age": "in_school"}),
        ("transferred_out", "enrolled", {"school-age": "dropped_out", "dropped-out": "transfer-not-arrived"}),
        ("dropped_out", "graduated", {"school-age": "dropped_out", "dropped-out": "registered-dropout"}),
        ("enrolled", "deceased", {}),
    ],
)
def test_a_register_too_old_to_be_believed_takes_nobody_off(
    own: str, other: str, expected: dict[str, str]
) -> None:
    stale = row(other, since=date(2026, 9, 15), region=THERE, confirmed=OLD)
    assert statuses(judged(row(own), stale)) == expected


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((row("graduated", confirmed=OLD),), "graduated"),
        ((row("transferred_out", confirmed=OLD), row("enrolled", region=THERE, confirmed=OLD)), "arrived"),
    ],
)
def test_who_left_for_good_does_not_come_back_because_nobody_writes_of_them_any_more(
    rows: tuple[Standing, ...], why: str
) -> None:
    verdict = judged(*rows)
    assert statuses(verdict) == {}
    assert verdict.reasons[Ledger.SCHOOL_AGE] == why
