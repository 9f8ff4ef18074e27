"""Every kind of alarm, raised for real, as the county's auditor sees it and nobody else."""

import asyncio
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.alarms import TITLES
from gateway.domain.model import AlarmDraft
from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_identity import LEAD, Later, Officer, alarms
from tests.people import csv_file, resident_id, student

AUDITOR = "gateway/auditor"
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
OLD = date(2009, 1, 1)
LATER = date(2028, 3, 20)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[TestGateway]:
    with running(tmp_path / "data") as gateway:
        rows = [student(2, **OUT), student(4, **OUT)]
        assert gateway.upload("student-register", csv_file(rows)).json()["rejected"] == 0
        yield gateway


def seen(gateway: TestGateway, region: str = COUNTY) -> dict[str, dict[str, Any]]:
    """By kind, as an auditor of that region sees them."""
    answer = gateway.call.get("/v1/audit/alarms", headers=gateway.headers(AUDITOR, region))
    assert answer.status_code == 200, answer.text
    return {each["rule"]: each for each in answer.json()["items"]}


def enumerate_children(gateway: TestGateway) -> None:
    for number in range(2, 24):
        gateway.ask(resident_id(date(2016, 1, 1), number))


def leave_an_emergency_unreviewed(gateway: TestGateway, officer: Officer, case: str) -> None:
    officer.asked(case=case, emergency=True)
    clock = Later(date(2026, 11, 20))
    gateway.parts.context.resolve._clock = gateway.parts.context.resolve._lapse._clock = clock
    clock.by = timedelta(hours=25)
    assert asyncio.run(gateway.parts.context.resolve.lapse()) == 1
    clock.by = timedelta()


def break_an_identity(gateway: TestGateway, officer: Officer, case: str) -> None:
    with gateway.database() as store:
        store.execute(
            "UPDATE subject SET sealed = zeroblob(40)"
            " WHERE id = (SELECT subject_id FROM case_file WHERE ref = ?)",
            (case,),
        )
    assert officer.ask(case=case, emergency=True).status_code == 409


def test_every_kind_of_the_county_is_seen_by_its_auditor_only(out: TestGateway) -> None:
    asking, second = Officer(out), Officer(out)
    first, other = (lead["case"] for lead in out.leads())
    enumerate_children(out)
    leave_an_emergency_unreviewed(out, asking, first)
    given = asking.asked(case=first, emergency=True)
    verdict = {"verdict": "unjustified", "comment": "并无紧急情况"}
    assert second.post(f"/{given}/review", verdict).status_code == 200
    break_an_identity(out, asking, other)
    for _ in range(21):
        asking.ask(case=first)
    found = seen(out)
    assert found.keys() == {
        "enumeration",
        "emergency-unreviewed",
        "emergency-unjustified",
        "identity-unreadable",
        "resolution-quota",
    }
    for kind, alarm in found.items():
        assert (alarm["title_zh"], alarm["title_en"]) == TITLES[kind]
        assert (alarm["region"], alarm["status"]) == (COUNTY, "open")
    assert seen(out, "5304").keys() == found.keys(), "the prefecture of the county"
    assert seen(out, "530424") == {}
    assert seen(out, "5305") == {}
    text = str(found)
    for number in (2, 4):
        assert resident_id(date(2015, 3, 5), number) not in text


def _purged_of_itself(gateway: TestGateway) -> None:
    """The day's own run is over: were it to end during the test, it would be counted with the test's."""
    deadline = time.monotonic() + 60
    while gateway.parts.purge._store.last_run() != gateway.parts.clock.today():
        assert time.monotonic() < deadline, "the gateway does not purge by itself"
        time.sleep(0.02)


def test_receipts_that_do_not_come_are_an_alarm_for_each_agency(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, OLD, 家庭经济困难="是")]))
        query = {"purpose": "child_relief", "region": COUNTY}
        relief = gateway.headers("civil_affairs/relief_officer")
        page = gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=relief)
        assert len(page.json()["items"]) == 1
    with running(data, law_date=date(2028, 2, 1)) as gateway:
        gateway.parts.purge.run()
        assert seen(gateway) == {}, "not yet due"
    with running(data, law_date=LATER) as gateway:
        _purged_of_itself(gateway)
        raised = seen(gateway)["deletion-unconfirmed"]
        assert (raised["about"], raised["title_zh"]) == ("civil_affairs", "删除通知逾期未回执")
        assert raised["facts"] == [{"overdue": 1, "since": "2028-02-22"}]
        assert [each["detail"] for each in gateway.audit() if each["detail"].startswith("unconfirmed")]
        before = raised["raised"]
        gateway.parts.purge.run()
        assert seen(gateway)["deletion-unconfirmed"]["raised"] == before + 1
        gateway.parts.purge.run(keep=False)
        assert seen(gateway)["deletion-unconfirmed"]["raised"] == before + 1, "a rehearsal alarms nobody"
        relief = gateway.headers("civil_affairs/relief_officer")
        (notice,) = gateway.call.get("/v1/deletions", headers=relief).json()["items"]
        assert gateway.call.post(f"/v1/deletions/{notice['id']}/receipt", headers=relief).status_code == 200
        gateway.parts.purge.run()
        assert seen(gateway)["deletion-unconfirmed"]["raised"] == before + 1
        assert seen(gateway, "530424") == {}


def test_an_alarm_of_no_known_kind_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="no kind of alarm"):
        AlarmDraft("made-up", COUNTY, "c-1", "k", {})


def test_the_officers_alarms_are_kept_with_the_officer(out: TestGateway) -> None:
    officer = Officer(out, LEAD)
    (case, _) = (lead["case"] for lead in out.leads())
    for _ in range(21):
        officer.ask(case=case)
    assert alarms(out) == [("resolution-quota", officer.client)]
