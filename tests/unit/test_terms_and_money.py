"""Terms and amounts as files write them."""

from datetime import date

import pytest

from gateway.domain.cells import Problem, read_money, read_term
from gateway.domain.money import fen_of, yuan
from gateway.domain.terms import term_code
from schemas.records import AID_PAYMENTS

AMOUNT = AID_PAYMENTS.by_name["amount"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-2027-1", "2026-2027-1"),
        (" 2026-2027-2 ", "2026-2027-2"),
        ("2026-2027学年第一学期", "2026-2027-1"),
        ("2026—2027学年度第二学期", "2026-2027-2"),
        ("2026-2027学年上学期", "2026-2027-1"),
        ("2026-2027学年下学期", "2026-2027-2"),
        ("2026年秋季", "2026-2027-1"),
        ("2026年秋季学期", "2026-2027-1"),
        ("2026秋", "2026-2027-1"),
        ("2027年春季学期", "2026-2027-2"),
        ("２０２７年春", "2026-2027-2"),
    ],
)
def test_a_term_is_read_however_it_is_written(text: str, code: str) -> None:
    assert read_term(text) == code


@pytest.mark.parametrize(
    "cell",
    [
        "2026-1",
        "2026-2028-1",
        "2026-2027-3",
        "2027-2026-1",
        "2026年",
        "秋季",
        "1026年秋季",
        date(2026, 1, 1),
        46000,
        2026.1,
    ],
)
def test_what_may_be_something_else_is_no_term(cell: object) -> None:
    assert read_term(cell) == Problem("bad_code")  # type: ignore[arg-type]


def test_a_term_code_reads_as_itself() -> None:
    for year in range(1990, 2100):
        for number in (1, 2):
            assert term_code(f"{year}-{year + 1}-{number}") == f"{year}-{year + 1}-{number}"


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("250", 25000),
        ("312.5", 31250),
        ("312.50", 31250),
        ("312.500", 31250),
        (312.5, 31250),
        (250, 25000),
        (250.0, 25000),
        ("1,250.00", 125000),
        ("¥250", 25000),
        ("250元", 25000),
        ("0.01", 1),
        (0.1 + 0.2, None),
        ("250.005", None),
        ("1,25", None),
        ("-250", None),
        ("二百五", None),
        ("2.5e2", None),
        (date(2026, 1, 1), None),
    ],
)
def test_an_amount_is_whole_fen_or_nothing(cell: object, fen: int | None) -> None:
    found = read_money(cell, AMOUNT)  # type: ignore[arg-type]
    assert found == (Problem("bad_code") if fen is None else fen)


@pytest.mark.parametrize("cell", ["0", "0.00", "100000.01", "999999999"])
def test_nothing_and_too_much_are_out_of_range(cell: str) -> None:
    assert read_money(cell, AMOUNT) == Problem("out_of_range")


@pytest.mark.parametrize("fen", [0, 1, 99, 100, 31250, 10_000_000])
def test_fen_come_back_from_yuan(fen: int) -> None:
    assert fen_of(yuan(fen)) == fen
