"""Cases, duties, ledgers, reports, notices, referrals: no word of them leaves before it is in the evidence."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_notices import SLOTS, persuading, step
from tests.integration.test_notices import Officer as Signer
from tests.integration.test_referrals import GUARDIAN
from tests.officers import LEAD, OUT, SCHOOL, TEACHER, TOWN, VERIFY, Officer, register
from tests.people import student

PURPOSE = {"purpose": "dropout_control"}
READS = (
    *("/v1/cases", "/v1/cases/{ref}", "/v1/cases/{ref}/file", "/v1/cases/{ref}/notices"),
    *("/v1/duties", "/v1/duties/overdue", "/v1/ledgers", "/v1/ledgers/suspected", "/v1/ledgers/dropped-out"),
    *("/v1/reports", "/v1/reports/2026-10", "/v1/referrals", "/v1/handovers", "/v1/leads/{lead}/explain"),
)
WRITES: dict[str, dict[str, object]] = {
    "POST /v1/duties/{duty}/wait": {"for": "civil_affairs", "reason": "reply"},
    "POST /v1/duties/{duty}/done": {"what": "contacted"},
    "POST /v1/cases/{ref}/comments": {"note": "已与家长联系"},
    "POST /v1/cases/{ref}/steps": {"step": "verify", "evidence": VERIFY},
    "POST /v1/cases/{planned}/notices": {
        "kind": "return-order",
        "resolution": "{resolution}",
        "slots": SLOTS,
    },
    "POST /v1/exchanges/case-referral/referrals": {
        **PURPOSE,
        "case": "{ordered}",
        "to": "justice",
        "measure": "legal_aid",
        "guardian": GUARDIAN,
    },
    "POST /v1/handovers": {"case": "{ordered}", "to_region": "530402"},
}
"""Each would be done, were it not that it cannot be written."""
FIXED = ("/v1/handovers", "/notices", "/explain")
"""Take no purpose: there is one."""

Call = Callable[[str], httpx.Response]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    with running(Path(tmp_path_factory.mktemp("evidence")) / "data") as found:
        register(found, *(student(number, **OUT) for number in (2, 4, 6)))
        yield found


@pytest.fixture(scope="module")
def lead(gateway: TestGateway) -> Signer:
    return Signer(gateway, LEAD, COUNTY)


@pytest.fixture(scope="module")
def names(gateway: TestGateway, lead: Signer) -> dict[str, str]:
    """What the addresses and bodies name: a new case with its lead and duty, one with a plan, one with an order served."""
    planned, ordered = persuading(gateway, 4), persuading(gateway, 6)
    step(gateway, ordered, "notify", {"notice": "限期〔2026〕7号", "served_on": "2026-11-02"})
    for role, region in (("justice/legal_aid_officer", COUNTY), (LEAD, "530402")):
        gateway.headers(role, region)  # somebody who can read it
    (new,) = [each for each in Officer(gateway, LEAD).cases() if each["ref"] not in (planned, ordered)]
    case = Officer(gateway, LEAD).case(new["ref"])
    return {
        "ref": case["ref"],
        "lead": case["leads"][0]["id"],
        "duty": case["duties"][0]["id"],
        "planned": planned,
        "ordered": ordered,
        "resolution": lead.resolution(planned, Signer(gateway, LEAD, COUNTY)),
    }


@pytest.fixture(scope="module")
def call(gateway: TestGateway, lead: Signer, names: dict[str, str]) -> Call:
    teacher = Officer(gateway, TEACHER, TOWN, SCHOOL)

    def one(path: str) -> httpx.Response:
        headers = teacher.headers if "/duties/{duty}" in path else lead.headers
        url = path.removeprefix("POST ").format(**names)
        if path in WRITES:
            body = {
                name: value.format(**names) if isinstance(value, str) else value
                for name, value in WRITES[path].items()
            }
            return gateway.call.post(url, json=body, headers=headers)
        query = {} if path.endswith(FIXED) else PURPOSE
        return gateway.call.get(url, params=query, headers=headers)

    return one


@pytest.mark.parametrize("path", READS)
def test_what_is_read_is_in_the_evidence(gateway: TestGateway, call: Call, path: str) -> None:
    before = len(gateway.audit())
    answer = call(path)
    assert answer.status_code == 200, answer.text
    entries = gateway.audit()[before:]
    assert [entry["decision"] for entry in entries] == ["permit"]
    assert answer.json()["reference"] == entries[0]["reference"]
    told = set(answer.json()["items"][0] if answer.json().get("items") else ())
    assert told <= set(entries[0]["fields"]), "what was told is named, with its treatment"


@pytest.mark.parametrize("path", READS)
def test_who_may_not_read_it_is_in_the_evidence_too(
    gateway: TestGateway, names: dict[str, str], path: str
) -> None:
    before = len(gateway.audit())
    query = {} if path.endswith(FIXED) else {"purpose": "child_labour_check"}
    headers = gateway.headers("human_resources/recruitment_checker")
    answer = gateway.call.get(path.format(**names), params=query, headers=headers)
    assert answer.status_code == 403, answer.text
    entries = gateway.audit()[before:]
    assert [entry["decision"] for entry in entries] == ["refuse"]
    assert names["ref"] not in str(entries)


@pytest.mark.parametrize("path", [*READS, *WRITES])
def test_nothing_leaves_and_nothing_is_done_when_it_cannot_be_written(
    gateway: TestGateway, call: Call, path: str
) -> None:
    before = counts(gateway)
    gateway.parts.store.writer.execute("PRAGMA query_only=ON")
    try:
        answer = call(path)
    finally:
        gateway.parts.store.writer.execute("PRAGMA query_only=OFF")
    assert answer.status_code == 503, answer.text
    assert set(answer.json()) <= {"type", "title", "status", "detail", "correlation_id"}
    assert counts(gateway) == before


def counts(gateway: TestGateway) -> list[int]:
    connection = gateway.database()
    tables = ("audit_entry", "case_entry", "duty", "instrument", "referral", "handover")
    found = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    connection.close()
    return found


def test_a_teacher_of_another_school_gets_the_same_refusal_for_all(
    gateway: TestGateway, names: dict[str, str]
) -> None:
    stranger = Officer(gateway, TEACHER, "530423102", "2153005678")
    told = set()
    for path in ("/v1/cases/{ref}", "/v1/cases/{ref}/file", "/v1/cases/case-" + "a" * 26):
        answer = gateway.call.get(path.format(**names), params=PURPOSE, headers=stranger.headers)
        told.add((answer.status_code, answer.json()["detail"]))
    assert told == {(403, "无权进行此操作")}
    assert COUNTY not in str(told)


@pytest.mark.parametrize("path", WRITES)
def test_what_was_tried_there_is_done_once_it_can_be_written(
    gateway: TestGateway, call: Call, path: str
) -> None:
    """Last of all, because it changes things: so each of them was refused for want of evidence and nothing else."""
    before = len(gateway.audit())
    answer = call(path)
    assert answer.status_code in (200, 201), answer.text
    assert {entry["decision"] for entry in gateway.audit()[before:]} == {"permit"}
