"""What attackers of the evidence, the identities and the keys tried, and what they get now."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from connectors.transports.rest import client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.cedar import load
from gateway.adapters.db.mappings import SqliteToldChildren
from gateway.adapters.db.witness import FORKS_KEPT
from gateway.adapters.keys import create_keyring
from gateway.adapters.limits import load_limits
from gateway.app import create_app
from gateway.domain.base64url import b64
from gateway.domain.log.checkpoint import Checkpoint, log_key, signed
from gateway.services.export import AT_ONCE
from gateway.services.list import ListRecords
from gateway.services.witness import submission
from gateway.settings import POLICIES, Settings
from gateway.start import NotReady
from tests.harness import COUNTY, TestGateway, private, running
from tests.integration.test_log_witness import COUNTY_LOG, PROVINCE_LOG, alarms, post, ring
from tests.people import csv_file, resident_id, student
from tests.proofs import Es256, ath

RESOLUTIONS = "/v1/identity/resolutions"
LEAD = "education/dropout_lead"
DAY = load_limits(POLICIES, load(POLICIES).registry.roles).resolutions_of(LEAD)


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def look(gateway: TestGateway, child: str) -> httpx.Response:
    return gateway.call.post(
        "/v1/disclosures",
        json={"purpose": "subject_access", "subject": {"resident_id": child}},
        headers=gateway.headers("gateway/counter_clerk"),
    )


def test_a_clerk_does_not_go_through_the_ids_of_a_birthday(gateway: TestGateway) -> None:
    """Whose list is empty is in no register; whose is not, was listed as needy, assessed, or asked about."""
    children = [resident_id(date(2015, 3, 5), number) for number in range(20)]
    gateway.upload("student-register", csv_file([student(2), student(19)]))
    assert [look(gateway, child).status_code for child in children[:19]] == [200] * 19
    refused = look(gateway, children[19])
    assert (refused.status_code, problem(refused)) == (403, "quota-exceeded-enumeration")
    assert look(gateway, children[2]).json()["items"]  # who was told of today stays free
    entry = gateway.audit()[-2]
    assert (entry["decision"], entry["detail"]) == ("refuse", "quota-exceeded-enumeration/neighbours")
    assert (entry["exchange"], entry["subject"]) == ("disclosures", None)
    with closing(gateway.database()) as connection:
        assert connection.execute("SELECT kind, raised FROM alarm").fetchall() == [("enumeration", 1)]


class Inventor:
    """One client that names another officer whenever it likes."""

    def __init__(self, gateway: TestGateway) -> None:
        self.gateway, self.credentials = gateway, gateway.credentials(LEAD)

    def headers(self, officer: str) -> dict[str, str]:
        gateway = self.gateway
        said = client_assertion(
            self.credentials, f"{gateway.url}/oauth2/token", datetime.now(UTC), officer=officer
        )
        token = gateway.call.post("/oauth2/token", data=token_form(said)).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}


def test_invented_officers_do_not_lift_the_days_limit_of_resolutions(gateway: TestGateway) -> None:
    out = {"学生状态": "辍学", "状态日期": "2026-10-09"}
    gateway.upload("student-register", csv_file([student(2, **out)]))
    inventor = Inventor(gateway)
    (lead,) = gateway.leads()
    body = {"purpose": "dropout_control", "reason": "孩子有危险", "case": lead["case"], "emergency": True}
    answers = []
    for number in range(DAY.client + 1):
        if number % (DAY.officer // 2) == 0:
            headers = inventor.headers(f"officer-{number}")
        answers.append(gateway.call.post(RESOLUTIONS, json=body, headers=headers))
    assert [each.status_code for each in answers[:-1]] == [201] * DAY.client
    assert (answers[-1].status_code, problem(answers[-1])) == (403, "quota-exceeded-enumeration")
    assert resident_id(date(2015, 3, 5), 2) not in answers[-1].text
    with closing(gateway.database()) as connection:
        kinds = connection.execute("SELECT kind, about FROM alarm").fetchall()
    assert kinds == [("resolution-quota", inventor.credentials.client_id)]


@pytest.fixture
def province(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestGateway]:
    """A witness of the county's log."""
    monkeypatch.setattr("gateway.log.SEAL_SECONDS", 3600.0)
    key = log_key(COUNTY_LOG, "ed25519", ring(tmp_path / "county").head_public_key)
    (tmp_path / "logs.txt").write_text(key.text + "\n")
    settings = {"log_origin": PROVINCE_LOG, "witnessed_logs": tmp_path / "logs.txt"}
    with running(tmp_path / "province", **settings) as found:
        yield found


def note(folder: Path, size: int, root: bytes) -> str:
    keys = ring(folder / "county")
    key = log_key(COUNTY_LOG, "ed25519", keys.head_public_key)
    return signed(Checkpoint(COUNTY_LOG, size, root), key, keys.sign_head).whole


def unproven(province: TestGateway) -> int:
    with closing(province.database()) as connection:
        return int(
            connection.execute("SELECT count(*) FROM log_fork WHERE reason = 'no-proof'").fetchone()[0]
        )


def test_a_flood_of_broken_proofs_does_not_hide_a_fork(province: TestGateway, tmp_path: Path) -> None:
    """Anybody may hand in a head that the log signed, with a proof of nothing and further lines under it."""
    assert post(province, submission(0, [], note(tmp_path, 3, bytes(32)))).status_code == 200
    newer = note(tmp_path, 9, b"\2" * 32)
    for number in range(50):
        junk = base64.b64encode(number.to_bytes(40, "big")).decode()
        assert post(province, submission(3, [], f"{newer}— anybody {junk}\n")).status_code == 422
    assert (alarms(province), unproven(province)) == ([], 1)
    assert post(province, submission(3, [], note(tmp_path, 3, b"\1" * 32))).status_code == 409
    assert {each["facts"][0]["reason"] for each in alarms(province)} == {"same-size"}


def test_many_different_unproven_heads_do_not_hide_a_fork(province: TestGateway, tmp_path: Path) -> None:
    """As many as are kept, and more: from further addresses, since one is not heard without end."""
    assert post(province, submission(0, [], note(tmp_path, 3, bytes(32)))).status_code == 200
    for number in range(FORKS_KEPT + 6):
        province.parts.context.rates._windows.storage.reset()
        assert post(province, submission(3, [], note(tmp_path, 9 + number, b"\2" * 32))).status_code == 422
    assert (alarms(province), unproven(province)) == ([], FORKS_KEPT)
    assert post(province, submission(3, [], note(tmp_path, 3, b"\1" * 32))).status_code == 409
    assert {each["facts"][0]["reason"] for each in alarms(province)} == {"same-size"}


def test_wrong_proofs_are_not_heard_without_end(province: TestGateway, tmp_path: Path) -> None:
    assert post(province, submission(0, [], note(tmp_path, 3, bytes(32)))).status_code == 200
    assert alarms(province) == []
    newer = submission(3, [], note(tmp_path, 9, b"\2" * 32))
    assert [post(province, newer).status_code for _ in range(62)] == [422] * 60 + [429] * 2
    assert alarms(province) == []


def test_strangers_are_not_heard_by_a_witness_for_ever(province: TestGateway) -> None:
    statuses = [post(province, "nothing").status_code for _ in range(61)]
    assert statuses == [400] * 60 + [429]


def test_the_log_is_not_walked_again_for_a_mapping_that_was_fetched(
    gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []
    told = SqliteToldChildren.told
    monkeypatch.setattr(SqliteToldChildren, "told", lambda *args: walks.append(1) or told(*args))
    monkeypatch.setattr(gateway.parts.keys, "pseudonym_versions", lambda _agency: (2, 1), raising=False)
    monkeypatch.setattr(gateway.parts.keys, "pseudonyms", lambda _agency, each, *_: ["x"] * len(each))
    headers = gateway.headers("civil_affairs/relief_officer")
    codes = [
        gateway.call.post("/v1/pseudonyms/mapping", json={"from": 1}, headers=headers).status_code
        for _ in range(4)
    ]
    assert codes == [200, 409, 409, 409]
    assert walks == [1]
    assert gateway.audit()[-1]["detail"] == "mapping:1:2:again"


def test_an_unsealed_ring_laid_into_the_folder_is_not_taken(tmp_path: Path) -> None:
    """Whoever can write files, but knows no passphrase, would read what is sealed from then on."""
    data = tmp_path / "data"
    with running(data) as gateway:
        path = gateway.settings.keyring_path
        other = ring(tmp_path / "other")
        assert "header" in json.loads(path.read_text())
        path.write_bytes((tmp_path / "other" / "keyring.json").read_bytes())
        path.chmod(0o600)
        assert not gateway.parts.ring.check()
        assert gateway.parts.keys.head_public_key != other.head_public_key
        assert "key ring" in gateway.call.get("/health/ready").json()["warnings"][0]


def test_a_gateway_that_was_given_a_passphrase_starts_with_no_unsealed_ring(tmp_path: Path) -> None:
    words = tmp_path / "passphrase"
    words.write_text("correct horse battery staple\n")
    words.chmod(0o600)
    (tmp_path / "data").mkdir()
    create_keyring(tmp_path / "data" / "keyring.json")
    with pytest.raises(NotReady, match="is not sealed, though"):
        create_app(Settings(data=tmp_path / "data", keyring_passphrase_file=words))
    create_app(Settings(data=tmp_path / "data")).state.parts.store.close()


def test_a_nest_of_brackets_is_no_token(gateway: TestGateway) -> None:
    nest = b64(b"[" * 3000)
    for token in (f"{nest}.e30.x", f"e30.{nest}.x", nest):
        headers = {"Authorization": f"Bearer {token[:4090]}"}
        assert gateway.call.get("/v1/catalogue", headers=headers).status_code == 401
    header = b64(b'{"alg":"ES256","typ":"at+jwt"}')
    headers = {"Authorization": f"Bearer {header}.{nest}.x"}
    assert gateway.call.get("/v1/catalogue", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "moments",
    [
        {"to": "9999-12-31T23:59:59Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"from": "9999-12-31T23:59:59-14:00"},
        {"to": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_the_ends_of_time_are_no_fault_of_the_gateways(gateway: TestGateway, moments: dict[str, str]) -> None:
    gateway.ask(resident_id(date(1990, 1, 1)))
    gateway.parts.log.sealer.seal()
    answer = gateway.call.get(
        "/v1/audit/entries", params=moments, headers=gateway.headers("gateway/auditor", COUNTY)
    )
    assert answer.status_code in (200, 400), answer.text


def test_nothing_is_written_in_the_name_of_a_holder_whose_proof_is_false(gateway: TestGateway) -> None:
    """A stolen token and a proof seen once: whoever has both floods, and signs nothing."""
    key, credentials = Es256(), gateway.credentials("gateway/auditor")
    at = f"{gateway.url}/oauth2/token"
    nonce = gateway.call.post("/oauth2/token", headers={"DPoP": key.proof("POST", at)}).headers["dpop-nonce"]
    said = client_assertion(credentials, at, datetime.now(UTC), officer="li")
    token = gateway.call.post(
        "/oauth2/token", data=token_form(said), headers={"DPoP": key.proof("POST", at, nonce=nonce)}
    ).json()["access_token"]
    statuses = []
    for _ in range(245):
        proof = key.proof("GET", f"{gateway.url}/v1/audit/head", nonce=nonce, ath=ath(token))
        false = f"{proof.rpartition('.')[0]}.{b64(bytes(64))}"
        headers = {"Authorization": f"DPoP {token}", "DPoP": false}
        statuses.append(gateway.call.get("/v1/audit/head", headers=headers).status_code)
    assert statuses == [401] * 60 + [429] * 185
    assert gateway.audit() == []


def test_the_store_is_made_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with running(tmp_path / "data") as gateway:
            gateway.ask(resident_id(date(1990, 1, 1)))
            assert all(private(each) for each in (tmp_path / "data").glob("huxue.db*"))
    finally:
        os.umask(before)


def test_a_client_does_not_start_exports_without_end(
    gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()
    making = ListRecords.table
    monkeypatch.setattr(ListRecords, "table", lambda *args: going_on.wait(60) and making(*args))
    headers = gateway.headers("civil_affairs/relief_officer")
    body = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}

    def start() -> httpx.Response:
        return gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)

    started = [start() for _ in range(AT_ONCE)]
    assert {each.status_code for each in started} == {202}
    refused = start()
    assert (refused.status_code, problem(refused)) == (429, "rate-limited")
    assert gateway.audit()[-1]["detail"] == "rate-limited"
    going_on.set()
    for each in started:
        while gateway.call.get(each.headers["content-location"], headers=headers).status_code == 202:
            pass
    assert start().status_code == 202
