"""Who is owed what: nobody by silence, everybody by what is said, and never both ways at once."""

from dataclasses import replace
from datetime import date, timedelta

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.aid import FILE, read_aid
from gateway.domain.aid import PupilAid, Told, entitled, gap_of
from gateway.settings import POLICIES

BOOK = read_aid(yaml.safe_load((POLICIES / FILE).read_text(encoding="utf-8")))
TODAY = date(2026, 12, 10)
TERM = BOOK.current(TODAY)
STALE = 120
DAYS = st.dates(date(2026, 1, 1), TODAY)

pupils = st.builds(
    PupilAid,
    region=st.just("530423"),
    status=st.sampled_from(
        ["enrolled", "on_leave", "transferred_out", "dropped_out", "graduated", "deferred"]
    ),
    status_date=DAYS,
    confirmed_on=DAYS,
    grade=st.integers(1, 9),
    boarding=st.sampled_from(["day", "boarding"]),
    hardship=st.booleans(),
    relief=st.booleans(),
    paid=st.sampled_from([0, 1, 10_000, 25_000, 31_250, 50_000, 62_500, 100_000]),
)
tolds = st.builds(Told, hardship=st.booleans(), relief=st.booleans(), payments=st.booleans())


def gap(pupil: PupilAid, told: Told):  # type: ignore[no-untyped-def]
    return gap_of(pupil, TERM, BOOK, told, TODAY, STALE)


@given(pupils, tolds)
def test_no_payments_handed_in_makes_nobody_unpaid_or_wrongly_paid(pupil: PupilAid, told: Told) -> None:
    assert gap(pupil, told._replace(payments=False)) is None


@given(pupils, tolds)
def test_without_relief_register_or_findings_of_hardship_nobody_is_wrongly_paid(
    pupil: PupilAid, told: Told
) -> None:
    found = gap(pupil, told)
    if found is not None and found.direction == "paid_not_entitled" and pupil.status == "enrolled":
        assert told.relief
        assert told.hardship


@given(pupils, tolds)
def test_a_stale_row_says_nothing(pupil: PupilAid, told: Told) -> None:
    old = pupil._replace(confirmed_on=TODAY - timedelta(days=STALE + 1))
    assert entitled(old, TERM, BOOK, told, TODAY, STALE) is None
    assert gap(old, told) is None


@given(pupils, tolds)
def test_more_said_never_turns_a_yes_into_a_no(pupil: PupilAid, told: Told) -> None:
    little = entitled(pupil, TERM, BOOK, told, TODAY, STALE)
    much = entitled(pupil, TERM, BOOK, Told(hardship=True, relief=True, payments=True), TODAY, STALE)
    assert little in (None, much)


@given(pupils, tolds)
def test_the_direction_follows_from_the_sums(pupil: PupilAid, told: Told) -> None:
    found = gap(pupil, told)
    if found is None:
        return
    assert found.paid == pupil.paid
    match found.direction:
        case "entitled_unpaid":
            assert found.paid == 0 < found.owed
        case "underpaid":
            assert 0 < found.paid < found.owed
        case "paid_not_entitled":
            assert found.paid > 0 == found.owed
            assert found.basis == ()
    if found.direction != "paid_not_entitled":
        assert pupil.hardship or pupil.relief
        assert pupil.status == "enrolled"


@given(pupils, tolds, st.integers(0, 100_000))
def test_paying_what_is_owed_closes_the_gap(pupil: PupilAid, told: Told, more: int) -> None:
    found = gap(pupil, told)
    if found is not None and found.owed:
        assert gap(pupil._replace(paid=found.owed + more), told) is None


@given(st.integers(1, 9), st.sampled_from(["day", "boarding"]))
def test_a_boarder_is_owed_more_than_a_day_pupil_and_two_terms_are_a_year(grade: int, boarding: str) -> None:
    assert BOOK.owed(grade, "boarding", True) == 2 * BOOK.owed(grade, "day", True)
    stage = BOOK.stages[grade]
    assert 2 * BOOK.owed(grade, boarding, True) == 100 * BOOK.yearly[stage][boarding]


@given(pupils, tolds)
def test_a_county_that_does_not_go_by_hardship_does_not_look_at_it(pupil: PupilAid, told: Told) -> None:
    book = replace(BOOK, hardship_entitles=False)
    one = gap_of(pupil._replace(hardship=True), TERM, book, told, TODAY, STALE)
    other = gap_of(pupil._replace(hardship=False), TERM, book, told, TODAY, STALE)
    assert one == other
