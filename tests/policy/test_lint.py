"""Each lint bites: one thing is broken in a copy of our policies, and the load says which."""

from pathlib import Path

import pytest

from gateway.adapters.cedar import load
from gateway.domain.decision import PolicyError
from tests.policy.support import files, write

HEAD = '@id("x") @legal_basis("y") @treatment("keep")\n'


def permit(role: str, action: str, resource: str) -> str:
    who = f'principal in Role::"education/{role}"'
    return f'permit ({who}, action == Action::"{action}", resource {resource})\n'


def rows(condition: str) -> str:
    """A permit to read leads under that condition."""
    return f'{HEAD}{READ}when {{ context.purpose == "dropout_control" && {condition} }};'


def no_release(condition: str) -> str:
    return f'{HEAD}forbid (principal, action == Action::"release", resource) when {{ {condition} }};'


def nowhere(condition: str) -> str:
    return f"{HEAD}forbid (principal, action, resource) when {{ {condition} }};"


USE = permit("registrar", "upload", '== Exchange::"attendance"')
WHEN = 'when { context.purpose == "attendance_reporting" && context.region in principal.region };'
RELEASE = permit("dropout_lead", "release", 'in Exchange::"leads"')
PURPOSE = 'when { context.purpose == "dropout_control" };'
READ = permit("dropout_lead", "read", 'in Exchange::"leads"')

BROKEN = {
    "role": (HEAD + permit("registar", "upload", '== Exchange::"attendance"') + WHEN, "unknown-id"),
    "agency": (HEAD + 'forbid (principal in Agency::"eduction", action, resource);', "unknown-id"),
    "exchange": (HEAD + permit("registrar", "upload", '== Exchange::"attendence"') + WHEN, "unknown-id"),
    "dataset": (no_release('resource in Dataset::"disability"'), "unknown-id"),
    "field": (HEAD + permit("dropout_lead", "release", '== Field::"leads/fact"') + PURPOSE, "unknown-id"),
    "region shape": (nowhere('principal.region in Region::"53042"'), "unknown-id"),
    "region province": (nowhere('principal.region in Region::"99"'), "unknown-id"),
    "person": (HEAD + 'forbid (principal == Officer::"li", action, resource);', "unknown-id"),
    "purpose": (HEAD + USE + WHEN.replace("attendance_reporting", "attendance"), "unknown-purpose"),
    "purpose in a set": (no_release('["audti"].contains(context.purpose)'), "unknown-purpose"),
    "classification": (no_release('resource.classification == "secret"'), "unknown-classification"),
    "no purpose": (HEAD + USE + "when { context.region in principal.region };", "no-purpose"),
    "no id": ('@legal_basis("y")' + USE + WHEN, "no-id"),
    "duplicate id": ('@id("hr-check") @legal_basis("y")' + USE + WHEN, "duplicate-id"),
    "no legal basis": ('@id("x")' + USE + WHEN, "no-legal-basis"),
    "no region": (HEAD + USE + 'when { context.purpose == "attendance_reporting" };', "no-region"),
    "region or": (HEAD + USE + WHEN.replace("&&", "||"), "no-region"),
    "mixed actions": (HEAD + "permit (principal, action, resource)" + PURPOSE, "mixed-actions"),
    "no treatment": ('@id("x")' + RELEASE + PURPOSE, "no-treatment"),
    "unknown treatment": ('@id("x") @treatment("blur")' + RELEASE + PURPOSE, "unknown-treatment"),
    "no case": (HEAD + RELEASE + PURPOSE, "no-case"),
    "wrong action": (HEAD + USE.replace('"upload"', '"list"') + WHEN, "never-matches"),
    "purpose not the role's": (HEAD + USE.replace("registrar", "aid_officer") + WHEN, "never-matches"),
    "contradiction": (rows('resource in Exchange::"needy-children"'), "never-matches"),
    "rows: if": (rows("(if resource.sealed then true else false)"), "untranslatable"),
    "rows: like, only in one region": (
        rows('principal.region == Region::"11" && resource has school && resource.school like "3*"'),
        "untranslatable",
    ),
    "rows: set": (rows("resource.region in [principal.region]"), "untranslatable"),
    "rows: one record": (
        HEAD + permit("dropout_lead", "read", '== Record::"r"') + PURPOSE,
        "untranslatable",
    ),
    "schema": (rows('resource.school == "s"'), "invalid"),
    "syntax": ("permit (", "unreadable"),
}


def codes(directory: Path) -> set[str]:
    with pytest.raises(PolicyError) as refused:
        load(directory)
    for finding in refused.value.findings:
        assert finding.message_zh
        assert finding.message_en
        assert finding.where
    return {finding.code for finding in refused.value.findings}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_policy_is_refused(name: str, tmp_path: Path) -> None:
    text, code = BROKEN[name]
    assert code in codes(write(tmp_path, files(education_cedar=text)))


def test_our_policies_load_from_a_copy(tmp_path: Path) -> None:
    assert load(write(tmp_path, files())).version == load(write(tmp_path, files())).version


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("roles.yaml", "purposes: [audit, statistics]", "purposes: [statistics]", "idle-purpose"),
        ("roles.yaml", "purposes: [audit, statistics]", "purposes: [audit, statistic]", "unknown-id"),
        ("roles.yaml", "parent: education", "parent: eduction", "unknown-id"),
        ("roles.yaml", "gateway/auditor:", "gatway/auditor:", "unknown-id"),
        ("roles.yaml", "agencies:", "agencys:", "unreadable"),
        ("roles.yaml", "title_en: Auditor,", "titel_en: Auditor,", "unreadable"),
        ("health.cases.yaml", "because: [assessment-upload]", "because: [assessment]", "unknown-id"),
        ("health.cases.yaml", "expect: permit", "expect: allow", "unreadable"),
        ("health.cases.yaml", "expect: permit, because", "expect: permit, becuase", "unreadable"),
        ("health.cases.yaml", "expect: deny", "expect: permit", "few-denials"),
        ("health.cedar", "upload", "subscribe", "idle-exchange"),
        ("huxue.cedarschema", "entity Region", "entty Region", "invalid"),
    ],
)
def test_broken_file_is_refused(file: str, old: str, new: str, code: str, tmp_path: Path) -> None:
    texts = files()
    assert old in texts[file]
    texts[file] = texts[file].replace(old, new)
    assert code in codes(write(tmp_path, texts))


@pytest.mark.parametrize("file", ["roles.yaml", "huxue.cedarschema"])
def test_missing_file_is_refused(file: str, tmp_path: Path) -> None:
    texts = files()
    del texts[file]
    assert codes(write(tmp_path, texts)) == {"unreadable"}


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path / "nowhere") == {"unreadable"}


def test_finding_names_file_and_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        load(write(tmp_path, files(school_cedar=BROKEN["no case"][0])))
    assert {finding.where for finding in refused.value.findings} == {"school.cedar: x"}
