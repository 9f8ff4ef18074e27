"""Rules as a county keeps them: who is shown their leads, which are switched off, and how one does on the history."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.settings import POLICIES
from tests.harness import TestGateway, problem, running
from tests.officers import LEAD, OUT, RETURN, SCHOOL, TEACHER, TOWN, VERIFY, Officer, register
from tests.people import attendance, csv_file, resident_id, sighting, student

CHILD = resident_id(date(2015, 3, 5), 2)


@pytest.fixture
def asked(gateway: TestGateway) -> TestGateway:
    """A dropout about whom somebody asked before the register said so: two leads, one case."""
    register(gateway, student(2))
    assert gateway.ask(CHILD).json()["answer"]["lead"]
    register(gateway, student(2, **OUT))
    return gateway


def rules_seen(gateway: TestGateway, role: str, region: str, school: str | None, **query: str) -> set[str]:
    answer = gateway.call.get("/v1/leads", params=query, headers=gateway.headers(role, region, school))
    assert answer.status_code == 200, answer.text
    return {lead["rule"] for lead in answer.json()["items"]}


def test_a_lead_about_work_is_not_for_a_school(asked: TestGateway) -> None:
    both = {"applicant-under-16", "registered-dropout"}
    assert rules_seen(asked, LEAD, TOWN[:6], None) == both
    assert rules_seen(asked, RETURN, TOWN, None) == both
    assert rules_seen(asked, TEACHER, TOWN, SCHOOL) == {"registered-dropout"}
    assert rules_seen(asked, TEACHER, TOWN, SCHOOL, rule="applicant-under-16") == set()


def test_it_is_as_if_it_were_not_there(asked: TestGateway) -> None:
    leads = {lead["rule"]: lead["id"] for lead in asked.leads()}
    teacher = asked.headers(TEACHER, TOWN, SCHOOL)
    for lead, status in ((leads["applicant-under-16"], 403), (leads["registered-dropout"], 200)):
        assert asked.call.post(f"/v1/leads/{lead}/acknowledge", headers=teacher).status_code == status
        assert asked.call.get(f"/v1/leads/{lead}/explain", headers=teacher).status_code == status
    assert {each["status"] for each in asked.leads(rule="applicant-under-16")} == {"open"}


def test_nor_in_the_stream(asked: TestGateway) -> None:
    headers = {**asked.headers(TEACHER, TOWN, SCHOOL), "Last-Event-ID": "0"}
    with asked.call.stream("GET", "/v1/leads/stream", headers=headers) as answer:
        line = next(line for line in answer.iter_lines() if line.startswith("data:"))
    assert "registered-dropout" in line or "applicant-under-16" not in line
    assert "applicant-under-16" not in line


def test_nor_on_the_page_of_the_case_or_in_the_childs_file(asked: TestGateway) -> None:
    teacher, lead = Officer(asked, TEACHER, TOWN, SCHOOL), Officer(asked, LEAD)
    (case,) = lead.cases()
    assert "applicant-under-16" in json.dumps(lead.case(case["ref"]))
    page = teacher.case(case["ref"])
    assert [each["rule"] for each in page["leads"]] == ["registered-dropout"]
    file = teacher.get(f"/{case['ref']}/file")
    assert file.status_code == 200
    for text in (json.dumps(page), file.text):
        assert "applicant-under-16" not in text


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[TestGateway]:
    """A county that has switched the rule about applicants off."""
    policies = changed(tmp_path, "applicant-under-16", enabled=False)
    with running(tmp_path / "data", policies=policies) as gateway:
        yield gateway


def changed(folder: Path, rule: str, **lines: object) -> Path:
    policies = folder / "policies"
    shutil.copytree(POLICIES, policies)
    body = yaml.safe_load((policies / "rules.yaml").read_text(encoding="utf-8"))
    body["rules"][rule].update(lines)
    (policies / "rules.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    return policies


def test_an_ask_answers_the_same_with_its_rule_off(silent: TestGateway) -> None:
    answer = silent.ask(CHILD).json()["answer"]
    assert (answer["verdict"], answer["lead"]) == ("must_not_hire", None)
    assert silent.leads() == []
    with silent.database() as connection:
        assert connection.execute("SELECT count(*) FROM duty").fetchone() == (0,)
    connection.close()


def run(gateway: TestGateway, rule: str, *more: str, policies: Path = POLICIES) -> Result:
    words = ["rules", "backtest", "--data", str(gateway.data), "--rule", rule]
    words += ["--from", "2026-09-01", "--to", "2026-11-30", *more]
    return CliRunner().invoke(app, words, env={"HUXUE_POLICIES": str(policies)})


@pytest.fixture
def history(gateway: TestGateway) -> TestGateway:
    """Absent in October: 2 for six days and verified as out, 4 for six days and nobody looked, 6 for three days."""
    register(gateway, student(2), student(4), student(6, 学校标识码="2153009999"))
    rows = [attendance(2, 连续缺勤天数="6", 缺勤天数="6"), attendance(4, 连续缺勤天数="6", 缺勤天数="6")]
    rows.append(attendance(6, 连续缺勤天数="3", 缺勤天数="3"))
    answer = gateway.upload("attendance", csv_file(rows))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text
    lead = Officer(gateway, LEAD)
    lead.take(lead.cases()[0]["ref"], "verify", **VERIFY)
    return gateway


def months(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout)["months"])


def test_a_rule_is_tried_beside_the_running_gateway(history: TestGateway) -> None:
    before = history.audit()
    september, october, november = months(run(history, "absence-threshold", "--json"))
    assert (september["named"], september["precision"], september["recall"]) == (0, None, None)
    assert october == {
        "month": "2026-10",
        "named": 2,
        "confirmed": 1,
        "wrong_report": 0,
        "never_verified": 1,
        "precision": 0.5,
        "out_of_school": 0,
        "out_of_school_named": 0,
        "recall": None,
        "leads_per_officer": {"mean": 1.0, "maximum": 2},
    }
    assert (november["named"], november["out_of_school"], november["recall"]) == (0, 1, 1.0)
    assert history.audit() == before


def test_another_figure_and_a_rule_that_is_off(history: TestGateway, tmp_path: Path) -> None:
    off = changed(tmp_path, "absence-threshold", enabled=False)
    result = run(history, "absence-threshold", "--set", "absence_days=3", "--json", policies=off)
    assert [each["named"] for each in months(result)] == [0, 3, 0]
    assert json.loads(result.stdout)["enabled"] is False


def test_what_is_printed_names_nobody(history: TestGateway) -> None:
    result = run(history, "absence-threshold")
    assert result.exit_code == 0
    assert "undefined" in result.output
    assert "50.0%" in result.output
    for word in (SCHOOL, "G5304", "ed1-", "case-", "lead-"):
        assert word not in result.output


def test_it_reads_a_store_that_nobody_serves(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        register(gateway, student(2, **OUT))
    found = months(run(gateway, "registered-dropout", "--json"))
    assert [each["named"] for each in found] == [0, 1, 0]
    assert [each["precision"] for each in found] == [None, 0.0, None], "the register does not prove itself"


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ("applicant-under-16", ()),
        ("absence-threshold", ("--set", "absence_days=0")),
        ("absence-threshold", ("--set", "x=3")),
        ("absence-threshold", ("--to", "2026-08-01")),
    ],
)
def test_what_cannot_be_tried_ends_with_an_error(
    history: TestGateway, rule: str, more: tuple[str, ...]
) -> None:
    assert run(history, rule, *more).exit_code != 0


def test_a_foreign_lead_is_refused_with_the_same_words(asked: TestGateway) -> None:
    (lead,) = asked.leads(rule="applicant-under-16")
    headers = asked.headers(TEACHER, TOWN, SCHOOL)
    hidden = asked.call.get(f"/v1/leads/{lead['id']}/explain", headers=headers)
    missing = asked.call.get("/v1/leads/lead-" + "a" * 26 + "/explain", headers=headers)
    assert problem(hidden) == problem(missing) == (403, "not-permitted")


def test_a_rule_of_inspections_opens_all_its_duties(tmp_path: Path) -> None:
    policies = changed(tmp_path, "sighted-at-work", further_duties=["licence-refusal"])
    with running(tmp_path / "data", policies=policies) as gateway:
        register(gateway, student(2))
        answer = gateway.upload("sightings", csv_file([sighting(2)]))
        assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text
        with gateway.database() as connection:
            found = connection.execute("SELECT kind, owner FROM duty ORDER BY kind").fetchall()
        connection.close()
    assert found == [("first-contact", "school"), ("licence-refusal", "market_regulation")]
