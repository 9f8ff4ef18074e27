"""The sample county, taken in over HTTP, answers to the last one as its truth says."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.harness import SAMPLE, TestGateway, running

EXPECTED: dict[str, Any] = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
APPLICANTS = [json.loads(line) for line in (SAMPLE / "applicants.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def receipts(county: TestGateway) -> dict[str, Any]:
    return county.upload_sample()


@pytest.fixture(scope="module")
def first_receipts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with running(tmp_path_factory.mktemp("first") / "data") as gateway:
        return gateway.upload_sample()


@pytest.mark.parametrize("dataset", EXPECTED["counts"])
def test_counts_and_errors(first_receipts: dict[str, Any], dataset: str) -> None:
    receipt = first_receipts[dataset]
    counts = {name: receipt[name] for name in ("rows", "accepted", "rejected")}
    assert counts == EXPECTED["counts"][dataset]
    assert [[flaw["row"], flaw["code"]] for flaw in receipt["errors"]] == EXPECTED["errors"][dataset]


@pytest.mark.parametrize("dataset", EXPECTED["counts"])
def test_the_same_file_twice_changes_nothing(receipts: dict[str, Any], dataset: str) -> None:
    assert receipts[dataset]["accepted"] == 0
    assert receipts[dataset]["unchanged"] == EXPECTED["counts"][dataset]["accepted"]


def test_leads_after_upload(county: TestGateway, receipts: dict[str, Any]) -> None:
    rules = Counter(lead["rule"] for lead in county.leads())
    assert {rule: rules[rule] for rule in EXPECTED["leads_after_upload"]} == EXPECTED["leads_after_upload"]


def test_needy_children(county: TestGateway) -> None:
    answer = county.call.get(
        "/v1/exchanges/needy-children/records",
        params={"purpose": "child_relief", "region": EXPECTED["county"], "limit": 1000},
        headers=county.headers("civil_affairs/relief_officer"),
    ).json()
    items = answer["items"]
    assert len(items) == EXPECTED["needy"]["total"]
    assert Counter(item["township"] for item in items) == EXPECTED["needy"]["per_township"]
    classes = Counter(name for item in items for name in item["need_classes"])
    assert classes == EXPECTED["needy"]["classes"]


@pytest.mark.parametrize("index", range(len(APPLICANTS)))
def test_applicants(county: TestGateway, index: int) -> None:
    applicant = APPLICANTS[index]
    answer = county.ask(applicant["resident_id"]).json()["answer"]
    assert {name: answer[name] for name in applicant["expect"]} == applicant["expect"]
    assert (answer["lead"] is not None) == applicant["lead"]
