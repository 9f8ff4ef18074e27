"""Work about a child goes with the child, whatever it hangs on: a lead, a case, nothing, or another agency's referral."""

import sqlite3
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.adapters.clock import AsOfClock
from gateway.adapters.db.duties import SqliteDutyDesk
from gateway.domain.model import DutyDraft
from gateway.parts import Parts
from tests.harness import COUNTY, running
from tests.integration.test_purge import parts_of
from tests.people import csv_file, relief, student

BIRTH, YOUNG = date(2010, 12, 1), date(2019, 1, 1)  # of age on 2028-12-01, past its time a year later
OF_AGE, PAST = date(2028, 12, 5), date(2030, 6, 3)
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
NEEDY_AND_OUT = {"学生状态": "辍学", "状态日期": "2026-10-09", "家庭经济困难": "是"}
_SENT = {
    "state": "pending",
    "sealed": 0,
    "residence": COUNTY,
    "sent_at": "2026-11-20 04:00:00.000000",
    "sent_on": "2026-11-20",
    "due_on": "2026-11-27",
    "sender_client": "c",
    "sender_agency": "education",
    "sender_role": "education/dropout_lead",
    "body": "{}",
}


def duty(connection: sqlite3.Connection, parts: Parts, kind: str, basis: str) -> str:
    """What a receiver owes: it knows no case."""
    draft = DutyDraft(
        kind=kind, owner="justice", region=COUNTY, due_on=OF_AGE, lead=None, facts={}, basis=basis
    )
    return SqliteDutyDesk(connection, parts.keys, Counter()).open(draft, NOW)


def sent(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Two children with every kind of work; one of them past its time on `OF_AGE`."""
    with running(tmp_path / "data") as gateway:
        rows = [student(2, BIRTH, **NEEDY_AND_OUT), student(4, YOUNG, **NEEDY_AND_OUT)]
        assert gateway.upload("student-register", csv_file(rows)).json()["rejected"] == 0
        assert gateway.upload("relief-register", csv_file([relief(90)])).json()["rejected"] == 0
        made = gateway.parts
        with made.store.writing() as connection:
            cases = connection.execute("SELECT ref, subject_id FROM case_file ORDER BY ref").fetchall()
            for ref, subject in cases:
                about = {**_SENT, "subject_id": subject, "case_ref": ref}
                asked = duty(connection, made, "referral-decision", f"rfl-{ref}")
                row = {
                    "id": f"rfl-{ref}",
                    "kind": "referral",
                    "route": "justice",
                    "county": COUNTY,
                    "measure": "court",
                }
                sent(connection, "referral", {**about, **row, "duty": asked})
                taken = duty(connection, made, "handover-decision", f"hnd-{ref}")
                place: dict[str, object] = {
                    "id": f"hnd-{ref}",
                    "region": COUNTY,
                    "to_region": "530424",
                    "package": b"",
                }
                sent(connection, "handover", {**about, **place, "duty": taken})
    return parts_of(tmp_path / "data", OF_AGE)


def states(parts: Parts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = parts.store.reader.execute("SELECT kind, status FROM duty ORDER BY kind, status")
    for kind, status in rows:
        found.setdefault(kind, []).append(status)
    return found


def test_when_a_child_comes_of_age_nothing_is_owed_for_it_any_more(parts: Parts) -> None:
    """One who cannot be removed yet: the lapse alone."""
    subject = parts.store.reader.execute(
        "SELECT subject_id FROM student_register WHERE birth_date = ?", (BIRTH.isoformat(),)
    ).fetchone()[0]
    assert set(states(parts)) >= {
        "assess-relief",
        "first-contact",
        "referral-decision",
        "handover-decision",
    }
    with parts.purge._store.transaction(True) as transaction:
        transaction.lapse([subject], {"fact": "of-age", "on": OF_AGE.isoformat()}, NOW)
    assert set(map(tuple, states(parts).values())) == {("lapsed", "open")}
    why = parts.store.reader.execute("SELECT DISTINCT done_what FROM duty WHERE status = 'lapsed'").fetchall()
    assert why == [("of-age",)]
    parts.store.close()


def test_every_row_of_work_goes_with_the_child_and_nobody_elses(parts: Parts) -> None:
    tables = ("lead", "case_file", "duty", "child_duty", "referral", "handover", "case_entry", "ledger_entry")
    before = {
        name: parts.store.reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
    }
    assert {name: count % 2 for name, count in before.items() if name != "case_entry"} == dict.fromkeys(
        (name for name in tables if name != "case_entry"), 0
    )
    assert isinstance(parts.clock, AsOfClock)
    parts.clock._law_date = PAST
    parts.purge.run()
    after = {
        name: parts.store.reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
    }
    assert after == {name: count // 2 for name, count in before.items()}
    assert set(map(tuple, states(parts).values())) == {("open",)}
    parts.store.close()
