"""What officers wrote about a child: not gone while a case is open or fresh, and nothing of it left behind afterwards."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.harness import TestGateway, running
from tests.integration.test_purge import parts_of
from tests.officers import BACK, LEAD, OUT, PERSUADE, RETURN, TOWN, VERIFY, VISIT, Officer, register
from tests.people import student

DAY = date(2027, 2, 1)
YOUNG, OLD = date(2015, 3, 5), date(2009, 1, 1)
LONG_AGO, LATELY = "2024-01-01", "2026-10-01"
WORK = ("lead", "lead_event", "duty", "case_file", "case_entry", "referral", "referral_comment", "resolution")

Told = dict[str, set[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def worked_on(gateway: TestGateway, *rows: dict[str, str]) -> list[str]:
    """Cases with everything officers write in them: steps, a visit, a comment, a referral, a resolution."""
    register(gateway, *(rows or (student(2, **OUT),)))
    lead, town = Officer(gateway, LEAD), Officer(gateway, RETURN, TOWN)
    refs = [str(case["ref"]) for case in lead.cases()]
    for ref in refs:
        lead.take(ref, "verify", **VERIFY)
        town.take(ref, "persuade", **PERSUADE)
        assert town.post(f"/{ref}/visits", VISIT).status_code == 200
        assert lead.post(f"/{ref}/comments", {"note": "请乡镇跟进"}).status_code == 200
        wish = {"case": ref, "purpose": "dropout_control", "reason": "需上门家访核实身份"}
        asked = gateway.call.post("/v1/identity/resolutions", json=wish, headers=lead.headers)
        assert asked.status_code == 201, asked.text
        assert lead.get(f"/{ref}/file").status_code == 200
    return refs


def change(gateway: TestGateway, *statements: str) -> None:
    with gateway.parts.store.writing() as connection:
        for statement in statements:
            connection.execute(statement)


def counts(gateway: TestGateway) -> dict[str, int]:
    with closing(gateway.database()) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in WORK
            if table not in ("referral", "referral_comment")
        }


def purged(data: Path, *statements: str, day: date = DAY) -> tuple[dict[str, int], Told]:
    """What is left of the work after a purge on that day, and which agency was told to forget what."""
    parts = parts_of(data, day)
    with parts.store.writing() as connection:
        for statement in statements:
            connection.execute(statement)
    before = parts.purge.run(keep=False)
    after = parts.purge.run()
    assert before.removed == after.removed, "a rehearsal says what the run does"
    reader = parts.store.reader
    left = {table: reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in WORK}
    told: dict[str, set[str]] = {}
    for agency, exchanges in reader.execute("SELECT agency, exchanges FROM deletion_notice"):
        told.setdefault(agency, set()).update(json.loads(exchanges))
    parts.store.close()
    return left, told


def closed(lead: str = LONG_AGO, case: str | None = LONG_AGO) -> tuple[str, ...]:
    """The leads and cases as if they had ended on those days; None: the case is open."""
    ended = f"state = 'closed', ended_on = '{case}'" if case else "state = 'observing', ended_on = NULL"
    return (
        f"UPDATE lead SET status = 'closed', updated_at = '{lead} 04:00:00.000000'",
        f"UPDATE case_file SET {ended}",
        f"UPDATE duty SET status = 'done', done_on = '{lead}'",
    )


def hand_in(data: Path, *rows: dict[str, str]) -> list[str]:
    with running(data) as gateway:
        return worked_on(gateway, *rows)


# --- not too early -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lead", "case"), [(LONG_AGO, None), (LONG_AGO, LATELY), (LATELY, LONG_AGO)])
def test_nothing_goes_while_a_case_is_open_or_fresh(data: Path, lead: str, case: str | None) -> None:
    """A lead closes when the child is back in class; the case is observed for months after that."""
    hand_in(data)
    left, told = purged(data, *closed(lead, case))
    assert (left["case_file"], left["lead"], left["resolution"], told) == (1, 1, 1, {})
    assert left["case_entry"] == 5
    assert min(left["duty"], left["lead_event"]) > 0


def test_a_merged_case_goes_when_the_one_it_is_a_part_of_goes(data: Path) -> None:
    with running(data) as gateway:
        one, two = worked_on(gateway, student(2, **OUT), student(4, **OUT))
        Officer(gateway, LEAD).take(one, "merge", into=two)
    standing = f"UPDATE case_file SET state = 'observing', ended_on = NULL WHERE ref = '{two}'"
    left, told = purged(data, *closed(), standing)
    assert (left["case_file"], left["lead"], told) == (2, 2, {})
    over = f"UPDATE case_file SET state = 'closed', ended_on = '{LONG_AGO}'"
    left, told = purged(data, over, day=date(2027, 2, 2))
    assert set(left.values()) == {0}
    assert told


def test_a_child_past_its_time_stays_while_the_case_it_was_merged_into_is_open(data: Path) -> None:
    """Its leads are that case's now."""
    with running(data) as gateway:
        one, two = worked_on(gateway, student(2, OLD, **OUT), student(4, YOUNG, **OUT))
        with closing(gateway.database()) as connection:
            born = dict(
                connection.execute(
                    "SELECT c.ref, r.birth_date FROM case_file c JOIN student_register r USING (region, subject_id)"
                )
            )
        old, young = (one, two) if born[one] == OLD.isoformat() else (two, one)
        Officer(gateway, LEAD).take(old, "merge", into=young)
    standing = f"UPDATE case_file SET state = 'observing', ended_on = NULL WHERE ref = '{young}'"
    left, _ = purged(data, *closed(), standing, day=date(2028, 2, 1))
    assert (left["case_file"], left["lead"]) == (2, 2)
    left, _ = purged(
        data,
        f"UPDATE case_file SET state = 'closed', ended_on = '{LATELY}' WHERE ref = '{young}'",
        day=date(2028, 2, 2),
    )
    assert (left["case_file"], left["lead"]) == (1, 1), "the old child's went with it, the other's are fresh"
    with closing(sqlite3.connect(data / "huxue.db")) as connection:
        orphans = (
            "SELECT count(*) FROM duty WHERE lead_id IS NOT NULL AND lead_id NOT IN (SELECT id FROM lead)"
        )
        assert connection.execute(orphans).fetchone() == (0,)


# --- nothing left behind -----------------------------------------------------------------------------------


def test_everything_that_hangs_on_the_work_goes_and_its_readers_are_told(data: Path) -> None:
    with running(data) as gateway:
        worked_on(gateway)
        register(gateway, student(2, **BACK))
    left, told = purged(data, *closed())
    assert set(left.values()) == {0}, left
    assert told["education"] >= {"cases", "child-file", "identity"}
    assert "ledgers" not in told["education"]
    with running(data, law_date=DAY) as gateway:
        assert Officer(gateway, LEAD).cases() == []
        # the child is in the register still: who drops out again gets a new case, not a clash of numbers
        register(gateway, student(2, **{**OUT, "状态日期": "2027-01-20"}))
        assert len(Officer(gateway, LEAD).cases()) == 1


def test_a_case_whose_leads_are_gone_already_goes_too(data: Path) -> None:
    """As an earlier release left it: leads taken by their own clock, the case open then."""
    hand_in(data)
    left, _ = purged(data, *closed(), "DELETE FROM lead_event", "DELETE FROM lead")
    assert set(left.values()) == {0}, left


def test_cases_of_a_child_go_together(data: Path) -> None:
    """A new case bears the number of those before it: with a gap two would get the same."""
    hand_in(data)
    again = (
        "INSERT INTO case_file (ref, region, subject_id, state, opened_at, opened_on, since, residence, sealed, ended_on)"
        " SELECT 'case-again', region, subject_id, state, opened_at, opened_on, since, residence, sealed,"
        f" '{LATELY}' FROM case_file"
    )
    left, told = purged(data, *closed(), again)
    assert (left["case_file"], left["lead"], told) == (2, 1, {})


def test_a_duty_owed_without_a_lead_keeps_those_who_know_the_child_by_it(data: Path) -> None:
    with running(data) as gateway:
        worked_on(gateway)
        seen: Any = gateway.call.get(
            "/v1/duties",
            params={"purpose": "dropout_control"},
            headers=Officer(gateway, RETURN, TOWN).headers,
        )
        assert seen.json()["items"]
        change(
            gateway,
            "INSERT INTO child_duty (region, kind, part, subject_id, id)"
            " SELECT region, 'relief-assessment', '', subject_id, 'duty-x' FROM lead",
        )
        before = counts(gateway)
        assert before["case_file"] == 1
    _, told = purged(data, *closed())
    assert not [each for each in told.values() if "duties" in each]
