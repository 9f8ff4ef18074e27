"""One masking function: under one grant every channel tells the same, and what is withheld is in none of them.

Each treatment in turn is written into a copy of the policies; pages, files of every form, the lead list, the
acknowledgement and the stream must change together, and logs, errors and evidence hold nothing of what went.
"""

import csv
import io
import json
import logging
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import polars as pl
import pytest
import yaml

from connectors.transports.sse import EventParser
from gateway.domain.decision import Treatment
from gateway.http.logging import configure
from gateway.settings import POLICIES
from schemas.catalogue import EXCHANGES
from tests.harness import COUNTY, SAMPLE, TestGateway, running

RELIEF, LEAD, CHECKER = (
    "civil_affairs/relief_officer",
    "education/dropout_lead",
    "human_resources/recruitment_checker",
)
FORMS = ("ndjson", "csv", "parquet", "xlsx")
SECRETS = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["never_in_any_output"]
CHANGED = {"needy-children": "relief-list-", "leads": "leads-lead-", "applicant-check": "hr-check-"}
QUASI = ("age_band", "sex", "township")
CHILD = next(
    json.loads(line)
    for line in (SAMPLE / "applicants.jsonl").read_text(encoding="utf-8").splitlines()
    if json.loads(line)["expect"]["under_16"]
)


def policies(folder: Path, treatment: Treatment) -> Path:
    """Our policies, where every field of the three exchanges is released under that treatment."""
    shutil.copytree(POLICIES, folder)
    word, left = treatment.name.lower(), set[str]()
    for path in folder.glob("*.cedar"):
        text = path.read_text(encoding="utf-8")
        for prefix in CHANGED.values():
            if treatment is Treatment.WITHHOLD:  # nothing permits it: that is how a field is withheld
                text = re.sub(rf'@id\("{prefix}[a-z]+"\) @treatment.*?;\n', "", text, flags=re.DOTALL)
            text = re.sub(rf'(@id\("{prefix}[a-z]+"\) @treatment\(")[a-z]+', rf"\g<1>{word}", text)
        left |= set(re.findall(r'@id\("([^"]+)"\)', text))
        path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.cases.yaml"):
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in cases:
            role, did = case["as"].partition("@")[0], str(case["do"]).partition(" ")[2]
            if "fields" in case and (role, did) in (
                (RELIEF, "needy-children"),
                (LEAD, "leads"),
                (CHECKER, "applicant-check"),
            ):
                fields = {field.name: field for field in EXCHANGES[did].fields}
                case["because"] = [name for name in case["because"] if name in left]
                case["fields"] = {
                    name: max(treatment, _floor(fields[name].classification)).name.lower()
                    for name in case["fields"]
                    if treatment is not Treatment.WITHHOLD
                }
        path.write_text(yaml.safe_dump(cases, allow_unicode=True), encoding="utf-8")
    return folder


def _floor(classification: str) -> Treatment:
    return Treatment.PSEUDONYM if classification == "identifier" else Treatment.KEEP


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a gateway that has taken in the sample county, and been asked about a child."""
    data = tmp_path_factory.mktemp("taken") / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        gateway.ask(CHILD["resident_id"])
    return data


@pytest.fixture(scope="module", params=list(Treatment), ids=lambda each: each.name.lower())
def treated(
    request: pytest.FixtureRequest, taken_in: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Treatment, TestGateway]]:
    folder = tmp_path_factory.mktemp(request.param.name.lower())
    shutil.copytree(taken_in, folder / "data")
    changed = policies(folder / "policies", request.param)
    with running(folder / "data", policies=changed) as gateway:
        yield request.param, gateway


@pytest.fixture(scope="module")
def kept(taken_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(taken_in, folder / "data")
    with running(folder / "data") as gateway:
        yield gateway


def pages(gateway: TestGateway, path: str, role: str, **query: Any) -> list[dict[str, Any]]:
    """Every item, through pages small enough to need cursors."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = gateway.call.get(path, params={**query, **more}, headers=gateway.headers(role))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def needy(gateway: TestGateway) -> list[dict[str, Any]]:
    query = {"purpose": "child_relief", "region": COUNTY, "limit": 40}
    return pages(gateway, "/v1/exchanges/needy-children/records", RELIEF, **query)


def leads(gateway: TestGateway) -> list[dict[str, Any]]:
    return pages(gateway, "/v1/leads", LEAD, limit=10)


def file(gateway: TestGateway, form: str) -> bytes:
    headers = gateway.headers(RELIEF)
    body = {"purpose": "child_relief", "region": COUNTY, "format": form}
    started = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)
    while (done := gateway.call.get(started.headers["content-location"], headers=headers)).status_code == 202:
        pass
    assert done.status_code == 200, done.text
    return gateway.call.get(done.json()["files"][0]["url"], headers=headers).content


def flat(value: Any) -> str:
    """A value as csv and xlsx write it."""
    if isinstance(value, list):
        return "|".join(value)
    return {None: "", True: "true", False: "false"}.get(value, value) if not isinstance(value, str) else value


def rows_of(form: str, body: bytes) -> tuple[list[str] | None, list[dict[str, Any]]]:
    """(columns where the form has any, rows)."""
    if form == "ndjson":
        return None, [json.loads(line) for line in body.decode().splitlines()]
    if form == "parquet":
        frame = pl.read_parquet(io.BytesIO(body))
        return frame.columns, frame.to_dicts()
    if form == "csv":
        head, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
        lines = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
        head, rows = (lines[0], lines[1:]) if lines else ([], [])
    return head, [dict(zip(head, row, strict=True)) for row in rows]


def counted(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.parametrize("form", FORMS)
def test_files_tell_what_pages_tell(treated: tuple[Treatment, TestGateway], form: str) -> None:
    treatment, gateway = treated
    page = needy(gateway)
    columns, rows = rows_of(form, file(gateway, form))
    if treatment is Treatment.WITHHOLD:
        assert page == [{}] * len(page)
        assert not any(any(row.values()) for row in rows)
        return
    wanted = [{k: flat(v) for k, v in row.items()} for row in page] if form in ("csv", "xlsx") else page
    assert rows == wanted, "the same rows in the same order"
    assert columns in (None, list(page[0]))


def expected(treatment: Treatment, exchange: str, record: dict[str, Any]) -> dict[str, Any]:
    """What a treatment leaves of a record, from the words of the policy text alone."""
    found: dict[str, Any] = {}
    for field in EXCHANGES[exchange].fields:
        value = record[field.name]
        match max(treatment, _floor(field.classification)):
            case Treatment.KEEP | Treatment.GENERALISE | Treatment.BAND:
                found[field.name] = value
            case Treatment.PRESENCE:
                found[field.name] = value not in (None, "", [])
            case Treatment.PSEUDONYM:
                found[field.name] = value if field.name == "pseudonym" else None
            case Treatment.SUPPRESS:
                found[field.name] = None
    return found


def test_the_list_changes_with_the_policy(treated: tuple[Treatment, TestGateway], kept: TestGateway) -> None:
    treatment, gateway = treated

    def but_quasi(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in row.items() if name not in QUASI} for row in rows]

    wanted = [expected(treatment, "needy-children", row) for row in needy(kept)]
    assert counted(but_quasi(needy(gateway))) == counted(but_quasi(wanted))
    for name in QUASI:
        if treatment in (Treatment.SUPPRESS, Treatment.PSEUDONYM):
            assert {row[name] for row in needy(gateway)} == {None}
        elif treatment is Treatment.PRESENCE:
            assert {row[name] for row in needy(gateway)} == {True}


def streamed(gateway: TestGateway) -> list[dict[str, Any]]:
    """Every event since the beginning, without what is the stream's own."""
    with gateway.database() as connection:
        wanted = connection.execute("SELECT count(*) FROM lead_event").fetchone()[0]
    connection.close()
    headers, parser, found = {**gateway.headers(LEAD), "Last-Event-ID": "0"}, EventParser(), []
    with (
        httpx.Client(base_url=gateway.url, timeout=30, trust_env=False) as client,
        client.stream("GET", "/v1/leads/stream", headers=headers) as answer,
    ):
        for chunk in answer.iter_bytes():
            found += [json.loads(event.data) for event in parser.feed(chunk)]
            if len(found) >= wanted:
                break
    assert len(found) == wanted
    return found


def test_leads_tell_the_same_in_the_list_the_stream_and_the_acknowledgement(
    treated: tuple[Treatment, TestGateway], kept: TestGateway
) -> None:
    treatment, gateway = treated
    originals = {lead["id"]: lead for lead in leads(kept)}
    chosen = originals[min(originals)]
    answer = gateway.call.post(f"/v1/leads/{chosen['id']}/acknowledge", headers=gateway.headers(LEAD))
    assert answer.status_code == 200, answer.text
    originals[chosen["id"]] = {**chosen, "status": "acknowledged"}
    assert answer.json() == expected(treatment, "leads", originals[chosen["id"]])
    listed = leads(gateway)
    assert counted(listed) == counted([expected(treatment, "leads", lead) for lead in originals.values()])
    events = streamed(gateway)
    changes = {event.pop("change") for event in events}
    assert set(counted(events)) == set(counted(listed))
    status_told = treatment in (Treatment.KEEP, Treatment.GENERALISE, Treatment.BAND)
    assert changes == ({"opened", "acknowledged"} if status_told else {"changed"})


def test_an_answer_changes_with_the_policy(treated: tuple[Treatment, TestGateway], kept: TestGateway) -> None:
    treatment, gateway = treated
    told, before = gateway.ask(CHILD["resident_id"]).json(), kept.ask(CHILD["resident_id"]).json()
    assert told["answer"] == expected(treatment, "applicant-check", before["answer"])
    if treatment in (Treatment.PRESENCE, Treatment.PSEUDONYM, Treatment.SUPPRESS, Treatment.WITHHOLD):
        # Of when the register is says that the child is in one: with the field, that goes too.
        assert (told["missing_sources"], told["as_of"][:4]) == ([], "2026")
        assert not told["as_of"].endswith("T00:00:00Z")


def test_no_cursor_and_no_evidence_tells_what_is_withheld(treated: tuple[Treatment, TestGateway]) -> None:
    treatment, gateway = treated
    if treatment in (Treatment.KEEP, Treatment.GENERALISE, Treatment.BAND, Treatment.PSEUDONYM):
        assert {lead["id"][:5] for lead in leads(gateway) if lead["id"]} <= {"lead-"}
        return
    query = {"purpose": "child_relief", "region": COUNTY, "limit": 3}
    path, headers = "/v1/exchanges/needy-children/records", gateway.headers(RELIEF)
    answer = gateway.call.get(path, params=query, headers=headers)
    more = gateway.call.get("/v1/leads", params={"limit": 3}, headers=gateway.headers(LEAD))
    found = r"lead-|case-|530423\d{3}|economic|left_behind|female|open\b"
    if treatment is not Treatment.PRESENCE:  # a pseudonym's own floor is stricter than presence
        found += "|ca1-"
        keys = gateway.parts.keys.pseudonyms("civil_affairs", [bytes(16)])  # type: ignore[list-item]
        guessed = gateway.call.get(path, params={**query, "cursor": keys[0]}, headers=headers)
        assert guessed.status_code == 400, "a guessed pseudonym must not probe the list"
    for text in (answer.text, more.text):
        assert re.search(found, text) is None
    entries = [entry for entry in gateway.audit() if entry["decision"] == "permit"][-2:]
    words = {word for entry in entries for word in entry["fields"].values()}
    assert words <= {treatment.name.lower(), "pseudonym"}


@pytest.mark.parametrize(
    "asked", [{"rule": "registered-dropout"}, {"status": "open"}, {"region": "530423100"}], ids=str
)
def test_a_filter_tells_nothing_of_a_withheld_field(
    treated: tuple[Treatment, TestGateway], asked: dict[str, str]
) -> None:
    treatment, gateway = treated
    answer = gateway.call.get("/v1/leads", params=asked, headers=gateway.headers(LEAD))
    told = treatment in (Treatment.KEEP, Treatment.GENERALISE, Treatment.BAND)
    assert answer.status_code == (200 if told else 403)


class Failure(Exception):
    """Quotes everything it was near, as libraries do."""


@pytest.fixture
def loud() -> Iterator[io.StringIO]:
    """Everything logged at DEBUG, by whatever logger."""
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    stream = io.StringIO()
    configure("DEBUG", stream)
    try:
        yield stream
    finally:
        root.handlers, logging.raiseExceptions = handlers, raising
        root.setLevel(level)


def fail_with(secret: str) -> Any:
    def fail(*arguments: Any, **more: Any) -> Any:
        logging.getLogger("some.library").debug("failing on %s %s %s", secret, arguments, more)
        raise Failure(f"could not handle {secret}: {arguments!r}")

    return fail


@pytest.mark.parametrize(
    ("part", "method", "call"),
    [
        ("context.lists._lists.needy-children", "compute", "list"),
        ("context.lists._evidence", "entry", "list"),
        ("context.export._writer", "write", "export"),
        ("context.ask", "_finding", "ask"),
        ("context.alerts._leads", "find", "leads"),
        ("keys", "lookup", "ask"),
    ],
)
def test_what_breaks_in_the_middle_tells_nobody(
    kept: TestGateway,
    loud: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    method: str,
    call: str,
) -> None:
    child, broken = CHILD["resident_id"], kept.parts
    kept.parts.context.lists._kept.clear()
    # After an error the server hangs up: no connection of the test before is used again.
    kept.call.close()
    kept.call = httpx.Client(base_url=kept.url, timeout=60, trust_env=False)
    for name in part.split("."):
        broken = broken[name] if isinstance(broken, dict) else getattr(broken, name)
    headers = {role: kept.headers(role) for role in (RELIEF, LEAD, CHECKER)}
    monkeypatch.setattr(type(broken), method, fail_with(f"{child} 周梓佳 ca1-{'a' * 32} economic_hardship"))
    query = {"purpose": "child_relief", "region": COUNTY}
    match call:
        case "list":
            url = "/v1/exchanges/needy-children/records"
            answer = kept.call.get(url, params=query, headers=headers[RELIEF])
        case "leads":
            answer = kept.call.get("/v1/leads", headers=headers[LEAD])
        case "ask":
            answer = kept.ask(child)
        case _:
            url = "/v1/exchanges/needy-children/export"
            started = kept.call.post(url, json={**query, "format": "csv"}, headers=headers[RELIEF])
            location = started.headers["content-location"]
            while (answer := kept.call.get(location, headers=headers[RELIEF])).status_code == 202:
                pass
    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "title", "status", "detail", "correlation_id"}
    told = answer.text + str(answer.headers) + loud.getvalue()
    assert "Failure" in loud.getvalue() or call == "export", "the log says what kind of thing broke"
    for secret in (child, "周", "\\u5468", "economic", "ca1-", *SECRETS):
        assert secret not in told, part
