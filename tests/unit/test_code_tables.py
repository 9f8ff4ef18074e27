"""Code tables: every spelling leads to one code, and everything in the sample files is understood."""

import pytest

from schemas.codes.tables import CodeTable, _rows, table, table_names
from schemas.identifiers import IdentifierError

EXPECTED = {
    "sex": "female male",
    "id_type": "resident residence_permit permanent_residence other",
    "grade": "1 2 3 4 5 6 7 8 9",
    "boarding": "day boarding",
    "student_status": "enrolled on_leave transferred_out dropped_out graduated deceased deferred exempt",
    "yes_no": "yes no",
    "relief_class": "dibao tekun orphan de_facto_unsupported child_in_difficulty temporary",
    "disability_category": "1 2 3 4 5 6 7",
    "disability_grade": "1 2 3 4",
    "case_outcome": "legal_aid_granted admonished mediated court_ordered not_taken other",
    "suitability": "mainstream special_school home_delivery deferral",
    "sighting_finding": "confirmed none pending",
    "sighting_measure": "none correction fine handed_to_guardian police market_regulation",
    "aid_scheme": "living_allowance other",
    "focus_group": "learning_difficulty mobile misconduct",
}


def test_tables_and_codes() -> None:
    assert {name: " ".join(table(name).codes()) for name in table_names()} == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_every_spelling_means_one_code(name: str) -> None:
    meanings: dict[str, str] = {}
    for row in _rows()[name]:
        assert row.source
        for text in row.spellings:
            assert meanings.setdefault(text.casefold(), row.code) == row.code
            assert table(name).parse(f"\u3000{text.upper()} ") == row.code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("sex", "男", "male"),
        ("grade", "初三", "9"),
        ("grade", "七年级", "7"),
        ("grade", "1.0", "1"),
        ("grade", 6.0, "6"),
        ("grade", 6, "6"),
        ("grade", "９", "9"),
        ("yes_no", "√", "yes"),
        ("yes_no", "Ｙ", "yes"),
        ("yes_no", "FALSE", "no"),
        ("yes_no", 0, "no"),
        ("disability_category", "多重残疾", "7"),
        ("disability_grade", "一级", "1"),
        ("disability_grade", "Ⅳ", "4"),
        ("suitability", "送教上门", "home_delivery"),
        ("student_status", "免学", "exempt"),
    ],
)
def test_spellings(name: str, text: str | float, code: str) -> None:
    assert table(name).parse(text) == code


@pytest.mark.parametrize(
    ("name", "text"),
    [("grade", "0"), ("grade", "10"), ("grade", "1.5"), ("grade", ".0"), ("sex", ""), ("yes_no", "maybe")],
)
def test_refusals_do_not_quote(name: str, text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        table(name).parse(text)
    assert caught.value.code == "bad_code"
    assert str(caught.value) == f"not a value of the code table {name}"


def test_labels() -> None:
    assert table("sex").labels_zh() == ("女", "男")
    assert table("disability_category").label("7") == "多重"
    assert table("disability_category").label("7", "en") == "multiple"
    with pytest.raises(KeyError):
        table("sex").label("女")


def test_unknown_table() -> None:
    with pytest.raises(KeyError):
        CodeTable("shoe_size")
    assert table("sex") is table("sex")
