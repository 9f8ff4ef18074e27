"""Ten years of a county, day by day: no copy outlives its deadline, and none goes before."""

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ageing import ten_years

START = date(2026, 1, 5)
BIRTHS = st.lists(st.dates(date(2007, 6, 1), date(2024, 12, 31)), min_size=4, max_size=7)


@settings(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
@given(seed=st.integers(0, 2**32), births=BIRTHS)
def test_no_copy_outlives_its_deadline_and_none_goes_before_it(seed: int, births: list[date]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ten_years(Path(folder) / "data", seed, births, START)


def test_ten_years_see_everything_go(tmp_path: Path) -> None:
    """The proof above is about something: every kind of copy came and went, and recipients were told."""
    births = [date(2008, 2, 29), date(2009, 5, 1), date(2010, 11, 30), date(2011, 1, 1), date(2018, 6, 6)]
    county = ten_years(tmp_path / "data", 7, births, START)
    assert {
        "student_register",
        "attendance",
        "relief_register",
        "disability_assessment",
        "lead",
        "case_file",
        "subject",
        "identifier",
        "idempotency",
        "stored_file",
        "job",
        "deletion_notice",
        "upload",
        "receipt",
    } <= set(county.gone)
    assert county.notices > 0
