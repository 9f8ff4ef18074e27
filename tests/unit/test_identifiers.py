"""Identifiers: known numbers, every refusal, and what must not be shown."""

import pickle
from datetime import date

import pytest

from schemas.identifiers import (
    IdentifierError,
    ResidentId,
    age_on,
    normalise,
    parse_resident_id,
    parse_student_number,
    parse_uscc,
    resident_id_check,
)


def with_check(first17: str) -> str:
    return first17 + resident_id_check(first17)


def code_of(text: str) -> str:
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(text)
    return caught.value.code


@pytest.mark.parametrize(
    "spelling",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "'11010519491231002X",
        "＇11010519491231002X",
        "’110105 19491231 002X",
        "‘110105\u00a019491231\u3000002X`",
        "110105-19491231—002–X",
        "110105‐19491231−002﹣X",
        "\ufeff110105\u200b19491231\u200d002X\t\n",
        "\u202a11010519491231002X\u202c",
        "´11010519491231002Ｘ",
    ],
)
def test_dirty_spellings(spelling: str) -> None:
    assert normalise(spelling) == "11010519491231002X"
    assert parse_resident_id(spelling) == parse_resident_id("11010519491231002X")


def test_normalise_leaves_the_rest() -> None:
    assert normalise("") == ""
    assert normalise(" - ") == ""
    assert normalise("g53/é") == "G53/É"


def test_the_example_of_the_standard() -> None:
    # GB 11643-1999 annex A
    found = parse_resident_id("11010519491231002X")
    assert found == ResidentId("11010519491231002X", "resident", date(1949, 12, 31), "female", "110105")
    assert parse_resident_id(with_check("44052419800101001")).sex == "male"


@pytest.mark.parametrize(
    ("first17", "kind"),
    [
        ("53042320140216324", "resident"),
        ("99999920140216324", "permanent_residence"),
        ("81000020140216324", "residence_permit"),
        ("82000020140216324", "residence_permit"),
        ("83000020140216324", "residence_permit"),
        ("93184020140216324", "permanent_residence"),
        ("71000020140216324", "resident"),
        ("66666620140216324", "resident"),
    ],
)
def test_kinds_and_unknown_areas(first17: str, kind: str) -> None:
    found = parse_resident_id(with_check(first17))
    assert (found.kind, found.area, found.birth_date) == (kind, first17[:6], date(2014, 2, 16))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "110105491231002",  # first generation
        "1101051949123100",
        "11010519491231002XX",
        "1101051949123100XX",
        "01010519491231002X",
        "1101O519491231002X",
        "１１０１０５１９４９１２３１００２Ｙ",
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",  # Arabic-Indic digits are digits to Python
        "11010519491231002X/",
        "1.10105E+17",
    ],
)
def test_bad_shape(text: str) -> None:
    assert code_of(text) == "bad_code"


def test_bad_checksum_comes_before_bad_date() -> None:
    assert code_of("110105194912310021") == "bad_checksum"
    impossible = with_check("11010519491331002")
    assert code_of(impossible) == "bad_date"
    assert code_of(impossible[:17] + ("1" if impossible[17] != "1" else "2")) == "bad_checksum"


@pytest.mark.parametrize(
    "birth", ["20230229", "19000229", "20240431", "20240001", "00000101", "18991231", "21010101"]
)
def test_bad_date(birth: str) -> None:
    assert code_of(with_check(f"530423{birth}324")) == "bad_date"


@pytest.mark.parametrize("birth", ["19000101", "20000229", "21001231"])
def test_first_and_last_year(birth: str) -> None:
    assert parse_resident_id(with_check(f"530423{birth}324")).birth_date.strftime("%Y%m%d") == birth


def test_check_character_wants_17_digits() -> None:
    for text in ("", "1101051949123100", "11010519491231002X", "1101051949123100a", "１" * 17):
        with pytest.raises(IdentifierError) as caught:
            resident_id_check(text)
        assert caught.value.code == "bad_code"


def test_old_foreign_card() -> None:
    # weights 7 3 1 by hand: U30 S28 A10, then 1100 800101 1
    digits = [30, 28, 10, 1, 1, 0, 0, 8, 0, 0, 1, 0, 1, 1]
    check = sum(digit * (7, 3, 1)[place % 3] for place, digit in enumerate(digits)) % 10
    text = f"USA11008001011{check}"
    found = parse_resident_id(text, today=date(2026, 11, 20))
    assert (found.kind, found.birth_date, found.sex) == ("permanent_residence", date(1980, 1, 1), "male")
    assert found.area == "1100"
    assert parse_resident_id(text, today=date(2080, 1, 1)).birth_date == date(2080, 1, 1)
    assert parse_resident_id(text, today=date(2079, 12, 31)).birth_date == date(1980, 1, 1)
    assert parse_resident_id(text.lower()).value == text
    assert code_of(f"USA11008001011{(check + 1) % 10}") == "bad_checksum"


def test_old_foreign_card_with_an_impossible_date() -> None:
    for last in "0123456789":
        if code_of_or_none(f"USA11008013011{last}") != "bad_checksum":
            assert code_of(f"USA11008013011{last}") == "bad_date"
            return
    pytest.fail("no check digit fits")


def code_of_or_none(text: str) -> str | None:
    try:
        parse_resident_id(text)
    except IdentifierError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("G53042320140216324Z", "national"),
        ("g530423 201402163242", "national"),
        ("L53042320140216324X", "temporary"),
        ("J53042320140216A01", "unusable"),
        ("G0123456789", "national"),
        ("G" + "9" * 20, "national"),
    ],
)
def test_student_numbers(text: str, kind: str) -> None:
    found = parse_student_number(text)
    assert (found.kind, found.value) == (kind, normalise(text))


@pytest.mark.parametrize(
    "text", ["", "G", "G012345678", "G" + "9" * 21, "530423201402163242", "X53042320140216324"]
)
def test_bad_student_numbers(text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_student_number(text)
    assert caught.value.code == "bad_code"


def test_uscc() -> None:
    # the code most often shown as an example; then with its check character changed
    assert parse_uscc("91350100M000100Y43").checksum_ok
    assert parse_uscc("9135 0100-m000100y43").value == "91350100M000100Y43"
    assert not parse_uscc("91350100M000100Y44").checksum_ok
    assert isinstance(parse_uscc("N2530423MF12345678").checksum_ok, bool)


@pytest.mark.parametrize(
    "text", ["", "91350100M000100Y4", "91350100M000100Y433", *(f"9135010{c}M00100Y43" for c in "IOSVZ")]
)
def test_bad_uscc(text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_uscc(text)
    assert caught.value.code == "bad_code"


def test_nothing_shows_the_number() -> None:
    shown = [
        parse_resident_id("11010519491231002X"),
        parse_student_number("G11010519491231002X"),
        parse_uscc("91350100M000100Y43"),
    ]
    for item in shown:
        for text in (repr(item), str(item), f"{item}", repr([item])):
            assert not any(char.isdigit() for char in text)
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id("110105194913310021")
    assert "1101" not in f"{caught.value!r}{caught.value}"
    assert caught.value.__cause__ is None


def test_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(IdentifierError("bad_date", "no such day")))
    assert (error.code, str(error)) == ("bad_date", "no such day")


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2010, 11, 21), date(2026, 11, 20), 15),
        (date(2010, 11, 20), date(2026, 11, 20), 16),
        (date(2020, 2, 29), date(2026, 2, 27), 5),
        (date(2020, 2, 29), date(2026, 2, 28), 6),
        (date(2020, 2, 29), date(2026, 3, 1), 6),
        (date(2020, 2, 29), date(2024, 2, 28), 3),
        (date(2020, 2, 29), date(2024, 2, 29), 4),
        (date(2084, 2, 29), date(2100, 2, 28), 16),
        (date(2020, 2, 28), date(2020, 2, 28), 0),
        (date(2020, 1, 1), date(2019, 12, 31), -1),
    ],
)
def test_age(birth: date, day: date, age: int) -> None:
    assert age_on(birth, day) == age
