"""Whoever has a stolen bound token and no key takes nothing from its holder's minute, and is not heard without end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.certificates import Authority
from tests.harness import TestGateway, running
from tests.integration.test_binding import ASK, CHILD, Agency
from tests.integration.test_limits import kind, limits, policies
from tests.proofs import Es256, ath, b64

CATALOGUE = "/v1/catalogue"
BODY = {"purpose": "child_labour_check", "subject": {"resident_id": CHILD}}
ROLE = "human_resources/recruitment_checker"


class Holder(Agency):
    """An agency with its token, and the thief who has the token and has seen a proof."""

    def __init__(self, gateway: TestGateway) -> None:
        super().__init__(gateway, Es256())
        self.bound = self.token()

    def call(self, path: str, proof: str) -> httpx.Response:
        headers = {"Authorization": f"DPoP {self.bound}", "DPoP": proof}
        if path == ASK:
            return self.gateway.call.post(ASK, json=BODY, headers=headers)
        return self.gateway.call.get(path, headers=headers)

    def right(self, path: str) -> str:
        return self.proof(self.bound, path, "POST" if path == ASK else "GET")

    def false(self, path: str) -> str:
        return f"{self.right(path).rpartition('.')[0]}.{b64(bytes(64))}"


def strict(folder: Path, failures: int = 60) -> Path:
    return policies(
        folder,
        limits(rates="{client: 5, officer: 5}", tokens=f"{{client: 600, failures: {failures}}}"),
    )


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    with running(tmp_path / "data", policies=strict(tmp_path)) as gateway:
        yield Holder(gateway)


@pytest.mark.parametrize("path", [ASK, CATALOGUE])
def test_false_proofs_take_nothing_from_the_holders_minute(holder: Holder, path: str) -> None:
    assert [holder.call(path, holder.false(path)).status_code for _ in range(20)] == [401] * 20
    assert holder.gateway.audit() == []
    answers = [holder.call(path, holder.right(path)) for _ in range(8)]
    assert [each.status_code for each in answers] == [200] * 5 + [429] * 3
    assert {kind(each) for each in answers[5:]} == {"rate-limited"}
    details = [entry["detail"] for entry in holder.gateway.audit()]
    assert details.count("rate-limited") == 1


@pytest.mark.parametrize("path", [ASK, CATALOGUE])
def test_a_proof_sent_again_takes_nothing_either(holder: Holder, path: str) -> None:
    proof = holder.right(path)
    with ThreadPoolExecutor(12) as threads:
        codes = sorted(threads.map(lambda _: holder.call(path, proof).status_code, range(12)))
    assert codes == [200] + [401] * 11
    assert [holder.call(path, holder.right(path)).status_code for _ in range(5)] == [200] * 4 + [429]


def test_a_proof_whose_request_is_too_many_is_spent(holder: Holder) -> None:
    for _ in range(5):
        assert holder.call(ASK, holder.right(ASK)).status_code == 200
    proof = holder.right(ASK)
    assert holder.call(ASK, proof).status_code == 429
    assert [entry["detail"] for entry in holder.gateway.audit()][-1] == "rate-limited"
    with holder.gateway.database() as store:
        (length,) = store.execute("SELECT SUM(LENGTH(keys)) FROM spent_proofs").fetchone()
    store.close()
    assert length == 16 * 7  # at the token endpoint, five answers, and this one


def test_a_flood_of_false_proofs_waits_and_the_holder_does_not(tmp_path: Path) -> None:
    """From the same address even: thief and holder may sit behind one proxy."""
    with running(tmp_path / "data", policies=strict(tmp_path, failures=4)) as gateway:
        holder = Holder(gateway)
        answers = [holder.call(ASK, holder.false(ASK)) for _ in range(7)]
        assert [each.status_code for each in answers] == [401] * 4 + [429] * 3
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert gateway.audit() == []
        assert [holder.call(ASK, holder.right(ASK)).status_code for _ in range(5)] == [200] * 5
        other = Holder(gateway)
        assert other.call(ASK, other.false(ASK)).status_code == 401
        assert other.call(ASK, other.right(ASK)).status_code == 200


def test_false_proofs_of_another_address_are_counted_apart(tmp_path: Path) -> None:
    chosen = strict(tmp_path, failures=2)
    with running(tmp_path / "data", policies=chosen, trusted_proxies="127.0.0.1") as gateway:
        holder = Holder(gateway)

        def code(address: str) -> int:
            gateway.call.headers["X-Forwarded-For"] = address
            return holder.call(ASK, holder.false(ASK)).status_code

        assert [code("10.1.1.1") for _ in range(3)] == [401, 401, 429]
        assert code("10.2.2.2") == 401


def test_another_certificate_takes_nothing_from_the_holders_minute(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    mine, other = (
        quote(authority.issue(name).certificate.read_text(), safe="") for name in ("mine", "other")
    )
    settings = {"trusted_proxies": "127.0.0.1", "client_cert_header": "Client-Cert"}
    with running(tmp_path / "data", policies=strict(tmp_path), **settings) as gateway:
        gateway.call.headers["Client-Cert"] = mine
        headers = {"Authorization": f"Bearer {gateway.fetch_token(gateway.credentials(ROLE))}"}

        def code(certificate: str) -> int:
            return gateway.call.get(CATALOGUE, headers={**headers, "Client-Cert": certificate}).status_code

        assert [code(other) for _ in range(20)] == [401] * 20
        assert [code(mine) for _ in range(6)] == [200] * 5 + [429]


def test_a_thief_learns_nothing_by_being_told_to_wait(holder: Holder) -> None:
    """The window is used up: whoever comes is told so, in nobody's name."""
    for _ in range(6):
        holder.call(ASK, holder.right(ASK))
    before = holder.gateway.audit()
    assert holder.call(ASK, holder.false(ASK)).status_code == 429
    thief = Es256().proof("POST", holder.gateway.url + ASK, ath=ath(holder.bound), nonce=holder.nonce)
    assert holder.call(ASK, thief).status_code == 401
    assert holder.gateway.audit() == before
