"""Which rule fires for a child, and that a lead's facts say no more than they must."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.domain.model import Absence, ChildFacts, SubjectId
from gateway.domain.predicate import All, Nothing
from gateway.domain.rules import (
    CAN_ATTEND,
    Assessment,
    Condition,
    of_registers,
    placement_fact,
    register_facts,
    residence_within,
    rows_seen,
    seen_by,
)
from gateway.settings import POLICIES
from tests.unit.test_schooling import LIMITS, SUBJECT, TODAY, row

RULES = of_registers(load_rulebook(POLICIES).rules.values())
ASSESSMENT = Assessment(SubjectId(b"a" * 16), "530423", "530423101", date(2026, 10, 11), "mainstream")


def child(status: str, since: date, absence: Absence | None = None) -> ChildFacts:
    return ChildFacts(SUBJECT, (row(status, since),), absence)


def test_a_registered_dropout_fires_with_its_day() -> None:
    found = register_facts(child("dropped_out", date(2026, 10, 9)), TODAY, LIMITS, RULES)
    assert found == ("registered-dropout", {"fact": "registered-dropout", "since": "2026-10-09"})


@pytest.mark.parametrize(("left", "fires"), [(date(2026, 10, 21), False), (date(2026, 10, 20), True)])
def test_a_transfer_fires_when_its_days_have_passed(left: date, fires: bool) -> None:
    found = register_facts(child("transferred_out", left), TODAY, LIMITS, RULES)
    assert (found is not None) is fires
    if found:
        assert found == ("transfer-not-arrived", {"fact": "transfer-not-arrived", "since": left.isoformat()})


def test_absence_fires_with_month_and_days() -> None:
    absent = child("enrolled", date(2026, 9, 1), Absence("2026-10", 6))
    assert register_facts(absent, TODAY, LIMITS, RULES) == (
        "absence-threshold",
        {"fact": "absence-threshold", "month": "2026-10", "consecutive_days": 6},
    )


@pytest.mark.parametrize("status", ["enrolled", "on_leave", "exempt", "graduated", "deceased"])
def test_nothing_fires_for_a_child_who_is_accounted_for(status: str) -> None:
    assert register_facts(child(status, date(2026, 9, 1)), TODAY, LIMITS, RULES) is None


def test_nothing_fires_for_a_child_no_register_knows() -> None:
    assert register_facts(ChildFacts(SUBJECT, register_as_of=TODAY), TODAY, LIMITS, RULES) is None


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


RULE: dict[str, object] = yaml.safe_load((POLICIES / "rules.yaml").read_text(encoding="utf-8"))["rules"][
    "registered-dropout"
]
"""One that is taken as it stands."""


def policies(tmp_path: Path, name: str, **changes: object) -> Path:
    """A copy of our figures with top-level entries of one file replaced."""
    (tmp_path / "calendar").mkdir()
    for file in (*POLICIES.glob("*.yaml"), *POLICIES.glob("calendar/*.yaml")):
        (tmp_path / file.relative_to(POLICIES)).write_bytes(file.read_bytes())
    body = yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))
    (tmp_path / name).write_text(yaml.safe_dump({**body, **changes}), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "changes", "word"),
    [
        ("rules.yaml", {"rules": {"x": {**RULE, "duty": "no-such-duty"}}}, "the duty no-such-duty"),
        (
            "rules.yaml",
            {"rules": {"x": {name: each for name, each in RULE.items() if name != "title_en"}}},
            "title_en",
        ),
        ("rules.yaml", {"rules": {"x": {**RULE, "colour": "red"}}}, "unknown colour"),
        ("thresholds.yaml", {"no_such_figure": 3}, "no_such_figure"),
        ("duties.yaml", {"duties": {"x": {"days": "three"}}}, "three"),
        ("calendar/2026.yaml", {"holidays": ["the first of May"]}, "every day is a date"),
    ],
)
def test_a_file_no_code_understands_stops_the_start(
    tmp_path: Path, name: str, changes: dict[str, object], word: str
) -> None:
    with pytest.raises(RulebookError, match=word):
        load_rulebook(policies(tmp_path, name, **changes))


def test_a_rule_that_is_not_enabled_fires_nothing() -> None:
    off = [replace(rule, enabled=False) for rule in RULES]
    assert register_facts(child("dropped_out", date(2026, 10, 9)), TODAY, LIMITS, RULES) is not None
    assert register_facts(child("dropped_out", date(2026, 10, 9)), TODAY, LIMITS, off) is None


@pytest.mark.parametrize(("days", "fires"), [(3, True), (4, True), (5, False)])
def test_a_rule_goes_by_a_figure_of_its_own(days: int, fires: bool) -> None:
    own = [replace(rule, id="absence-early", when=Condition("absence_at_least", days)) for rule in RULES[2:]]
    absent = child("enrolled", date(2026, 9, 1), Absence("2026-10", 4))
    found = register_facts(absent, TODAY, LIMITS, own)
    assert (found is not None) is fires
    assert found is None or found[1]["fact"] == "absence-early"
    assert own[0].when is not None
    assert str(days) in own[0].when.words(LIMITS)[0]


@pytest.mark.parametrize(
    "when",
    [
        {"status": "enrolled"},
        {"status": "dropped_out", "absence_at_least": 3},
        {"absence_at_least": 0},
        {"absence_at_least": True},
        {"absence_at_least": "no_such_days"},
        {"assessed": "can_attend"},
        {"assessed": "can_attend", "enrolled": True},
        {"surname": "x"},
        {},
    ],
)
def test_a_condition_in_other_words_is_not_taken(tmp_path: Path, when: dict[str, object]) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    body = yaml.safe_load((folder / "rules.yaml").read_text(encoding="utf-8"))
    body["rules"]["absence-threshold"]["when"] = when
    (folder / "rules.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError, match="absence-threshold"):
        load_rulebook(folder)


@pytest.mark.parametrize(
    ("rule", "changes", "says"),
    [
        ("absence-threshold", {"seen_by": ["education/nobody"]}, "education/nobody"),
        ("absence-threshold", {"seen_by": None}, "seen_by"),
        ("absence-threshold", {"seen_by": []}, "seen_by"),
        ("absence-threshold", {"seen_by": "education/dropout_lead"}, "seen_by"),
        ("absence-threshold", {"event": None}, "event"),
        ("absence-threshold", {"event": ["file", "file"]}, "twice"),
        ("absence-threshold", {"event": ["moon"]}, "moon"),
        ("absence-threshold", {"event": ["file", "ask"]}, "ask"),
        ("applicant-under-16", {"event": ["day"]}, "day"),
        ("sighted-at-work", {"event": ["ask"]}, "ask"),
        ("case-handed-over", {"enabled": False}, "handed over"),
    ],
)
def test_every_rule_says_when_it_is_looked_at_and_for_whom(
    tmp_path: Path, rule: str, changes: dict[str, object], says: str
) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    body = yaml.safe_load((folder / "rules.yaml").read_text(encoding="utf-8"))
    body["rules"][rule].update(changes)
    (folder / "rules.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RulebookError, match=says):
        load_rulebook(folder)


def test_a_lead_about_work_is_not_for_a_school() -> None:
    rules = load_rulebook(POLICIES).rules.values()
    everybody, teacher = seen_by(rules, "education/dropout_lead"), seen_by(rules, "school/class_teacher")
    assert everybody == seen_by(rules, "township/return_officer") == {rule.id for rule in rules}
    work = {"applicant-under-16", "licence-under-16", "registration-under-16", "sighted-at-work"}
    assert everybody - teacher == work
    assert rows_seen(All(), rules, "gateway/auditor") == Nothing()
