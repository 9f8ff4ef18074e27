"""Tokens bound to a key (RFC 9449), as an agency's system uses them and as a thief would."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from connectors.transports.rest import Credentials, GatewayClient, client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.db.transient import Transient
from tests.harness import TestGateway, process, running
from tests.proofs import Ed25519, Es256, ath

ROLE = "human_resources/recruitment_checker"
ASK = "/v1/exchanges/applicant-check/ask"
CHILD = "530423201206308010"


class Agency:
    """A client with a key, and what it sends, so that tests can send it wrongly."""

    def __init__(self, gateway: TestGateway, key: Es256, role: str = ROLE) -> None:
        self.gateway, self.key = gateway, key
        self.credentials = gateway.credentials(role)
        self.nonce: str | None = None

    def post_token(self, proof: str | None) -> httpx.Response:
        url = f"{self.gateway.url}/oauth2/token"
        form = token_form(client_assertion(self.credentials, url, datetime.now(UTC)))
        headers = {} if proof is None else {"DPoP": proof}
        return self.gateway.call.post("/oauth2/token", data=form, headers=headers)

    def token(self) -> str:
        url = f"{self.gateway.url}/oauth2/token"
        first = self.post_token(self.key.proof("POST", url))
        assert (first.status_code, first.json()) == (400, {"error": "use_dpop_nonce"})
        self.nonce = first.headers["DPoP-Nonce"]
        answer = self.post_token(self.key.proof("POST", url, nonce=self.nonce))
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "DPoP"
        return str(answer.json()["access_token"])

    def proof(self, token: str, path: str = ASK, method: str = "POST", **claims: Any) -> str:
        given = {"ath": ath(token), "nonce": self.nonce, **claims}
        return self.key.proof(method, self.gateway.url + path, **given)

    def ask(self, token: str, proof: str | None, scheme: str = "DPoP", body: object = None) -> httpx.Response:
        question = {"purpose": "child_labour_check", "subject": {"resident_id": CHILD}}
        headers = {"Authorization": f"{scheme} {token}", **({} if proof is None else {"DPoP": proof})}
        return self.gateway.call.post(ASK, json=body or question, headers=headers)


@pytest.fixture
def agency(gateway: TestGateway) -> Agency:
    return Agency(gateway, Es256())


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/problems/token-not-bound")
    scheme, _, rest = answer.headers["WWW-Authenticate"].partition(" ")
    assert scheme == "DPoP"
    assert 'algs="ES256 Ed25519 EdDSA"' in rest
    return rest.split('"')[1]


@pytest.mark.parametrize("key", [Es256(), Ed25519()], ids=["ES256", "Ed25519"])
def test_its_holder_uses_a_bound_token(gateway: TestGateway, key: Es256) -> None:
    agency = Agency(gateway, key)
    token = agency.token()
    for _ in range(3):
        assert agency.ask(token, agency.proof(token)).json()["answer"]["verdict"] == "must_not_hire"


def test_a_bound_token_is_no_bearer_token(agency: Agency) -> None:
    token = agency.token()
    assert refused(agency.ask(token, None, "Bearer")) == "invalid_token"
    assert refused(agency.ask(token, agency.proof(token), "Bearer")) == "invalid_token"
    assert refused(agency.ask(token, None)) == "invalid_dpop_proof"


def test_a_bearer_token_ignores_a_stray_proof_and_is_no_bound_token(agency: Agency) -> None:
    agency.token()
    answer = agency.post_token(None)
    token = answer.json()["access_token"]
    assert answer.json()["token_type"] == "Bearer"
    assert agency.ask(token, "not a proof", "Bearer").status_code == 200
    assert refused(agency.ask(token, agency.proof(token))) == "invalid_token"


def test_a_proof_counts_once(agency: Agency) -> None:
    token = agency.token()
    proof = agency.proof(token)
    assert agency.ask(token, proof).status_code == 200
    asked = len(agency.gateway.audit())
    assert refused(agency.ask(token, proof)) == "invalid_dpop_proof"
    assert len(agency.gateway.audit()) == asked


def test_of_twenty_at_once_one_counts(agency: Agency) -> None:
    token = agency.token()
    proof = agency.proof(token)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: agency.ask(token, proof).status_code, range(20)))
    assert sorted(answers) == [200] + [401] * 19
    assert len([entry for entry in agency.gateway.audit() if entry["action"] == "ask"]) == 1


def test_a_proof_of_a_question_that_could_not_be_read_is_spent_too(agency: Agency) -> None:
    token = agency.token()
    for body in ({"purpose": 3}, {"purpose": "child_labour_check", "subject": {"resident_id": "1"}}):
        proof = agency.proof(token)
        assert agency.ask(token, proof, body=body).status_code == 400
        assert refused(agency.ask(token, proof)) == "invalid_dpop_proof"


def test_a_refused_request_spends_its_proof(agency: Agency) -> None:
    token = agency.token()
    question = {"purpose": "labour_inspection", "subject": {"resident_id": CHILD}}
    proof = agency.proof(token)
    assert agency.ask(token, proof, body=question).status_code in (400, 403)
    assert refused(agency.ask(token, proof)) == "invalid_dpop_proof"


def test_other_routes_spend_proofs(gateway: TestGateway) -> None:
    agency = Agency(gateway, Es256(), "education/dropout_lead")
    token = agency.token()
    for path in ("/v1/leads", "/v1/catalogue"):
        proof = agency.proof(token, path, "GET")
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        assert gateway.call.get(path, headers=headers).status_code == 200
        assert refused(gateway.call.get(path, headers=headers)) == "invalid_dpop_proof"


def test_a_proof_is_for_one_method_path_and_token(agency: Agency) -> None:
    token, other = agency.token(), agency.token()
    assert refused(agency.ask(token, agency.proof(token, path="/v1/leads"))) == "invalid_dpop_proof"
    assert refused(agency.ask(token, agency.proof(token, method="GET"))) == "invalid_dpop_proof"
    assert refused(agency.ask(token, agency.proof(other))) == "invalid_dpop_proof"
    assert refused(agency.ask(token, agency.proof(token, iat=int(time.time()) - 400))) == "invalid_dpop_proof"
    assert refused(agency.ask(token, agency.proof(token, padding="x" * 5000))) == "invalid_dpop_proof"


def test_a_thief_without_the_key_gets_nowhere(agency: Agency) -> None:
    token = agency.token()
    thief = Es256()
    url, nonce = agency.gateway.url + ASK, agency.nonce
    by_own_key = thief.proof("POST", url, ath=ath(token), nonce=nonce)
    with_holders_name = thief.proof("POST", url, {"jwk": agency.key.jwk}, ath=ath(token), nonce=nonce)
    before = agency.gateway.audit()
    assert refused(agency.ask(token, by_own_key)) == "invalid_token"
    assert refused(agency.ask(token, with_holders_name)) == "invalid_dpop_proof"
    assert agency.gateway.audit() == before


def test_a_proof_needs_the_gateways_nonce_and_is_given_one(agency: Agency) -> None:
    token = agency.token()
    answer = agency.ask(token, agency.proof(token, nonce=None))
    assert refused(answer) == "use_dpop_nonce"
    assert agency.ask(token, agency.proof(token, nonce=answer.headers["DPoP-Nonce"])).status_code == 200


def test_two_proofs_are_none(agency: Agency) -> None:
    token = agency.token()
    proofs = [("DPoP", agency.proof(token)), ("DPoP", agency.proof(token))]
    answer = agency.gateway.call.get("/v1/catalogue", headers=[("Authorization", f"DPoP {token}"), *proofs])
    assert refused(answer) == "invalid_dpop_proof"


def test_on_loopback_every_name_of_it_counts(agency: Agency) -> None:
    token = agency.token()
    proof = agency.key.proof(
        "POST", f"http://localhost:{agency.gateway.port}{ASK}?x=1", ath=ath(token), nonce=agency.nonce
    )
    assert agency.ask(token, proof).status_code == 200


@pytest.mark.parametrize("wrong", ["nonsense", "", "key", "replay"])
def test_the_token_endpoint_refuses_wrong_proofs(agency: Agency, wrong: str) -> None:
    agency.token()
    url = f"{agency.gateway.url}/oauth2/token"
    proof = agency.key.proof("POST", url, nonce=agency.nonce)
    if wrong == "replay":
        assert agency.post_token(proof).status_code == 200
    elif wrong == "key":
        proof = Es256().proof("POST", url, {"jwk": agency.key.jwk}, nonce=agency.nonce)
    else:
        proof = wrong
    answer = agency.post_token(proof)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_dpop_proof"})


def test_metadata_names_the_algorithms(gateway: TestGateway) -> None:
    found = gateway.call.get("/.well-known/oauth-authorization-server").json()
    assert found["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519", "EdDSA"]
    assert found["tls_client_certificate_bound_access_tokens"] is False


def test_where_binding_is_required_unbound_tokens_are_not_made(tmp_path: Path) -> None:
    with running(tmp_path / "optional") as gateway:
        agency = Agency(gateway, Es256())
        bearer = agency.post_token(None).json()["access_token"]
    with running(tmp_path / "optional", token_binding="required") as strict:
        agency = Agency(strict, Es256())
        token = agency.token()
        assert agency.ask(token, agency.proof(token)).status_code == 200
        answer = agency.post_token(None)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_dpop_proof"})
        assert agency.ask(bearer, None, "Bearer").status_code == 401


def test_the_python_client_binds_its_token_and_follows_nonces(gateway: TestGateway) -> None:
    seen: list[tuple[str, str]] = []

    async def note(request: httpx.Request) -> None:
        seen.append((request.url.path, request.headers.get("Authorization", "").partition(" ")[0]))

    async def run(credentials: Credentials) -> list[str]:
        async with GatewayClient(gateway.url, credentials, officer="hr-07") as client:
            client._http.event_hooks["request"].append(note)
            verdicts = [await client.ask("applicant-check", "child_labour_check", CHILD) for _ in range(2)]
            client._holder._nonce = "one-that-is-over"  # type: ignore[union-attr]
            verdicts.append(await client.ask("applicant-check", "child_labour_check", CHILD))
            return [each["answer"]["verdict"] for each in verdicts]

    assert asyncio.run(run(gateway.credentials(ROLE))) == ["must_not_hire"] * 3
    assert [path for path, _ in seen].count("/oauth2/token") == 2
    assert {scheme for path, scheme in seen if path == ASK} == {"DPoP"}
    assert {entry["officer"] for entry in gateway.audit() if entry["action"] == "ask"} == {"hr-07"}


class TestOfficer:
    def token(self, gateway: TestGateway, officer: Any) -> httpx.Response:
        credentials = gateway.credentials(ROLE)
        url = f"{gateway.url}/oauth2/token"
        assertion = client_assertion(credentials, url, datetime.now(UTC), officer)
        return gateway.call.post("/oauth2/token", data=token_form(assertion))

    def test_an_officer_is_in_the_evidence(self, gateway: TestGateway) -> None:
        token = self.token(gateway, "Zhang.San_07-a").json()["access_token"]
        body = {"purpose": "child_labour_check", "subject": {"resident_id": CHILD}}
        headers = {"Authorization": f"Bearer {token}"}
        assert gateway.call.post(ASK, json=body, headers=headers).status_code == 200
        assert gateway.audit()[-1]["officer"] == "Zhang.San_07-a"

    @pytest.mark.parametrize(
        "officer", ["", "a" * 65, "张三", "a b", "a/b", 3, ["a"], {"a": 1}, "a\n"], ids=str
    )
    def test_a_name_of_another_form_is_refused(self, gateway: TestGateway, officer: Any) -> None:
        answer = self.token(gateway, officer)
        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_client"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Credentials, Path]]:
    """A gateway of two worker processes, and a client of it."""
    made = TestGateway(tmp_path / "data")
    credentials = made.credentials(ROLE)
    made.call.close()
    made.parts.store.close()
    with process(tmp_path / "data", "--workers", "2") as (server, url):
        deadline = time.monotonic() + 120
        (log,) = tmp_path.glob("serve-*.log")
        while log.read_text().count('"started"') < 2:
            assert time.monotonic() < deadline, "the workers did not start"
            time.sleep(0.05)
        yield url, credentials, tmp_path / "data"
        server.terminate()
        server.wait(60)


def test_across_worker_processes_a_proof_counts_once(served: tuple[str, Credentials, Path]) -> None:
    url, credentials, data = served
    key, nonce = Es256(), None
    form = {}
    for _ in range(2):
        form = token_form(client_assertion(credentials, f"{url}/oauth2/token", datetime.now(UTC)))
        headers = {"DPoP": key.proof("POST", f"{url}/oauth2/token", nonce=nonce)}
        answer = httpx.post(f"{url}/oauth2/token", data=form, headers=headers, trust_env=False)
        nonce = answer.headers.get("DPoP-Nonce", nonce)
    token = answer.json()["access_token"]
    body = {"purpose": "child_labour_check", "subject": {"resident_id": CHILD}}

    def ask(proof: str) -> int:
        """On a connection of its own, so that any worker may take it."""
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return httpx.post(url + ASK, json=body, headers=headers, trust_env=False, timeout=30).status_code

    for _ in range(4):
        proof = key.proof("POST", url + ASK, ath=ath(token), nonce=nonce)
        with ThreadPoolExecutor(12) as threads:
            assert sorted(threads.map(ask, [proof] * 12)) == [200] + [401] * 11
    with sqlite3.connect(data / "huxue.db") as store:
        entries = [json.loads(row[0]) for row in store.execute("SELECT body FROM audit_entry")]
        (kept,) = store.execute("SELECT SUM(LENGTH(keys)) FROM spent_proofs").fetchone()
    store.close()
    assert len([entry for entry in entries if entry["action"] == "ask"]) == 4
    assert kept == 16 * 5


def test_spent_proofs_are_removed_and_still_do_not_count(agency: Agency) -> None:
    token = agency.token()
    proof = agency.proof(token)
    assert agency.ask(token, proof).status_code == 200
    gateway = agency.gateway
    transient, now = Transient(gateway.parts.store), datetime.now(UTC)
    transient.forget(now, gateway.parts.clock.today())
    assert rows(gateway) > 0
    later = datetime.fromtimestamp(now.timestamp() + 400, UTC)
    transient.forget(later, gateway.parts.clock.today())
    assert rows(gateway) == 0
    assert refused(agency.ask(token, proof)) == "invalid_dpop_proof"
    assert agency.ask(token, agency.proof(token)).status_code == 200
    assert rows(gateway) == 1


def rows(gateway: TestGateway) -> int:
    with gateway.database() as store:
        (count,) = store.execute("SELECT COUNT(*) FROM spent_proofs").fetchone()
    store.close()
    return int(count)


def test_a_revoked_clients_proof_is_nothing(agency: Agency) -> None:
    token = agency.token()
    agency.gateway.revoke(agency.credentials.client_id)
    answer = agency.ask(token, agency.proof(token))
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/problems/unauthenticated")


def test_a_key_of_the_clients_assertions_binds_nothing_by_itself(gateway: TestGateway) -> None:
    """The client's own key may sign proofs too; the thumbprint in the token is all that counts."""
    credentials = gateway.credentials(ROLE)
    assert isinstance(credentials.key, ECKey)
    agency = Agency(gateway, Es256())
    token = agency.token()
    assert refused(
        agency.ask(token, Es256().proof("POST", gateway.url + ASK, ath=ath(token), nonce=agency.nonce))
    )
