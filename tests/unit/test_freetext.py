"""What may be written in an officer's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.freetext import NOTE_LENGTH, REASON_LENGTH, fault_of, wrong_text

WORDS = st.text(st.sampled_from("孩子在外地打工家访三次未见，拟再访。 \n"), min_size=0, max_size=40)
DIGITS = "0123456789０１２３４５６７８９"


def code(text: object, length: tuple[int, int] = NOTE_LENGTH) -> str | None:
    fault = fault_of(text, length)
    return fault and fault[0]


@given(WORDS, st.text(st.sampled_from(DIGITS), min_size=10, max_size=20), WORDS)
def test_an_id_or_phone_number_is_turned_away_wherever_it_stands(
    before: str, number: str, after: str
) -> None:
    assert code(f"家{before}{number}{after}") == "personal_data"


@given(st.text(st.sampled_from(DIGITS), min_size=18, max_size=18), st.sampled_from(" -.／·"))
def test_nor_helps_it_to_break_an_id_number_up(number: str, between: str) -> None:
    assert code("证件" + between.join(number)) == "personal_data"


@given(WORDS.filter(lambda text: text.strip() != ""), st.integers(0, 999_999))
def test_words_and_short_numbers_may_be_written(words: str, number: int) -> None:
    assert code(f"{words}{number}人") is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", NOTE_LENGTH),
        (" \n\t ", NOTE_LENGTH),
        ("　　　　", REASON_LENGTH),
        ("复学了", REASON_LENGTH),
        ("字" * 501, NOTE_LENGTH),
        ("已复学\u202e生学", NOTE_LENGTH),
        ("已\u200b复学", NOTE_LENGTH),
        ("已\x00复学", NOTE_LENGTH),
        (None, NOTE_LENGTH),
        (12, NOTE_LENGTH),
        (["已复学"], NOTE_LENGTH),
    ],
)
def test_what_nobody_can_read_is_out_of_range(text: object, length: tuple[int, int]) -> None:
    assert code(text, length) == "out_of_range"


def test_the_error_points_at_the_place_and_repeats_nothing() -> None:
    wrong = wrong_text("监护人电话13800138000", "/reason")
    assert wrong is not None
    [flaw] = wrong.flaws
    assert (flaw.code, flaw.pointer) == ("personal_data", "/reason")
    assert "13800138000" not in repr(vars(wrong)) + repr(flaw)


def test_a_text_that_may_stand_is_no_error() -> None:
    assert wrong_text("已联系监护人，明日返校。", "/reason") is None
