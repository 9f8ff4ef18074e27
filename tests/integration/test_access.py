"""Who is refused what, and that a refusal tells nothing: not whether a thing exists, not what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
import pytest
import yaml

from gateway.domain.errors import HuxueError, problem_types
from gateway.http.problems import STATUS
from gateway.settings import POLICIES
from schemas.catalogue import EXCHANGES
from schemas.identifiers import parse_uscc, resident_id_check
from tests.harness import COUNTY, XLSX, TestGateway, running
from tests.people import csv_file, resident_id, student

ELSEWHERE = "530424"
ROLES = sorted(yaml.safe_load((POLICIES / "roles.yaml").read_text(encoding="utf-8"))["roles"])
# api.md, "Who calls what", as far as it is built.
ALLOWED = {
    "student-register": {"education/registrar"},
    "attendance": {"education/registrar", "school/class_teacher"},
    "relief-register": {"civil_affairs/register_keeper"},
    "disability-assessment": {"health/disability_assessor"},
    "aid-payments": {"education/aid_officer"},
    "focus-groups": {"education/registrar", "school/class_teacher"},
    "aid-gap": {"education/aid_officer", "civil_affairs/relief_officer"},
    "placement-advice": {"education/placement_officer", "education/aid_officer"},
    "placement-outcomes": {"health/disability_assessor"},
    "sightings": {"human_resources/labour_inspector"},
    "registration-check": {"human_resources/recruitment_checker"},
    "employer-hits": {"human_resources/labour_inspector", "market_regulation/market_inspector"},
    "applicant-check": {"human_resources/recruitment_checker", "human_resources/labour_inspector"},
    "licence-check": {"market_regulation/licence_registrar"},
    "needy-children": {"civil_affairs/relief_officer"},
    "audit-log": {"gateway/auditor"},
    "alarms": {"gateway/auditor"},
    "reports": {"education/dropout_lead", "township/return_officer", "school/class_teacher"},
    "notices": {"education/dropout_lead", "township/return_officer"},
    "cases": {"education/dropout_lead", "township/return_officer", "school/class_teacher"},
    "child-file": {"education/dropout_lead", "township/return_officer", "school/class_teacher"},
    "case-outcome": {"justice/legal_aid_officer", "justice/mediation_officer"},
    "referred-case": {"justice/legal_aid_officer", "justice/mediation_officer"},
    "case-handover": {"education/dropout_lead"},
    "case-referral": {
        *("education/dropout_lead", "township/return_officer", "human_resources/labour_inspector"),
        *("market_regulation/market_inspector", "justice/legal_aid_officer", "justice/mediation_officer"),
    },
    "duties": {
        *("education/dropout_lead", "township/return_officer", "school/class_teacher"),
        *("civil_affairs/relief_officer", "human_resources/labour_inspector"),
        *("market_regulation/market_inspector", "justice/legal_aid_officer", "justice/mediation_officer"),
    },
    "ledgers": {"education/dropout_lead", "township/return_officer", "school/class_teacher"},
    "leads": {"education/dropout_lead", "township/return_officer", "school/class_teacher"},
    "identity": {"education/dropout_lead", "township/return_officer"},
    "disclosures": {"gateway/counter_clerk"},
    "deletions": {
        "civil_affairs/relief_officer",
        "education/dropout_lead",
        "health/disability_assessor",
        "justice/legal_aid_officer",
        "justice/mediation_officer",
        "school/class_teacher",
        "township/return_officer",
    },
}
SCHOOL = "2153001234"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    with running(tmp_path_factory.mktemp("access") / "data") as found:
        rows = [student(number, 家庭经济困难="是") for number in range(2, 8)]
        rows.append(student(9, 学生状态="辍学", 状态日期="2026-10-09"))
        assert found.upload("student-register", csv_file(rows)).status_code == 200
        yield found


def headers_of(gateway: TestGateway, role: str, region: str = COUNTY) -> dict[str, str]:
    return gateway.headers(role, region, SCHOOL if role.startswith("school/") else None)


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """A problem but for what is different each time."""
    return {name: value for name, value in answer.json().items() if name != "correlation_id"}


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit("/", 1)[-1]


def attempt(gateway: TestGateway, headers: dict[str, str], exchange: str, purpose: str, region: str = COUNTY):  # type: ignore[no-untyped-def]
    """The exchange used the way it is used; the body is good enough to be answered."""
    action = EXCHANGES[exchange].action.value if exchange in EXCHANGES else "ask"
    url = f"/v1/exchanges/{exchange}"
    if exchange == "disclosures":
        person = {"purpose": purpose, "subject": {"resident_id": resident_id()}}
        return gateway.call.post("/v1/disclosures", json=person, headers=headers)
    match action:
        case "resolve":
            wish = {"purpose": purpose, "reason": "", "case": "none"}
            return gateway.call.post("/v1/identity/resolutions", json=wish, headers=headers)
        case "upload":
            row = {"学籍号": "G" + resident_id(), "月份": "2026-10"}
            given = {**headers, "Content-Type": "text/csv"}
            return gateway.call.post(
                f"{url}/uploads", params={"purpose": purpose}, content=csv_file([row]), headers=given
            )
        case "ask":
            person = {"purpose": purpose, "subject": {"resident_id": resident_id(date(1990, 1, 1))}}
            return gateway.call.post(f"{url}/ask", json=person, headers=headers)
        case "list":
            path = {"audit-log": "/v1/audit/entries", "alarms": "/v1/audit/alarms"}.get(exchange)
            return gateway.call.get(
                path or f"{url}/records", params={"purpose": purpose, "region": region}, headers=headers
            )
    path = PAGES.get(exchange, "/v1/leads").format(case=case_in(gateway))
    stated = {} if exchange in FIXED else {"purpose": purpose}
    return gateway.call.get(
        path, params=stated if exchange in OWN else {**stated, "region": region}, headers=headers
    )


PAGES = {
    "deletions": "/v1/deletions",
    "cases": "/v1/cases",
    "child-file": "/v1/cases/{case}/file",
    "duties": "/v1/duties",
    "ledgers": "/v1/ledgers",
    "reports": "/v1/reports",
    "notices": "/v1/cases/{case}/notices",
    "case-referral": "/v1/referrals",
    "case-handover": "/v1/handovers",
}
"""Where an exchange with a route of its own is used; every other one by leads' route."""

THROUGH_ANOTHER = {"referred-case"}
"""Has no call of its own: who accepted a referral reads it there (tests/integration/test_referrals.py)."""

FIXED = {"notices", "case-handover"}
"""Their routes take no purpose: there is one."""
OWN = FIXED | {"deletions", "child-file", "case-referral"}
"""Their routes take no region: what they tell of is the caller's own, or one case's."""


def case_in(gateway: TestGateway) -> str:
    """The case of the child who dropped out, at the teacher's own school."""
    with gateway.database() as connection:
        row = connection.execute("SELECT ref FROM case_file").fetchone()
    connection.close()
    return str(row[0]) if row else "case-" + "a" * 26


USED = [name for name in EXCHANGES if name not in THROUGH_ANOTHER]
REFUSED = [(role, name) for role in ROLES for name in USED if role not in ALLOWED[name]]


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_refused_everything_that_is_not_its_own(gateway: TestGateway, role: str) -> None:
    headers = headers_of(gateway, role)
    for name in USED:
        if role in ALLOWED[name]:
            continue
        for purpose in EXCHANGES[name].purposes:
            answer = attempt(gateway, headers, name, purpose)
            assert (answer.status_code, kind(answer)) == (403, "not-permitted"), (role, name)


@pytest.mark.parametrize(("role", "name"), [(role, name) for name in USED for role in sorted(ALLOWED[name])])
def test_every_role_gets_to_what_is_its_own(gateway: TestGateway, role: str, name: str) -> None:
    headers = headers_of(gateway, role)
    statuses = {attempt(gateway, headers, name, each).status_code for each in EXCHANGES[name].purposes}
    # An upload without the required columns, a wish without a reason: let in and then found wanting.
    assert (422 if EXCHANGES[name].dataset else 400 if name == "identity" else 200) in statuses
    assert statuses <= {200, 400, 403, 422}


def test_the_table_covers_every_exchange() -> None:
    assert set(ALLOWED) == set(EXCHANGES)
    assert len(REFUSED) > 100


@pytest.mark.parametrize("name", sorted({*USED} - FIXED))
def test_another_purpose_is_not_granted_and_an_invented_one_unknown(gateway: TestGateway, name: str) -> None:
    headers = headers_of(gateway, sorted(ALLOWED[name])[0])
    other = attempt(gateway, headers, name, "statistics")
    assert (other.status_code, kind(other)) == (403, "purpose-not-granted")
    for invented in ("no_such_purpose", "", "child_relief ", resident_id()):
        answer = attempt(gateway, headers, name, invented)
        assert (answer.status_code, kind(answer)) == (400, "unknown-purpose")
        assert resident_id() not in answer.text


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("needy-children", "civil_affairs/relief_officer"),
        ("leads", "education/dropout_lead"),
        ("employer-hits", "market_regulation/market_inspector"),
        ("employer-hits", "human_resources/labour_inspector"),
    ],
)
@pytest.mark.parametrize("region", [ELSEWHERE, "5304", "53", "530424101"])
def test_a_region_above_or_beside_is_out_of_reach(
    gateway: TestGateway, name: str, role: str, region: str
) -> None:
    answer = attempt(gateway, headers_of(gateway, role), name, EXCHANGES[name].purposes[0], region)
    assert (answer.status_code, kind(answer)) == (403, "region-out-of-reach")


@pytest.mark.parametrize("region", ["", "5304231", "53042x", "５３０４２３", "530423' OR 1=1", "%"])
def test_what_is_no_region_is_malformed(gateway: TestGateway, region: str) -> None:
    headers = headers_of(gateway, "civil_affairs/relief_officer")
    answer = attempt(gateway, headers, "needy-children", "child_relief", region)
    assert (answer.status_code, kind(answer)) == (400, "malformed")
    assert answer.json()["errors"][0]["pointer"] == "/region"


@pytest.mark.parametrize("role", ["education/dropout_lead", "gateway/operator", "health/disability_assessor"])
def test_an_exchange_that_is_not_there_looks_like_one_not_permitted(gateway: TestGateway, role: str) -> None:
    headers = headers_of(gateway, role)
    refused = body_of(attempt(gateway, headers, "applicant-check", "child_labour_check"))
    for name in ("no-such-exchange", "placement-advice", "needy-children", "leads", resident_id()):
        asked = {"purpose": "child_labour_check", "subject": {"resident_id": resident_id()}}
        assert body_of(gateway.call.post(f"/v1/exchanges/{name}/ask", json=asked, headers=headers)) == refused
        query = {"purpose": "child_relief", "region": COUNTY}
        listed = gateway.call.get(f"/v1/exchanges/{name}/records", params=query, headers=headers)
        exported = gateway.call.post(f"/v1/exchanges/{name}/export", json=query, headers=headers)
        assert body_of(listed) == body_of(exported) == refused
        uploaded = gateway.call.post(
            f"/v1/exchanges/{name}/uploads",
            params={"purpose": "student_registration"},
            content=b"x",
            headers={**headers, "Content-Type": "text/csv"},
        )
        assert body_of(uploaded) == refused
        assert body_of(gateway.call.get(f"/v1/exchanges/{name}/template", headers=headers)) == refused


def test_a_list_with_a_route_of_its_own_is_not_to_be_had_as_records(gateway: TestGateway) -> None:
    """The clerk may list disclosures, of one child; never the county's children by the way other lists go."""
    headers = gateway.headers("gateway/counter_clerk")
    query = {"purpose": "subject_access", "region": COUNTY}
    answers = [
        gateway.call.get("/v1/exchanges/disclosures/records", params=query, headers=headers),
        gateway.call.post("/v1/exchanges/disclosures/export", json=query, headers=headers),
    ]
    assert [(answer.status_code, kind(answer)) for answer in answers] == [(403, "not-permitted")] * 2
    assert [(entry["decision"], entry["detail"]) for entry in gateway.audit()[-2:]] == [
        ("fail", "not-permitted")
    ] * 2


def test_leads_jobs_and_files_of_others_look_like_none(gateway: TestGateway) -> None:
    lead = gateway.leads()[0]["id"]
    job, file = exported(gateway)
    outsider = gateway.headers("education/dropout_lead", ELSEWHERE)
    for method, there, never in (
        ("POST", f"/v1/leads/{lead}/acknowledge", "/v1/leads/lead-aaaaaaaaaaaaaaaaaaaaaaaaaa/acknowledge"),
        ("GET", f"/v1/jobs/{job}", "/v1/jobs/job-never"),
        ("DELETE", f"/v1/jobs/{job}", "/v1/jobs/job-never"),
        ("GET", file, "/v1/files/file-never"),
        ("GET", "/v1/files/..%2Fkeyring.json", "/v1/files/file-never"),
    ):
        answers = [gateway.call.request(method, path, headers=outsider) for path in (there, never)]
        assert [answer.status_code for answer in answers] == [403, 403], there
        assert body_of(answers[0]) == body_of(answers[1])
    assert gateway.leads()[0]["status"] == "open"


def exported(gateway: TestGateway) -> tuple[str, str]:
    """A finished export of the county's own officer: the job's id and its file's address."""
    headers = gateway.headers("civil_affairs/relief_officer")
    body = {"purpose": "child_relief", "region": COUNTY}
    started = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)
    assert started.status_code == 202
    while True:
        answer = gateway.call.get(started.headers["content-location"], headers=headers)
        if answer.status_code == 200:
            return started.json()["job"], answer.json()["files"][0]["url"]


def test_another_county_sees_nothing_of_this_one(gateway: TestGateway) -> None:
    assert gateway.leads()
    leads = gateway.call.get("/v1/leads", headers=gateway.headers("education/dropout_lead", ELSEWHERE)).json()
    assert leads["items"] == []
    relief = gateway.headers("civil_affairs/relief_officer", ELSEWHERE)
    query = {"purpose": "child_relief", "region": ELSEWHERE}
    assert (
        gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=relief).json()["items"]
        == []
    )
    job, file = exported(gateway)
    for path in (f"/v1/jobs/{job}", file):
        assert gateway.call.get(path, headers=relief).status_code == 403
        # Another client of the very same role and region is another client.
        colleague = gateway.fetch_token(gateway.credentials("civil_affairs/relief_officer"))
        assert gateway.call.get(path, headers={"Authorization": f"Bearer {colleague}"}).status_code == 403


def test_the_prefecture_sees_its_counties(gateway: TestGateway) -> None:
    above = gateway.call.get("/v1/leads", headers=gateway.headers("education/dropout_lead", "5304")).json()
    assert {lead["id"] for lead in above["items"]} == {lead["id"] for lead in gateway.leads()}


def test_an_unknown_child_is_unknown_and_never_missing(gateway: TestGateway) -> None:
    answer = gateway.ask(resident_id(date(2016, 5, 6), 777))
    assert answer.status_code == 200
    assert answer.json()["answer"]["out_of_school"] == "unknown"
    assert answer.json()["answer"]["under_16"] is True


CHILD = resident_id(date(2015, 3, 5), 2)
WRONG_IDS = {
    "bad_checksum": CHILD[:-1] + ("1" if CHILD[-1] != "1" else "2"),
    "bad_code": "53042320150305",
    "bad_date": "",
    "future_date": resident_id(date(2026, 11, 21), 2),
}


def _bad_date() -> str:
    first = "53042320150230002"
    return first + resident_id_check(first)


WRONG_IDS["bad_date"] = _bad_date()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("code", WRONG_IDS)
def test_an_id_that_is_none_is_named_by_what_is_wrong_and_never_repeated(
    gateway: TestGateway, code: str, language: str
) -> None:
    headers = {**gateway.headers("human_resources/recruitment_checker"), "Accept-Language": language}
    body = {"purpose": "child_labour_check", "subject": {"resident_id": WRONG_IDS[code]}}
    answer = gateway.call.post("/v1/exchanges/applicant-check/ask", json=body, headers=headers)
    assert (answer.status_code, kind(answer)) == (400, "invalid-resident-id")
    flaw = answer.json()["errors"][0]
    assert (flaw["code"], flaw["pointer"]) == (code, "/subject/resident_id")
    assert not echoes(answer, WRONG_IDS[code])


def echoes(answer: httpx.Response, id_number: str) -> bool:
    told = answer.text + str(answer.headers)
    return any(id_number[start : start + 6] in told for start in range(len(id_number) - 5))


@pytest.mark.parametrize(
    "spelling",
    [
        "".join(chr(ord(char) + 0xFEE0) for char in CHILD),
        f" {CHILD[:6]} {CHILD[6:14]} {CHILD[14:]} ",
        CHILD.lower(),
        f"{CHILD[:6]}-{CHILD[6:14]}—{CHILD[14:]}",
        f"\ufeff{CHILD}\u200b",
        f"'{CHILD}",
    ],
    ids=ascii,
)
def test_every_spelling_of_an_id_is_the_same_child(gateway: TestGateway, spelling: str) -> None:
    assert gateway.ask(spelling).json()["answer"] == gateway.ask(CHILD).json()["answer"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (
            f'{{"purpose": "child_labour_check", "subject": {{"resident_id": {CHILD[:17]}}}}}',
            "/subject/resident_id",
        ),
        ('{"purpose": "child_labour_check", "subject": {"resident_id": null}}', "/subject/resident_id"),
        ('{"purpose": "child_labour_check", "subject": {}}', "/subject/resident_id"),
        (f'{{"purpose": "child_labour_check", "subject": "{CHILD}"}}', "/subject"),
        (f'{{"purpose": 5, "subject": {{"resident_id": "{CHILD}"}}}}', "/purpose"),
        ("", ""),
        ("null", ""),
        ("[]", ""),
        ("{", ""),
        (CHILD, ""),
        (f'"{CHILD}', ""),
        ('{"purpose": "\\ud800", "subject": {"resident_id": "1"}}', ""),
    ],
)
def test_a_body_of_another_shape_is_malformed_and_not_echoed(
    gateway: TestGateway, body: str, pointer: str
) -> None:
    headers = {**gateway.headers("human_resources/recruitment_checker"), "Content-Type": "application/json"}
    answer = gateway.call.post("/v1/exchanges/applicant-check/ask", content=body.encode(), headers=headers)
    assert (answer.status_code, kind(answer)) == (400, "malformed")
    assert answer.json()["errors"][0].get("pointer", "") == pointer
    assert not echoes(answer, CHILD)


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b'{"purpose": "\xff"}', b"\x00", b"[" * 5000, b"{" + b" " * 70_000 + b"}"]
)
def test_bytes_that_are_no_json_are_refused(gateway: TestGateway, raw: bytes) -> None:
    headers = gateway.headers("human_resources/recruitment_checker")
    answer = gateway.call.post("/v1/exchanges/applicant-check/ask", content=raw, headers=headers)
    assert answer.status_code == (413 if len(raw) > 65_536 else 400)


EMPLOYER = "91530423MA6K2JJF8X"
MISTYPED = next(
    text
    for text in (CHILD[:-1] + last for last in "0123456789")
    if text != CHILD and not parse_uscc(text).checksum_ok
)


@pytest.mark.parametrize(
    "code",
    [
        CHILD,
        "".join(chr(ord(char) + 0xFEE0) for char in CHILD),
        f"{CHILD[:6]} {CHILD[6:]}",
        "12345",
        "",
        MISTYPED,
    ],
    ids=ascii,
)
def test_an_employer_that_is_a_persons_id_number_is_refused(gateway: TestGateway, code: str) -> None:
    answer = gateway.ask(CHILD, employer_uscc=code)
    assert (answer.status_code, kind(answer)) == (400, "malformed")
    assert answer.json()["errors"][0]["pointer"] == "/employer_uscc"
    assert not echoes(answer, CHILD)
    with gateway.database() as connection:
        kept = connection.execute("SELECT facts FROM duty").fetchall()
    connection.close()
    assert not [facts for (facts,) in kept if CHILD[:17] in facts]


def test_an_employers_code_and_an_engagement_are_accepted(gateway: TestGateway) -> None:
    answer = gateway.ask(CHILD, employer_uscc=EMPLOYER, engagement="arts_sports")
    assert answer.json()["answer"]["exception_possible"] is True
    refused = gateway.ask(CHILD, engagement="circus")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/engagement")


def assert_problem(answer: httpx.Response, name: str, english: bool) -> None:
    """RFC 9457, and nothing that is not for the caller."""
    error = problem_types()[name]
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == ("en" if english else "zh")
    assert set(body) <= {"type", "title", "status", "detail", "correlation_id", "errors"}
    assert body["type"].endswith(f"/problems/{name}")
    assert body["title"] == (error.title_en if english else error.title_zh)
    assert body["status"] == answer.status_code == STATUS[name]
    assert body["detail"]
    assert body["detail"][0].isascii() is english, "headings stay Chinese in an English sentence"
    assert answer.headers["x-correlation-id"] == body["correlation_id"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Traceback" not in answer.text
    assert '.py"' not in answer.text


REACHED = (
    "malformed",
    "unknown-purpose",
    "invalid-resident-id",
    "unauthenticated",
    "not-permitted",
    "purpose-not-granted",
    "region-out-of-reach",
    "conflict",
    "idempotency-mismatch",
    "too-large",
    "unsupported-media",
    "invalid-record",
    "internal",
    "source-unavailable",
)
# Reached where they belong: `tests/integration/test_identity.py`, and the last in `test_notices.py`.
ELSEWHERE_REACHED = {"quota-exceeded-enumeration", "identity-unreadable", "officer-unnamed", "unprintable"}
NOT_YET = {"token-not-bound", "stale", "rate-limited"}


def test_every_problem_type_is_reached_or_known_to_come() -> None:
    assert set(REACHED) | ELSEWHERE_REACHED | NOT_YET == set(problem_types())


ASK, NEEDY = "/v1/exchanges/applicant-check/ask", "/v1/exchanges/needy-children/records"
UPLOADS = "/v1/exchanges/student-register/uploads?purpose=student_registration"
GOOD = {"purpose": "child_labour_check", "subject": {"resident_id": resident_id(date(1990, 1, 1))}}
CSV = {"Content-Type": "text/csv"}
HR, RELIEF, REGISTRAR = (
    "human_resources/recruitment_checker",
    "civil_affairs/relief_officer",
    "education/registrar",
)
# name → (role, method, address, what is sent): requests that end in that problem by themselves.
REQUESTS: dict[str, tuple[str | None, str, str, dict[str, Any]]] = {
    "malformed": (RELIEF, "GET", NEEDY, {"params": {"purpose": "child_relief"}}),
    "unknown-purpose": (HR, "POST", ASK, {"json": {**GOOD, "purpose": "x"}}),
    "invalid-resident-id": (HR, "POST", ASK, {"json": {**GOOD, "subject": {"resident_id": "1"}}}),
    "unauthenticated": (None, "POST", ASK, {"json": GOOD}),
    "not-permitted": (RELIEF, "POST", ASK, {"json": GOOD}),
    "purpose-not-granted": (HR, "POST", ASK, {"json": {**GOOD, "purpose": "statistics"}}),
    "region-out-of-reach": (RELIEF, "GET", NEEDY, {"params": {"purpose": "child_relief", "region": "5305"}}),
    "too-large": (HR, "POST", ASK, {"content": b" " * 70_000}),
    "unsupported-media": (
        REGISTRAR,
        "POST",
        UPLOADS,
        {"content": b"x", "headers": {"Content-Type": "image/png"}},
    ),
    "invalid-record": (REGISTRAR, "POST", UPLOADS, {"content": b"a,b\r\n1,2\r\n", "headers": CSV}),
    "internal": (HR, "POST", ASK, {"json": GOOD}),
    "source-unavailable": (HR, "POST", ASK, {"json": GOOD}),
}


def reach(gateway: TestGateway, name: str, language: dict[str, str]) -> httpx.Response:
    """A request that ends in that problem."""
    if name == "conflict":
        job, relief = "/v1/jobs/" + exported(gateway)[0], {**gateway.headers(RELIEF), **language}
        gateway.call.delete(job, headers=relief)
        return gateway.call.delete(job, headers=relief)
    if name == "idempotency-mismatch":
        keyed = {**gateway.headers(REGISTRAR), **language, **CSV, "Idempotency-Key": f"k{language}"}
        gateway.call.post(UPLOADS, content=csv_file([student(2)]), headers=keyed)
        return gateway.call.post(UPLOADS, content=csv_file([student(4)]), headers=keyed)
    role, method, path, sent = REQUESTS[name]
    headers = {**(gateway.headers(role) if role else {}), **language, **sent.get("headers", {})}
    with spoilt(gateway, name):
        # A connection of its own: the server drops it after an unexpected exception.
        return httpx.request(method, gateway.url + path, **{**sent, "headers": headers}, trust_env=False)


@contextmanager
def spoilt(gateway: TestGateway, name: str) -> Iterator[None]:
    """The gateway with a bug that quotes a child, or with a disk that cannot be written to."""

    def broken(*_: object) -> None:
        raise RuntimeError(f"no such child {CHILD}")

    with pytest.MonkeyPatch.context() as patch:
        if name == "internal":
            patch.setattr(type(gateway.parts.context.ask), "__call__", broken)
        if name == "source-unavailable":
            gateway.parts.store.writer.execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            gateway.parts.store.writer.execute("PRAGMA query_only=OFF")


@pytest.mark.parametrize("english", [False, True], ids=["zh", "en"])
@pytest.mark.parametrize("name", REACHED)
def test_every_problem_is_rfc_9457s(gateway: TestGateway, name: str, english: bool) -> None:
    answer = reach(gateway, name, {"Accept-Language": "en-GB"} if english else {})
    assert_problem(answer, name, english)
    assert CHILD not in answer.text
    if name == "source-unavailable":
        assert int(answer.headers["retry-after"]) > 0
    if name == "internal":
        assert "RuntimeError" not in answer.text
        assert "errors" not in answer.json()


@pytest.mark.parametrize("name", sorted(problem_types()))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_problem_type_is_documented_under_its_address(
    gateway: TestGateway, name: str, language: str
) -> None:
    answer = gateway.call.get(f"/problems/{name}", headers={"Accept-Language": language})
    error: type[HuxueError] = problem_types()[name]
    assert answer.status_code == 200
    assert name in answer.text
    assert str(STATUS[name]) in answer.text
    assert (error.title_en if language == "en" else error.title_zh) in answer.text


def test_a_parameter_that_does_not_fit_is_named_and_not_repeated(gateway: TestGateway) -> None:
    headers = gateway.headers("civil_affairs/relief_officer")
    query = {"purpose": "child_relief", "region": COUNTY, "limit": CHILD}
    answer = gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=headers)
    assert (answer.status_code, kind(answer)) == (400, "malformed")
    assert answer.json()["errors"][0]["pointer"] == "/query/limit"
    assert not echoes(answer, CHILD)


def test_every_answer_carries_the_security_headers(gateway: TestGateway) -> None:
    for answer in (
        gateway.call.get("/health/live"),
        gateway.ask(CHILD),
        gateway.ask("1"),
        gateway.call.get("/x"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_catalogue_shows_each_caller_its_own_treatments(gateway: TestGateway) -> None:
    for role in (
        "civil_affairs/relief_officer",
        "human_resources/recruitment_checker",
        "school/class_teacher",
    ):
        answer = gateway.call.get("/v1/catalogue", headers=headers_of(gateway, role))
        items = {item["id"]: item for item in answer.json()["items"]}
        assert set(items) == set(EXCHANGES)
        for name, item in items.items():
            assert item["permitted"] is (role in ALLOWED[name]), (role, name)
            treated = {field["name"]: field["treatment"] for field in item["fields"]}
            if not item["permitted"]:
                assert set(treated.values()) <= {"withhold"}
    teacher = gateway.call.get(
        "/v1/catalogue/leads", headers=headers_of(gateway, "school/class_teacher")
    ).json()
    assert {each["name"] for each in teacher["fields"] if each["treatment"] == "withhold"} == {
        "facts",
        "pseudonym",
    }


def test_a_template_is_for_uploads_only(gateway: TestGateway) -> None:
    headers = gateway.headers("education/registrar")
    good = gateway.call.get("/v1/exchanges/student-register/template", headers=headers)
    assert (good.status_code, good.headers["content-type"]) == (200, XLSX)
    assert gateway.call.get("/v1/exchanges/leads/template", headers=headers).status_code == 403
    assert (
        json.loads(
            gateway.call.get("/v1/exchanges/student-register/template?format=pdf", headers=headers).text
        )["status"]
        == 400
    )


def test_paths_beside_the_routes_are_refused_like_any_other(county: TestGateway) -> None:
    for method, path in (
        ("GET", "/v1/leads/"),
        ("POST", "/v1/exchanges//ask"),
        ("POST", "/v1/exchanges/ask"),
    ):
        answer = county.call.request(
            method, path, headers={"Host": "elsewhere.example"}, follow_redirects=False
        )
        assert (answer.status_code, "location" in answer.headers) == (403, False), path


def test_a_nest_of_brackets_is_malformed(county: TestGateway) -> None:
    body = b'{"purpose":"child_labour_check","subject":{"resident_id":"x"},"more":' + b"[" * 30_000
    answer = county.call.post(
        "/v1/exchanges/applicant-check/ask",
        content=body + b"]" * 30_000 + b"}",
        headers=county.headers("human_resources/recruitment_checker"),
    )
    assert answer.status_code == 400
