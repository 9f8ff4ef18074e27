"""Ten years of a county, day by day: no copy outlives its deadline, and none goes before."""

import os
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.ageing import ten_years

START = date(2026, 1, 5)
SEEN = [date(2008, 2, 29), date(2009, 5, 1), date(2010, 11, 30), date(2011, 1, 1), date(2018, 6, 6)]
"""With these, and the first seed, every kind of copy comes and goes: see the end of the test."""

KINDS = {
    *("student_register", "attendance", "relief_register", "disability_assessment", "lead", "case_file"),
    *("aid_payment", "focus_group"),
    *("subject", "identifier", "idempotency", "stored_file", "job", "deletion_notice", "upload", "receipt"),
    *("sighting", "inspection"),
}
MEMORY = Path("/dev/shm")
"""Ten years of flushing prove nothing here: in memory where the machine has such a folder."""


def births_of(seed: int) -> list[date]:
    """Four to six children, from just under nineteen to not born yet."""
    dice = random.Random(seed)
    return [date(2007, 2, 1) + timedelta(days=dice.randint(0, 7300)) for _ in range(dice.randint(4, 6))]


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
    database=None,
)
@given(seed=st.integers(0, 2**32))
def test_no_copy_outlives_its_deadline_and_none_goes_before_it(seed: int) -> None:
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        county = ten_years(Path(folder) / "data", seed, births_of(seed) if seed else SEEN, START)
    if not seed:
        assert set(county.gone) >= KINDS
        assert county.notices > 0
