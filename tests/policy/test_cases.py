"""Every case of every file holds."""

from collections import Counter
from pathlib import Path

import pytest

from gateway.adapters.cedar import load
from gateway.domain.decision import Case, judge
from gateway.services.policy import check, run_cases
from tests.policy.support import POLICIES, bundle, files, write


@pytest.mark.parametrize("case", bundle().cases, ids=lambda case: case.where)
def test_case_holds(case: Case) -> None:
    assert judge(case, bundle().outcome(case)) == ()


def test_every_agency_has_cases_and_as_many_denials() -> None:
    sides = {
        permit: Counter(case.where.split(".")[0] for case in bundle().cases if case.permit is permit)
        for permit in (True, False)
    }
    assert set(sides[False]) == {*bundle().registry.agencies, "walls"}
    assert all(sides[False][name] >= sides[True][name] for name in sides[False])


def test_check_finds_nothing_in_our_policies() -> None:
    assert check(POLICIES, load) == ()
    assert run_cases(bundle()) == ()


def test_check_tells_a_case_that_does_not_hold(tmp_path: Path) -> None:
    texts = files()
    cases = texts["health.cases.yaml"].replace("because: [assessment-upload]", "because: [hr-check]")
    texts["health.cases.yaml"] = cases + (
        "- {as: health/disability_assessor@530423, purpose: disability_assessment, "
        'do: upload disability-assessment, on: "53", expect: deny, because: [assessment-upload]}\n'
    )
    found = check(write(tmp_path, texts), load)
    assert [finding.code for finding in found] == ["case-failed", "case-failed"]
    assert found[0].where == "health.cases.yaml: case 1"
