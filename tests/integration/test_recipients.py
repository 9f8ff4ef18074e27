"""Whoever learnt of a child under a pseudonym or by name, whichever way, is told when to forget it; nobody else is."""

import json
from collections.abc import Callable
from contextlib import closing
from copy import copy
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.db.purging import SqlitePurging
from gateway.adapters.keys import load_keyring
from gateway.domain.retention import Span
from gateway.parts import Parts
from schemas.catalogue import EXCHANGES, Action
from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_purge import parts_of
from tests.integration.test_rotation import turn, until
from tests.people import csv_file, resident_id, student

BIRTH = date(2010, 12, 1)
GONE_ON = date(2030, 1, 10)  # eighteen on 2028-12-01, and a year
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09", "家庭经济困难": "是"}
TOWNSHIP, CITY = "530423101", "5304"
RELIEF, LEAD, RETURN = (
    "civil_affairs/relief_officer",
    "education/dropout_lead",
    "township/return_officer",
)
IDENTITY = "/v1/identity/resolutions"
Told = dict[tuple[str, str], set[str]]
"""(agency, region) → exchanges."""


def one(gateway: TestGateway, statement: str) -> Any:
    with closing(gateway.database()) as connection:
        return connection.execute(statement).fetchone()[0]


def records(gateway: TestGateway, region: str = COUNTY) -> None:
    query = {"purpose": "child_relief", "region": region}
    path = "/v1/exchanges/needy-children/records"
    page = gateway.call.get(path, params=query, headers=gateway.headers(RELIEF, region))
    assert len(page.json()["items"]) == 1


def exported(gateway: TestGateway) -> None:
    body, headers = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}, gateway.headers(RELIEF)
    job = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)
    until(lambda: gateway.call.get(job.headers["location"], headers=headers).status_code == 200)


def leads(gateway: TestGateway, region: str = COUNTY) -> None:
    answer = gateway.call.get("/v1/leads", headers=gateway.headers(LEAD, region))
    assert answer.json()["items"][0]["pseudonym"]


def acknowledged(gateway: TestGateway) -> None:
    path = f"/v1/leads/{one(gateway, 'SELECT id FROM lead')}/acknowledge"
    assert gateway.call.post(path, headers=gateway.headers(LEAD)).json()["pseudonym"]


def streamed(gateway: TestGateway) -> None:
    headers = {**gateway.headers(RETURN, TOWNSHIP), "Last-Event-ID": "0"}
    with gateway.call.stream("GET", "/v1/leads/stream", headers=headers) as answer:
        assert next(line for line in answer.iter_lines() if '"pseudonym"' in line)


def wish(gateway: TestGateway, region: str, **more: Any) -> dict[str, Any]:
    case = one(gateway, "SELECT ref FROM case_file")
    body = {"purpose": "dropout_control", "reason": "需上门家访核实辍学原因", "case": case, **more}
    answer = gateway.call.post(IDENTITY, json=body, headers=gateway.headers(RETURN, region))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def requested(gateway: TestGateway) -> None:
    assert wish(gateway, TOWNSHIP)["pseudonym"]


def emergency(gateway: TestGateway) -> None:
    assert wish(gateway, TOWNSHIP, emergency=True)["resident_id"]


def a_colleague_lists(gateway: TestGateway) -> None:
    wish(gateway, COUNTY)
    answer = gateway.call.get(IDENTITY, headers=gateway.headers(RETURN, TOWNSHIP))
    assert answer.json()["items"][0]["pseudonym"]


def mapped(gateway: TestGateway, role: str, first: Callable[[TestGateway], None]) -> None:
    """The prefecture's office, which has never read a list, fetches the mapping of what its county was told."""
    first(gateway)
    turn(gateway.data, "pseudonym")
    until(lambda: gateway.parts.keys.pseudonym_versions(role.split("/", maxsplit=1)[0])[0] == 2)
    answer = gateway.call.post(
        "/v1/pseudonyms/mapping", json={"from": 1}, headers=gateway.headers(role, CITY)
    )
    assert len(answer.json()["items"]) == 1, answer.text


def asked(gateway: TestGateway) -> None:
    """The lead's number is all that an ask tells, and leads to no child for whoever asked."""
    assert gateway.ask(resident_id(BIRTH, 2)).json()["answer"]["lead"]


def refused(gateway: TestGateway) -> None:
    """Nobody who was refused is told anything, now or later."""
    teacher = gateway.headers("school/class_teacher", TOWNSHIP, "2153001234")
    answer = gateway.call.get("/v1/leads", headers=teacher)
    assert "pseudonym" not in answer.text, "teachers know their pupils and get no pseudonym"
    query = {"purpose": "child_relief", "region": COUNTY}
    path = "/v1/exchanges/needy-children/records"
    assert gateway.call.get(path, params=query, headers=gateway.headers(LEAD)).status_code == 403


CHANNELS: dict[str, tuple[Callable[[TestGateway], None], Told]] = {
    "records": (records, {("civil_affairs", COUNTY): {"needy-children"}}),
    "export": (exported, {("civil_affairs", COUNTY): {"needy-children"}}),
    "leads": (leads, {("education", COUNTY): {"leads"}}),
    "acknowledgement": (acknowledged, {("education", COUNTY): {"leads"}}),
    "stream": (streamed, {("township", TOWNSHIP): {"leads"}}),
    "resolution": (requested, {("township", TOWNSHIP): {"identity"}}),
    "emergency": (emergency, {("township", TOWNSHIP): {"identity"}}),
    "list of resolutions": (
        a_colleague_lists,
        {("township", TOWNSHIP): {"identity"}, ("township", COUNTY): {"identity"}},
    ),
    "mapping of lists": (
        lambda gateway: mapped(gateway, RELIEF, records),
        {("civil_affairs", COUNTY): {"needy-children"}, ("civil_affairs", CITY): {"needy-children"}},
    ),
    "mapping of leads": (
        lambda gateway: mapped(gateway, LEAD, leads),
        {("education", COUNTY): {"leads"}, ("education", CITY): {"leads"}},
    ),
    "ask": (asked, {}),
    "refused": (refused, {}),
}


def pseudonyms(data: Path, agency: str, subject: bytes) -> set[str]:
    ring = load_keyring(data / "keyring.json", demo=True)
    return {ring.pseudonym(agency, subject, each) for each in ring.pseudonym_versions(agency)}  # type: ignore[arg-type]


class Overtaken(SqlitePurging):
    """Another process has its whole run after this one found what is due, before it does anything about it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.store, parts.keys, parts.clock)
        self._other = parts.purge

    def spans(self, today: date, age: int) -> list[Span]:
        return self._late(super().spans(today, age))

    def work_over(self, before: datetime) -> list[bytes]:
        return self._late(super().work_over(before))

    def orphans(self, made_before: date) -> list[bytes]:
        return self._late(super().orphans(made_before))

    def _late(self, found: list[Any]) -> list[Any]:
        if found:
            self._other.run()
        return found


def notices(data: Path, day: date, subject: bytes, prepare: str = "") -> Told:
    """After a purge on that day: who was told to forget what of that child, under all its names."""
    parts = parts_of(data, day)
    if prepare:
        with parts.store.writing() as connection:
            for statement in prepare.split(";"):
                connection.execute(statement)
    overtaken = copy(parts.purge)
    overtaken._store = Overtaken(parts)
    overtaken.run()
    rows = parts.store.reader.execute(
        "SELECT agency, region, exchanges, pseudonyms FROM deletion_notice"
    ).fetchall()
    parts.store.close()
    for agency, _, _, names in rows:
        assert set(json.loads(names)) == pseudonyms(data, agency, subject)
    assert len(rows) == len({row[:2] for row in rows}), "one notice each"
    return {(agency, region): set(json.loads(exchanges)) for agency, region, exchanges, _ in rows}


@pytest.mark.parametrize(("channel", "told"), CHANNELS.values(), ids=CHANNELS.keys())
def test_each_channel_leads_to_its_recipients(
    tmp_path: Path, channel: Callable[[TestGateway], None], told: Told
) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, BIRTH, **OUT)]))
        channel(gateway)
        subject = one(gateway, "SELECT id FROM subject")
    assert notices(data, GONE_ON, subject) == told


def test_a_child_of_whom_nothing_is_held_any_more_goes_with_notices(tmp_path: Path) -> None:
    """Its facts went one by one; the vault forgets it long before it is of age."""
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, BIRTH, **OUT)]))
        leads(gateway)
        wish(gateway, TOWNSHIP)
        subject = one(gateway, "SELECT id FROM subject")
    tables = ("student_register", "duty", "lead_event", "lead", "resolution", "case_file")
    gone = ";".join(f"DELETE FROM {table}" for table in tables)
    found = notices(data, date(2027, 8, 1), subject, gone)
    assert found == {("education", COUNTY): {"leads"}, ("township", TOWNSHIP): {"identity"}}


def test_when_the_last_lead_goes_those_who_learnt_by_leads_are_told(tmp_path: Path) -> None:
    """The child is still there, and stays on its list: civil affairs has nothing to forget."""
    data, young = tmp_path / "data", date(2015, 3, 5)
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, young, **OUT)]))
        for channel in (leads, records, requested):
            channel(gateway)
        back = {**OUT, "学生状态": "在校", "状态日期": "2026-11-15"}
        gateway.upload("student-register", csv_file([student(2, young, **back)]))
        assert one(gateway, "SELECT status FROM lead") == "closed"
        subject = one(gateway, "SELECT id FROM subject")
    long_ago = (
        "UPDATE case_file SET state = 'closed', ended_on = '2024-01-01'"
        ";UPDATE lead SET updated_at = '2024-01-01 00:00:00.000000'"
    )
    found = notices(data, date(2027, 2, 1), subject, long_ago)
    assert found == {("education", COUNTY): {"leads"}, ("township", TOWNSHIP): {"identity"}}


def test_each_recipient_reads_and_confirms_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, BIRTH, **OUT)]))
        for channel in (leads, records, requested):
            channel(gateway)
    parts = parts_of(data, GONE_ON)
    parts.purge.run()
    parts.store.close()
    with running(data, law_date=GONE_ON) as gateway:
        for role, region, exchange in (
            (LEAD, COUNTY, "leads"),
            (RELIEF, COUNTY, "needy-children"),
            (RETURN, TOWNSHIP, "identity"),
        ):
            headers = gateway.headers(role, region)
            (notice,) = gateway.call.get("/v1/deletions", headers=headers).json()["items"]
            assert notice["exchanges"] == [exchange]
            received = gateway.call.post(f"/v1/deletions/{notice['id']}/receipt", headers=headers)
            assert received.json()["received_at"]
            assert gateway.audit()[-1]["purpose"] == {RELIEF: "child_relief"}.get(role, "dropout_control")
        for role in ("human_resources/recruitment_checker", "education/registrar", "gateway/operator"):
            assert gateway.call.get("/v1/deletions", headers=gateway.headers(role)).status_code == 403


def test_what_was_told_before_lists_alone_led_to_recipients_is_read_again(tmp_path: Path) -> None:
    """A store of an earlier release has read the evidence to its end, for lists."""
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, BIRTH, **OUT)]))
        leads(gateway)
        subject = one(gateway, "SELECT id FROM subject")
    seen = "INSERT OR REPLACE INTO meta (key, value) SELECT 'recipients_seen', max(seq) FROM audit_entry"
    assert notices(data, GONE_ON, subject, seen) == {("education", COUNTY): {"leads"}}


def test_no_ask_tells_an_identifier() -> None:
    """Were there one, its entry would lead to its asker like any other."""
    asks = [exchange for exchange in EXCHANGES.values() if exchange.action is Action.ASK]
    assert asks
    assert not [each for ask in asks for each in ask.fields if each.classification == "identifier"]
