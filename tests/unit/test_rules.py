"""Which rule fires for a child, and that a lead's facts say no more than they must."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.domain.model import Absence, ChildFacts, SubjectId
from gateway.domain.rules import (
    CAN_ATTEND,
    Assessment,
    placement_fact,
    register_facts,
    residence_within,
)
from gateway.settings import POLICIES
from tests.unit.test_schooling import LIMITS, SUBJECT, TODAY, row

ASSESSMENT = Assessment(SubjectId(b"a" * 16), "530423", "530423101", date(2026, 10, 11), "mainstream")


def child(status: str, since: date, absence: Absence | None = None) -> ChildFacts:
    return ChildFacts(SUBJECT, (row(status, since),), absence)


def test_a_registered_dropout_fires_with_its_day() -> None:
    found = register_facts(child("dropped_out", date(2026, 10, 9)), TODAY, LIMITS)
    assert found == ("registered-dropout", {"fact": "registered-dropout", "since": "2026-10-09"})


@pytest.mark.parametrize(("left", "fires"), [(date(2026, 10, 21), False), (date(2026, 10, 20), True)])
def test_a_transfer_fires_when_its_days_have_passed(left: date, fires: bool) -> None:
    found = register_facts(child("transferred_out", left), TODAY, LIMITS)
    assert (found is not None) is fires
    if found:
        assert found == ("transfer-not-arrived", {"fact": "transfer-not-arrived", "since": left.isoformat()})


def test_absence_fires_with_month_and_days() -> None:
    absent = child("enrolled", date(2026, 9, 1), Absence("2026-10", 6))
    assert register_facts(absent, TODAY, LIMITS) == (
        "absence-threshold",
        {"fact": "absence-threshold", "month": "2026-10", "consecutive_days": 6},
    )


@pytest.mark.parametrize("status", ["enrolled", "on_leave", "exempt", "graduated", "deceased"])
def test_nothing_fires_for_a_child_who_is_accounted_for(status: str) -> None:
    assert register_facts(child(status, date(2026, 9, 1)), TODAY, LIMITS) is None


def test_nothing_fires_for_a_child_no_register_knows() -> None:
    assert register_facts(ChildFacts(SUBJECT, register_as_of=TODAY), TODAY, LIMITS) is None


@pytest.mark.parametrize("suitability", sorted(CAN_ATTEND))
def test_a_child_assessed_able_to_attend_waits_for_a_placement(suitability: str) -> None:
    fact = placement_fact(replace(ASSESSMENT, suitability=suitability), enrolled=False)
    assert fact == {
        "fact": "placement-missing",
        "assessed_on": "2026-10-11",
        "advised_placement": suitability,
    }, "neither category nor grade"


@pytest.mark.parametrize(
    ("enrolled", "suitability"), [(True, "mainstream"), (False, "deferral"), (False, "not_assessed")]
)
def test_a_placed_child_or_one_not_able_to_attend_waits_for_nothing(enrolled: bool, suitability: str) -> None:
    assert placement_fact(replace(ASSESSMENT, suitability=suitability), enrolled) is None


@pytest.mark.parametrize(
    ("residence", "where"), [("530423101", "530423101"), ("530424101", "530423"), ("53", "530423")]
)
def test_a_lead_belongs_to_the_home_inside_the_registers_county(residence: str, where: str) -> None:
    assert residence_within("530423", residence) == where


def test_our_own_rulebook_names_a_duty_for_every_rule() -> None:
    book = load_rulebook(POLICIES)
    assert {"registered-dropout", "transfer-not-arrived", "absence-threshold", "placement-missing"} <= set(
        book.rules
    )
    assert book.rules["applicant-under-16"].further_duties == ("labour-visit",)
    for rule in book.rules.values():
        assert {rule.duty, *rule.further_duties} <= set(book.duties.rules)
        assert all((rule.title_zh, rule.title_en, rule.version))


def policies(tmp_path: Path, name: str, **changes: object) -> Path:
    """A copy of our figures with top-level entries of one file replaced."""
    (tmp_path / "calendar").mkdir()
    for file in (*POLICIES.glob("*.yaml"), *POLICIES.glob("calendar/*.yaml")):
        (tmp_path / file.relative_to(POLICIES)).write_bytes(file.read_bytes())
    body = yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))
    (tmp_path / name).write_text(yaml.safe_dump({**body, **changes}), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("rules.yaml", {"rules": {"x": {"title_zh": "a", "title_en": "b", "duty": "no-such-duty"}}}),
        ("rules.yaml", {"rules": {"x": {"title_zh": "a"}}}),
        ("thresholds.yaml", {"no_such_figure": 3}),
        ("duties.yaml", {"duties": {"x": {"days": "three"}}}),
        ("calendar/2026.yaml", {"holidays": ["the first of May"]}),
    ],
)
def test_a_file_no_code_understands_stops_the_start(
    tmp_path: Path, name: str, changes: dict[str, object]
) -> None:
    with pytest.raises(RulebookError):
        load_rulebook(policies(tmp_path, name, **changes))
