"""Servers under measurement: each a process of its own, on loopback, on a data folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from gateway.settings import POLICIES

BIN = Path(sys.executable).parent
LAW_DATE = "2026-11-20"


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    command: list[str], probe: str, port: int, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, ready to answer `probe`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}{probe}", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def bare(app: str) -> Iterator[int]:
    """A bare application served as the gateway is: one worker, uvloop, httptools, no access log."""
    port = free_port()
    command = [str(BIN / "uvicorn"), f"benchmarks.bare:{app}", "--port", str(port), "--loop", "uvloop"]
    with served([*command, "--http", "httptools", "--no-access-log", "--log-level", "error"], "/hello", port):
        yield port


class Gateway:
    """A gateway under measurement."""

    def __init__(self, data: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.data, self.port, self.process = data, port, process
        self.url = f"http://127.0.0.1:{port}"
        self.call = httpx.Client(base_url=self.url, timeout=300, trust_env=False)

    def token(self, role: str) -> dict[str, str]:
        """An Authorization header for a new client of that role."""
        credentials = self.credentials(role)
        assertion = client_assertion(credentials, f"{self.url}/oauth2/token", datetime.now(UTC))
        answer = self.call.post("/oauth2/token", data=token_form(assertion))
        return {"Authorization": "Bearer " + answer.json()["access_token"]}

    def credentials(self, role: str) -> Credentials:
        """A new client of that role."""
        agency, name = role.split("/")
        out = self.data / f"{name}-{os.urandom(3).hex()}.json"
        words = ["client", "add", "--data", str(self.data), "--agency", agency, "--role", name]
        run = [str(BIN / "huxue"), *words, "--region", "530423", "--out", str(out)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        return Credentials.load(out)

    def upload(self, body: bytes) -> tuple[float, dict[str, int]]:
        """Upload a student register; seconds and the receipt."""
        headers = {**self.token("education/registrar"), "Content-Type": "text/csv"}
        start = time.perf_counter()
        answer = self.call.post(
            "/v1/exchanges/student-register/uploads",
            params={"purpose": "student_registration"},
            content=body,
            headers=headers,
        )
        seconds = time.perf_counter() - start
        answer.raise_for_status()
        return seconds, answer.json()

    def peak_megabytes(self) -> float:
        """Peak resident memory of the process so far (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


def _policies(folder: Path) -> Path:
    """The county's policies with limits that a benchmark does not reach."""
    policies = folder / "policies"
    shutil.copytree(POLICIES, policies, ignore=shutil.ignore_patterns("__pycache__"))
    (policies / "limits.yaml").write_text(_LIMITS, encoding="utf-8")
    return policies


_LIMITS = """
rates: {default: {client: 100000000, officer: 100000000}, roles: {}}
tokens: {client: 100000, failures: 100}
children: {default: {person: 10000000, client: 10000000, neighbours_from: 10000000, cohort: 10000000}, roles: {}}
resolutions: {default: {officer: 1000, client: 1000}, roles: {}}
"""


@contextmanager
def gateway(data: Path, suite: str = "intl", as_of: str = LAW_DATE) -> Iterator[Gateway]:
    """`huxue serve` on a data folder, an empty one as a rule, with keys of that suite."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {**os.environ, "HUXUE_POLICIES": str(_policies(data)), "HUXUE_CIPHER_SUITE": suite}
    words = ["serve", "--data", str(data), "--profile", "demo", "--as-of", as_of, "--port", str(port)]
    with served([str(BIN / "huxue"), *words], "/health/live", port, environment) as process:
        yield Gateway(data, port, process)
