"""The log as clients and the auditor see it: receipts that can be checked, and nobody else's."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from gateway.adapters.db.effects import SqliteTransaction, insert_entries, written
from gateway.adapters.keys import verify_head
from gateway.domain.audit import leaf_hash
from gateway.domain.log.checkpoint import parse_checkpoint, signed_by
from gateway.domain.log.merkle import HASH_BYTES, verify_consistency, verify_inclusion
from gateway.domain.log.note import parse_note, parse_vkey
from gateway.domain.model import AlarmDraft
from gateway.services.operation import operator_entry
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.people import csv_file, resident_id, student

ADULT = resident_id(date(1990, 1, 1), 2)
CHILD = resident_id(date(2015, 3, 5), 2)
HR, LEAD, AUDITOR = "human_resources/recruitment_checker", "education/dropout_lead", "gateway/auditor"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """Sealed only when a test says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.log.SEAL_SECONDS", 3600.0)
        with running(tmp_path_factory.mktemp("log") / "data") as found:
            rows = [student(9, 学生状态="辍学", 状态日期="2026-10-09")]
            assert found.upload("student-register", csv_file(rows)).status_code == 200
            found.ask(ADULT)
            found.parts.log.sealer.seal()
            yield found


def get(gateway: TestGateway, path: str, role: str = HR, at: str = COUNTY, **params: Any) -> httpx.Response:
    return gateway.call.get(path, params=params, headers=gateway.headers(role, at))


def receipt(gateway: TestGateway, reference: str, role: str = HR, **params: Any) -> httpx.Response:
    return get(gateway, f"/v1/audit/receipts/{reference}", role, **params)


def proven(found: dict[str, Any], answer: bytes) -> None:
    """All that a client can check by itself."""
    entry = json.loads(found["entry"])
    assert entry["answer_digest"] == hashlib.sha256(answer).hexdigest()
    leaf = leaf_hash(found["entry"].encode())
    assert base64.b64encode(leaf).decode() == found["leaf"]
    note = parse_note(found["checkpoint"])
    assert signed_by(note, [parse_vkey(found["vkey"])], verify_head)
    checkpoint = parse_checkpoint(note.text)
    assert checkpoint.size == found["tree_size"]
    proof = [base64.b64decode(each) for each in found["proof"]]
    assert verify_inclusion(leaf, found["leaf_index"], checkpoint.size, proof, checkpoint.root)


def test_an_answer_has_its_receipt_after_the_next_sealing(gateway: TestGateway) -> None:
    answer = gateway.ask(CHILD)
    reference = answer.json()["reference"]
    waiting = receipt(gateway, reference)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "1")
    gateway.parts.log.sealer.seal()
    found = receipt(gateway, reference)
    assert found.status_code == 200
    proven(found.json(), answer.content)
    again = receipt(gateway, reference).json()
    assert again == found.json()


def test_every_kind_of_answer_names_the_entry_that_proves_it(gateway: TestGateway) -> None:
    upload = gateway.upload("student-register", csv_file([student(11)]))
    leads = get(gateway, "/v1/leads", LEAD)
    taken = gateway.call.post(
        f"/v1/leads/{leads.json()['items'][0]['id']}/acknowledge", headers=gateway.headers(LEAD)
    )
    needy = get(
        gateway,
        "/v1/exchanges/needy-children/records",
        "civil_affairs/relief_officer",
        purpose="child_relief",
        region=COUNTY,
    )
    entries = get(gateway, "/v1/audit/entries", AUDITOR, limit=1)
    gateway.parts.log.sealer.seal()
    for role, answer, reference in (
        ("education/registrar", upload, upload.json()["reference"]),
        (LEAD, leads, leads.json()["reference"]),
        (LEAD, taken, taken.headers["x-reference"]),
        ("civil_affairs/relief_officer", needy, needy.json()["reference"]),
        (AUDITOR, entries, entries.json()["reference"]),
    ):
        proven(receipt(gateway, reference, role).json(), answer.content)


def test_somebody_elses_reference_and_an_unknown_one_look_alike_and_are_recorded(
    gateway: TestGateway,
) -> None:
    reference = gateway.ask(ADULT).json()["reference"]
    gateway.parts.log.sealer.seal()
    before = len(gateway.audit())
    answers = [
        receipt(gateway, reference, LEAD),
        receipt(gateway, "ref-" + "0" * 32, LEAD),
        receipt(gateway, "x", LEAD),
    ]
    assert {problem(answer) for answer in answers} == {(403, "not-permitted")}
    shapes = [{k: v for k, v in answer.json().items() if k != "correlation_id"} for answer in answers]
    assert shapes[0] == shapes[1] == shapes[2]
    new = gateway.audit()[before:]
    assert [(each["decision"], each["detail"], each["role"]) for each in new] == [
        ("refuse", "unknown-reference", LEAD)
    ] * 3
    assert problem(receipt(gateway, reference, LEAD, purpose="audit")) == (403, "not-permitted")
    assert problem(receipt(gateway, reference, LEAD, purpose="nonsense")) == (400, "unknown-purpose")


def test_the_auditor_sees_receipts_of_the_region_and_is_seen_doing_so(gateway: TestGateway) -> None:
    reference = gateway.ask(CHILD).json()["reference"]
    gateway.parts.log.sealer.seal()
    path = f"/v1/audit/receipts/{reference}"
    assert problem(get(gateway, path, AUDITOR)) == (403, "not-permitted")
    found = get(gateway, path, AUDITOR, "5304", purpose="audit")
    assert json.loads(found.json()["entry"])["reference"] == reference
    last = gateway.audit()[-1]
    assert (last["decision"], last["exchange"], last["detail"]) == (
        "permit",
        "audit-log",
        f"receipt:{reference}",
    )
    assert problem(get(gateway, path, AUDITOR, "5305", purpose="audit")) == (403, "not-permitted")
    assert problem(get(gateway, "/v1/audit/receipts/ref-0", AUDITOR, "5305", purpose="audit")) == (
        403,
        "not-permitted",
    )
    assert gateway.audit()[-1]["decision"] == "fail"


def test_heads_and_proofs_are_for_anybody_with_a_token(gateway: TestGateway) -> None:
    first = get(gateway, "/v1/audit/head", "justice/legal_aid_officer").json()
    note = get(gateway, "/v1/audit/checkpoint", "justice/legal_aid_officer")
    assert (note.status_code, note.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert note.text == first["checkpoint"]
    assert parse_checkpoint(parse_note(note.text).text).origin == first["origin"]
    assert (gateway.data / "log.vkey").read_text() == first["vkey"] + "\n"
    gateway.ask(ADULT)
    gateway.parts.log.sealer.seal()
    second = get(gateway, "/v1/audit/head").json()
    assert second["size"] > first["size"]
    proof = get(gateway, "/v1/audit/consistency", **{"from": first["size"], "to": second["size"]}).json()
    roots = [base64.b64decode(each["root"]) for each in (first, second)]
    hashes = [base64.b64decode(each) for each in proof["proof"]]
    assert verify_consistency(first["size"], second["size"], *roots, hashes)
    assert get(gateway, "/v1/audit/consistency", **{"from": first["size"]}).json() == proof
    for wrong in ({"from": 5, "to": 2}, {"from": 0, "to": 10**6}, {"from": -1}, {"from": "x"}):
        assert problem(get(gateway, "/v1/audit/consistency", **wrong)) == (400, "malformed")


def test_tiles(gateway: TestGateway) -> None:
    size = get(gateway, "/v1/audit/head").json()["size"]
    whole = get(gateway, f"/v1/audit/tile/0/0.p/{size}")
    assert (whole.status_code, len(whole.content)) == (200, size * HASH_BYTES)
    assert "immutable" in whole.headers["cache-control"]
    assert get(gateway, "/v1/audit/tile/0/000.p/1").content == whole.content[:HASH_BYTES]
    for path in ("0/0", f"0/0.p/{size + 1}", "0/1.p/1", "1/0.p/1", "0/x001/000.p/1", "63/0.p/1"):
        assert problem(get(gateway, f"/v1/audit/tile/{path}")) == (403, "not-permitted")
    for path in ("64/0", "x/0", "0/x", "0/0.p/x", "0/-1", "0/1/2", "0/x1/000", "0/0.p/", "-1/0", "0/٣"):
        assert problem(get(gateway, f"/v1/audit/tile/{path}")) in ((400, "malformed"), (403, "not-permitted"))


def test_the_auditor_reads_entries_of_the_region_by_filter_and_page(gateway: TestGateway) -> None:
    gateway.ask(CHILD)
    gateway.parts.log.sealer.seal()
    everything: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = get(
            gateway, "/v1/audit/entries", AUDITOR, limit=3, **({"cursor": cursor} if cursor else {})
        ).json()
        everything += page["items"]
        cursor = page["next_cursor"]
        if cursor is None or len(everything) > 60:
            break
    assert [each["at"] for each in everything] == sorted(each["at"] for each in everything)
    assert "audit-log" in {each["exchange"] for each in everything}  # the auditor's own looks
    assert not {"subject", "members"} & everything[0].keys()
    asks = get(gateway, "/v1/audit/entries", AUDITOR, exchange="applicant-check", decision="permit").json()[
        "items"
    ]
    assert asks
    assert {each["agency"] for each in asks} == {"human_resources"}
    one = get(gateway, "/v1/audit/entries", AUDITOR, reference=asks[0]["reference"]).json()["items"]
    assert one == asks[:1]
    middle = everything[2]["at"]
    later = get(gateway, "/v1/audit/entries", AUDITOR, **{"from": middle, "limit": 1000}).json()["items"]
    assert later[0]["at"] == middle
    earlier = get(gateway, "/v1/audit/entries", AUDITOR, to=middle, limit=1000).json()["items"]
    assert len(earlier) == 3
    assert problem(get(gateway, "/v1/audit/entries", AUDITOR, region="5305")) == (403, "region-out-of-reach")
    assert get(gateway, "/v1/audit/entries", AUDITOR, region=COUNTY + "100").json()["items"] == []
    assert (
        get(gateway, "/v1/audit/entries", AUDITOR, region=COUNTY, limit=2).json()["items"] == everything[:2]
    )
    for wrong in ({"from": "2026-11-20T00:00:00"}, {"region": "x"}, {"cursor": "x"}, {"limit": 0}):
        assert problem(get(gateway, "/v1/audit/entries", AUDITOR, **wrong)) == (400, "malformed")


def test_an_auditor_elsewhere_sees_nothing_of_it_and_others_are_refused(gateway: TestGateway) -> None:
    found = get(gateway, "/v1/audit/entries", AUDITOR, "5305", limit=1000).json()["items"]
    assert all("5305" in (each["region"][:4], each["asked_region"][:4]) for each in found)
    assert len(found) < len(gateway.audit()) / 4
    for role in (HR, LEAD, "gateway/counter_clerk", "gateway/operator"):
        for path in ("/v1/audit/entries", "/v1/audit/alarms"):
            assert problem(get(gateway, path, role)) == (403, "not-permitted")
        assert gateway.audit()[-1]["decision"] == "refuse"
    assert problem(get(gateway, "/v1/audit/entries", AUDITOR, purpose="statistics")) == (
        403,
        "purpose-not-granted",
    )


def test_what_is_done_to_the_gateway_is_seen_by_every_auditor_and_to_a_client_by_its_own(
    gateway: TestGateway,
) -> None:
    acts = {"keys-rotated:seal": "", "client-added:here": COUNTY, "client-added:there": "530424"}
    entries = [operator_entry(gateway.parts.clock, "test", act, region) for act, region in acts.items()]
    with gateway.parts.store.writing() as connection:
        insert_entries(connection, [written(each) for each in entries])
    for region, unseen in (
        (COUNTY, {"client-added:there"}),
        ("530424", {"client-added:here"}),
        ("53", set()),
    ):
        asked = {"client": "huxue-command", "limit": 1000}
        found = get(gateway, "/v1/audit/entries", AUDITOR, region, **asked).json()["items"]
        assert {each["detail"] for each in found} & acts.keys() == acts.keys() - unseen


@pytest.mark.parametrize("exchange", ["audit-log", "alarms"])
def test_the_auditors_exchanges_are_no_lists_of_children(gateway: TestGateway, exchange: str) -> None:
    asked = {"purpose": "audit", "region": COUNTY}
    assert problem(get(gateway, f"/v1/exchanges/{exchange}/records", AUDITOR, **asked)) == (
        403,
        "not-permitted",
    )
    started = gateway.call.post(
        f"/v1/exchanges/{exchange}/export", json=asked, headers=gateway.headers(AUDITOR)
    )
    assert problem(started) == (403, "not-permitted")
    assert gateway.audit()[-1]["detail"] == "not-permitted"


def test_alarms_are_listed_in_reach_and_acknowledged(gateway: TestGateway) -> None:
    with gateway.parts.store.writing() as connection:
        transaction = SqliteTransaction(connection, gateway.parts.keys, LAW_DATE)
        now = gateway.parts.log.sealer._clock.now()
        own, other, log = (
            transaction.raise_alarm(AlarmDraft("enumeration", region, "client-1", "k", {"distinct": 7}), now)
            for region in (COUNTY, "530521", "")
        )
    found = {each["id"]: each for each in get(gateway, "/v1/audit/alarms", AUDITOR).json()["items"]}
    assert found.keys() == {own, log}
    assert {
        name: found[own][name]
        for name in ("rule", "case", "region", "status", "due_on", "facts", "raised", "about")
    } == {
        "rule": "enumeration",
        "case": None,
        "region": COUNTY,
        "status": "open",
        "due_on": None,
        "facts": [{"distinct": 7}],
        "raised": 1,
        "about": "client-1",
    }
    headers = gateway.headers(AUDITOR)
    for _ in range(2):
        taken = gateway.call.post(f"/v1/audit/alarms/{own}/acknowledge", headers=headers)
        assert (taken.status_code, taken.json()["status"]) == (200, "acknowledged")
    assert taken.headers["x-reference"] == gateway.audit()[-1]["reference"]
    for missing in (other, "alarm-x"):
        refused = gateway.call.post(f"/v1/audit/alarms/{missing}/acknowledge", headers=headers)
        assert problem(refused) == (403, "not-permitted")
    assert [
        each["id"] for each in get(gateway, "/v1/audit/alarms", AUDITOR, status="open").json()["items"]
    ] == [log]
    page = get(gateway, "/v1/audit/alarms", AUDITOR, limit=1).json()
    rest = get(gateway, "/v1/audit/alarms", AUDITOR, cursor=page["next_cursor"]).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == sorted([own, log])


def test_an_entry_that_is_not_what_the_log_says_gets_no_receipt(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("bad") / "data") as gateway:
        reference = gateway.ask(ADULT).json()["reference"]
        gateway.parts.log.sealer.seal()
        assert receipt(gateway, reference).status_code == 200
        with gateway.parts.store.writing() as connection:
            connection.execute("UPDATE audit_tile SET hashes = zeroblob(32) WHERE level = 0")
        assert problem(receipt(gateway, reference)) == (500, "internal")


def test_before_the_first_sealing_there_is_no_head(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.log.SEAL_SECONDS", 3600.0)
        with running(tmp_path_factory.mktemp("empty") / "data") as gateway:
            head = get(gateway, "/v1/audit/head").json()
            assert (head["size"], head["checkpoint"]) == (0, None)
            assert problem(get(gateway, "/v1/audit/checkpoint")) == (403, "not-permitted")
            assert problem(get(gateway, "/v1/audit/tile/0/0.p/1")) == (403, "not-permitted")
