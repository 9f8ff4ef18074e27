"""Legal instruments end to end: issued by two officers' consent, numbered, fetched, served; and whoever should not."""

import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import docx
import httpx
import pypdf
import pytest

from connectors.transports.rest import client_assertion
from gateway.adapters.clock import AsOfClock
from gateway.adapters.db.effects import SqliteTransaction
from gateway.domain.case import Actor
from gateway.services.casework import Casework, Move
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running, token_form
from tests.integration.test_purge import purge
from tests.integration.test_rotation import age, keys_command, turn, until
from tests.people import csv_file, resident_id, student

LEAD, RETURN = "education/dropout_lead", "township/return_officer"
TOWNSHIP, OTHER_TOWNSHIP = "530423101", "530423102"
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
CHILD = student(2)["姓名"]
GUARDIAN, WITNESS = "张建国", "王见证"
PROOF = "ab" * 32
SLOTS = {
    "guardian": GUARDIAN,
    "relation": "父亲",
    "absent_since": "2026-10-09",
    "school": "示范小学",
    "contact": "李老师 0877-0000000",
}
SHORT = {name: SLOTS[name] for name in ("guardian", "relation", "school", "contact")}
SERVICE = {
    "served_on": LAW_DATE.isoformat(),
    "method": "direct",
    "recipient_relation": "父亲本人",
    "proof": PROOF,
}


class Officer:
    """One officer of one office, with a client of the own."""

    def __init__(self, gateway: TestGateway, role: str = RETURN, region: str = TOWNSHIP) -> None:
        self.gateway = gateway
        self.credentials = gateway.credentials(role, region)
        self.headers = {"Authorization": f"Bearer {gateway.fetch_token(self.credentials)}"}

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.gateway.call.get(path, params=params, headers=self.headers)

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self.gateway.call.post(path, json=body, headers=self.headers)

    def asked(self, case: str) -> str:
        body = {"purpose": "dropout_control", "reason": "签发法律文书需要姓名", "case": case}
        answer = self.post("/v1/identity/resolutions", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def resolution(self, case: str, approver: "Officer") -> str:
        found = self.asked(case)
        answer = approver.post(f"/v1/identity/resolutions/{found}/approve")
        assert answer.status_code == 200, answer.text
        return found

    def issue(
        self, case: str, resolution: str, kind: str = "return-order", slots: dict[str, str] | None = None
    ) -> httpx.Response:
        given = slots if slots is not None else SLOTS if kind == "return-order" else SHORT
        return self.post(
            f"/v1/cases/{case}/notices", {"kind": kind, "resolution": resolution, "slots": given}
        )

    def issued(self, case: str, approver: "Officer", kind: str = "return-order") -> dict[str, Any]:
        answer = self.issue(case, self.resolution(case, approver), kind)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def fetch(self, notice: str, kind: str = "pdf", **params: Any) -> httpx.Response:
        return self.get(f"/v1/notices/{notice}", format=kind, **params)

    def serve(self, notice: str, **changes: Any) -> httpx.Response:
        return self.post(f"/v1/notices/{notice}/service", SERVICE | changes)

    def served(self, notice: str, **changes: Any) -> dict[str, Any]:
        answer = self.serve(notice, **changes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def out(tmp_path: Path) -> Iterator[TestGateway]:
    """Two children of one township who dropped out, and one of another."""
    rows = [
        student(2, **OUT),
        student(4, **OUT),
        student(6, **OUT, 现住址行政区划=OTHER_TOWNSHIP),
    ]
    with running(tmp_path / "data") as found:
        assert found.upload("student-register", csv_file(rows)).json()["rejected"] == 0
        yield found


@pytest.fixture
def asking(out: TestGateway) -> Officer:
    return Officer(out)


@pytest.fixture
def second(out: TestGateway) -> Officer:
    return Officer(out)


@pytest.fixture
def case(out: TestGateway) -> str:
    """The case of the child that `CHILD` names, with a plan made."""
    return persuading(out, 2)


def persuading(gateway: TestGateway, number: int) -> str:
    lookup = gateway.parts.keys.lookup("resident_id", resident_id(date(2015, 3, 5), number))
    with closing(gateway.database()) as connection:
        (ref,) = connection.execute(
            "SELECT c.ref FROM case_file c JOIN identifier i ON i.subject_id = c.subject_id WHERE i.lookup = ?",
            (lookup,),
        ).fetchone()
    plan = {"responsible": "李老师", "deadline": "2026-12-01", "measure": "home_visit"}
    step(gateway, ref, "verify", {"finding": "dropped_out", "found_on": "2026-11-18"})
    step(gateway, ref, "persuade", plan)
    return str(ref)


def step(gateway: TestGateway, ref: str, name: str, evidence: dict[str, object]) -> None:
    parts, actor = gateway.parts, Actor("test", "li", "education", LEAD)
    with parts.store.writing() as connection:
        transaction = SqliteTransaction(connection, parts.keys, LAW_DATE)
        found = transaction.cases.get(ref)
        assert found is not None
        move = Move(name, evidence, actor, LAW_DATE, parts.clock.now())
        Casework(parts.rulebook).move(transaction, found, move)


def on(gateway: TestGateway, day: date) -> None:
    """From now on it is that day, for legal instruments."""
    gateway.parts.context.notices.issue._desk.clock = AsOfClock(day)


def state(gateway: TestGateway, case: str) -> str:
    with closing(gateway.database()) as connection:
        return str(connection.execute("SELECT state FROM case_file WHERE ref = ?", (case,)).fetchone()[0])


def duties(gateway: TestGateway, case: str) -> dict[str, tuple[str, str]]:
    with closing(gateway.database()) as connection:
        rows = connection.execute(
            "SELECT kind, due_on, status FROM duty WHERE case_ref = ?", (case,)
        ).fetchall()
    return {kind: (due, status) for kind, due, status in rows}


def serials(gateway: TestGateway) -> list[tuple[str, str, int]]:
    with closing(gateway.database()) as connection:
        return connection.execute("SELECT office, kind, serial FROM instrument ORDER BY 1, 2, 3").fetchall()


def pdf_text(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))


def docx_text(content: bytes) -> str:
    return re.sub(r"\s", "", "".join(each.text for each in docx.Document(io.BytesIO(content)).paragraphs))


# --- the way of an order ----------------------------------------------------------------------------------------------


def test_an_order_from_issue_to_the_end_of_its_term(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    issued = asking.issued(case, second)
    number = f"{TOWNSHIP}教控复字〔2026〕第0001号"
    assert (issued["number"], issued["state"], issued["due_on"]) == (number, "issued", None)
    assert CHILD not in json.dumps(issued, ensure_ascii=False)
    assert state(out, case) == "persuading"
    assert "guardian-return" not in duties(out, case)
    for kind, text in (("pdf", pdf_text), ("docx", docx_text)):
        answer = asking.fetch(issued["id"], kind)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        words = text(answer.content)
        for part in (
            number,
            CHILD,
            GUARDIAN,
            "通海县杨广镇人民政府",
            "送达之日起7日内",
            "第五十八条",
            "2026年10月9日",
        ):
            assert part in words
    served = asking.served(issued["id"])
    due = (LAW_DATE + timedelta(days=7)).isoformat()
    assert (served["state"], served["due_on"]) == ("served", due)
    assert state(out, case) == "notified"
    assert duties(out, case)["guardian-return"] == (due, "open")


def test_an_ignored_order_is_followed_by_a_reminder(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    first = asking.issued(case, second)
    resolution = asking.resolution(case, second)
    assert problem(asking.issue(case, resolution, "enforcement-reminder")) == (409, "conflict")
    asking.served(first["id"])
    on(out, LAW_DATE + timedelta(days=7))  # the last day of the term
    assert problem(asking.issue(case, resolution, "enforcement-reminder")) == (409, "conflict")
    on(out, LAW_DATE + timedelta(days=8))
    answer = asking.issue(case, resolution, "enforcement-reminder")
    assert answer.status_code == 201, answer.text
    assert answer.json()["number"] == f"{TOWNSHIP}教控催字〔2026〕第0001号"
    words = pdf_text(asking.fetch(answer.json()["id"]).content)
    for part in (first["number"], "2026年11月20日向你送达", "行政强制法", "陈述和申辩", "10日内"):
        assert part in words
    asking.served(answer.json()["id"], served_on=(LAW_DATE + timedelta(days=8)).isoformat())
    assert state(out, case) == "sanctioned"
    assert duties(out, case)["reminder-return"] == ((LAW_DATE + timedelta(days=18)).isoformat(), "open")


def test_a_reminder_that_nobody_heeds_is_the_courts_to_enforce_once(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    asking.served(asking.issued(case, second)["id"])
    on(out, LAW_DATE + timedelta(days=8))
    reminder = asking.issued(case, second, "enforcement-reminder")["id"]
    asking.served(reminder, served_on=(LAW_DATE + timedelta(days=8)).isoformat())
    last = LAW_DATE + timedelta(days=18)
    for day, owed in ((last, False), (last + timedelta(days=1), True), (last + timedelta(days=2), True)):
        out.parts.daily._clock = AsOfClock(day)
        out.parts.daily.run()
        assert ("court-application" in duties(out, case)) is owed, day
    due = (last + timedelta(days=90)).isoformat()
    assert duties(out, case)["court-application"] == (due, "open")
    with closing(out.database()) as db:
        assert db.execute("SELECT count(*) FROM duty WHERE kind = 'court-application'").fetchone() == (1,)
    step(out, case, "return", {"returned_on": LAW_DATE.isoformat()})
    assert duties(out, case)["court-application"] == (due, "done")
    out.parts.daily._clock = AsOfClock(last + timedelta(days=3))
    out.parts.daily.run()
    assert duties(out, case)["court-application"] == (due, "done")


def test_an_order_to_correct_follows_an_expired_order(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    asking.served(asking.issued(case, second)["id"])
    on(out, LAW_DATE + timedelta(days=8))
    correction = asking.issued(case, second, "correction-order")
    later = (LAW_DATE + timedelta(days=8)).isoformat()
    assert asking.served(correction["id"], served_on=later)["due_on"] == "2026-12-05"
    assert duties(out, case)["guardian-correct"] == ("2026-12-05", "open")
    # While it runs, no reminder: the last that was served must have expired.
    resolution = asking.resolution(case, second)
    assert problem(asking.issue(case, resolution, "enforcement-reminder")) == (409, "conflict")


def test_the_county_issues_under_its_own_numbers(out: TestGateway, case: str) -> None:
    lead, other = Officer(out, LEAD, COUNTY), Officer(out, LEAD, COUNTY)
    issued = lead.issued(case, other)
    assert issued["number"] == f"{COUNTY}教控复字〔2026〕第0001号"
    assert "通海县教育局" in pdf_text(lead.fetch(issued["id"]).content)


def test_the_list_of_a_case(out: TestGateway, asking: Officer, second: Officer, case: str) -> None:
    asking.served(asking.issued(case, second)["id"], method="refused_left", witnesses=[WITNESS])
    for reader in (second, Officer(out, LEAD, COUNTY)):
        items = reader.get(f"/v1/cases/{case}/notices").json()["items"]
        assert [each["state"] for each in items] == ["served"]
        assert items[0]["service"]["witnesses"] == [WITNESS]
        assert CHILD not in json.dumps(items, ensure_ascii=False)


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_a_withdrawn_number_is_not_given_again(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    first = asking.issued(case, second)
    assert problem(asking.issue(case, asking.resolution(case, second))) == (409, "conflict")
    named = asking.post(f"/v1/notices/{first['id']}/void", {"reason": "530423201503050029写错了"})
    assert problem(named) == (400, "malformed")
    assert (
        asking.post(f"/v1/notices/{first['id']}/void", {"reason": "写错了学校"}).json()["state"] == "voided"
    )
    assert problem(asking.serve(first["id"])) == (409, "conflict")
    assert problem(asking.fetch(first["id"])) == (409, "conflict")
    assert problem(asking.post(f"/v1/notices/{first['id']}/void", {"reason": "又写错了"})) == (
        409,
        "conflict",
    )
    assert asking.issued(case, second)["number"].endswith("第0002号")
    assert serials(out) == [(TOWNSHIP, "return-order", 1), (TOWNSHIP, "return-order", 2)]


def test_a_served_one_cannot_be_withdrawn(asking: Officer, second: Officer, case: str) -> None:
    found = asking.issued(case, second)
    asking.served(found["id"])
    assert problem(asking.post(f"/v1/notices/{found['id']}/void", {"reason": "想要撤回它"})) == (
        409,
        "conflict",
    )
    assert problem(asking.serve(found["id"])) == (409, "conflict")


def test_at_the_same_time_only_one_is_issued_and_no_number_is_lost(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    other = persuading(out, 4)
    tries = [(each, asking.resolution(each, second)) for each in (case, other) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: asking.issue(*each), tries))
    assert sorted(each.status_code for each in answers) == [201, 201, 409, 409, 409, 409]
    assert serials(out) == [(TOWNSHIP, "return-order", 1), (TOWNSHIP, "return-order", 2)]


def test_what_fails_takes_no_number(out: TestGateway, asking: Officer, second: Officer, case: str) -> None:
    resolution = asking.resolution(case, second)
    bad = [
        {},
        SLOTS | {"guardian": "张\n建国"},
        SLOTS | {"guardian": "张\u202e建国"},
        SLOTS | {"child": "别人"},
        SLOTS | {"absent_since": "2026-02-30"},
        {name: value for name, value in SLOTS.items() if name != "contact"},
    ]
    for slots in bad:
        answer = asking.issue(case, resolution, slots=slots)
        assert problem(answer) == (400, "malformed")
        assert GUARDIAN not in answer.text
    assert asking.issue(case, resolution).json()["number"].endswith("第0001号")


# --- service ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"served_on": (LAW_DATE + timedelta(days=1)).isoformat()},
        {"served_on": (LAW_DATE - timedelta(days=1)).isoformat()},
        {"served_on": "2026-11-31"},
        {"method": "telephone"},
        {"proof": "not a digest"},
        {"proof": PROOF.upper()},
        {"recipient_relation": " "},
        {"recipient_relation": "父\x00亲"},
        {"method": "refused_left"},
        {"witnesses": ["王"] * 6},
        {"due_on": "2027-01-01"},
    ],
)
def test_a_service_that_cannot_be_starts_no_term(
    out: TestGateway, asking: Officer, second: Officer, case: str, change: dict[str, Any]
) -> None:
    found = asking.issued(case, second)
    assert problem(asking.serve(found["id"], **change)) == (400, "malformed")
    assert state(out, case) == "persuading"
    assert "guardian-return" not in duties(out, case)


def test_the_term_runs_from_service_not_from_its_record(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    found = asking.issued(case, second)
    on(out, LAW_DATE + timedelta(days=5))
    assert asking.served(found["id"])["due_on"] == "2026-11-27"


def test_after_the_return_nothing_is_served_any_more(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    found = asking.issued(case, second)
    step(out, case, "return", {"returned_on": LAW_DATE.isoformat()})
    assert problem(asking.serve(found["id"])) == (409, "conflict")
    assert "guardian-return" not in duties(out, case)
    assert [each["state"] for each in asking.get(f"/v1/cases/{case}/notices").json()["items"]] == ["issued"]


# --- whoever should not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "region"),
    [
        ("justice/mediation_officer", COUNTY),
        ("justice/legal_aid_officer", COUNTY),
        ("education/registrar", COUNTY),
        ("civil_affairs/relief_officer", COUNTY),
        ("gateway/auditor", COUNTY),
        ("gateway/operator", COUNTY),
        (RETURN, OTHER_TOWNSHIP),
        (LEAD, "530424"),
        (LEAD, "5304"),
        (RETURN, COUNTY),
    ],
)
def test_nobody_else_issues_fetches_or_serves(
    out: TestGateway, asking: Officer, second: Officer, case: str, role: str, region: str
) -> None:
    issued, resolution = asking.issued(case, second), asking.resolution(case, second)
    stranger = Officer(out, role, region)
    for answer in (
        stranger.issue(case, resolution),
        stranger.fetch(issued["id"]),
        stranger.fetch(issued["id"], "docx", resolution=resolution),
        stranger.serve(issued["id"]),
        stranger.post(f"/v1/notices/{issued['id']}/void", {"reason": "没有理由"}),
    ):
        assert answer.status_code == 403, answer.text
        assert CHILD not in answer.text
    assert state(out, case) == "persuading"
    assert serials(out) == [(TOWNSHIP, "return-order", 1)]


def test_a_school_does_nothing_here(out: TestGateway, asking: Officer, second: Officer, case: str) -> None:
    headers = out.headers("school/class_teacher", COUNTY, "2153001234")
    issued = asking.issued(case, second)
    body = {"kind": "return-order", "resolution": "res-" + "0" * 26, "slots": SLOTS}
    assert problem(out.call.post(f"/v1/cases/{case}/notices", json=body, headers=headers))[0] == 403
    assert problem(out.call.get(f"/v1/cases/{case}/notices", headers=headers))[0] == 403
    fetched = out.call.get(f"/v1/notices/{issued['id']}", params={"format": "pdf"}, headers=headers)
    assert problem(fetched)[0] == 403


def test_another_case_and_no_case_look_alike(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    elsewhere = persuading(out, 6)
    resolution = asking.resolution(case, second)
    told = [
        asking.issue(ref, resolution).json() | {"correlation_id": ""}
        for ref in (elsewhere, "case-" + "a" * 26, "nothing")
    ]
    assert told[0] == told[1] == told[2]
    assert told[0]["status"] == 403
    for ref in (elsewhere, "case-" + "a" * 26):
        assert problem(asking.get(f"/v1/cases/{ref}/notices")) == (403, "not-permitted")


def test_nobody_without_a_name_issues(out: TestGateway, second: Officer, asking: Officer, case: str) -> None:
    resolution = asking.resolution(case, second)
    nameless = Officer.__new__(Officer)
    nameless.gateway = out
    moment = out.parts.clock.now()
    assertion = client_assertion(asking.credentials, f"{out.url}/oauth2/token", moment)
    token = out.call.post("/oauth2/token", data=token_form(assertion)).json()["access_token"]
    nameless.headers = {"Authorization": f"Bearer {token}"}
    assert problem(nameless.issue(case, resolution)) == (403, "officer-unnamed")


def test_without_an_approval_no_name_goes_into_a_document(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    pending = asking.asked(case)
    assert problem(asking.issue(case, pending)) == (409, "conflict")
    theirs = second.resolution(case, asking)
    assert problem(asking.issue(case, theirs)) == (403, "not-permitted")
    other = persuading(out, 4)
    assert problem(asking.issue(other, asking.resolution(case, second))) == (403, "not-permitted")
    used = asking.resolution(case, second)
    assert asking.post(f"/v1/identity/resolutions/{used}/show").status_code == 200
    assert problem(asking.issue(case, used)) == (409, "conflict")
    assert serials(out) == []


def test_a_resolution_makes_one_document_and_shows_nothing_else(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    resolution = asking.resolution(case, second)
    found = asking.issue(case, resolution).json()
    assert problem(asking.post(f"/v1/identity/resolutions/{resolution}/show")) == (409, "conflict")
    assert problem(asking.issue(case, resolution)) == (409, "conflict")
    # A colleague: not by knowing the id, not by the issuer's resolution, once by an own one.
    assert problem(second.fetch(found["id"])) == (403, "not-permitted")
    assert problem(second.fetch(found["id"], resolution=resolution)) == (403, "not-permitted")
    own = second.resolution(case, asking)
    assert CHILD in pdf_text(second.fetch(found["id"], resolution=own).content)
    assert problem(second.fetch(found["id"], "docx", resolution=own)) == (409, "conflict")


def test_another_client_that_names_the_same_officer_is_another(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    issued = asking.issued(case, second)
    double = Officer(out)
    name = f"of-{asking.credentials.client_id}"
    double.headers = {"Authorization": f"Bearer {out.fetch_token(double.credentials, name)}"}
    assert problem(double.fetch(issued["id"])) == (403, "not-permitted")


def test_an_emergency_makes_no_document(asking: Officer, case: str) -> None:
    body = {"purpose": "dropout_control", "reason": "儿童有现实危险", "case": case, "emergency": True}
    found = asking.post("/v1/identity/resolutions", body).json()["id"]
    assert problem(asking.issue(case, found)) == (409, "conflict")


def test_the_county_withdraws_what_a_township_issued_and_may_not_do_more(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    issued, lead = asking.issued(case, second), Officer(out, LEAD, COUNTY)
    assert problem(lead.fetch(issued["id"])) == (403, "not-permitted")
    assert problem(lead.serve(issued["id"])) == (403, "not-permitted")
    with out.parts.store.writing() as connection:
        connection.execute("UPDATE case_file SET residence = ? WHERE ref = ?", (OTHER_TOWNSHIP, case))
    assert problem(asking.serve(issued["id"])) == (403, "not-permitted")
    answer = lead.post(f"/v1/notices/{issued['id']}/void", {"reason": "孩子已搬到另一乡镇"})
    assert answer.json()["state"] == "voided"


def test_an_approver_who_was_dismissed_approves_nothing(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    resolution = asking.resolution(case, second)
    out.revoke(second.credentials.client_id)
    assert problem(asking.issue(case, resolution)) == (409, "conflict")


@pytest.mark.parametrize("kind", ["PDF", "html", "pdf%00", "../docx", ""])
def test_other_formats_there_are_none(asking: Officer, second: Officer, case: str, kind: str) -> None:
    issued = asking.issued(case, second)
    assert problem(asking.fetch(issued["id"], kind)) == (400, "malformed")


def test_markup_in_a_slot_is_text(asking: Officer, second: Officer, case: str) -> None:
    hostile = '#panic()</w:t>"}]{child}'
    answer = asking.issue(case, asking.resolution(case, second), slots=SLOTS | {"guardian": hostile})
    assert answer.status_code == 201, answer.text
    for kind, text in (("pdf", pdf_text), ("docx", docx_text)):
        assert f"{hostile}（{CHILD}的父亲）" in text(asking.fetch(answer.json()["id"], kind).content)


def test_a_name_the_font_lacks_is_printed_from_the_docx(asking: Officer, second: Officer, case: str) -> None:
    rare = "张\U00020bb7"
    answer = asking.issue(case, asking.resolution(case, second), slots=SLOTS | {"guardian": rare})
    refused = asking.fetch(answer.json()["id"])
    assert problem(refused) == (422, "unprintable")
    assert rare not in refused.text
    assert rare in docx_text(asking.fetch(answer.json()["id"], "docx").content)


# --- evidence and rest ------------------------------------------------------------------------------------------------


def test_the_child_can_read_who_put_its_name_where(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    found = asking.issued(case, second)
    content = asking.fetch(found["id"]).content
    asking.served(found["id"])
    body = {"purpose": "subject_access", "subject": {"resident_id": resident_id(date(2015, 3, 5), 2)}}
    answer = out.call.post("/v1/disclosures", json=body, headers=out.headers("gateway/counter_clerk"))
    assert answer.status_code == 200, answer.text
    sentences = " ".join(each["sentence"] for each in answer.json()["items"])
    for part in ("写入法律文书", "下载了写有该儿童姓名的法律文书", "签发了", "登记了该文书的送达"):
        assert part in sentences
    entries = [each for each in out.audit() if each["detail"].startswith("document ")]
    assert [(each["fields"], each["exchange"]) for each in entries] == [({"name": "keep"}, "identity")]
    assert entries[0]["answer_digest"] == hashlib.sha256(content).hexdigest()


def test_refusals_are_in_the_evidence(out: TestGateway, asking: Officer, second: Officer, case: str) -> None:
    found = asking.issued(case, second)
    before = len(out.audit())
    second.fetch(found["id"])
    asking.serve(found["id"], proof="x")
    Officer(out, "justice/mediation_officer").fetch(found["id"])
    told = [
        (each["decision"], each["detail"]) for each in out.audit()[before:] if each["exchange"] == "notices"
    ]
    assert told == [("fail", "not-permitted"), ("fail", "malformed"), ("refuse", "not-permitted")]


def test_nothing_of_a_person_is_kept_in_the_open(
    out: TestGateway, asking: Officer, second: Officer, case: str
) -> None:
    found = asking.issued(case, second)
    asking.served(found["id"], witnesses=[WITNESS])
    asking.fetch(found["id"])
    with closing(out.database()) as connection:
        dump = "\n".join(connection.iterdump())
    raw = b"".join(path.read_bytes() for path in out.data.rglob("*") if path.is_file())
    for word in (CHILD, GUARDIAN, WITNESS, "0877-0000000", "父亲本人"):
        assert word not in dump
        assert word.encode() not in raw
        assert word.encode().hex().upper() not in dump


def test_the_file_key_turns_and_documents_stay_readable(
    out: TestGateway, asking: Officer, second: Officer, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUXUE_PROFILE", "demo")
    found = asking.issued(case, second)
    asking.served(found["id"], witnesses=[WITNESS])
    turn(out.data, "files")
    age(out.data, ("files",))
    assert keys_command(out.data, "tidy").stdout.strip() == "dropped files"
    until(lambda: len(out.parts.keys.roots.of("files")) == 1)
    assert CHILD in pdf_text(asking.fetch(found["id"]).content)
    items = asking.get(f"/v1/cases/{case}/notices").json()["items"]
    assert items[0]["service"]["witnesses"] == [WITNESS]


def test_it_goes_with_the_child_and_its_number_stays_taken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        assert gateway.upload("student-register", csv_file([student(2, **OUT)])).json()["rejected"] == 0
        Officer(gateway).issued(persuading(gateway, 2), Officer(gateway))
        assert serials(gateway)
    purge(data, date(2036, 6, 1))
    with closing(sqlite3.connect(data / "huxue.db")) as connection:
        assert connection.execute("SELECT count(*) FROM instrument").fetchone() == (0,)
        assert connection.execute("SELECT last FROM instrument_counter").fetchall() == [(1,)]
