"""When an employer is a repeated one, what is no employer's code, and a file of figures that does not fit."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.domain.employers import Repeated, employer_code
from gateway.settings import POLICIES
from tests.people import EMPLOYER, resident_id

TODAY = date(2026, 11, 20)
TWICE = Repeated(hits=2, months=12)


@pytest.mark.parametrize(
    ("days", "crossing"),
    [
        ([], None),
        (["2026-11-12"], None),
        (["2025-11-20", "2026-11-20"], ("2026-11-20", "2025-11-20")),
        (["2025-11-19", "2026-11-19"], None),  # a year apart, and the first one over a year ago today
        (["2025-01-02", "2026-11-12"], None),
        (["2026-11-12", "2026-11-12"], ("2026-11-12", "2026-11-12")),
        (["2026-11-12", "2026-02-03", "2026-05-06"], ("2026-05-06", "2026-02-03")),
        (["2024-01-01", "2024-02-01", "2026-05-06", "2026-06-06"], ("2026-06-06", "2026-05-06")),
    ],
)
def test_the_hit_by_which_the_threshold_was_crossed(
    days: list[str], crossing: tuple[str, str] | None
) -> None:
    found = TWICE.crossing([date.fromisoformat(day) for day in days], TODAY)
    assert found == (tuple(map(date.fromisoformat, crossing)) if crossing else None)


def test_hit_after_hit_is_one_crossing() -> None:
    days = [TODAY - timedelta(days=100 * ago) for ago in range(20)]
    assert TWICE.crossing(days, TODAY) == (sorted(days)[1], sorted(days)[0])


def test_three_children_at_once_are_three_hits() -> None:
    assert Repeated(3, 1).crossing([TODAY] * 3, TODAY) == (TODAY, TODAY)
    assert Repeated(3, 1).crossing([TODAY] * 2, TODAY) is None


def test_a_window_over_the_end_of_a_short_month() -> None:
    assert Repeated(2, 1).since(date(2026, 3, 31)) == date(2026, 2, 28)
    assert Repeated(2, 14).since(date(2026, 1, 15)) == date(2024, 11, 15)


@pytest.mark.parametrize(
    "text", ["", "abc", resident_id(), resident_id()[:-1] + "3", EMPLOYER[:-1], EMPLOYER + "1", "\u0669" * 18]
)
def test_what_is_no_employers_code(text: str) -> None:
    assert employer_code(text) is None


def test_a_code_is_kept_in_one_form() -> None:
    assert employer_code(f" {EMPLOYER.lower()} ") == EMPLOYER


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ("{hits: 0, within_months: 12}", "above 0"),
        ("{hits: 2, within_months: -1}", "above 0"),
        ("{hits: true, within_months: 12}", "above 0"),
        ("{hits: 2, within_months: 37}", "longer than"),
        ("{hits: 2}", "within_months"),
    ],
)
def test_figures_that_do_not_fit_stop_the_start(tmp_path: Path, figures: str, said: str) -> None:
    shutil.copytree(POLICIES, tmp_path / "policies")
    (tmp_path / "policies" / "enforcement.yaml").write_text(f"repeated: {figures}\n", encoding="utf-8")
    with pytest.raises(RulebookError, match=said):
        load_rulebook(tmp_path / "policies")
