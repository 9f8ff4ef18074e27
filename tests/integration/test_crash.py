"""A process killed, a disk full, a store read-only: all of a receipt or none of it, and it works again after."""

import contextlib
import json
import resource
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from tests.harness import TestGateway, process
from tests.people import csv_file, student

UPLOAD = "/v1/exchanges/student-register/uploads"
PURPOSE = {"purpose": "student_registration"}


def children(start: date, count: int) -> bytes:
    """A register of `count` children, one row in a hundred of them bad."""
    rows = [
        student(at % 1000, start + timedelta(days=at // 1000), **({"年级": "高一"} if at % 100 == 50 else {}))
        for at in range(count)
    ]
    return csv_file(rows)


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    """A registrar, known to a store that nobody serves yet."""
    made = TestGateway(tmp_path / "data")
    found = made.credentials("education/registrar")
    made.call.close()
    made.parts.store.close()
    return found


@pytest.fixture
def data(tmp_path: Path, credentials: Credentials) -> Path:
    """The folder of that store."""
    return tmp_path / "data"


@contextmanager
def registrar(credentials: Credentials, url: str) -> Iterator[httpx.Client]:
    """An http client with a token of the registrar."""
    assertion = client_assertion(credentials, f"{url}/oauth2/token", datetime.now(UTC))
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        token = client.post("/oauth2/token", data=token_form(assertion)).json()["access_token"]
        client.headers.update({"Authorization": f"Bearer {token}", "Content-Type": "text/csv"})
        yield client


class Facts:
    """What a store holds, read by itself."""

    def __init__(self, data: Path) -> None:
        connection = sqlite3.connect(data / "huxue.db")
        self.integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
        self.receipts = {
            row[0]: json.loads(row[1]) for row in connection.execute("SELECT id, receipt FROM upload")
        }
        self.rows = dict(
            connection.execute(
                "SELECT upload_id, count(*) FROM student_register GROUP BY upload_id"
            ).fetchall()
        )
        self.subjects = connection.execute("SELECT count(*) FROM subject").fetchone()[0]
        self.identifiers = connection.execute("SELECT count(*) FROM identifier").fetchone()[0]
        self.cards = {row[0] for row in connection.execute("SELECT id FROM stored_file")}
        entries = [json.loads(row[0]) for row in connection.execute("SELECT body FROM audit_entry")]
        self.audited = {
            entry["detail"]: entry["count"]
            for entry in entries
            if (entry["action"], entry["decision"]) == ("upload", "permit")
        }
        connection.close()
        self.files = {path.name for path in (data / "files").iterdir()}

    def check(self) -> None:
        """Receipts, rows, evidence, cards and files tell one story."""
        accepted = {name: receipt["accepted"] for name, receipt in self.receipts.items()}
        assert self.integrity == "ok"
        assert self.audited == accepted
        assert self.rows == {name: count for name, count in accepted.items() if count}
        assert (self.subjects, self.identifiers) == (sum(accepted.values()), sum(accepted.values()))
        named = {receipt["errors_file"] for receipt in self.receipts.values()} - {None}
        assert {f"/v1/files/{card}" for card in self.cards} == named
        assert self.cards <= self.files


def _log_size(data: Path) -> int:
    path = data / "huxue.db-wal"
    return path.stat().st_size if path.exists() else 0


def _stored_file(data: Path) -> Callable[[], bool]:
    """True once the errors file is being written: inside the transaction, before its commit."""
    before = set((data / "files").iterdir())
    return lambda: set((data / "files").iterdir()) != before


def _log_grows(data: Path) -> Callable[[], bool]:
    """True once the commit is being written."""
    before = _log_size(data)
    return lambda: _log_size(data) > before + (1 << 20)


def _after(seconds: float) -> Callable[[Path], Callable[[], bool]]:
    def moment(_data: Path) -> Callable[[], bool]:
        end = time.monotonic() + seconds
        return lambda: time.monotonic() > end

    return moment


MOMENTS = [_after(0.5), _stored_file, _log_grows]


def test_a_killed_gateway_has_all_of_a_receipt_or_none_of_it(data: Path, credentials: Credentials) -> None:
    body, before = b"", Facts(data)
    for number, moment in enumerate(MOMENTS):
        body = children(date(2012 + number, 1, 1), 20_000)
        with process(data) as (server, url), registrar(credentials, url) as client:
            now = moment(data)
            sending = threading.Thread(target=_send, args=(client, body))
            sending.start()
            while sending.is_alive() and not now():
                time.sleep(0.001)
            server.kill()
            server.wait(10)
            sending.join(30)
        after = Facts(data)
        after.check()
        new = after.receipts.keys() - before.receipts.keys()
        assert [after.receipts[name]["accepted"] for name in new] in ([], [19_800])
        before = after
    # The last file again: whatever was lost is there now, and nothing twice.
    with process(data) as (_, url), registrar(credentials, url) as client:
        receipt = client.post(UPLOAD, params=PURPOSE, content=body).json()
    assert receipt["accepted"] + receipt["unchanged"] == 19_800
    assert receipt["accepted"] in (0, 19_800)
    Facts(data).check()


def _send(client: httpx.Client, body: bytes) -> None:
    with contextlib.suppress(httpx.TransportError):  # killed, as it should be
        client.post(UPLOAD, params=PURPOSE, content=body)


def _limit(server: "subprocess.Popen[bytes]", size: int) -> None:
    """No file of the server's may grow beyond this: to the process, a full disk. Root is limited as well."""
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("free", [0, 100_000], ids=["nothing", "a little"])
def test_a_full_disk_refuses_uploads_and_writes_nothing_by_half(
    data: Path, credentials: Credentials, free: int
) -> None:
    body = children(date(2014, 1, 1), 2_000)
    with process(data) as (server, url), registrar(credentials, url) as client:
        before = Facts(data)
        _limit(server, _log_size(data) + free)
        answer = client.post(UPLOAD, params=PURPOSE, content=body)
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (503, "source-unavailable")
        assert answer.headers["retry-after"].isdigit()
        after = Facts(data)
        after.check()
        assert (after.receipts, after.rows, after.files) == (before.receipts, before.rows, before.files)
        if not free:
            time.sleep(1.1)  # the answer is kept for a second
            ready = client.get("/health/ready")
            assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
        assert client.get("/health/live").status_code == 200
        _limit(server, resource.RLIM_INFINITY)
        time.sleep(1.1)
        assert client.get("/health/ready").status_code == 200
        receipt = client.post(UPLOAD, params=PURPOSE, content=body).json()
        assert (receipt["accepted"], receipt["rejected"]) == (1_980, 20)
    Facts(data).check()


def test_a_disk_too_full_for_the_errors_file_refuses_the_upload(gateway: TestGateway) -> None:
    """The store could still be written; the receipt would name a file that is not there."""
    gateway.headers("education/registrar")
    files = gateway.data / "files"
    files.rename(gateway.data / "elsewhere")
    files.write_bytes(b"")  # not a folder any more: every write fails, also root's
    answer = gateway.upload("student-register", children(date(2014, 1, 1), 100))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (503, "source-unavailable")
    files.unlink()
    (gateway.data / "elsewhere").rename(files)
    facts = Facts(gateway.data)
    assert (facts.receipts, facts.subjects, facts.files) == ({}, 0, set())
    assert gateway.upload("student-register", children(date(2014, 1, 1), 100)).json()["accepted"] == 99
    Facts(gateway.data).check()


def test_a_read_only_store_refuses_uploads_and_says_so(gateway: TestGateway) -> None:
    gateway.headers("education/registrar")
    body = children(date(2014, 1, 1), 200)
    assert gateway.upload("student-register", body[: body.index(b"\r\n", 20_000) + 2]).status_code == 200
    before = Facts(gateway.data)
    gateway.parts.store.writer.execute("PRAGMA query_only=ON")
    answer = gateway.upload("student-register", body)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (503, "source-unavailable")
    time.sleep(1.1)  # the answer of /health/ready is kept for a second
    ready: dict[str, Any] = gateway.call.get("/health/ready").json()
    assert (ready["status"], ready["missing"]) == ("not_ready", ["store"])
    after = Facts(gateway.data)
    assert vars(after) == vars(before)
    gateway.parts.store.writer.execute("PRAGMA query_only=OFF")
    time.sleep(1.1)
    assert gateway.call.get("/health/ready").json()["status"] == "ready"
    receipt = gateway.upload("student-register", body).json()
    assert receipt["accepted"] + receipt["unchanged"] == 198
