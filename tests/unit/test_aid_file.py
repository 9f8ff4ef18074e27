"""`policies/aid.yaml`: the figures that stand there, and files that stop the start."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import yaml

from gateway.adapters.aid import FILE, read_aid
from gateway.settings import POLICIES

BODY = yaml.safe_load((POLICIES / FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("grade", "boarding", "yuan"),
    [(1, "boarding", 1000), (6, "day", 500), (7, "boarding", 1250), (9, "day", 625)],
)
def test_half_a_year_is_paid_each_term(grade: int, boarding: str, yuan: int) -> None:
    book = read_aid(BODY)
    assert book.owed(grade, boarding, True) * 2 == yuan * 100
    assert book.owed(grade, boarding, False) == 0
    assert book.owed(10, boarding, True) == 0


@pytest.mark.parametrize(
    ("today", "codes"),
    [
        (date(2026, 8, 31), ["2025-2026-1", "2025-2026-2"]),
        (date(2026, 9, 1), ["2026-2027-1"]),
        (date(2027, 2, 14), ["2026-2027-1"]),
        (date(2027, 2, 15), ["2026-2027-1", "2026-2027-2"]),
        (date(2027, 1, 1), ["2026-2027-1"]),
    ],
)
def test_the_terms_of_the_school_year_that_have_begun(today: date, codes: list[str]) -> None:
    assert [term.code for term in read_aid(BODY).open_terms(today)] == codes


def test_a_terms_days_lie_in_its_school_year() -> None:
    autumn, spring = read_aid(BODY).open_terms(date(2027, 3, 1))
    assert (autumn.starts, autumn.paid_by, autumn.ends) == (
        date(2026, 9, 1),
        date(2026, 11, 30),
        date(2027, 1, 31),
    )
    assert (spring.starts, spring.paid_by, spring.ends) == (
        date(2027, 2, 15),
        date(2027, 5, 31),
        date(2027, 7, 31),
    )


def put(*path: object, value: object = None) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        body[path[-1]] = value

    return change


def drop(*path: object) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        del body[path[-1]]

    return change


@pytest.mark.parametrize(
    "change",
    [
        drop("version"),
        put("source", value=""),
        put("extra", value=1),
        drop("yuan_a_year", "junior"),
        drop("yuan_a_year", "primary", "day"),
        put("yuan_a_year", "primary", "day", value=-500),
        put("yuan_a_year", "primary", "day", value=0),
        put("yuan_a_year", "primary", "day", value=500.5),
        put("yuan_a_year", "primary", "day", value=True),
        put("grades", "primary", value=[1, 2, 3, 4, 5]),
        put("grades", "junior", value=[6, 7, 8, 9]),
        put("entitles", "hardship", value="yes"),
        put("entitles", "relief_classes", value=["dibao", "rich"]),
        put("entitles", "relief_classes", value=[]),
        put("schemes", value=["lunch"]),
        drop("terms", 2),
        put("terms", 1, "starts", value="02-30"),
        put("terms", 1, "starts", value="2026-09-01"),
        put("terms", 1, "paid_by", value="03-01"),
        put("terms", 2, "starts", value="10-01"),
        put("yuan_a_year", value=[]),
    ],
)
def test_a_wrong_file_is_not_taken(change: Callable[[Any], None]) -> None:
    body = deepcopy(BODY)
    change(body)
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_aid(body)
