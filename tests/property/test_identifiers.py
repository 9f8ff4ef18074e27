"""Identifiers: what holds for every id number, and for every way to mistype one."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.identifiers import (
    IdentifierError,
    age_on,
    normalise,
    parse_resident_id,
    parse_student_number,
    parse_uscc,
    resident_id_check,
)

DIGITS = "0123456789"
NOISE = [
    " ",
    "\u00a0",
    "\u3000",
    "\u2009",
    "\u200b",
    "\u200d",
    "\ufeff",
    "-",
    "–",
    "—",
    "－",
    "−",
    "'",
    "’",
    "‘",
    "`",
    "＇",
]


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    area = draw(st.integers(100000, 999999))
    birth = draw(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
    first17 = f"{area}{birth:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first17 + resident_id_check(first17)


@st.composite
def foreign_cards(draw: st.DrawFn) -> str:
    letters = draw(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3))
    birth = draw(st.dates(date(1927, 1, 1), date(2026, 11, 20)))
    body = f"{letters}{draw(st.integers(0, 9999)):04d}{birth:%y%m%d}{draw(st.integers(0, 9))}"
    total = sum(int(char, 36) * (7, 3, 1)[place % 3] for place, char in enumerate(body))
    return f"{body}{total % 10}"


def slow_check(first17: str) -> str:
    """The definition of ISO 7064 MOD 11-2, digit by digit."""
    remainder = 0
    for digit in first17:
        remainder = (remainder + int(digit)) * 2 % 11
    value = (12 - remainder) % 11
    return "X" if value == 10 else str(value)


def refused(text: str) -> bool:
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(text)
    return caught.value.code in {"bad_code", "bad_checksum"}


@given(st.text(DIGITS, min_size=17, max_size=17))
def test_check_character_is_mod_11_2(first17: str) -> None:
    assert resident_id_check(first17) == slow_check(first17)


@given(resident_ids())
def test_every_valid_id_round_trips(text: str) -> None:
    found = parse_resident_id(text)
    assert found.value == text
    assert found.area == text[:6]
    assert f"{found.birth_date:%Y%m%d}" == text[6:14]
    assert found.sex == ("male" if int(text[16]) % 2 else "female")
    assert parse_resident_id(found.value) == found


@given(foreign_cards())
def test_every_old_foreign_card_round_trips(text: str) -> None:
    found = parse_resident_id(text, today=date(2026, 11, 20))
    assert (found.value, found.kind, found.area) == (text, "permanent_residence", text[3:7])
    assert f"{found.birth_date:%y%m%d}" == text[7:13]
    assert date(1926, 11, 20) < found.birth_date <= date(2026, 11, 20)


@given(resident_ids(), st.integers(0, 17), st.sampled_from(DIGITS + "XAZ"))
def test_every_substitution_is_detected(text: str, place: int, char: str) -> None:
    assume(text[place] != char)
    assert refused(text[:place] + char + text[place + 1 :])


@given(resident_ids(), st.integers(0, 16))
def test_every_transposition_is_detected(text: str, place: int) -> None:
    assume(text[place] != text[place + 1])
    assert refused(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


@given(
    resident_ids(), st.lists(st.tuples(st.integers(0, 18), st.sampled_from(NOISE)), max_size=6), st.booleans()
)
def test_dirty_spellings_are_the_same(text: str, noise: list[tuple[int, str]], wide: bool) -> None:
    chars = [chr(ord(char) + 0xFEE0) if wide else char.lower() for char in text]
    for place, mark in sorted(noise, reverse=True):
        chars.insert(place, mark)
    assert normalise("".join(chars)) == text
    assert parse_resident_id("".join(chars)) == parse_resident_id(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_resident_id, parse_student_number, parse_uscc):
        # Any other exception fails the test.
        with suppress(IdentifierError):
            assert parse(text).value == normalise(text)


@given(resident_ids(), st.integers(0, 17), st.sampled_from(DIGITS))
def test_no_digit_of_an_id_is_shown(text: str, place: int, char: str) -> None:
    assert not set(repr(parse_resident_id(text))) & set(DIGITS)
    assert not set(repr(parse_student_number("G" + text))) & set(DIGITS)
    assume(text[place] != char)
    wrong = text[:place] + char + text[place + 1 :]
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(wrong)
    shown = f"{caught.value} {caught.value!r} {caught.value.args}"
    assert wrong not in shown
    assert not any(wrong[cut : cut + 3] in shown for cut in range(16))


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_age_never_falls_and_rises_by_one(birth: date, day: date) -> None:
    assume(birth <= day < date(2100, 12, 31))
    after = age_on(birth, date.fromordinal(day.toordinal() + 1))
    assert 0 <= age_on(birth, day) <= after <= age_on(birth, day) + 1
