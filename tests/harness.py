"""A real gateway for tests: its own data folder, a real server on loopback, clients of any role on demand."""

import itertools
import json
import os
import random
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from joserfc.jwk import ECKey

from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.db.clients import insert_client
from gateway.app import create_app
from gateway.domain.model import ClientRecord
from gateway.parts import Parts
from gateway.services.operation import CLIENT as OPERATOR
from gateway.services.operation import operator_entry
from gateway.settings import Settings

LAW_DATE = date(2026, 11, 20)
COUNTY = "530423"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SAMPLE = Path(__file__).parent / "data" / "county"

# The purpose each role states in most tests.
PURPOSES = {
    "student-register": ("education/registrar", "student_registration"),
    "attendance": ("education/registrar", "attendance_reporting"),
    "relief-register": ("civil_affairs/register_keeper", "relief_registration"),
    "disability-assessment": ("health/disability_assessor", "disability_assessment"),
    "sightings": ("human_resources/labour_inspector", "labour_inspection"),
    "aid-payments": ("education/aid_officer", "aid_delivery"),
    "focus-groups": ("education/registrar", "student_registration"),
    "case-outcome": ("justice/legal_aid_officer", "legal_aid"),
}

# Roles whose officers are named.
NAMED = {"education/dropout_lead", "township/return_officer", "school/class_teacher"}


# Below the ports the system hands to callers (32768 and up), so none takes ours before we listen; a share a worker.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_PORTS = range(10000 + 2500 * _WORKER, 12500 + 2500 * _WORKER)
_next_port = itertools.cycle(random.sample(_PORTS, len(_PORTS)))


def free_port() -> int:
    """A loopback port nobody listens at, given to no other test."""
    for port in _next_port:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # a cycle does not end


class TestGateway:
    """A gateway served by uvicorn in a thread. `call` is an httpx client; `headers(role)` gives a bearer token."""

    __test__ = False

    def __init__(self, data: Path, law_date: date = LAW_DATE, **settings: Any) -> None:
        self.data = data
        self.port = free_port()
        self.settings = Settings(
            data=data, profile="demo", port=self.port, as_of=law_date, log_level="WARNING", **settings
        )
        self.app = create_app(self.settings)
        self.parts: Parts = self.app.state.parts
        self.url = f"http://127.0.0.1:{self.port}"
        self._tokens: dict[tuple[str, str, str | None], str] = {}
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                host="127.0.0.1",
                port=self.port,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.call = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def start(self) -> "TestGateway":
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the gateway did not start")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        self.call.close()
        self._server.should_exit = True
        self._thread.join(10)

    def credentials(self, role: str, region: str = COUNTY, school: str | None = None) -> Credentials:
        """Registers a client of `agency/role` and returns its credentials."""
        agency, name = role.split("/")
        key = ECKey.generate_key("P-256", auto_kid=True)
        client_id = f"test-{os.urandom(6).hex()}"
        public = {k: str(v) for k, v in key.as_dict(private=False).items()}
        record = ClientRecord(client_id, agency, name, region, school, public, self.parts.clock.now())
        with self.parts.store.writing() as connection:  # without evidence: tests count what callers did
            insert_client(connection, record)
        return Credentials.of(
            {
                "client_id": client_id,
                "agency": agency,
                "role": name,
                "region": region,
                "school": school,
                "alg": "ES256",
                "key": key.as_dict(private=True),
            }
        )

    def revoke(self, client_id: str) -> bool:
        """As `huxue client revoke` does it; False when there is no such active client."""
        clock = self.parts.clock
        entry = operator_entry(clock, "test", f"client-revoked:{client_id}")
        return self.parts.context.tokens._clients.revoke(client_id, clock.now(), entry)

    def fetch_token(self, credentials: Credentials, officer: str | None = None) -> str:
        """A bearer token; of a role that resolves identities each client names an officer of its own."""
        if f"{credentials.agency}/{credentials.role}" in NAMED:
            officer = officer or f"of-{credentials.client_id}"
        assertion = client_assertion(credentials, f"{self.url}/oauth2/token", datetime.now(UTC), officer)
        answer = self.call.post("/oauth2/token", data=token_form(assertion))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def headers(self, role: str, region: str = COUNTY, school: str | None = None) -> dict[str, str]:
        """An Authorization header for a client of that role; made once a gateway."""
        key = (role, region, school)
        if key not in self._tokens:
            self._tokens[key] = self.fetch_token(self.credentials(role, region, school))
        return {"Authorization": f"Bearer {self._tokens[key]}"}

    def upload(
        self,
        dataset: str,
        body: bytes,
        media_type: str = "text/csv",
        region: str = COUNTY,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        role, purpose = PURPOSES[dataset]
        return self.call.post(
            f"/v1/exchanges/{dataset}/uploads",
            params={"purpose": purpose},
            content=body,
            headers={**self.headers(role, region), "Content-Type": media_type, **(headers or {})},
        )

    def upload_sample(self) -> dict[str, dict[str, Any]]:
        """The sample county's four files, in their order; the receipts by dataset."""
        files = {
            "student-register": ("student-register.xlsx", XLSX),
            "attendance": ("attendance.csv", "text/csv"),
            "relief-register": ("relief-register.csv", "text/csv"),
            "disability-assessment": ("disability-assessment.csv", "text/csv"),
        }
        receipts = {}
        for dataset, (name, media_type) in files.items():
            answer = self.upload(dataset, (SAMPLE / name).read_bytes(), media_type)
            assert answer.status_code == 200, answer.text
            receipts[dataset] = answer.json()
        return receipts

    def ask(self, resident_id: str, **more: Any) -> httpx.Response:
        return self.call.post(
            "/v1/exchanges/applicant-check/ask",
            json={"purpose": "child_labour_check", "subject": {"resident_id": resident_id}, **more},
            headers=self.headers("human_resources/recruitment_checker"),
        )

    def leads(self, **params: Any) -> list[dict[str, Any]]:
        """Every lead the county's dropout lead sees."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            query = {**params, "limit": 1000, **({"cursor": cursor} if cursor else {})}
            answer = self.call.get("/v1/leads", params=query, headers=self.headers("education/dropout_lead"))
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return found

    def database(self) -> sqlite3.Connection:
        """A connection of the test's own to the store."""
        return sqlite3.connect(self.data / "huxue.db")

    def acts(self) -> list[dict[str, Any]]:
        """What the operator did, oldest first."""
        return [each for each in self.audit() if each["client"] == OPERATOR]

    def audit(self) -> list[dict[str, Any]]:
        """Every audit entry, oldest first."""
        with self.database() as connection:
            rows = connection.execute("SELECT body FROM audit_entry ORDER BY seq").fetchall()
        connection.close()
        return [json.loads(row[0]) for row in rows]


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status of a problem, and its name."""
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


@contextmanager
def running(data: Path, **settings: Any) -> Iterator[TestGateway]:
    """A gateway for the length of a block."""
    gateway = TestGateway(data, **settings).start()
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def process(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`huxue serve` as a process of its own (to be killed, limited, restarted): the process and its address."""
    port = free_port()
    command = [sys.executable, "-c", "from gateway.cli import main; main()", "serve", "--data", str(data)]
    command += ["--profile", "demo", "--as-of", LAW_DATE.isoformat(), "--port", str(port), *more]
    with (data.parent / f"serve-{port}.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server)
            yield server, url
        finally:
            if "--workers" in more:
                server.terminate()  # killed, it would leave its workers behind
                server.wait(60)
            server.kill()
            server.wait(60)


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url + "/health/live", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the gateway did not start")


def private(path: Path) -> bool:
    """Whether only the owner can read a file."""
    return not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
