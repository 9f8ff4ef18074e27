"""Forgetting: a child past its time is nowhere any more, its evidence stands, and recipients are told."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.transports.rest import Credentials
from gateway.adapters.keys import load_keyring
from gateway.app import build
from gateway.domain.errors import SourceUnavailable
from gateway.domain.model import SubjectId
from gateway.domain.rows import people
from gateway.parts import Parts
from gateway.services.upload import File
from gateway.settings import Settings
from schemas.records import STUDENT_REGISTER
from tests.harness import COUNTY, TestGateway, running
from tests.integration.test_rotation import until
from tests.people import csv_file, resident_id, student

RELIEF = "civil_affairs/relief_officer"
GONE_ON, LATER = date(2028, 2, 1), date(2028, 3, 20)
OLD, YOUNG = date(2009, 1, 1), date(2019, 1, 1)  # eighteen on 2027-01-01: gone after 2028-01-01
GOING = [2 * number for number in range(1, 121)]
STAYING = [(date(2018, 1, day), number) for day in range(1, 13) for number in range(120)]
SECRET_NAME = "贾宝玉瑾"


@dataclass(frozen=True)
class Aged:
    """A data folder after the purge, and what was in it before."""

    data: Path
    officer: Credentials
    secrets: list[bytes]
    audit: list[tuple[Any, ...]]
    told: set[str]
    said: str
    rehearsed: str


def audit_rows(data: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "huxue.db")
    rows = connection.execute(
        "SELECT seq, reference, subject_id, members, body, leaf FROM audit_entry ORDER BY seq"
    ).fetchall()
    connection.close()
    return rows


def secrets_of(data: Path) -> list[bytes]:
    """What names or finds the children who go: as typed, as looked up, as sealed."""
    ring = load_keyring(data / "keyring.json", demo=True)
    ids = [resident_id(OLD, number) for number in GOING]
    lookups = ring.lookups("resident_id", ids)
    connection = sqlite3.connect(data / "huxue.db")
    found: list[bytes] = []
    for lookup in lookups:
        row = connection.execute(
            "SELECT s.data_key, s.sealed, s.tag FROM subject s JOIN identifier i ON i.subject_id = s.id"
            " WHERE i.lookup = ?",
            (lookup,),
        ).fetchone()
        found += row
    connection.close()
    return [*found, *lookups, *(each.hex().encode() for each in lookups), *map(str.encode, ids)]


def huxue(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *words],
        env={**os.environ, "HUXUE_PROFILE": "demo"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return (done.stdout + done.stderr).decode()


def purge(data: Path, day: date, *more: str) -> str:
    return huxue("purge", "--data", str(data), "--profile", "demo", "--as-of", day.isoformat(), *more)


def export(gateway: TestGateway, headers: dict[str, str]) -> dict[str, Any]:
    body = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}
    job = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=headers)
    while (answer := gateway.call.get(job.headers["location"], headers=headers)).status_code == 202:
        continue
    found: dict[str, Any] = answer.json()
    return found


def bearer(gateway: TestGateway, officer: Credentials) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway.fetch_token(officer)}"}


def hand_in(gateway: TestGateway) -> None:
    """In small files, mixed: pages of the vault split again and again."""
    rows = [student(number, OLD, 姓名=SECRET_NAME, 家庭经济困难="是") for number in GOING]
    rows += [student(number, birth, 家庭经济困难="是") for birth, number in STAYING]
    random.Random(1).shuffle(rows)
    for start in range(0, len(rows), 200):
        answer = gateway.upload("student-register", csv_file(rows[start : start + 200]))
        assert answer.json()["accepted"] == len(rows[start : start + 200])


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Aged:
    data = tmp_path_factory.mktemp("purge") / "data"
    with running(data) as gateway:
        hand_in(gateway)
        officer = gateway.credentials(RELIEF)
        assert export(gateway, bearer(gateway, officer))["deleted"] == []
        vault = gateway.parts.keys
        connection = gateway.database()
        lookups = vault.lookups("resident_id", [resident_id(OLD, number) for number in GOING])
        told = {
            str(vault.pseudonym("civil_affairs", row[0]))
            for lookup in lookups
            for row in connection.execute("SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,))
        }
        connection.close()
    secrets, audit = secrets_of(data), audit_rows(data)
    rehearsed = purge(data, GONE_ON, "--dry-run")
    assert secrets_of(data) == secrets
    return Aged(data, officer, secrets, audit, told, purge(data, GONE_ON), rehearsed)


@pytest.fixture
def data(aged: Aged, tmp_path: Path) -> Path:
    return Path(shutil.copytree(aged.data, tmp_path / "data"))


# --- gone --------------------------------------------------------------------------------------------------


def test_nothing_in_the_data_folder_leads_to_a_child_that_went(aged: Aged) -> None:
    """Pages that are in use and free ones, the log of the store, the files."""
    paths = [path for path in aged.data.rglob("*") if path.is_file()]
    assert {"huxue.db", "keyring.json"} <= {path.name for path in paths}
    assert len(aged.secrets) == 6 * len(GOING)
    for path in paths:
        raw = path.read_bytes()
        assert not [secret for secret in aged.secrets if secret in raw or secret[:12] in raw], path.name
        assert SECRET_NAME.encode() not in raw


def test_who_is_not_past_its_time_is_still_there(aged: Aged) -> None:
    connection = sqlite3.connect(aged.data / "huxue.db")
    for table in ("subject", "identifier", "student_register"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == len(STAYING)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


def test_the_evidence_from_before_is_what_it_was(aged: Aged) -> None:
    after = audit_rows(aged.data)
    assert after[: len(aged.audit)] == aged.audit
    new = after[len(aged.audit) :]
    assert new
    for entry in (row[4].decode() for row in new):
        assert '"action":"purge"' in entry
        assert '"subject":null' in entry
        assert '"members":null' in entry
    assert "student_register[child]=120" in new[0][4].decode()


def test_the_command_says_how_many_and_why_and_names_nobody(aged: Aged) -> None:
    assert aged.rehearsed.startswith("将删除（试运行，未改动） / would go (dry run, nothing changed):")
    assert aged.said.startswith("已删除 / gone:")
    for said in (aged.said, aged.rehearsed):
        for place in ("学籍信息 student register: 120 ", "身份保险库 identity vault: 120 "):
            assert place in said
        assert "crypto-shredded" in said
        assert SECRET_NAME not in said
        assert resident_id(OLD, GOING[0]) not in said


def test_purging_again_removes_nothing(data: Path) -> None:
    before = audit_rows(data)
    assert "无 / nothing" in purge(data, GONE_ON)
    assert audit_rows(data) == before


# --- recipients --------------------------------------------------------------------------------------------


def test_the_recipient_is_told_its_own_pseudonyms_and_confirms_once(aged: Aged, data: Path) -> None:
    with running(data, law_date=GONE_ON) as gateway:
        mine = bearer(gateway, aged.officer)
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            query = {"limit": 50, **({"cursor": cursor} if cursor else {})}
            page = gateway.call.get("/v1/deletions", params=query, headers=mine).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert {name for each in found for name in each["pseudonyms"]} == aged.told
        assert len(found) == len(aged.told)
        assert {(each["deleted_on"], *each["exchanges"]) for each in found} == {
            ("2028-02-01", "needy-children")
        }
        assert {each["due_on"] for each in found} == {"2028-02-22"}

        first = gateway.call.post(f"/v1/deletions/{found[0]['id']}/receipt", headers=mine)
        again = gateway.call.post(f"/v1/deletions/{found[0]['id']}/receipt", headers=mine)
        assert first.status_code == again.status_code == 200
        assert again.json() == first.json()
        assert first.json()["received_at"]
        told = [entry["detail"] for entry in gateway.audit()[-2:]]
        assert told == [f"received:{found[0]['id']}"] * 2
        shown = gateway.call.get("/v1/deletions", params={"status": "received"}, headers=mine).json()
        assert [each["id"] for each in shown["items"]] == [found[0]["id"]]


def test_a_notice_is_no_other_agencys_and_no_other_regions(aged: Aged, data: Path) -> None:
    with running(data, law_date=GONE_ON) as gateway:
        mine = bearer(gateway, aged.officer)
        notice = gateway.call.get("/v1/deletions", params={"limit": 1}, headers=mine).json()["items"][0]["id"]
        for region in ("530424", "5304", "530423101"):
            other = gateway.headers(RELIEF, region)
            assert gateway.call.get("/v1/deletions", headers=other).json()["items"] == []
            refused = gateway.call.post(f"/v1/deletions/{notice}/receipt", headers=other)
            unknown = gateway.call.post("/v1/deletions/del-0/receipt", headers=other)
            assert (refused.status_code, unknown.status_code) == (403, 403)
            assert refused.json()["title"] == unknown.json()["title"]
        for role in ("education/registrar", "human_resources/recruitment_checker", "gateway/operator"):
            assert gateway.call.get("/v1/deletions", headers=gateway.headers(role)).status_code == 403
        assert gateway.audit()[-1]["decision"] == "refuse"
        wrong = gateway.call.get("/v1/deletions", params={"cursor": resident_id()}, headers=mine)
        assert wrong.status_code == 400
        assert resident_id() not in wrong.text
        records = "/v1/exchanges/deletions/records"
        query = {"purpose": "child_relief", "region": COUNTY}
        assert gateway.call.get(records, params=query, headers=mine).status_code == 403


def test_the_next_export_names_who_was_deleted_since_the_last(aged: Aged, data: Path) -> None:
    with running(data, law_date=GONE_ON) as gateway:
        mine = bearer(gateway, aged.officer)
        assert set(export(gateway, mine)["deleted"]) == aged.told
        assert export(gateway, mine)["deleted"] == []
        assert export(gateway, gateway.headers(RELIEF))["deleted"] == [], "a client's first export"


def test_receipts_that_do_not_come_in_time_are_seen(data: Path) -> None:
    with running(data, law_date=GONE_ON) as gateway:
        assert not [
            each for each in gateway.call.get("/health/ready").json()["warnings"] if "overdue" in each
        ]
    with running(data, law_date=LATER) as gateway:
        warnings = gateway.call.get("/health/ready").json()["warnings"]
    assert "120 receipts of deletion notices are overdue" in warnings
    assert "receipts of deletion notices overdue: 120" in purge(data, LATER, "--dry-run")


# --- in a running gateway ----------------------------------------------------------------------------------


def parts_of(data: Path, day: date) -> Parts:
    return build(Settings(data=data, profile="demo", as_of=day))


def test_a_running_gateway_purges_once_a_law_date(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        assert (
            gateway.upload("student-register", csv_file([student(2, OLD), student(4, YOUNG)])).status_code
            == 200
        )
    parts = parts_of(tmp_path / "data", GONE_ON)
    assert parts.purge.tick() is True
    assert parts.purge.tick() is False
    assert parts.store.reader.execute("SELECT count(*) FROM subject").fetchone()[0] == 1
    assert (tmp_path / "data" / "huxue.db-wal").stat().st_size == 0
    parts.store.close()


def test_a_file_prepared_before_a_purge_is_to_come_again(tmp_path: Path) -> None:
    """Whoever was known at the look-up and is forgotten at the lock must not get facts under an id that names nobody."""
    with running(tmp_path / "data") as gateway:
        gateway.upload("student-register", csv_file([student(2, OLD), student(4, YOUNG)]))
    parts = parts_of(tmp_path / "data", GONE_ON)
    registers = parts.context.upload._registers
    reading = parts.context.upload._read(File(csv_file([student(2, OLD)]), "csv"), STUDENT_REGISTER)[2]
    prepared = registers.prepare(people(reading, parts.keys, COUNTY), True)
    parts.purge.run()
    with pytest.raises(SourceUnavailable), registers.transaction() as transaction:
        transaction.settle(prepared, True, COUNTY)
    prepared = registers.prepare(people(reading, parts.keys, COUNTY), True)
    with registers.transaction() as transaction:
        assert len(transaction.settle(prepared, True, COUNTY).fresh) == 1
    parts.store.close()


def test_work_on_a_child_that_is_not_in_the_vault_goes_at_once(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "data", GONE_ON)
    with parts.store.writing() as connection:
        connection.execute(
            "INSERT INTO case_file (ref, region, subject_id, state, opened_at, opened_on, since, residence, sealed)"
            " VALUES ('case-x', '530423', x'00112233445566778899aabbccddeeff', 'suspected',"
            " '2028-01-31 00:00:00.000000', '2028-01-31', '2028-01-31', '530423', 0)"
        )
    parts.purge.run()
    assert parts.store.reader.execute("SELECT count(*) FROM case_file").fetchone()[0] == 0
    parts.store.close()


def test_a_child_with_open_work_is_held_until_of_age_and_counted(tmp_path: Path) -> None:
    graduated = {"学生状态": "毕业", "状态日期": "2024-07-01"}
    birth = date(2010, 12, 1)  # sixteen on 2026-12-01: past its time from 2027-12-02 on, of age on 2028-12-01
    with running(tmp_path / "data") as gateway:
        gateway.ask(resident_id(birth, 2))
        gateway.upload(
            "student-register", csv_file([student(2, birth, **graduated), student(4, birth, **graduated)])
        )
    held = parts_of(tmp_path / "data", GONE_ON)
    report = held.purge.run()
    assert report.held == 1
    assert held.store.reader.execute("SELECT count(*) FROM subject").fetchone()[0] == 1
    held.store.close()
    of_age = parts_of(tmp_path / "data", date(2028, 12, 1))
    report = of_age.purge.run()
    assert {each.place: each.count for each in report.lapsed} == {"lead": 1, "case_file": 1}
    assert of_age.store.reader.execute("SELECT count(*) FROM subject").fetchone()[0] == 0
    of_age.store.close()


def test_a_log_that_somebody_still_reads_is_emptied_later(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        gateway.upload("student-register", csv_file([student(2, OLD)]))
    parts = parts_of(tmp_path / "data", GONE_ON)
    reading = sqlite3.connect(tmp_path / "data" / "huxue.db", isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM subject").fetchone()
    parts.purge.run()
    assert (tmp_path / "data" / "huxue.db-wal").stat().st_size > 0
    reading.execute("COMMIT")
    parts.purge.tick()
    assert (tmp_path / "data" / "huxue.db-wal").stat().st_size == 0
    reading.close()
    parts.store.close()


def test_computed_lists_are_forgotten(tmp_path: Path) -> None:
    with running(tmp_path / "data") as gateway:
        gateway.upload("student-register", csv_file([student(2, YOUNG, 家庭经济困难="是")]))
        export(gateway, gateway.headers(RELIEF))
        lists = gateway.parts.context.lists
        assert lists._kept
        with gateway.parts.store.writing() as connection:
            connection.execute("UPDATE student_register SET status = 'deceased', status_date = '2020-01-01'")
        gateway.parts.purge.run()
        assert not lists._kept
        with gateway.database() as connection:
            assert connection.execute("SELECT count(*) FROM subject").fetchone()[0] == 0
        connection.close()


# --- while keys turn ---------------------------------------------------------------------------------------


def turn(data: Path, key: str) -> None:
    huxue("keys", "rotate", "--data", str(data), "--key", key)


def subject_of(gateway: TestGateway, birth: date, number: int) -> bytes:
    lookup = gateway.parts.keys.lookup("resident_id", resident_id(birth, number))
    connection = gateway.database()
    (subject,) = connection.execute(
        "SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,)
    ).fetchone()
    connection.close()
    return bytes(subject)


def test_a_notice_names_the_child_under_every_key_that_counts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, OLD, 家庭经济困难="是"), student(4, YOUNG)]))
        export(gateway, gateway.headers(RELIEF))
        subject = subject_of(gateway, OLD, 2)
        old = gateway.parts.keys.pseudonym("civil_affairs", SubjectId(subject))
    huxue("keys", "rotate", "--data", str(data), "--key", "pseudonym", "--overlap-days", "3660")
    with running(data, law_date=GONE_ON) as gateway:
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs") == (2, 1))
        gateway.parts.purge.run()
        (notice,) = gateway.call.get("/v1/deletions", headers=gateway.headers(RELIEF)).json()["items"]
        new = gateway.parts.keys.pseudonym("civil_affairs", SubjectId(subject))
    assert sorted(notice["pseudonyms"]) == [old, new]
    assert new.startswith("ca2-")
    assert old.startswith("ca1-")


def test_a_child_that_goes_while_the_index_turns_leaves_neither_look_up_nor_resolution(
    tmp_path: Path,
) -> None:
    data, gone = tmp_path / "data", {"学生状态": "辍学", "状态日期": "2026-10-09"}
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2, OLD, **gone), student(4, YOUNG, **gone)]))
        for lead in gateway.leads():
            wish = {"case": lead["case"], "purpose": "dropout_control", "reason": "需上门家访核实身份"}
            asked = gateway.call.post(
                "/v1/identity/resolutions", json=wish, headers=gateway.headers("education/dropout_lead")
            )
            assert asked.status_code == 201, asked.text
        going, staying = subject_of(gateway, OLD, 2), subject_of(gateway, YOUNG, 4)
        once = counts(gateway, going)["identifier"]
        assert once >= 1
        whole = {"identifier": 2 * once, "resolution": 1, "subject": 1}
        turn(data, "index")
        until(lambda: len(gateway.parts.keys.index_versions) == 2)
        # each look-up under both keys
        assert counts(gateway, going) == counts(gateway, staying) == whole
        reasons = [row[0] for row in gateway.database().execute("SELECT reason FROM resolution")]
        lookups = [
            row[0]
            for row in gateway.database().execute(
                "SELECT lookup FROM identifier WHERE subject_id = ?", (going,)
            )
        ]
    purge(data, date(2028, 2, 1))
    with running(data, law_date=GONE_ON) as gateway:
        assert counts(gateway, going) == {"identifier": 0, "resolution": 0, "subject": 0}
        assert counts(gateway, staying) == whole
    raw = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert not [each for each in lookups if each in raw]
    assert sum(each in raw for each in reasons) == 1


def counts(gateway: TestGateway, subject: bytes) -> dict[str, int]:
    connection = gateway.database()
    found = {
        table: connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (subject,)).fetchone()[
            0
        ]
        for table, column in (("identifier", "subject_id"), ("resolution", "subject_id"), ("subject", "id"))
    }
    connection.close()
    return found
