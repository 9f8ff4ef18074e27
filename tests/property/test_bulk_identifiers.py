"""The sieve over whole columns and the reader that decides agree: what passes reads to itself, what is right passes."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from schemas.bulk import clean_resident_ids, clean_student_numbers
from schemas.identifiers import IdentifierError, parse_resident_id, parse_student_number
from tests.people import resident_id

IDS = st.builds(
    resident_id,
    st.dates(date(1880, 1, 1), date(2110, 12, 31)),
    st.integers(0, 999),
    st.sampled_from(["530423", "810000", "911561", "659012"]),
)
DAMAGED = st.tuples(IDS, st.integers(0, 17), st.sampled_from("0123456789X A")).map(
    lambda made: made[0][: made[1]] + made[2] + made[0][made[1] + 1 :]
)
CELLS = st.lists(st.one_of(IDS, DAMAGED, st.text(max_size=20), st.integers(), st.none()), max_size=30)


def _reads_to_itself(text: object) -> bool:
    try:
        return isinstance(text, str) and len(text) == 18 and parse_resident_id(text).value == text
    except IdentifierError:
        return False


@given(CELLS)
def test_resident_ids(cells: list[object]) -> None:
    assert clean_resident_ids(cells) == [cell for cell in cells if _reads_to_itself(cell)]


NUMBERS = st.one_of(
    IDS.map("G".__add__),
    st.from_regex(r"[GLJX][0-9A-Za-z]{8,22}", fullmatch=True),
    st.text(max_size=24),
    st.none(),
    st.integers(),
)


def _is_itself(text: object) -> bool:
    try:
        return isinstance(text, str) and parse_student_number(text).value == text
    except IdentifierError:
        return False


@given(st.lists(NUMBERS, max_size=30))
def test_student_numbers(cells: list[object]) -> None:
    assert clean_student_numbers(cells) == [cell for cell in cells if _is_itself(cell)]
