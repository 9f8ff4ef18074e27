"""Nobody can be found: not in the store, not in the files, not in a log, not in an answer."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from joserfc.jwk import ECKey

from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.clients import SqliteClients
from gateway.adapters.db.engine import Store
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.keys import create_keyring, load_keyring
from gateway.domain.model import ClientRecord
from gateway.services.operation import operator_entry
from tests.harness import COUNTY, PURPOSES, SAMPLE, XLSX, process

FILES = {
    "student-register": ("student-register.xlsx", XLSX),
    "attendance": ("attendance.csv", "text/csv"),
    "relief-register": ("relief-register.csv", "text/csv"),
    "disability-assessment": ("disability-assessment.csv", "text/csv"),
}
ROLES = sorted(
    {role for role, _ in PURPOSES.values()}
    | {
        "civil_affairs/relief_officer",
        "education/dropout_lead",
        "human_resources/recruitment_checker",
        "market_regulation/licence_registrar",
    }
)
EXPECTED = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
ID = re.compile(r"[0-9]{17}[0-9Xx]")


def cells() -> Iterator[str]:
    """Every cell of the sample county's files."""
    book = openpyxl.load_workbook(SAMPLE / "student-register.xlsx", read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            yield from (str(value).strip() for value in row if value is not None)
    book.close()
    for path in SAMPLE.glob("*.csv"):
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030")
        for line in csv.reader(io.StringIO(text)):
            yield from (cell.strip() for cell in line)


def names() -> set[str]:
    """The children's names: what stands under 姓名."""
    book = openpyxl.load_workbook(SAMPLE / "student-register.xlsx", read_only=True)
    found: set[str] = set()
    for sheet in book.worksheets:
        place = None
        for row in sheet.iter_rows(values_only=True):
            if place is None:
                place = next((index for index, value in enumerate(row) if str(value).strip() == "姓名"), None)
            elif row[place]:
                found.add(str(row[place]).strip())
    book.close()
    found |= {text for text in EXPECTED["never_in_any_output"] if not text[0].isdigit()}
    return {re.sub(r"\s", "", name) for name in found if len(name) >= 2}


@cache
def secrets() -> frozenset[bytes]:
    """Every id number, student number and name, as UTF-8 and as JSON escapes it."""
    numbers = {found for cell in cells() for found in ID.findall(cell)}
    numbers |= {cell for cell in cells() if re.fullmatch(r"[GLJ][0-9A-Z]{10,20}", cell)}
    numbers |= {
        json.loads(line)["resident_id"] for line in (SAMPLE / "applicants.jsonl").read_text().splitlines()
    }
    numbers |= {text for text in EXPECTED["never_in_any_output"] if text[0].isdigit()}
    texts = {spelling for number in numbers for spelling in (number, number.lower())} | names()
    escaped = {json.dumps(text).strip('"') for text in texts}
    return frozenset(text.encode() for text in texts | escaped)


def leaks(raw: bytes) -> list[str]:
    return [secret.decode() for secret in secrets() if secret in raw]


@dataclass
class Told:
    """What a day's work left behind: answers, log, data folder."""

    answers: list[tuple[str, bytes]]
    log: bytes
    data: Path
    pseudonyms: dict[str, set[str]]


class Callers:
    """Clients of every role, registered in the store before the server starts, and what they were answered."""

    def __init__(self, data: Path) -> None:
        data.mkdir(mode=0o700)
        create_keyring(data / "keyring.json")
        upgrade(f"sqlite:///{data / 'huxue.db'}")
        store = Store(data / "huxue.db")
        self.credentials = {role: self._register(SqliteClients(store), role) for role in ROLES}
        store.close()
        self.answers: list[tuple[str, bytes]] = []
        self.headers: dict[str, dict[str, str]] = {}

    def _register(self, clients: SqliteClients, role: str) -> Credentials:
        agency, name = role.split("/")
        key = ECKey.generate_key("P-256", auto_kid=True)
        public = {part: str(value) for part, value in key.as_dict(private=False).items()}
        record = ClientRecord(f"c-{agency}-{name}", agency, name, COUNTY, None, public, datetime.now(UTC))
        clients.add(record, operator_entry(SystemClock(), "test", "client-added", COUNTY))
        document = {"client_id": f"c-{agency}-{name}", "agency": agency, "role": name, "region": COUNTY}
        return Credentials.of({**document, "alg": "ES256", "key": key.as_dict(private=True)})

    def enter(self, client: httpx.Client) -> None:
        for role, credentials in self.credentials.items():
            audience = f"{str(client.base_url).rstrip('/')}/oauth2/token"
            assertion = client_assertion(credentials, audience, datetime.now(UTC))
            answer = client.post("/oauth2/token", data=token_form(assertion))
            assert answer.status_code == 200, answer.text
            self.headers[role] = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def keep(self, answer: httpx.Response) -> httpx.Response:
        call = f"{answer.request.method} {answer.url.path}"
        self.answers.append((call, answer.content + str(answer.headers).encode()))
        return answer


def hand_in(client: httpx.Client, callers: Callers) -> None:
    """The four files, and everything that can be wrong with one; the errors files are told apart below."""
    for dataset, (name, media_type) in FILES.items():
        role, purpose = PURPOSES[dataset]
        answer = client.post(
            f"/v1/exchanges/{dataset}/uploads",
            params={"purpose": purpose},
            content=(SAMPLE / name).read_bytes(),
            headers={**callers.headers[role], "Content-Type": media_type},
        )
        assert callers.keep(answer).status_code == 200, answer.text
        for media in ("application/json", "image/png"):
            wrong = {**callers.headers[role], "Content-Type": media}
            callers.keep(
                client.post(
                    f"/v1/exchanges/{dataset}/uploads",
                    params={"purpose": purpose},
                    content=(SAMPLE / name).read_bytes(),
                    headers=wrong,
                )
            )


def ask(client: httpx.Client, callers: Callers) -> None:
    people = [
        json.loads(line)["resident_id"] for line in (SAMPLE / "applicants.jsonl").read_text().splitlines()
    ]
    people += [text for text in EXPECTED["never_in_any_output"] if text[0].isdigit()]
    questions = [
        ("applicant-check", "human_resources/recruitment_checker", "child_labour_check"),
        ("licence-check", "market_regulation/licence_registrar", "licence_check"),
    ]

    def one(person: str) -> None:
        for exchange, role, purpose in questions:
            body = {"purpose": purpose, "subject": {"resident_id": person}}
            callers.keep(
                client.post(f"/v1/exchanges/{exchange}/ask", json=body, headers=callers.headers[role])
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, people))
    hr = callers.headers["human_resources/recruitment_checker"]
    for person in people[:10]:
        for body in (
            {"purpose": person, "subject": {"resident_id": person}},
            {"purpose": "x", "subject": person},
        ):
            callers.keep(client.post(f"/v1/exchanges/{person}/ask", json=body, headers=hr))
        wrong = {
            "purpose": "child_labour_check",
            "subject": {"resident_id": person[:-1]},
            "employer_uscc": person,
        }
        callers.keep(client.post("/v1/exchanges/applicant-check/ask", json=wrong, headers=hr))
        callers.keep(client.get(f"/v1/leads?cursor={person}&status={person}", headers=hr))


def look(client: httpx.Client, callers: Callers) -> dict[str, set[str]]:
    """Every list there is; the pseudonyms each agency got."""
    relief, lead = callers.headers["civil_affairs/relief_officer"], callers.headers["education/dropout_lead"]
    query: dict[str, Any] = {"purpose": "child_relief", "region": COUNTY, "limit": 5000}
    page = callers.keep(client.get("/v1/exchanges/needy-children/records", params=query, headers=relief))
    for form in ("ndjson", "csv"):
        body = {"purpose": "child_relief", "region": COUNTY, "format": form}
        job = callers.keep(client.post("/v1/exchanges/needy-children/export", json=body, headers=relief))
        while (done := client.get(job.headers["location"], headers=relief)).status_code == 202:
            continue
        callers.keep(done)
        callers.keep(client.get(done.json()["files"][0]["url"], headers=relief))
    leads = callers.keep(client.get("/v1/leads?limit=1000", headers=lead))
    for each in leads.json()["items"][:5]:
        callers.keep(client.post(f"/v1/leads/{each['id']}/acknowledge", headers=lead))
    for path in ("/v1/catalogue", "/openapi.json", "/version", "/health/ready"):
        callers.keep(client.get(path, headers=lead))
    return {
        "civil_affairs": {item["pseudonym"] for item in page.json()["items"]},
        "education": {text for each in leads.json()["items"] for text in (each["id"], each["case"])},
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("vault")
    data = folder / "data"
    callers = Callers(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUXUE_LOG_LEVEL", "DEBUG")
        with (
            process(data) as (server, url),
            httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
        ):
            callers.enter(client)
            hand_in(client, callers)
            ask(client, callers)
            pseudonyms = look(client, callers)
            server.terminate()
            server.wait(60)
    (log,) = folder.glob("serve-*.log")
    return Told(callers.answers, log.read_bytes(), data, pseudonyms)


def test_there_is_something_to_look_for() -> None:
    assert len(secrets()) > 1500
    assert leaks("…530423201402163242…".encode()) == ["530423201402163242"]
    assert set(EXPECTED["never_in_any_output"]) <= {secret.decode() for secret in secrets()}


def columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in connection.execute(f"PRAGMA table_info({table})").fetchall():
            yield table, row[1]


def test_no_column_of_the_store_holds_anybody(told: Told) -> None:
    connection = sqlite3.connect(told.data / "huxue.db")
    seen = 0
    for table, column in columns(connection):
        values = connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
        raw = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for (value,) in values)
        assert leaks(raw) == [], f"{table}.{column}"
        seen += len(values)
    connection.close()
    assert seen > 10_000


def test_no_file_in_the_data_folder_holds_anybody(told: Told) -> None:
    """The raw pages too: what was deleted or is in the log of the store."""
    paths = [path for path in told.data.rglob("*") if path.is_file()]
    assert any(path.parent.name == "files" for path in paths)
    for path in paths:
        assert leaks(path.read_bytes()) == [], path.name


def test_the_log_holds_nobody_at_its_most_talkative(told: Told) -> None:
    assert b'"level": "debug"' in told.log or b'"level": "info"' in told.log
    assert leaks(told.log) == []
    assert b"Traceback" not in told.log
    assert [json.loads(line) for line in told.log.splitlines()]


def test_no_answer_holds_anybody(told: Told) -> None:
    """Receipts included; the errors file is the one thing that hands an agency its own rows back."""
    assert len(told.answers) > 150
    for call, raw in told.answers:
        assert leaks(raw) == [], call


def test_what_two_agencies_get_has_no_value_in_common(told: Told) -> None:
    got = told.pseudonyms
    assert len(got["civil_affairs"]) == EXPECTED["needy"]["total"]
    assert got["education"]
    bodies = {agency: {text.partition("-")[2] for text in texts} for agency, texts in got.items()}
    assert not bodies["civil_affairs"] & bodies["education"]


def test_no_pseudonym_and_no_subject_of_one_agency_is_kept_where_another_reads(told: Told) -> None:
    connection = sqlite3.connect(told.data / "huxue.db")
    subjects = [row[0] for row in connection.execute("SELECT id FROM subject")]
    connection.close()
    ring = load_keyring(told.data / "keyring.json", demo=True)
    lists = {
        agency: set(ring.pseudonyms(agency, subjects)) for agency in ("civil_affairs", "education", "health")
    }
    assert got_only(told, lists["civil_affairs"])
    bodies = [{text.partition("-")[2] for text in texts} for texts in lists.values()]
    assert not bodies[0] & bodies[1]
    assert not bodies[1] & bodies[2]
    answers = b"".join(raw for _, raw in told.answers)
    assert not [subject for subject in subjects if subject.hex().encode() in answers]


def got_only(told: Told, known: set[str]) -> bool:
    return told.pseudonyms["civil_affairs"] <= known


def test_an_identity_opens_inside_with_its_own_keys_only(told: Told) -> None:
    """What the sealed columns hold is the child; the vault is not empty, it is shut."""
    ring = load_keyring(told.data / "keyring.json", demo=True)
    connection = sqlite3.connect(told.data / "huxue.db")
    lookup = ring.lookup("resident_id", "530423201402163242")
    row = connection.execute(
        "SELECT s.id, s.data_key, s.sealed FROM subject s JOIN identifier i ON i.subject_id = s.id WHERE i.lookup = ?",
        (lookup,),
    ).fetchone()
    connection.close()
    assert json.loads(ring.open_identity(*row))["resident_id"] == "530423201402163242"
