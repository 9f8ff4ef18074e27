"""Who looked at one child: every use, in plain words, to the county's own counter, and nothing else to anybody."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.db.effects import insert_entries, written
from gateway.domain.audit import subject_commitment
from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_rotation import turn, until
from tests.people import csv_file, resident_id, student
from tests.unit.test_evidence_index import entry

PATH = "/v1/disclosures"
CLERK = "gateway/counter_clerk"
CHILD = resident_id(date(2015, 3, 5), 2)
SIBLING = resident_id(date(2015, 3, 5), 4)
NOBODY = resident_id(date(2015, 3, 5), 8)
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09", "家庭经济困难": "是"}
ELSEWHERE = "530424"


def look(
    gateway: TestGateway,
    child: str = CHILD,
    role: str = CLERK,
    region: str = COUNTY,
    purpose: str = "subject_access",
    accept: str | None = None,
    **query: Any,
) -> httpx.Response:
    return gateway.call.post(
        PATH,
        params=query,
        json={"purpose": purpose, "subject": {"resident_id": child}},
        headers={**gateway.headers(role, region), **({"Accept": accept} if accept else {})},
    )


def items(
    gateway: TestGateway, child: str = CHILD, region: str = COUNTY, **query: Any
) -> list[dict[str, Any]]:
    answer = look(gateway, child, region=region, **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def register(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> None:
    answer = gateway.upload("student-register", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text


def use_everything(gateway: TestGateway) -> dict[str, Any]:
    """Every kind of use there is, of the child; the lead."""
    register(gateway, student(2, **OUT), student(4))
    (lead,) = gateway.leads()
    education = gateway.headers("education/dropout_lead")
    gateway.call.post(f"/v1/leads/{lead['id']}/acknowledge", headers=education)
    gateway.ask(CHILD)
    relief = gateway.headers("civil_affairs/relief_officer")
    query = {"purpose": "child_relief", "region": COUNTY}
    gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=relief)
    started = gateway.call.post(
        "/v1/exchanges/needy-children/export", json={**query, "format": "csv"}, headers=relief
    )
    location = started.headers["content-location"]
    while gateway.call.get(location, headers=relief).status_code == 202:
        pass
    asked = {"purpose": "dropout_control", "reason": "孩子有危险，需立即联系", "case": lead["case"]}
    identity = "/v1/identity/resolutions"
    gateway.call.post(identity, json={**asked, "emergency": True}, headers=education)
    gateway.call.get(identity, headers=education)
    return dict(lead)


def test_every_use_is_told_newest_first(gateway: TestGateway) -> None:
    use_everything(gateway)
    first = look(gateway)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    told = [(item["agency"], item["exchange"]) for item in first.json()["items"]]
    assert told == [
        ("education", "identity"),
        ("education", "identity"),
        ("civil_affairs", "needy-children"),
        ("civil_affairs", "needy-children"),
        ("human_resources", "applicant-check"),
        ("education", "leads"),
        ("education", "leads"),
        ("education", "student-register"),
    ]
    words = " ".join(item["sentence"] for item in first.json()["items"])
    for part in ("紧急情况", "导出了", "查看了", "查询了", "签收了", "收到了", "报送了", "“童工核查”"):
        assert part in words
    check = first.json()["items"][4]
    assert check["rule"][0] == "hr-check"
    assert check["legal_basis"] == "禁止使用童工规定 第四条"
    assert {"name": "under_16", "title": "未满十六周岁", "treatment": "keep"} in check["fields"]
    totals = {each["agency"]: each["uses"] for each in first.json()["totals"]}
    assert totals == {"education": 5, "civil_affairs": 2, "human_resources": 1}
    assert first.json()["total"] == 8

    second = items(gateway)
    assert (second[0]["exchange"], second[0]["reference"]) == ("disclosures", first.json()["reference"])
    assert [each["reference"] for each in second[1:]] == [each["reference"] for each in first.json()["items"]]


def test_a_sibling_is_told_of_its_own_uses_only(gateway: TestGateway) -> None:
    use_everything(gateway)
    assert [each["exchange"] for each in items(gateway, SIBLING)] == ["student-register"]


def test_the_look_is_in_the_evidence_with_the_child_before_it_is_told(gateway: TestGateway) -> None:
    register(gateway, student(2))
    answer = look(gateway).json()
    with closing(gateway.database()) as connection:
        subject, body = connection.execute(
            "SELECT subject_id, body FROM audit_entry WHERE reference = ?", (answer["reference"],)
        ).fetchone()
        (known,) = connection.execute(
            "SELECT subject_id FROM student_register WHERE subject_id = ?", (subject,)
        ).fetchone()
    written_down = json.loads(body)
    assert subject == known
    assert written_down["subject"] == subject_commitment(answer["reference"], subject)
    assert (written_down["purpose"], written_down["count"]) == ("subject_access", 1)


def shape(value: object) -> object:
    """The names and kinds of an answer without its contents."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return type(value).__name__


def test_an_unknown_child_and_one_of_another_county_look_alike(gateway: TestGateway) -> None:
    register(gateway, student(2, **OUT))
    with closing(gateway.database()) as connection:
        before = connection.execute("SELECT count(*) FROM subject").fetchone()
    unknown = look(gateway, NOBODY)
    elsewhere = look(gateway, region=ELSEWHERE)
    assert shape(unknown.json()) == shape(elsewhere.json())
    for answer in (unknown, elsewhere):
        assert answer.status_code == 200
        assert (answer.json()["items"], answer.json()["totals"], answer.json()["total"]) == ([], [], 0)
    entries = [each for each in gateway.audit() if each["exchange"] == "disclosures"]
    own = dict.fromkeys(("region", "asked_region", "at", "reference", "client", "answer_digest"))
    alike = [{**each, **own, "subject": len(each["subject"])} for each in entries]
    assert alike[0] == alike[1]
    with closing(gateway.database()) as connection:
        assert connection.execute("SELECT count(*) FROM subject").fetchone() == before, "nobody is made"
    assert look(gateway, region=ELSEWHERE).json()["total"] == 0, "to have looked makes no child one's own"
    told = items(gateway)
    assert [each["region"] for each in told[:2]] == [ELSEWHERE] * 2, "the guardian learns that somebody tried"
    assert all("未得到任何信息" in each["sentence"] for each in told[:2])


def test_a_child_is_the_countys_by_any_row_or_use(gateway: TestGateway) -> None:
    """Known to one county's register; asked about in another, which opens a lead in the first."""
    register(gateway, student(2))
    assert look(gateway, region=ELSEWHERE).json()["total"] == 0
    asked = gateway.call.post(
        "/v1/exchanges/applicant-check/ask",
        json={"purpose": "child_labour_check", "subject": {"resident_id": CHILD}},
        headers=gateway.headers("human_resources/recruitment_checker", ELSEWHERE),
    )
    assert asked.status_code == 200
    told = [each["exchange"] for each in items(gateway, region=ELSEWHERE)]
    assert told == ["applicant-check", "disclosures", "student-register"]
    only_asked = gateway.ask(NOBODY)
    assert only_asked.status_code == 200
    assert [each["exchange"] for each in items(gateway, NOBODY)] == ["applicant-check"]
    assert look(gateway, NOBODY, region=ELSEWHERE).json()["total"] == 0


@pytest.mark.parametrize(
    ("child", "code"),
    [
        ("", "bad_code"),
        ("530423", "bad_code"),
        (CHILD[:-1] + ("1" if CHILD[-1] != "1" else "2"), "bad_checksum"),
        (resident_id(date(2027, 1, 1)), "future_date"),
    ],
)
def test_a_number_that_is_none(gateway: TestGateway, child: str, code: str) -> None:
    answer = look(gateway, child)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert gateway.audit()[-1]["detail"] == "invalid-resident-id"
    assert not child or child not in answer.text


@pytest.mark.parametrize(
    ("role", "purpose", "problem"),
    [
        ("education/dropout_lead", "dropout_control", "not-permitted"),
        ("gateway/auditor", "audit", "not-permitted"),
        ("gateway/operator", "subject_access", "not-permitted"),
        ("gateway/sharing_authority", "statistics", "not-permitted"),
        (CLERK, "statistics", "purpose-not-granted"),
        (CLERK, "gossip", "unknown-purpose"),
    ],
)
def test_nobody_else_is_told(gateway: TestGateway, role: str, purpose: str, problem: str) -> None:
    register(gateway, student(2))
    answer = look(gateway, role=role, purpose=purpose)
    assert answer.json()["type"].endswith(f"/{problem}")
    refused = gateway.audit()[-1]
    assert (refused["detail"], refused["subject"]) == (problem, None)
    assert [each["exchange"] for each in items(gateway)] == ["student-register"]
    assert "无权查询而被拒绝" in look(gateway).json()["notes"][1]["zh"], "and the answer says so"


def test_the_page_says_what_the_answer_says(gateway: TestGateway) -> None:
    use_everything(gateway)
    sentences = [each["sentence"] for each in items(gateway)]
    page = look(gateway, format="html")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
    assert all(sentence in page.text for sentence in sentences)
    assert "凭证编号 Reference: ref-" in page.text
    assert "第四十四条" in page.text
    for secret in (CHILD, student(2)["姓名"], "<script", "style"):
        assert secret not in page.text
    by_accept = look(gateway, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert by_accept.headers["content-type"].startswith("text/html")
    assert look(gateway, accept="application/json, text/html").headers["content-type"] == "application/json"
    assert look(gateway, accept="text/html", format="json").headers["content-type"] == "application/json"
    assert gateway.audit()[-3]["answer_digest"] != ""


def test_ten_thousand_uses_page_without_a_gap(gateway: TestGateway) -> None:
    """Each page is itself a look and so a use: it never shifts the pages after it."""
    register(gateway, student(2))
    with gateway.parts.store.writing() as connection:
        (subject,) = connection.execute("SELECT subject_id FROM student_register").fetchone()
        insert_entries(connection, [written(entry(number, subject)) for number in range(10_000)])
    found: list[str] = []
    cursor: str | None = None
    while True:
        answer = look(gateway, limit=1000, **({"cursor": cursor} if cursor else {})).json()
        found += [each["reference"] for each in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 10_001
    assert found[:10_000] == [f"ref-{number:032x}" for number in range(9_999, -1, -1)]
    assert answer["total"] == 10_001 + 10, "the looks of the pages before count, and come first next time"
    assert [each["exchange"] for each in items(gateway, limit=11)] == ["disclosures"] * 11


@pytest.mark.parametrize("cursor", ["ref-" + "0" * 32, "x", CHILD])
def test_a_place_that_is_none(gateway: TestGateway, cursor: str) -> None:
    register(gateway, student(2))
    answers = [look(gateway, child, cursor=cursor) for child in (CHILD, NOBODY)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["type"].rpartition("/")[2] for answer in answers} == {"malformed"}
    assert CHILD not in answers[0].text


def test_the_gateways_own_task_indexes_and_nothing_is_lost(gateway: TestGateway) -> None:
    use_everything(gateway)
    before = items(gateway)
    assert gateway.parts.context.disclosures.catch_up() > 0
    assert [each["reference"] for each in items(gateway)][1:] == [each["reference"] for each in before]


def test_the_whole_life_of_a_childs_data_is_told_and_nothing_of_another(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        live_a_life(gateway)
        turn(data, "pseudonym")
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs")[0] == 2)
        relief = gateway.headers("civil_affairs/relief_officer")
        fetched = gateway.call.post("/v1/pseudonyms/mapping", json={"from": 1}, headers=relief)
        assert len(fetched.json()["items"]) == 2
        # of the agency, not of a child
        assert gateway.call.get("/v1/deletions", headers=relief).status_code == 200
        first = items(gateway)
        second = items(gateway)
        sibling = items(gateway, SIBLING)
    assert [each["reference"] for each in second[1:]] == [each["reference"] for each in first]
    told = [(each["agency"], each["exchange"], each["purpose"]) for each in reversed(second)]
    assert told == [(agency, exchange, purpose) for agency, exchange, purpose, _ in LIFE]
    for each, (_, _, _, part) in zip(reversed(second), LIFE, strict=True):
        assert part in each["sentence"]
        assert each["sentence_en"]
        assert "530423" in each["sentence_en"]
        assert each["region"] == COUNTY
    shared = {"student-register", "needy-children"}
    assert {each["exchange"] for each in sibling} == shared
    common = {each["reference"] for each in second} & {each["reference"] for each in sibling}
    assert common == {each["reference"] for each in sibling}, (
        "nothing of the sibling alone, nothing of the child's own"
    )


TEAM, SUBSIDY = (
    ("education", "identity", "dropout_control"),
    ("civil_affairs", "needy-children", "child_relief"),
)
LIFE = [
    ("education", "student-register", "student_registration", "报送了包含该儿童的“学籍信息"),
    ("human_resources", "applicant-check", "child_labour_check", "查询了该儿童"),
    (*SUBSIDY, "查看了包含该儿童的"),
    (*SUBSIDY, "导出了包含该儿童的"),
    ("education", "leads", "dropout_control", "收到了关于该儿童的"),
    ("education", "leads", "dropout_control", "签收了关于该儿童的线索"),
    (*TEAM, "申请了解该儿童是谁"),
    (*TEAM, "批准了解该儿童身份的申请"),
    (*TEAM, "经批准看到了该儿童的身份"),
    (*TEAM, "因紧急情况未经批准即看到了该儿童的身份"),
    (*SUBSIDY, "新旧代号对照"),
    ("gateway", "disclosures", "subject_access", "在窗口查询了本清单"),
]
"""Agency, exchange, purpose, and a piece of the sentence: oldest first, the first look last."""


def live_a_life(gateway: TestGateway) -> None:
    """A file, a question, a list and its export, a lead, an identity by two officers, an emergency."""
    register(gateway, student(2, **OUT), student(4, 家庭经济困难="是"))
    assert gateway.ask(CHILD).status_code == 200
    relief, team = gateway.headers("civil_affairs/relief_officer"), gateway.headers("education/dropout_lead")
    query = {"purpose": "child_relief", "region": COUNTY}
    page = gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=relief)
    assert len(page.json()["items"]) == 2
    job = gateway.call.post(
        "/v1/exchanges/needy-children/export", json={**query, "format": "csv"}, headers=relief
    )
    until(lambda: gateway.call.get(job.headers["content-location"], headers=relief).status_code == 200)
    lead = next(each for each in gateway.call.get("/v1/leads", headers=team).json()["items"])
    gateway.call.post(f"/v1/leads/{lead['id']}/acknowledge", headers=team)
    identity = "/v1/identity/resolutions"
    wish = {"purpose": "dropout_control", "reason": "需上门家访核实辍学原因", "case": lead["case"]}
    resolution = gateway.call.post(identity, json=wish, headers=team).json()["id"]
    colleague = {
        "Authorization": f"Bearer {gateway.fetch_token(gateway.credentials('education/dropout_lead'))}"
    }
    assert gateway.call.post(f"{identity}/{resolution}/approve", headers=colleague).status_code == 200
    assert CHILD in gateway.call.post(f"{identity}/{resolution}/show", headers=team).text
    assert CHILD in gateway.call.post(identity, json={**wish, "emergency": True}, headers=team).text
