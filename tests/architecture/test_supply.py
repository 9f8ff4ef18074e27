"""What is installed is listed, and an advisory service that does not answer is never read as "nothing known"."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def advisories() -> Any:
    spec = importlib.util.spec_from_file_location("advisories", ROOT / ".ci" / "advisories.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(name: str, *vulns: dict[str, Any], **more: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1",
        **({"vulns": list(vulns)} if "skip_reason" not in more else {}),
        **more,
    }


@pytest.mark.parametrize(
    ("packages", "verdict", "words"),
    [
        ([package("a"), package("b")], "CLEAN", "2 packages"),
        ([package("a", {"id": "PYSEC-1", "fix_versions": ["2"]})], "VULNERABLE", "PYSEC-1, fixed in 2"),
        (
            [package("a", {"id": "PYSEC-1", "fix_versions": []}), package("b", skip_reason="not found")],
            "VULNERABLE",
            "fixed in none yet",
        ),
        ([package("a"), package("b", skip_reason="not found")], "UNKNOWN", "1 of 2"),
        ([], "UNKNOWN", "nothing"),
    ],
)
def test_no_answer_is_not_a_clean_one(packages: list[dict[str, Any]], verdict: str, words: str) -> None:
    module = advisories()
    found, lines = module.judge({"dependencies": packages})
    assert found == getattr(module, verdict)
    assert words in lines[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked() -> dict[str, set[str]]:
    """Everything the lock names: versions by package (an older Python may get an older one)."""
    found: dict[str, set[str]] = {}
    for each in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]:
        found.setdefault(_normal(each["name"]), set()).add(each["version"])
    return found


def test_the_bill_of_materials_is_what_the_lock_installs() -> None:
    bill = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text("utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = {_normal(each["name"]): each["version"] for each in bill["components"]}
    locked = _locked()
    assert {name: version for name, version in listed.items() if version not in locked.get(name, ())} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {_normal(re.split(r"[<>=~!;\[ ]", line)[0]) for line in project["dependencies"]}
    assert wanted <= set(listed)


def test_a_component_names_its_licence() -> None:
    bill = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text("utf-8"))
    silent = {each["name"] for each in bill["components"] if not each.get("licenses")}
    assert silent <= {"cedarpy", "polars-hash"}, "their wheels name none; Apache-2.0 and MIT by their sources"
