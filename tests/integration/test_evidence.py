"""Every decision leaves exactly one entry, committed before the answer, saying who learned what and nothing more."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from gateway.adapters.db import disclosed_sets
from gateway.adapters.db.effects import SqliteTransaction
from gateway.domain.audit import leaf_hash, members_commitment, members_digest, subject_commitment
from gateway.domain.model import AlarmDraft
from tests.harness import COUNTY, LAW_DATE, NAMED, TestGateway, running
from tests.people import csv_file, resident_id, student

CHILD = resident_id(date(2015, 3, 5), 2)
ADULT = resident_id(date(1990, 1, 1), 2)
HR, RELIEF = "human_resources/recruitment_checker", "civil_affairs/relief_officer"
LEAD, REGISTRAR = "education/dropout_lead", "education/registrar"
NEEDY = "/v1/exchanges/needy-children/records"
UPLOADS = "/v1/exchanges/student-register/uploads"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    with running(tmp_path_factory.mktemp("evidence") / "data") as found:
        rows = [student(number, 家庭经济困难="是") for number in range(2, 8)]
        rows.append(student(9, 学生状态="辍学", 状态日期="2026-10-09"))
        rows.append(student(11, 学生状态="辍学", 状态日期="2026-10-09"))
        assert found.upload("student-register", csv_file(rows)).status_code == 200
        for role in (HR, RELIEF, LEAD, REGISTRAR):
            found.headers(role)
        yield found


@pytest.fixture
def new(gateway: TestGateway) -> Callable[[], list[dict[str, Any]]]:
    """The entries since the test began."""
    before = len(gateway.audit())
    return lambda: gateway.audit()[before:]


New = Callable[[], list[dict[str, Any]]]


def digest(answer: httpx.Response) -> str:
    return hashlib.sha256(answer.content).hexdigest()


def assert_whole(entry: dict[str, Any], role: str, purpose: str, exchange: str, action: str) -> None:
    """What every entry says."""
    agency = role.split("/", maxsplit=1)[0]
    expected = {
        "agency": agency,
        "role": role,
        "region": COUNTY,
        "purpose": purpose,
        "exchange": exchange,
        "action": action,
        "law_date": LAW_DATE.isoformat(),
        "officer": f"of-{entry['client']}" if role in NAMED else None,
    }
    assert {name: entry[name] for name in expected} == expected
    assert entry["client"].startswith("test-")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(entry["at"])).total_seconds()) < 60
    assert len(entry["policy_version"]) == 12
    if entry["decision"] == "permit":
        assert entry["policy_ids"]


def test_an_answer_about_an_adult(gateway: TestGateway, new: New) -> None:
    answer = gateway.ask(ADULT)
    (entry,) = new()
    assert_whole(entry, HR, "child_labour_check", "applicant-check", "ask")
    assert (entry["decision"], entry["count"], entry["subject"]) == ("permit", 1, None)
    assert entry["answer_digest"] == digest(answer)
    assert entry["reference"] == answer.json()["reference"]
    assert entry["fields"] == dict.fromkeys(answer.json()["answer"], "keep")
    assert {"hr-check", "hr-check-answer"} <= set(entry["policy_ids"])


def test_an_answer_about_a_child_commits_to_it_and_names_it_to_nobody(gateway: TestGateway, new: New) -> None:
    first, second = gateway.ask(CHILD), gateway.ask(CHILD)
    entries = new()
    assert [entry["answer_digest"] for entry in entries] == [digest(first), digest(second)]
    assert entries[0]["reference"] != entries[1]["reference"]
    with gateway.database() as connection:
        (subject,), (same,) = connection.execute(
            "SELECT subject_id FROM audit_entry ORDER BY seq DESC LIMIT 2"
        ).fetchall()
    connection.close()
    assert subject == same
    assert [entry["subject"] for entry in entries] == [
        subject_commitment(entry["reference"], subject) for entry in entries
    ]
    assert entries[0]["subject"] != entries[1]["subject"]
    assert subject.hex() not in json.dumps(entries)
    assert CHILD not in json.dumps(entries)


def members_of(gateway: TestGateway, reference: str) -> list[bytes]:
    """The children an entry says it told of, in order; the entry commits to them."""
    with gateway.database() as connection:
        digest, body = connection.execute(
            "SELECT members, body FROM audit_entry WHERE reference = ?", (reference,)
        ).fetchone()
        members = disclosed_sets.members_of(connection, digest)
    connection.close()
    assert members_digest(members) == digest
    assert json.loads(body)["members"] == members_commitment(reference, digest)
    return [members[start : start + 16] for start in range(0, len(members), 16)]


def test_a_page_a_file_and_a_batch_of_leads_say_of_whom_they_told(gateway: TestGateway, new: New) -> None:
    page = gateway.call.get(
        "/v1/exchanges/needy-children/records",
        params={"purpose": "child_relief", "region": COUNTY, "limit": 7},
        headers=gateway.headers("civil_affairs/relief_officer"),
    ).json()
    told = members_of(gateway, page["reference"])
    assert [gateway.parts.keys.pseudonym("civil_affairs", child) for child in told] == [
        item["pseudonym"] for item in page["items"]
    ]
    leads = gateway.call.get(
        "/v1/leads", params={"limit": 5}, headers=gateway.headers("education/dropout_lead")
    ).json()
    assert len(members_of(gateway, leads["reference"])) == len(leads["items"]) > 1
    receipt = gateway.upload_sample()["student-register"]
    (entry,) = (entry for entry in new() if entry["detail"] == receipt["upload_id"])
    assert len(members_of(gateway, entry["reference"])) == receipt["accepted"] + receipt["unchanged"]


@pytest.mark.parametrize(
    "wrong", [{"resident_id": "53042320150305002"}, {"employer_uscc": CHILD}, {"engagement": "x"}]
)
def test_a_question_that_cannot_be_answered_leaves_an_entry(
    gateway: TestGateway, new: New, wrong: dict[str, str]
) -> None:
    answer = gateway.ask(**{"resident_id": CHILD, **wrong})
    (entry,) = new()
    assert_whole(entry, HR, "child_labour_check", "applicant-check", "ask")
    assert (entry["decision"], entry["count"], entry["fields"], entry["subject"]) == ("fail", 0, {}, None)
    assert entry["detail"] == answer.json()["type"].rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("role", "purpose", "exchange", "region", "status", "name"),
    [
        (RELIEF, "child_relief", "applicant-check", COUNTY, 403, "not-permitted"),
        (RELIEF, "statistics", "needy-children", COUNTY, 403, "purpose-not-granted"),
        (RELIEF, "child_relief", "needy-children", "530424", 403, "region-out-of-reach"),
        (RELIEF, "no_such_purpose", "needy-children", COUNTY, 400, "unknown-purpose"),
        (RELIEF, CHILD, "needy-children", COUNTY, 400, "unknown-purpose"),
        (RELIEF, "child_relief", CHILD, COUNTY, 403, "not-permitted"),
        (RELIEF, "张三", "李四", COUNTY, 400, "unknown-purpose"),
    ],
)
def test_a_refusal_leaves_an_entry_without_what_the_caller_made_up(
    gateway: TestGateway,
    new: New,
    role: str,
    purpose: str,
    exchange: str,
    region: str,
    status: int,
    name: str,
) -> None:
    query = {"purpose": purpose, "region": region}
    answer = gateway.call.get(
        f"/v1/exchanges/{exchange}/records", params=query, headers=gateway.headers(role)
    )
    assert answer.status_code == status
    (entry,) = new()
    known = exchange in ("needy-children", "applicant-check")
    stated = purpose if purpose in ("child_relief", "statistics") else "unknown"
    assert_whole(entry, role, stated, exchange if known else "unknown", "list")
    assert (entry["decision"], entry["detail"], entry["fields"], entry["count"]) == ("refuse", name, {}, 0)
    assert CHILD not in json.dumps(entry)
    assert "张三" not in json.dumps(entry, ensure_ascii=False)


def test_a_page_of_a_list(gateway: TestGateway, new: New) -> None:
    query = {"purpose": "child_relief", "region": COUNTY, "limit": 3}
    answer = gateway.call.get(NEEDY, params=query, headers=gateway.headers(RELIEF))
    (entry,) = new()
    assert_whole(entry, RELIEF, "child_relief", "needy-children", "list")
    assert (entry["decision"], entry["count"]) == ("permit", 3)
    assert entry["answer_digest"] == digest(answer)
    assert entry["reference"] == answer.json()["reference"]
    assert entry["fields"]["pseudonym"] == "pseudonym"
    assert entry["fields"]["township"] == "generalise"
    assert set(entry["fields"]) == set(answer.json()["items"][0])


def test_a_list_as_of_another_day_leaves_an_entry_too(gateway: TestGateway, new: New) -> None:
    query = {"purpose": "child_relief", "region": COUNTY, "as_of": "2026-01-01"}
    assert gateway.call.get(NEEDY, params=query, headers=gateway.headers(RELIEF)).status_code == 400
    (entry,) = new()
    assert_whole(entry, RELIEF, "child_relief", "needy-children", "list")
    assert (entry["decision"], entry["detail"], entry["count"]) == ("fail", "malformed", 0)


def test_an_export_leaves_an_entry_for_its_file_and_one_for_each_fetching(
    gateway: TestGateway, new: New
) -> None:
    headers = gateway.headers(RELIEF)
    body = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}
    job = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)
    while (done := gateway.call.get(job.headers["location"], headers=headers)).status_code == 202:
        continue
    file = gateway.call.get(done.json()["files"][0]["url"], headers=headers)
    entry, fetched = new()
    assert_whole(entry, RELIEF, "child_relief", "needy-children", "list")
    assert fetched["detail"] == "fetched:" + done.json()["files"][0]["url"].rsplit("/", 1)[-1]
    assert fetched["answer_digest"] == entry["answer_digest"]
    assert entry["answer_digest"] == digest(file) == done.json()["files"][0]["sha256"]
    assert entry["count"] == done.json()["files"][0]["rows"]
    assert entry["reference"] == done.json()["reference"]
    assert entry["detail"] == job.json()["job"]


def test_an_upload(gateway: TestGateway, new: New) -> None:
    answer = gateway.upload("student-register", csv_file([student(20), student(22, 学籍号="")]))
    (entry,) = new()
    assert_whole(entry, REGISTRAR, "student_registration", "student-register", "upload")
    assert (entry["decision"], entry["count"]) == ("permit", answer.json()["accepted"])
    assert entry["answer_digest"] == digest(answer)
    assert entry["detail"] == answer.json()["upload_id"]


def test_a_receipt_given_again_is_told_again_and_recorded_again(gateway: TestGateway, new: New) -> None:
    body, key = csv_file([student(24)]), {"Idempotency-Key": "again"}
    first = gateway.upload("student-register", body, headers=key)
    again = gateway.upload("student-register", body, headers=key)
    assert first.json() == again.json()
    entries = new()
    assert [entry["answer_digest"] for entry in entries] == [digest(first), digest(again)]
    assert [entry["decision"] for entry in entries] == ["permit", "permit"]


@pytest.mark.parametrize(
    ("body", "headers", "name"),
    [
        (b"a,b\r\n1,2\r\n", {}, "invalid-record"),
        (b"\x89PNG\r\n\x1a\n", {}, None),
        (b"x", {"Content-Type": "image/png"}, "unsupported-media"),
        (b"x", {"Idempotency-Key": ""}, None),
    ],
)
def test_an_upload_that_cannot_be_taken(
    gateway: TestGateway, new: New, body: bytes, headers: dict[str, str], name: str | None
) -> None:
    answer = gateway.upload("student-register", body, headers=headers)
    assert answer.status_code >= 400
    (entry,) = new()
    assert_whole(entry, REGISTRAR, "student_registration", "student-register", "upload")
    assert entry["decision"] == "fail"
    assert entry["detail"] == (name or answer.json()["type"].rsplit("/", 1)[-1])


def test_leads(gateway: TestGateway, new: New) -> None:
    answer = gateway.call.get("/v1/leads", params={"limit": 1}, headers=gateway.headers(LEAD))
    (entry,) = new()
    assert_whole(entry, LEAD, "dropout_control", "leads", "subscribe")
    assert (entry["count"], entry["answer_digest"]) == (1, digest(answer))
    assert entry["reference"] == answer.json()["reference"]


def test_an_acknowledgement(gateway: TestGateway, new: New) -> None:
    lead = gateway.leads(rule="registered-dropout")[0]["id"]
    before = len(new())
    for _ in range(2):
        answer = gateway.call.post(f"/v1/leads/{lead}/acknowledge", headers=gateway.headers(LEAD))
        assert answer.status_code == 200
        entry = new()[-1]
        assert_whole(entry, LEAD, "dropout_control", "leads", "subscribe")
        assert (entry["decision"], entry["detail"], entry["count"]) == ("permit", "acknowledged", 1)
        assert entry["answer_digest"] == digest(answer)
    assert len(new()) == before + 2


def test_a_lead_that_is_not_ones_own_or_none(gateway: TestGateway, new: New) -> None:
    path = "/v1/leads/lead-aaaaaaaaaaaaaaaaaaaaaaaaaa/acknowledge"
    assert gateway.call.post(path, headers=gateway.headers(LEAD)).status_code == 403
    (entry,) = new()
    assert_whole(entry, LEAD, "dropout_control", "leads", "subscribe")
    assert (entry["decision"], entry["detail"], entry["fields"]) == ("fail", "not-permitted", {})


def test_a_closed_lead(gateway: TestGateway, new: New) -> None:
    gateway.upload("student-register", csv_file([student(11, 状态日期="2026-11-02")]))
    lead = gateway.leads(status="closed")[0]["id"]
    before = len(new())
    assert (
        gateway.call.post(f"/v1/leads/{lead}/acknowledge", headers=gateway.headers(LEAD)).status_code == 409
    )
    entries = new()[before:]
    assert [(entry["decision"], entry["detail"], entry["count"]) for entry in entries] == [
        ("fail", "conflict", 0)
    ]


def test_a_stranger_leaves_no_entry(gateway: TestGateway, new: New) -> None:
    gateway.call.get("/v1/leads")
    gateway.call.get("/v1/leads", headers={"Authorization": f"Bearer {CHILD}"})
    assert new() == []


def counts(gateway: TestGateway) -> dict[str, int]:
    """How much there is of everything that an ask or an upload might write."""
    names = ("audit_entry", "lead", "case_file", "duty", "subject", "identifier", "lead_event", "upload")
    with gateway.database() as connection:
        found = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
    connection.close()
    return found


def test_no_answer_leaves_when_the_evidence_cannot_be_written(gateway: TestGateway) -> None:
    lead = gateway.leads(status="open")[0]["id"]
    unknown = resident_id(date(2016, 8, 8), 500)
    before = counts(gateway)
    files = sorted(path.name for path in (gateway.data / "files").iterdir())
    gateway.parts.store.writer.execute("PRAGMA query_only=ON")
    try:
        query = {"purpose": "child_relief", "region": COUNTY}
        answers = [
            gateway.ask(ADULT),
            gateway.ask(CHILD),
            gateway.ask(unknown),
            gateway.ask("1"),
            gateway.call.get(NEEDY, params=query, headers=gateway.headers(RELIEF)),
            gateway.call.get(NEEDY, params=query, headers=gateway.headers(HR)),
            gateway.call.post(
                "/v1/exchanges/needy-children/export", json=query, headers=gateway.headers(RELIEF)
            ),
            gateway.call.get("/v1/leads", headers=gateway.headers(LEAD)),
            gateway.call.post(f"/v1/leads/{lead}/acknowledge", headers=gateway.headers(LEAD)),
            gateway.upload("student-register", csv_file([student(30), student(31, 学籍号="")])),
        ]
        ready = gateway.call.get("/health/ready")
    finally:
        gateway.parts.store.writer.execute("PRAGMA query_only=OFF")
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    for answer in answers:
        assert answer.json()["type"].endswith("/problems/source-unavailable")
        assert not {"answer", "items", "reference", "lead"} & set(answer.json())
    assert (ready.status_code, ready.json()["missing"]) == (503, ["store"])
    assert counts(gateway) == before
    assert sorted(path.name for path in (gateway.data / "files").iterdir()) == files
    assert gateway.ask(ADULT).status_code == 200


def test_every_leaf_is_its_bodys_hash(gateway: TestGateway) -> None:
    with gateway.database() as connection:
        rows = connection.execute("SELECT reference, subject_id, body, leaf FROM audit_entry").fetchall()
    connection.close()
    assert len(rows) > 20
    for reference, subject, body, leaf in rows:
        assert leaf == leaf_hash(body)
        entry = json.loads(body)
        assert entry["reference"] == reference
        assert entry["subject"] == (subject_commitment(reference, subject) if subject else None)
    assert len({row[0] for row in rows}) == len(rows)


def test_reaching_for_a_job_or_file_of_others_is_in_the_evidence(gateway: TestGateway, new: New) -> None:
    headers = gateway.headers(RELIEF)
    assert gateway.call.get("/v1/jobs/job-nobodys", headers=headers).status_code == 403
    assert gateway.call.get("/v1/files/file-nobodys", headers=headers).status_code == 403
    assert [(entry["decision"], entry["detail"]) for entry in new()] == [
        ("refuse", "unknown-job"),
        ("refuse", "unknown-file"),
    ]


def test_an_export_since_a_day_is_refused_rather_than_given_whole(gateway: TestGateway, new: New) -> None:
    body = {"purpose": "child_relief", "region": COUNTY, "since": "2026-11-01"}
    answer = gateway.call.post(
        "/v1/exchanges/needy-children/export", json=body, headers=gateway.headers(RELIEF)
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/since")
    assert [entry["decision"] for entry in new()] == ["fail"]


def test_a_register_is_handed_in_by_a_county(gateway: TestGateway, new: New) -> None:
    answer = gateway.upload("student-register", csv_file([student(2)]), region="5304")
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (403, "region-out-of-reach")
    assert [entry["decision"] for entry in new()] == ["fail"]


def test_an_alarm_is_one_however_often_it_is_raised(gateway: TestGateway) -> None:
    parts, now = gateway.parts, datetime.now(UTC)
    draft = AlarmDraft("enumeration", COUNTY, "client-1", "key", {"times": 1})
    with parts.store.writing() as connection:
        transaction = SqliteTransaction(connection, parts.keys, LAW_DATE)
        first = transaction.raise_alarm(draft, now)
        assert transaction.raise_alarm(replace(draft, facts={"times": 2}), now) == first
        assert transaction.raise_alarm(replace(draft, key="other"), now) != first
    with gateway.database() as connection:
        found = connection.execute(
            "SELECT raised, facts, status FROM alarm WHERE id = ?", (first,)
        ).fetchone()
    connection.close()
    assert found == (2, '{"times":2}', "open")
