"""A county changes lines of cases.yaml, duties.yaml and thresholds.yaml; a mistake in its file stops the start."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.domain.rulebook import Rulebook
from gateway.settings import POLICIES

COUNTY = "530423"


def load(folder: Path, own: object, name: str = COUNTY) -> Rulebook:
    policies = folder / "policies"
    shutil.copytree(POLICIES, policies, dirs_exist_ok=True)
    (policies / "counties").mkdir(exist_ok=True)
    (policies / "counties" / f"{name}.yaml").write_text(
        yaml.safe_dump(own, allow_unicode=True), encoding="utf-8"
    )
    return load_rulebook(policies)


def test_a_county_has_its_own_lines_and_the_rest_is_everybodys(tmp_path: Path) -> None:
    own = {
        "thresholds": {"absence_days": 20},
        "duties": {"first-contact": {"days": 1}, "labour-visit": {"otherwise": "township"}},
        "cases": {"observation": [45], "steps": {"verify": {"evidence": {"photo": "text", "note": "text"}}}},
    }
    book = load(tmp_path, own)
    county = book.of("530423101")
    assert county is book.of(COUNTY) is not book
    assert county.limits.absence_days == 20
    assert county.limits.transfer_days == book.limits.transfer_days
    assert (county.duties.rules["first-contact"].days, county.duties.rules["labour-visit"].otherwise) == (
        1,
        "township",
    )
    assert county.duties.rules["placement"] == book.duties.rules["placement"]
    assert county.cases.observation == (45,)
    needed = {proof.name: proof.required for proof in county.cases.steps["verify"].evidence}
    assert needed == {"finding": True, "found_on": True, "note": True, "photo": True}
    assert county.cases.steps["close"] == book.cases.steps["close"]
    assert county.rules is book.rules
    for other in ("530424", "5304", "53"):
        assert book.of(other) is book
    assert book.cases.observation == (30, 60, 120)


@pytest.mark.parametrize(
    ("own", "word"),
    [
        ({"rules": {}}, "rules"),
        ([], "mapping"),
        ({"thresholds": {"colour": 1}}, "colour"),
        ({"thresholds": {"absence_days": "three"}}, "absence_days"),
        ({"thresholds": {"attendance_stale_days": 100_000}}, "attendance"),
        ({"duties": {"no-such-duty": {"days": 1}}}, "no-such-duty"),
        ({"duties": {"first-contact": {"dayz": 1}}}, "dayz"),
        ({"duties": {"first-contact": {"days": True}}}, "days"),
        ({"duties": {"first-contact": {"what": ["sung"]}}}, "sung"),
        ({"duties": {"handover-decision": {"what": ["decided"]}}}, "what"),
        ({"cases": {"steps": {"fly": {}}}}, "fly"),
        ({"cases": {"steps": {"verify": {"by": ["education/nobody"]}}}}, "education/nobody"),
        ({"cases": {"steps": {"notify": {"by": ["gateway/system"]}}}}, "gateway/system"),
        ({"cases": {"steps": {"verify": {"evidence": {"photo": "picture"}}}}}, "photo"),
        ({"cases": {"states": {"lost": {}}}}, "lost"),
        ({"cases": {"steps": {"return": {"evidence": {"photo": "text"}}}}}, "photo"),
        ({"cases": {"steps": {"notify": {"evidence": {"photo": "text"}}}}}, "photo"),
        ({"cases": {"steps": {"close": {"by": ["education/dropout_lead"]}}}}, "the gateway takes this step"),
        ({"cases": {"steps": {"return": {"from": ["verified"]}}}}, "the gateway takes this step"),
        ({"cases": {"records": {"plan": {"by": ["education/nobody"]}}}}, "education/nobody"),
        ({"cases": {"observation": [60, 30]}}, "observation"),
    ],
)
def test_a_mistake_in_a_countys_file_is_not_taken(tmp_path: Path, own: Any, word: str) -> None:
    with pytest.raises(RulebookError, match=word):
        load(tmp_path, own)


@pytest.mark.parametrize("name", ["999999", "5304", "530423101", "default"])
def test_a_county_that_is_none_is_not_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(RulebookError, match="no county"):
        load(tmp_path, {}, name)
