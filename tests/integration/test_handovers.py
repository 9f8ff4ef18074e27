"""A child moves mid-case: the other county accepts it with its history, or the first one keeps it."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gateway.adapters.db.handovers import SqliteHandovers
from gateway.adapters.keys.heads import verify_head
from gateway.domain.handover import HandoverQuery
from gateway.domain.log.note import MalformedNote
from gateway.domain.package import digest, read
from gateway.domain.predicate import All, InRegion, Nothing
from tests.harness import COUNTY, LAW_DATE, TestGateway, problem, running
from tests.integration.test_referrals import (
    LEAD,
    NOTIFY,
    OUT,
    PLAN,
    RETURN,
    VERIFY,
    Officer,
    cases_of,
    live,
    one,
    state_of,
    step_case,
)
from tests.people import csv_file, resident_id, student

OTHER = "530402"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[TestGateway]:
    """A gateway of two counties; one of them has a dropout whose order to return was served."""
    with running(tmp_path / "data") as found:
        found.upload("student-register", csv_file([student(2, **OUT)]))
        found.upload("student-register", csv_file([student(8, 现住址行政区划="530402100")]), region=OTHER)
        step_case(found, cases_of(found)[0], VERIFY, PLAN, NOTIFY)
        yield found


@pytest.fixture
def case(gateway: TestGateway) -> str:
    return cases_of(gateway)[0]


@pytest.fixture
def sender(gateway: TestGateway) -> Officer:
    return Officer(gateway, LEAD)


@pytest.fixture
def receiver(gateway: TestGateway) -> Officer:
    return Officer(gateway, LEAD, OTHER)


def send(officer: Officer, case: str, to_region: str = OTHER) -> httpx.Response:
    return officer.post("/handovers", {"case": case, "to_region": to_region})


def sent(officer: Officer, case: str, to_region: str = OTHER) -> str:
    answer = send(officer, case, to_region)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def duties(gateway: TestGateway, kind: str) -> list[tuple[str, str, str | None]]:
    with closing(gateway.database()) as connection:
        return connection.execute(
            "SELECT status, region, case_ref FROM duty WHERE kind = ?", (kind,)
        ).fetchall()


def history(gateway: TestGateway, case: str) -> list[tuple[str | None, dict[str, object]]]:
    with closing(gateway.database()) as connection:
        rows = connection.execute(
            "SELECT step, body FROM case_entry WHERE case_ref = ? ORDER BY number", (case,)
        )
        return [(step, json.loads(body)) for step, body in rows]


def test_the_case_goes_over_with_its_history_once_it_is_accepted(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    assert duties(gateway, "handover-decision") == [("open", OTHER, None)]
    assert duties(gateway, "handover-follow-up") == [("open", COUNTY, case)]
    assert state_of(gateway, case) == "notified"
    preview = receiver.get(f"/handovers/{handover}").json()
    assert (preview["stage"], preview["has_plan"], preview["notices_served"]) == (
        "notified",
        True,
        ["2026-11-02"],
    )
    step_case(
        gateway, case, ("sanction", {"notice": "催告9号", "served_on": "2026-11-19"})
    )  # it works on meanwhile

    answer = receiver.post(f"/handovers/{handover}/accept")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    new = told["new_case"]
    assert state_of(gateway, case) == "moved"
    assert duties(gateway, "transfer-receive") == [("open", OTHER, new)]
    assert one(gateway, "SELECT region, state, ended_on FROM case_file WHERE ref = ?", new) == (
        OTHER,
        "sanctioned",
        None,
    )
    moved = history(gateway, case)[-1]
    assert moved == (
        "move",
        {"receiving_region": OTHER, "handover": handover},
    )  # the confirmation is text, and sealed
    copied = [
        (step, body["handed_over_from"]) for step, body in history(gateway, new) if "handed_over_from" in body
    ]
    assert [step for step, _ in copied] == ["open", "verify", "persuade", "notify", None, "sanction"]
    assert {str(origin["region"]) for _, origin in copied} == {COUNTY}
    assert duties(gateway, "handover-decision")[0][0] == "done"
    assert duties(gateway, "handover-follow-up")[0][0] == "done"
    assert ("open", OTHER, new) in duties(gateway, "first-contact")
    assert [each for each in gateway.leads() if each["status"] != "closed"] == []
    leads = receiver.get("/leads").json()["items"]
    assert [(each["rule"], each["case"]) for each in leads] == [("case-handed-over", new)]
    # the receiver's team can now learn who it is, as for any case of its own
    asked = receiver.post(
        "/identity/resolutions", {"purpose": "dropout_control", "case": new, "reason": "上门家访核实"}
    )
    assert asked.status_code == 201, asked.text


def test_the_package_is_signed_and_holds_what_was_signed_only(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    told = receiver.post(f"/handovers/{handover}/accept").json()
    package, key = told["package"], gateway.parts.log.key()
    assert told["package_sha256"] == digest(package)
    found = read(package, key, verify_head)
    assert (found.region, found.to_region, found.handover) == (COUNTY, OTHER, handover)
    assert resident_id(number=2) not in package
    assert student(2)["姓名"] not in package
    body = json.loads(package)
    for change in (
        {"payload": body["payload"].replace("notified", "verified")},
        {"note": body["note"].replace(OTHER, "530403")},
        {"note": body["note"].replace("— ", "— x")},
        {"payload": None},
    ):
        with pytest.raises(MalformedNote):
            read(json.dumps({**body, **change}), key, verify_head)


def test_before_acceptance_nothing_names_the_child(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    for answer in (receiver.get(f"/handovers/{handover}"), receiver.get("/handovers")):
        assert handover in answer.text
        for word in (case, "pseudonym", 'package"', "530423101", "示范", "王某"):
            assert word not in answer.text
    assert receiver.get("/leads").json()["items"] == []


@pytest.mark.parametrize("verb", ["reject", "revoke"])
def test_who_is_refused_stays_where_the_case_is(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer, verb: str
) -> None:
    handover = sent(sender, case)
    by, other = (receiver, sender) if verb == "reject" else (sender, receiver)
    assert problem(other.post(f"/handovers/{handover}/{verb}", {"reason": "另一方"})) == (
        403,
        "not-permitted",
    )
    assert problem(by.post(f"/handovers/{handover}/{verb}", {"reason": " "})) == (400, "malformed")
    told = by.post(f"/handovers/{handover}/{verb}", {"reason": "孩子530423201503050029未到本县"})
    assert (problem(told), told.json()["errors"][0]["code"]) == ((400, "malformed"), "personal_data")
    first = by.post(f"/handovers/{handover}/{verb}", {"reason": "孩子未到本县"})
    assert first.status_code == 200, first.text
    assert by.post(f"/handovers/{handover}/{verb}", {"reason": "孩子未到本县"}).status_code == 200
    assert sender.get(f"/handovers/{handover}").json()["reason"] == "孩子未到本县"
    assert state_of(gateway, case) == "notified"
    assert duties(gateway, "handover-decision")[0][0] == ("done" if verb == "reject" else "cancelled")
    assert problem(receiver.post(f"/handovers/{handover}/accept")) == (409, "conflict")
    assert sent(sender, case) != handover


def test_a_register_row_over_there_does_not_end_the_case_here(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    there = student(2, 现住址行政区划="530402100")
    gateway.upload("student-register", csv_file([student(8), there]), region=OTHER)
    for each in range(1, 4):
        live(gateway, LAW_DATE + timedelta(days=each))
    assert state_of(gateway, case) == "notified"
    assert receiver.get(f"/handovers/{handover}").json()["status"] == "pending"
    assert duties(gateway, "handover-follow-up")[0][0] == "open"


def test_a_pending_one_is_taken_back_when_the_case_ends(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    step_case(gateway, case, ("exempt", {"approval_number": "缓学1号", "kind": "deferral"}))
    assert problem(receiver.post(f"/handovers/{handover}/accept")) == (409, "conflict")
    live(gateway, LAW_DATE + timedelta(days=1))
    assert receiver.get(f"/handovers/{handover}").json()["status"] == "revoked"
    assert duties(gateway, "handover-decision")[0][0] == "cancelled"


def test_of_accepting_twice_and_revoking_at_once_one_wins(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover, second = sent(sender, case), Officer(gateway, LEAD, OTHER)
    with ThreadPoolExecutor(3) as pool:
        tries = [
            pool.submit(receiver.post, f"/handovers/{handover}/accept"),
            pool.submit(second.post, f"/handovers/{handover}/accept"),
            pool.submit(sender.post, f"/handovers/{handover}/revoke", {"reason": "孩子又回来了"}),
        ]
        statuses = sorted(each.result().status_code for each in tries)
    assert statuses == [200, 409, 409]
    assert one(gateway, "SELECT count(*) FROM case_file WHERE region = ?", OTHER) in (0, 1)
    assert (state_of(gateway, case) == "moved") == bool(
        one(gateway, "SELECT count(*) FROM case_file WHERE region = ?", OTHER)
    )


def test_nobody_else_hands_over_or_accepts(gateway: TestGateway, case: str, sender: Officer) -> None:
    assert problem(send(sender, case)) == (409, "conflict")  # no lead over there yet
    receiver = Officer(gateway, LEAD, OTHER)
    for region in ("53042", "999999", COUNTY, "530402100"):
        assert problem(send(sender, case, region)) == (400, "malformed")
    assert problem(send(receiver, case)) == (403, "not-permitted")
    assert problem(send(Officer(gateway, RETURN, "530423101"), case)) == (403, "not-permitted")
    handover = sent(sender, case)
    assert sent(sender, case) == handover
    assert problem(send(sender, case, "530424")) in ((409, "conflict"), (400, "malformed"))
    third, nothing = Officer(gateway, LEAD, "530424"), "hnd-" + "0" * 26
    for verb in ("accept", "reject", "revoke"):
        mine = third.post(f"/handovers/{handover}/{verb}", {"reason": "试试看"})
        none = third.post(f"/handovers/{nothing}/{verb}", {"reason": "试试看"})
        assert {**mine.json(), "correlation_id": ""} == {**none.json(), "correlation_id": ""}
    assert problem(sender.post(f"/handovers/{handover}/accept")) == (403, "not-permitted")
    assert third.get("/handovers").json()["items"] == []
    assert problem(Officer(gateway, LEAD, "5304").post(f"/handovers/{handover}/accept")) == (
        403,
        "not-permitted",
    )


def test_a_row_that_moved_meanwhile_undoes_the_whole_acceptance(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    handover = sent(sender, case)
    before = history(gateway, case)
    # The row no longer stands where it was read: the update finds nothing, after all else was written.
    gateway.parts.store.writer.execute(
        "CREATE TRIGGER gone BEFORE UPDATE ON handover BEGIN SELECT RAISE(IGNORE); END"
    )
    answer = receiver.post(f"/handovers/{handover}/accept")
    assert answer.status_code == 409, answer.text
    assert state_of(gateway, case) == "notified"
    assert history(gateway, case) == before
    assert duties(gateway, "handover-decision") == [("open", OTHER, None)]
    assert duties(gateway, "handover-follow-up") == [("open", COUNTY, case)]
    assert one(gateway, "SELECT count(*) FROM case_file WHERE region = ?", OTHER) == 0
    evidence = json.loads(one(gateway, "SELECT body FROM audit_entry ORDER BY seq DESC LIMIT 1"))
    assert evidence["detail"] == "conflict", evidence


def test_the_list_holds_what_the_policys_rows_allow_on_either_side(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer
) -> None:
    assert receiver.get("/handovers").status_code == 200
    sent(sender, case)
    found = SqliteHandovers(gateway.parts.store, gateway.parts.keys)
    for rows, region, many in (
        (All(), OTHER, 1),
        (InRegion("region", OTHER), OTHER, 1),
        (InRegion("region", COUNTY), COUNTY, 1),
        (InRegion("region", "530424"), OTHER, 0),
        (Nothing(), OTHER, 0),
    ):
        assert len(found.find(HandoverQuery(rows, region, LAW_DATE))) == many, (rows, region)


@pytest.mark.parametrize("verb", ["", "/accept"])
def test_a_package_that_was_changed_in_the_store_is_not_opened(
    gateway: TestGateway, case: str, sender: Officer, receiver: Officer, verb: str
) -> None:
    handover = sent(sender, case)
    with closing(sqlite3.connect(gateway.data / "huxue.db")) as connection, connection:
        (text,) = connection.execute("SELECT package FROM handover").fetchone()
        changed = text[:-1] + bytes([text[-1] ^ 1])
        connection.execute("UPDATE handover SET package = ?", (changed,))
    path = f"/handovers/{handover}{verb}"
    answer = receiver.post(path) if verb else receiver.get(path)
    assert problem(answer) == (500, "internal")
    assert state_of(gateway, case) == "notified"
    assert one(gateway, "SELECT count(*) FROM case_file WHERE region = ?", OTHER) == 0
