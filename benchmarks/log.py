"""The transparency log: how fast it is sealed beside answers, how long a receipt takes, how long a whole check does."""

import hashlib
import json
import os
import sqlite3
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.server import BIN, Gateway, gateway
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store
from gateway.adapters.db.log import LEASE_SECONDS, SqliteLease, SqliteLog
from gateway.adapters.keys import load_keyring
from gateway.adapters.witnesses import read_keys
from gateway.domain.audit import AuditEntry
from gateway.domain.model import SubjectId
from gateway.services.sealing import Sealer

ENTRIES = 1_000_000
LIVE_RATE = 10_000
LIVE_SECONDS = 5
RECEIPTS = 2_000
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Entries a second; milliseconds; seconds."""

    seal_rate: float
    behind: int
    ask_p99: float
    receipt_p50: float
    receipt_p99: float
    verify_seconds: float


def _entry(number: int, client: str) -> AuditEntry:
    return AuditEntry(
        reference=f"ref-{number:012x}{number:020x}",
        at=datetime.now(UTC),
        law_date=datetime.now(UTC).date(),
        client=client,
        agency="human_resources",
        role="human_resources/recruitment_checker",
        region="530423",
        asked_region="530423",
        action="ask",
        exchange="applicant-check",
        purpose="child_labour_check",
        decision="permit",
        policy_version="0123456789ab",
        policy_ids=("hr-check", "hr-check-answer"),
        fields={"under_16": "keep", "out_of_school": "keep", "verdict": "keep", "lead": "keep"},
        count=1,
        answer_digest=hashlib.sha256(str(number).encode()).hexdigest(),
        subject=SubjectId(hashlib.sha256(str(number % 50_000).encode()).digest()[:16]),
    )


def _write(store: sqlite3.Connection, start: int, count: int, client: str) -> None:
    """As the gateway's own commits, many at a time."""
    made = [written(_entry(number, client)) for number in range(start, start + count)]
    store.execute("BEGIN IMMEDIATE")
    insert_entries(store, made)
    store.execute("COMMIT")


def _sealed(store: sqlite3.Connection) -> int:
    return int(store.execute("SELECT COALESCE(max(size), 0) FROM audit_head").fetchone()[0])


def _catch_up(store: sqlite3.Connection, size: int) -> float:
    start = time.perf_counter()
    while _sealed(store) < size:
        time.sleep(0.02)
    return time.perf_counter() - start


def measure(folder: Path, entries: int = ENTRIES) -> Figures:
    """A log of `entries`, sealed while it is written; then traffic on top of it; then receipts; then the check."""
    with gateway(folder / "log") as under_test:
        headers = under_test.token("human_resources/recruitment_checker")
        client = _client(under_test)
        store = sqlite3.connect(under_test.data / "huxue.db", isolation_level=None, timeout=60)
        store.execute("PRAGMA synchronous=NORMAL")
        for start in range(0, entries, CHUNK):
            _write(store, start, CHUNK, client)
        _catch_up(store, entries)
        behind, ask_p99 = _live(under_test, store, entries, client, headers)
        p50, p99 = _receipts(under_test, entries, headers)
        store.close()
    verified = _verify(folder / "log")
    return Figures(_seal_rate(folder / "log", entries * 2), behind, ask_p99, p50, p99, verified)


def _client(under_test: Gateway) -> str:
    (key,) = under_test.data.glob("recruitment_checker-*.json")
    return str(json.loads(key.read_text())["client_id"])


def _seal_rate(data: Path, start: int, count: int = 100_000) -> float:
    """Entries sealed a second by one sealer that has nothing else to do."""
    store, keys = Store(data / "huxue.db"), load_keyring(data / "keyring.json", demo=True)
    for first in range(start, start + count, CHUNK):
        _write(store.writer, first, CHUNK, "bench")
    (key,) = read_keys(data / "log.vkey")
    sealer = Sealer(SqliteLog(store), SqliteLease(store), keys, SystemClock(), lambda: key)
    time.sleep(LEASE_SECONDS)
    began = time.perf_counter()
    sealed = sealer.seal()
    seconds = time.perf_counter() - began
    store.close()
    assert sealed >= count
    return sealed / seconds


def _live(
    under_test: Gateway, store: sqlite3.Connection, start: int, client: str, headers: dict[str, str]
) -> tuple[int, float]:
    """10,000 entries a second for some seconds while answers are asked for: how far the seal stays behind."""
    body = {"purpose": "child_labour_check", "subject": {"resident_id": "530423199001010021"}}
    latencies, behind, number = [], 0, start
    began = time.perf_counter()
    for turn in range(LIVE_SECONDS * 10):
        _write(store, number, LIVE_RATE // 10, client)
        number += LIVE_RATE // 10
        asked = time.perf_counter()
        under_test.call.post("/v1/exchanges/applicant-check/ask", json=body, headers=headers)
        latencies.append(time.perf_counter() - asked)
        time.sleep(max(0.0, began + (turn + 1) / 10 - time.perf_counter()))
        behind = max(behind, number - _sealed(store))
    latencies.sort()
    _catch_up(store, number)
    return behind, latencies[int(len(latencies) * 0.99)] * 1000


def _receipts(under_test: Gateway, entries: int, headers: dict[str, str]) -> tuple[float, float]:
    latencies = []
    for turn in range(RECEIPTS):
        number = turn * 7919 % entries
        path = f"/v1/audit/receipts/ref-{number:012x}{number:020x}"
        start = time.perf_counter()
        answer = under_test.call.get(path, headers=headers)
        latencies.append(time.perf_counter() - start)
        assert answer.status_code == 200
    latencies.sort()
    return latencies[len(latencies) // 2] * 1000, latencies[int(len(latencies) * 0.99)] * 1000


def _verify(data: Path) -> float:
    """`huxue audit verify` as a person runs it, start of the interpreter included."""
    start = time.perf_counter()
    words = [str(BIN / "huxue"), "audit", "verify", "--data", str(data)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ})
    return time.perf_counter() - start
