"""Periods, the end of schooling, and a policy file that stops the start when it says something wrong."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.domain.retention import Period, Span, Standing, birthday, month_end
from gateway.settings import POLICIES
from schemas.identifiers import age_on
from schemas.records import DATASETS

LAW = load_rulebook(POLICIES).retention
BIRTH = date(2010, 3, 5)
MADE = date(2020, 9, 1)


def span(*registers: tuple[str, date], birth: date | None = BIRTH) -> Span:
    return Span(b"s" * 16, birth, MADE, tuple(Standing(*each) for each in registers))


@pytest.mark.parametrize(
    ("registers", "end"),
    [
        ([("enrolled", date(2024, 9, 1))], date(2028, 3, 5)),
        ([("dropped_out", date(2024, 9, 1))], date(2028, 3, 5)),
        ([], date(2028, 3, 5)),
        ([("graduated", date(2025, 6, 30))], date(2026, 3, 5)),
        ([("graduated", date(2026, 6, 30))], date(2026, 6, 30)),
        ([("graduated", date(2029, 6, 30))], date(2028, 3, 5)),
        ([("graduated", date(2025, 6, 30)), ("enrolled", date(2025, 9, 1))], date(2028, 3, 5)),
        ([("graduated", date(2025, 6, 30)), ("dropped_out", date(2023, 9, 1))], date(2028, 3, 5)),
        ([("deceased", date(2021, 2, 3))], date(2021, 2, 3)),
        ([("deceased", date(2021, 2, 3)), ("enrolled", date(2020, 9, 1))], date(2028, 3, 5)),
    ],
)
def test_schooling_ends_at_sixteen_for_who_finished_and_at_eighteen_for_who_did_not(
    registers: list[tuple[str, date]], end: date
) -> None:
    assert LAW.schooling_end(span(*registers)) == end
    assert LAW.child_deadline(span(*registers)) == end.replace(year=end.year + 1)


def test_without_a_birth_date_a_child_is_kept_too_long_rather_than_too_short() -> None:
    assert LAW.schooling_end(span(birth=None)) == date(2038, 9, 1)


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(1, 18))
def test_a_birthday_is_the_first_day_of_that_age(birth: date, age: int) -> None:
    day = birthday(birth, age)
    assert age_on(birth, day) == age
    assert age_on(birth, date.fromordinal(day.toordinal() - 1)) == age - 1


PERIODS = st.builds(
    Period,
    years=st.integers(0, 5),
    months=st.integers(0, 30),
    days=st.integers(0, 400),
    hours=st.integers(0, 100),
)


@given(PERIODS, st.datetimes(datetime(2001, 1, 1), datetime(2060, 1, 1)), st.integers(0, 400))  # noqa: DTZ001
def test_a_cut_off_takes_all_that_is_over_and_nothing_else(
    period: Period, plain: datetime, shift: int
) -> None:
    now = plain.replace(tzinfo=UTC)
    edge = period.before_moment(now)
    assert period.after_moment(edge) <= now
    later = edge.fromordinal(edge.toordinal() + 1 + shift).replace(tzinfo=UTC)
    assert later <= edge or period.after_moment(datetime.combine(later, edge.timetz())) > now


def test_a_month_ends_on_its_last_day() -> None:
    assert [month_end(each) for each in ("2026-02", "2024-02", "2026-12")] == [
        date(2026, 2, 28),
        date(2024, 2, 29),
        date(2026, 12, 31),
    ]


# --- the file ----------------------------------------------------------------------------------------------


def changed(tmp_path: Path, change: Any) -> Path:
    (tmp_path / "calendar").mkdir()
    for file in (*POLICIES.glob("*.yaml"), *POLICIES.glob("calendar/*.yaml")):
        (tmp_path / file.relative_to(POLICIES)).write_bytes(file.read_bytes())
    body = yaml.safe_load((POLICIES / "retention.yaml").read_text(encoding="utf-8"))
    change(body)
    (tmp_path / "retention.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
    return tmp_path


def keep(body: Any, dataset: str) -> Any:
    return next(iter(body["datasets"][dataset]["purposes"].values()))


WRONG: dict[str, Any] = {
    "an unknown dataset": lambda body: body["datasets"].update(grades=body["datasets"]["attendance"]),
    "a missing dataset": lambda body: body["datasets"].pop("attendance"),
    "an unknown kind of copy": lambda body: body["copies"].update(photos=body["copies"]["exports"]),
    "a missing kind of copy": lambda body: body["copies"].pop("error-files"),
    "a negative period": lambda body: body["copies"]["exports"].update(keep={"hours": -1}),
    "a negative period of a dataset": lambda body: keep(body, "attendance").update(keep={"years": -2}),
    "no period": lambda body: body["copies"]["exports"].update(keep={}),
    "an unknown unit": lambda body: body["copies"]["exports"].update(keep={"fortnights": 1}),
    "a period in words": lambda body: body["copies"]["exports"].update(keep={"days": "seven"}),
    "an unknown purpose": lambda body: body["datasets"]["attendance"]["purposes"].update(
        gossip=keep(body, "attendance")
    ),
    "no purpose": lambda body: body["datasets"]["attendance"].update(purposes={}),
    "an event the dataset does not have": lambda body: keep(body, "student-register").update(
        {"from": "month"}
    ),
    "no source": lambda body: keep(body, "attendance").update(source=""),
    "a clock nobody knows": lambda body: body["copies"]["exports"].update({"from": "later"}),
    "an unknown top level": lambda body: body.update(backups={}),
    "proof for less than three years": lambda body: body["provision_records"].update(at_least={"years": 2}),
    "leads forgotten while their register stands": lambda body: body["copies"]["leads"].update(
        keep={"days": 3}
    ),
    "an assessment that outlives the register": lambda body: keep(body, "disability-assessment").update(
        keep={"years": 3}
    ),
    "a register that outlives the child": lambda body: keep(body, "student-register").update(
        keep={"years": 3}
    ),
    "attendance gone before it is stale": lambda body: keep(body, "attendance").update(keep={"days": 10}),
    "a lapse before majority": lambda body: body["open_work"].update(lapses_at=15),
    "receipts gone before their key": lambda body: body["copies"]["receipts"].update(keep={"hours": 1}),
    "receipts due at once": lambda body: body["receipts_due"].update(days=0),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_says_it_wrongly_stops_the_start(tmp_path: Path, what: str) -> None:
    with pytest.raises(RulebookError, match=r"retention\.yaml|Period|unexpected|KeyError"):
        load_rulebook(changed(tmp_path, WRONG[what]))


def test_an_unchanged_copy_is_read_and_covers_every_dataset(tmp_path: Path) -> None:
    found = load_rulebook(changed(tmp_path, lambda body: None)).retention
    assert found == LAW
    assert set(found.datasets) == set(DATASETS)
