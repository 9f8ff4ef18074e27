"""One tree, however many seal it: in commit order, exactly once, also when a sealer dies or two believe they are it."""

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from connectors.transports.rest import client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.engine import Store
from gateway.adapters.db.log import LEASE_SECONDS, SqliteLease, SqliteLog
from gateway.cli import app
from gateway.domain.errors import SourceUnavailable
from gateway.domain.log.merkle import root
from gateway.domain.log.ports import Lease
from gateway.domain.log.tiles import perfect_from
from gateway.services.sealing import Sealer
from tests.harness import TestGateway, process
from tests.people import resident_id

ADULT = resident_id(date(1990, 1, 1), 2)


@pytest.fixture
def still(tmp_path: Path) -> Iterator[TestGateway]:
    """A gateway nobody serves: entries are written by hand, sealed by hand."""
    found = TestGateway(tmp_path / "data")
    yield found
    found.call.close()
    found.parts.store.close()


def sealer(gateway: TestGateway, store: Store | None = None, lease: Lease | None = None) -> Sealer:
    """As another worker process has it: connections and a lease of its own."""
    own = store or gateway.parts.store
    return Sealer(
        SqliteLog(own), lease or SqliteLease(own), gateway.parts.keys, SystemClock(), gateway.parts.log.key
    )


def write(gateway: TestGateway, count: int, start: int = 0) -> None:
    rows = [
        (f"ref-{number}", None, b"{}", number.to_bytes(32, "big")) for number in range(start, start + count)
    ]
    with gateway.parts.store.writing() as connection:
        connection.executemany(
            "INSERT INTO audit_entry (reference, subject_id, body, leaf) VALUES (?, ?, ?, ?)", rows
        )


def heads(gateway: TestGateway) -> list[tuple[int, int]]:
    connection = gateway.database()
    found = connection.execute("SELECT size, last_seq FROM audit_head ORDER BY size").fetchall()
    connection.close()
    return found


def whole(data: Path) -> None:
    found = CliRunner().invoke(app, ["audit", "verify", "--data", str(data)])
    assert found.exit_code == 0, found.output


def test_nothing_new_writes_nothing(still: TestGateway) -> None:
    assert still.parts.log.sealer.seal() == 0
    assert heads(still) == []
    write(still, 3)
    assert still.parts.log.sealer.seal() == 3
    before = still.parts.store.version()
    assert still.parts.log.sealer.seal() == 0
    assert still.parts.store.version() == before
    assert heads(still) == [(3, 3)]


def test_a_number_left_out_moves_no_place(still: TestGateway) -> None:
    write(still, 3)
    with still.parts.store.writing() as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 10 WHERE name = 'audit_entry'")
    write(still, 3, start=3)
    still.parts.log.sealer.seal()
    write(still, 2, start=6)
    still.parts.log.sealer.seal()
    assert heads(still) == [(6, 13), (8, 15)]
    log = SqliteLog(still.parts.store)
    places = [log.placed(f"ref-{number}") for number in range(8)]
    assert [place.index for place in places if place] == list(range(8))
    assert log.placed("ref-9") is None


def test_two_that_believe_they_are_the_sealer_leave_one_tree(still: TestGateway) -> None:
    class Always:
        def take(self, _name: str, _now: datetime) -> bool:
            return True

    stores = [Store(still.settings.store_path) for _ in range(3)]
    sealers = [sealer(still, store, Always()) for store in stores]
    stop = threading.Event()

    def work(one: Sealer) -> None:
        while not stop.is_set():
            one.seal()

    threads = [threading.Thread(target=work, args=(one,)) for one in sealers]
    for thread in threads:
        thread.start()
    for batch in range(40):
        write(still, 25, start=batch * 25)
    deadline = time.monotonic() + 90
    while (heads(still) or [(0, 0)])[-1][0] < 1000 and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join(90)
    for store in stores:
        store.close()
    log = SqliteLog(still.parts.store)
    newest = log.head()
    assert newest is not None
    assert newest.size == 1000
    leaves = b"".join(number.to_bytes(32, "big") for number in range(1000))
    assert b"".join(log.tile(0, index) for index in range(4)) == leaves
    assert root(perfect_from(log.tile), 1000) == newest.root


def test_the_lease_goes_to_one_and_is_taken_over_when_it_ends(still: TestGateway) -> None:
    now = datetime(2026, 11, 20, 1, tzinfo=UTC)
    first, second = SqliteLease(still.parts.store), SqliteLease(still.parts.store)
    assert first.take("seal", now)
    assert not second.take("seal", now)
    assert second.take("other", now)
    later = now + timedelta(seconds=LEASE_SECONDS * 0.7)
    assert first.take("seal", later)
    assert not second.take("seal", now + timedelta(seconds=LEASE_SECONDS + 0.1))
    assert second.take("seal", later + timedelta(seconds=LEASE_SECONDS + 0.1))
    assert not first.take("seal", later + timedelta(seconds=LEASE_SECONDS + 0.2))


def test_a_sealer_that_breaks_is_said_and_tried_again_and_stops_no_answer(
    gateway: TestGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.log.SEAL_SECONDS", 0.02)

    def broken(*_: object) -> None:
        raise SourceUnavailable

    monkeypatch.setattr(SqliteLog, "append", broken)
    answer = gateway.ask(ADULT)
    assert answer.status_code == 200
    assert _eventually(lambda: gateway.call.get("/health/ready").json()["warnings"])
    ready = gateway.call.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["warnings"] == ["sealing of the log fails: SourceUnavailable"]
    assert gateway.ask(ADULT).status_code == 200
    headers = gateway.headers("human_resources/recruitment_checker")
    path = f"/v1/audit/receipts/{answer.json()['reference']}"
    assert gateway.call.get(path, headers=headers).status_code == 202
    monkeypatch.undo()
    assert _eventually(lambda: not gateway.call.get("/health/ready").json()["warnings"])
    assert gateway.call.get(path, headers=headers).status_code == 200


def _eventually(holds: object) -> bool:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_the_index_by_child_follows(gateway: TestGateway) -> None:
    gateway.upload_sample()
    child = resident_id(date(2015, 3, 5), 2)
    for _ in range(3):
        gateway.ask(child)
    gateway.parts.log.sealer.seal()
    connection = gateway.database()
    wanted = connection.execute(
        "SELECT subject_id, seq FROM audit_entry WHERE subject_id IS NOT NULL ORDER BY seq"
    ).fetchall()
    found = connection.execute("SELECT subject_id, seq FROM audit_subject ORDER BY seq").fetchall()
    connection.close()
    assert len(wanted) >= 3
    assert found == wanted


def test_several_workers_under_load_make_one_tree_and_a_killed_sealer_is_followed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = TestGateway(data)
    credentials = made.credentials("human_resources/recruitment_checker")
    made.call.close()
    made.parts.store.close()
    with process(data, "--workers", "3") as (server, url):
        assertion = client_assertion(credentials, f"{url}/oauth2/token", datetime.now(UTC))
        token = httpx.post(f"{url}/oauth2/token", data=token_form(assertion), trust_env=False).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        answered = asyncio.run(_ask(url, headers, 150))
        first = _sealed(data, len(answered))
        os.kill(_holder(data), signal.SIGKILL)  # the parent starts another worker in its place
        answered += asyncio.run(_ask(url, headers, 150))
        assert _sealed(data, len(answered)) > first
        references = [each["reference"] for each in answered]
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            for reference in references[:: len(references) // 10]:
                assert client.get(f"/v1/audit/receipts/{reference}").status_code == 200
        server.terminate()
        server.wait(90)
    whole(data)
    with sqlite3.connect(data / "huxue.db") as connection:
        kept = {json.loads(row[0])["reference"] for row in connection.execute("SELECT body FROM audit_entry")}
    connection.close()
    assert set(references) <= kept


async def _ask(url: str, headers: dict[str, str], count: int) -> list[dict[str, str]]:
    """Answers got; a worker killed in between may leave a request without one."""
    body = {"purpose": "child_labour_check", "subject": {"resident_id": ADULT}}
    limits = httpx.Limits(max_connections=12)
    async with httpx.AsyncClient(headers=headers, trust_env=False, limits=limits, timeout=30) as client:

        async def one() -> dict[str, str] | None:
            try:
                answer = await client.post(f"{url}/v1/exchanges/applicant-check/ask", json=body)
            except httpx.TransportError:
                return None
            return answer.json() if answer.status_code == 200 else None

        answers = await asyncio.gather(*(one() for _ in range(count)))
    found = [answer for answer in answers if answer]
    assert len(found) > count / 2
    return found


def _sealed(data: Path, least: int) -> int:
    """The size of the tree once it has at least so many leaves."""
    size = 0

    def enough() -> bool:
        nonlocal size
        connection = sqlite3.connect(data / "huxue.db")
        size = connection.execute("SELECT COALESCE(max(size), 0) FROM audit_head").fetchone()[0]
        connection.close()
        return size >= least

    assert _eventually(enough)
    return size


def _holder(data: Path) -> int:
    connection = sqlite3.connect(data / "huxue.db")
    (holder,) = connection.execute("SELECT holder FROM log_lease WHERE name = 'seal'").fetchone()
    connection.close()
    return int(holder.partition("-")[0])
