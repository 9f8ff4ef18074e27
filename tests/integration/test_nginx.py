"""Tokens bound to client certificates (RFC 8705) behind a real nginx, configured by the example for operators."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from tests.certificates import Authority, Certified
from tests.harness import TestGateway, free_port, problem, running
from tests.parts import part

EXAMPLE = Path(__file__).parents[2] / "docker" / "nginx.conf"
ROLE = "education/dropout_lead"


@dataclass
class Front:
    """nginx in front of a gateway, and who may knock."""

    gateway: TestGateway
    url: str
    authority: Path
    good: Certified
    other: Certified
    strange: Certified

    def client(self, shown: Certified | None) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.authority))
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        return httpx.Client(base_url=self.url, verify=context, trust_env=False, timeout=20)

    def token(self, shown: Certified | None, credentials: Credentials) -> httpx.Response:
        assertion = client_assertion(credentials, f"{self.url}/oauth2/token", datetime.now(UTC))
        with self.client(shown) as client:
            return client.post("/oauth2/token", data=token_form(assertion))

    def leads(self, shown: Certified | None, token: str, **headers: str) -> httpx.Response:
        with self.client(shown) as client:
            return client.get("/v1/leads", headers={"Authorization": f"Bearer {token}", **headers})


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    with running(
        folder / "data", public_url=url, trusted_proxies="127.0.0.1/32", client_cert_header="Client-Cert"
    ) as gateway:
        config = configured(folder, port, gateway.port, ours, ours.issue("server"))
        with nginx(folder, config, url, ours.path):
            yield Front(
                gateway, url, ours.path, ours.issue("good"), ours.issue("other"), theirs.issue("strange")
            )


def configured(folder: Path, port: int, upstream: int, authority: Authority, server: Certified) -> Path:
    """The operators' example, its addresses and files replaced and nothing else."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "http://127.0.0.1:8420": f"http://127.0.0.1:{upstream}",
        "/etc/huxue/tls/server.pem": str(server.certificate),
        "/etc/huxue/tls/server.key": str(server.key),
        "/etc/huxue/tls/agencies-ca.pem": str(authority.path),
    }.items():
        assert old in text
        text = text.replace(old, new)
    kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    paths = "".join(f"    {name}_temp_path {folder / name};\n" for name in kept)
    text = text.replace("http {\n", "http {\n" + paths, 1)
    config = folder / "nginx.conf"
    config.write_text(f"daemon off;\npid {folder / 'nginx.pid'};\nerror_log {folder / 'error.log'};\n{text}")
    return config


class nginx:  # noqa: N801 - read as the program's name
    """The program for the length of a block; it stays in the foreground, so ending it ends its workers."""

    def __init__(self, folder: Path, config: Path, url: str, authority: Path) -> None:
        program = part("nginx", "nginx")
        self._command = [str(program), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
        self._url, self._context = url, ssl.create_default_context(cafile=str(authority))
        self._log = folder / "error.log"

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command)
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(self._url + "/health/live", verify=self._context, trust_env=False)
                return
            except httpx.TransportError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"nginx did not start: {self._log.read_text()}") from None
                time.sleep(0.05)

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture(scope="module")
def bound(front: Front) -> str:
    answer = front.token(front.good, front.gateway.credentials(ROLE))
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    return str(answer.json()["access_token"])


def test_its_holder_uses_it(front: Front, bound: str) -> None:
    assert front.leads(front.good, bound).status_code == 200


def test_another_certificate_of_the_same_authority_does_not(front: Front, bound: str) -> None:
    assert problem(front.leads(front.other, bound)) == (401, "token-not-bound")


def test_without_a_certificate_nobody_does(front: Front, bound: str) -> None:
    assert problem(front.leads(None, bound)) == (401, "token-not-bound")


def test_a_certificate_of_another_authority_is_stopped_by_nginx(front: Front, bound: str) -> None:
    answer = front.leads(front.strange, bound)
    assert answer.status_code == 400
    assert "nginx" in answer.text


def test_a_header_sent_through_nginx_does_not_arrive(front: Front, bound: str) -> None:
    escaped = quote(front.good.certificate.read_text())
    for name in ("Client-Cert", "client-cert", "Client_Cert"):
        assert problem(front.leads(None, bound, **{name: escaped})) == (401, "token-not-bound")
        assert problem(front.leads(front.other, bound, **{name: escaped})) == (401, "token-not-bound")


def test_a_token_got_without_a_certificate_is_bound_to_none(front: Front) -> None:
    answer = front.token(None, front.gateway.credentials(ROLE))
    token = answer.json()["access_token"]
    assert front.leads(None, token).status_code == 200
    assert front.leads(front.good, token).status_code == 200


def test_metadata_says_that_tokens_are_bound(front: Front) -> None:
    with front.client(None) as client:
        found = client.get("/.well-known/oauth-authorization-server").json()
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert found["token_endpoint"] == f"{front.url}/oauth2/token"


def test_a_forged_header_past_nginx_is_not_believed(tmp_path: Path, front: Front) -> None:
    """Whoever reaches the gateway itself, and is no proxy, is refused for sending the header at all."""
    escaped = quote(front.good.certificate.read_text())
    with running(tmp_path / "data", trusted_proxies="10.1.2.3", client_cert_header="Client-Cert") as gateway:
        bearer = gateway.headers(ROLE)
        assert gateway.call.get("/v1/leads", headers=bearer).status_code == 200
        forged = gateway.call.get("/v1/leads", headers={**bearer, "Client-Cert": escaped})
        assert problem(forged) == (401, "token-not-bound")
        assertion = client_assertion(
            gateway.credentials(ROLE), f"{gateway.url}/oauth2/token", datetime.now(UTC)
        )
        answer = gateway.call.post(
            "/oauth2/token", data=token_form(assertion), headers={"Client-Cert": escaped}
        )
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


def test_two_headers_are_not_believed_even_from_the_proxy(front: Front, bound: str) -> None:
    escaped = quote(front.good.certificate.read_text())
    headers = [("Authorization", f"Bearer {bound}"), ("Client-Cert", escaped), ("Client-Cert", escaped)]
    assert problem(front.gateway.call.get("/v1/leads", headers=headers)) == (401, "token-not-bound")
    assert front.gateway.call.get("/v1/leads", headers=headers[:2]).status_code == 200
