"""Servers under measurement: each a process of its own, on loopback, on a data folder of its own."""

import os
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

BIN = Path(sys.executable).parent
LAW_DATE = "2026-11-20"


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], probe: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, ready to answer `probe`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
        agency, name = role.split("/")
        out = self.data / f"{name}-{os.urandom(3).hex()}.json"
        words = ["client", "add", "--data", str(self.data), "--agency", agency, "--role", name]
        run = [str(BIN / "huxue"), *words, "--region", "530423", "--out", str(out)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        credentials = Credentials.load(out)
        assertion = client_assertion(credentials, f"{self.url}/oauth2/token", datetime.now(UTC))
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return {
            "Authorization": "Bearer " + self.call.post("/oauth2/token", data=form).json()["access_token"]
        }

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


@contextmanager
def gateway(data: Path) -> Iterator[Gateway]:
    """`huxue serve` on an empty data folder."""
    data.mkdir(parents=True)
    port = free_port()
    words = ["serve", "--data", str(data), "--profile", "demo", "--as-of", LAW_DATE, "--port", str(port)]
    with served([str(BIN / "huxue"), *words], "/health/live", port) as process:
        yield Gateway(data, port, process)
