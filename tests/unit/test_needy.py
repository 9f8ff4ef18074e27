"""Age bands, classes of need and the word for schooling that civil affairs gets."""

from datetime import date

import pytest

from gateway.domain.needy import age_band, need_classes, schooling_word

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        (date(2020, 11, 21), "0-5"),
        (date(2020, 11, 20), "6-8"),
        (date(2017, 11, 21), "6-8"),
        (date(2017, 11, 20), "9-11"),
        (date(2014, 11, 21), "9-11"),
        (date(2014, 11, 20), "12-15"),
        (date(2010, 11, 21), "12-15"),
        (date(2010, 11, 20), "16-17"),
        (date(2008, 11, 21), "16-17"),
    ],
)
def test_the_band_changes_on_the_birthday(birth: date, band: str) -> None:
    assert age_band(birth, TODAY) == band


@pytest.mark.parametrize(
    ("flags", "out", "classes"),
    [
        ((False, False, False), "no", []),
        ((False, False, False), "unknown", []),
        ((False, False, False), "yes", ["out_of_school"]),
        ((True, False, False), "no", ["economic_hardship"]),
        ((True, True, True), "yes", ["economic_hardship", "left_behind", "single_parent", "out_of_school"]),
        ((False, True, True), "unknown", ["left_behind", "single_parent"]),
    ],
)
def test_classes_in_the_contracts_order(flags: tuple[bool, bool, bool], out: str, classes: list[str]) -> None:
    assert need_classes(flags, out) == classes  # type: ignore[arg-type]


@pytest.mark.parametrize(("out", "word"), [("yes", "out"), ("no", "in"), ("unknown", "unknown")])
def test_the_word_for_schooling(out: str, word: str) -> None:
    assert schooling_word(out) == word  # type: ignore[arg-type]
