"""`policies/disclosure.yaml`: read as it says, and refused when it could leave a small group."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gateway.adapters.coarsening import FILE, DisclosureError, load_disclosure
from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.cli import app
from gateway.settings import POLICIES

SHIPPED: dict[str, Any] = yaml.safe_load((POLICIES / FILE).read_text(encoding="utf-8"))


def written(folder: Path, content: Any) -> Path:
    (folder / FILE).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def changed(**needy: Any) -> dict[str, Any]:
    found = deepcopy(SHIPPED)
    found["exchanges"]["needy-children"].update(needy)
    return found


STEPS: list[dict[str, Any]] = SHIPPED["exchanges"]["needy-children"]["steps"]


def test_what_is_shipped() -> None:
    rule = load_disclosure(POLICIES)["needy-children"]
    assert (rule.k, rule.threshold, rule.place) == (5, 0.2, "township")
    assert [step.field for step in rule.steps] == ["age_band"] * 4 + ["township", "sex"]
    assert rule.pooled == 5


def test_a_lists_own_k_goes_before_the_default(tmp_path: Path) -> None:
    assert load_disclosure(written(tmp_path, changed(k=11)))["needy-children"].k == 11


WRONG: dict[str, Any] = {
    "k of one": changed(k=1),
    "k as text": changed(k="5"),
    "k true": changed(k=True),
    "no threshold to speak of": changed(threshold=0),
    "threshold above one": changed(threshold=1.5),
    "a field without a step": changed(steps=STEPS[:-1]),
    "a field that is no quasi-identifier": changed(steps=[*STEPS, {"field": "schooling", "to": None}]),
    "a last step that leaves some apart": changed(steps=[STEPS[2], *STEPS[4:]]),
    "no step to the county": changed(steps=[*STEPS[:4], {"field": "township", "to": None}, STEPS[5]]),
    "the county twice": changed(steps=[*STEPS, STEPS[4]]),
    "the county of a sex": changed(steps=[*STEPS[:5], {"field": "sex", "to": "county"}]),
    "a place that is none": changed(place="sex"),
    "a step after everybody is alike": changed(steps=[STEPS[3], *STEPS[2:]]),
    "alone, and nothing after it": changed(steps=[*STEPS[2:5], {**STEPS[5], "alone": True}]),
    "alone, and another field after it": changed(steps=[STEPS[4], STEPS[0], STEPS[5], STEPS[3]]),
    "values in a circle": changed(
        steps=[{"field": "age_band", "to": {"6-8": "9-11", "9-11": "6-15"}}, *STEPS[3:]]
    ),
    "a value that is no text": changed(steps=[{"field": "age_band", "to": {6: "6-15"}}, *STEPS[3:]]),
    "a step that is a number": changed(steps=[{"field": "age_band", "to": 6}, *STEPS[3:]]),
    "a misspelt member": changed(step=[]),
    "a misspelt member of a step": changed(steps=[{"field": "sex", "to": None, "at": 1}, *STEPS[:5]]),
    "an exchange that is no list": {
        **SHIPPED,
        "exchanges": {**SHIPPED["exchanges"], "leads": {"place": "region", "steps": []}},
    },
    "no rule for a list": {**SHIPPED, "exchanges": {}},
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_rule_that_could_leave_a_small_group_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(DisclosureError, match=FILE):
        load_disclosure(written(tmp_path, content))


@pytest.mark.parametrize("content", [[], "x", {"default": {}}, {"default": {"k": 5}, "exchanges": None}])
def test_a_file_out_of_shape_stops_the_start(tmp_path: Path, content: Any) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    with pytest.raises(RulebookError):
        load_rulebook(written(folder, content))


def test_the_policy_check_reads_it_too(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    assert CliRunner().invoke(app, ["policy", "check", "--policies", str(folder)]).exit_code == 0
    written(folder, changed(k=1))
    result = CliRunner().invoke(app, ["policy", "check", "--policies", str(folder)])
    assert (result.exit_code, "k is a whole number" in result.output) == (1, True)
