"""The list of places is whole: against the tables, the data folder, the policy file, and a county's real day."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from sqlalchemy import JSON, LargeBinary, Table
from sqlmodel import SQLModel

from gateway.adapters import db
from gateway.adapters.db import migrate
from gateway.adapters.db.rewrap import Rewrap
from gateway.adapters.elsewhere import ELSEWHERE, FILES, MEMORY, RECIPIENTS
from gateway.adapters.places import COPIES, HARMLESS, NO_CHILD, TABLES
from gateway.adapters.rulebook import load_rulebook
from gateway.settings import POLICIES
from tests.harness import COUNTY, TestGateway, running
from tests.people import csv_file, focus, payment, sighting, student

ROOT = Path(__file__).resolve().parents[2]
LISTED = {place.id for place in TABLES}
HELD = {place.id: place.holds for place in TABLES}
ALEMBIC = "alembic_version"
SPEAKING = re.compile(
    r"subject|lookup|pseudonym|sealed|^tag$|^name$|reason|facts|note|detail|about|members|_by$|receipt$|key$"
)
"""Names of columns that may lead to a child, or hold what somebody wrote."""


def tables() -> list[Table]:
    """Every table of every module of tables, of those that are added later too."""
    for module in pkgutil.iter_modules(db.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"{db.__name__}.{module.name}")
    return list(SQLModel.metadata.tables.values())


def test_every_table_is_a_place_or_holds_no_child() -> None:
    named = {table.name for table in tables()}
    assert named - LISTED - NO_CHILD.keys() == set(), (
        "say in gateway/adapters/places.py what a new table holds"
    )
    assert LISTED - named == set()
    assert NO_CHILD.keys() - named - {ALEMBIC} == set()
    assert not LISTED & NO_CHILD.keys()
    assert all(len(reason) > 10 for reason in (*NO_CHILD.values(), *HARMLESS.values()))


def test_the_store_itself_has_no_other_table(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    connection = sqlite3.connect(tmp_path / "huxue.db")
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert {name for name in found if not name.startswith("sqlite_")} == LISTED | NO_CHILD.keys()


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.name)
def test_every_column_that_could_lead_to_a_child_is_named(table: Table) -> None:
    held = HELD.get(table.name, {})
    for column in table.columns:
        bytes_or_text = isinstance(column.type, LargeBinary | JSON) or type(column.type).__name__ == "_Binary"
        named = column.name in held or f"{table.name}.{column.name}" in HARMLESS
        if table.name in LISTED:
            assert named or not (bytes_or_text or SPEAKING.search(column.name)), column.name
        else:
            assert named or not bytes_or_text, column.name
    assert held.keys() <= {column.name for column in table.columns}


def test_every_place_has_an_end_and_a_rule() -> None:
    law = load_rulebook(POLICIES).retention
    for place in TABLES:
        ends = [place.child, place.lookup, place.through, place.clock, place.expires, place.stays]
        assert any(ends), place.id
        assert place.rule in {*law.datasets, *law.copies, "child", "provision-records"}
        assert place.zh
        assert place.en
    # an outcome of justice lands in the referral it is about, and goes with it
    assert {*law.datasets, *law.copies} == COPIES | {"case-outcome"}
    assert {each.kind for each in ELSEWHERE} == {"file", "memory", "recipient"}
    assert all(each.ends and each.zh and each.en for each in (*FILES, *MEMORY, *RECIPIENTS))


def test_memory_that_is_named_is_there() -> None:
    from gateway.services.list import ListRecords

    assert MEMORY[0].id == f"{ListRecords.__module__}.{ListRecords.__name__}._kept"
    assert "self._kept" in (ROOT / "gateway/services/list.py").read_text(encoding="utf-8")


# --- what a day leaves behind ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """A county's day: every file, asks, a list, an export, leads, notices."""
    with running(tmp_path_factory.mktemp("places") / "data") as gateway:
        gateway.upload_sample()
        assert gateway.upload("student-register", csv_file([student()])).json()["accepted"] == 1
        assert gateway.upload("aid-payments", csv_file([payment()])).json()["accepted"] == 1
        assert gateway.upload("focus-groups", csv_file([focus()])).json()["accepted"] == 1
        relief = gateway.headers("civil_affairs/relief_officer")
        gateway.ask("530423201309124345")
        assert gateway.upload("sightings", csv_file([sighting(), sighting(None)])).json()["accepted"] == 2
        query = {"purpose": "child_relief", "region": COUNTY, "limit": 500}
        assert gateway.call.get("/v1/exchanges/needy-children/records", params=query, headers=relief).json()[
            "items"
        ]
        body = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}
        job = gateway.call.post("/v1/exchanges/needy-children/export", json=body, headers=relief)
        while gateway.call.get(job.headers["location"], headers=relief).status_code == 202:
            continue
        lead = gateway.leads(limit=1)[0]
        gateway.call.get("/v1/ledgers", headers=gateway.headers("education/dropout_lead"))
        gateway.call.post(
            f"/v1/leads/{lead['id']}/acknowledge", headers=gateway.headers("education/dropout_lead")
        )
        wish = {"case": lead["case"], "purpose": "dropout_control", "reason": "今日入户核实身份"}
        asked = gateway.call.post(
            "/v1/identity/resolutions", json=wish, headers=gateway.headers("education/dropout_lead")
        )
        assert asked.status_code == 201, asked.text
        gateway.parts.log.sealer.seal()
        again = Rewrap(gateway.parts.store, gateway.parts.keys)
        again.begin("identity", 1)
        again.run("identity")
        yield gateway


def test_every_kind_of_file_in_the_data_folder_is_listed(day: TestGateway) -> None:
    found = [path.relative_to(day.data).as_posix() for path in day.data.rglob("*") if path.is_file()]
    assert any(name.startswith("files/") for name in found)
    for name in found:
        assert any(fnmatch(name, each.id) for each in FILES), name


def test_no_column_but_those_listed_leads_to_a_child(day: TestGateway) -> None:
    """Every value of every row, against every child's id, look-ups, pseudonyms and sealed identity."""
    connection = day.database()
    vault = connection.execute("SELECT id, data_key, sealed, tag FROM subject").fetchall()
    lookups = [row[0] for row in connection.execute("SELECT lookup FROM identifier")]
    subjects = [row[0] for row in vault]
    names = [
        name.split("-", 1)[1].encode()
        for agency in ("civil_affairs", "education", "health", "human_resources")
        for name in day.parts.keys.pseudonyms(agency, subjects)
    ]
    whole = {*subjects, *lookups, *(value for row in vault for value in row[1:])}
    traces = whole | {value.hex().encode() for value in (*subjects, *lookups)} | set(names)
    short = {trace[:12] for trace in traces}
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [each[0] for each in cursor.description]
        for row in cursor:
            for column, value in zip(columns, row, strict=True):
                raw = value if isinstance(value, bytes) else str(value).encode()
                hit = any(raw[at : at + 12] in short for at in range(max(0, len(raw) - 11)))
                assert not hit or column in HELD.get(table, {}), f"{table}.{column}"
    connection.close()


def test_the_mentioned_tables_are_really_used(day: TestGateway) -> None:
    """The walk above looked at rows, not at empty tables."""
    connection = day.database()
    empty = {
        place.id
        for place in TABLES
        if not connection.execute(f"SELECT count(*) FROM {place.id}").fetchone()[0]
    }
    connection.close()
    passing = {"ledger_touch", "ledger_pass", "referral", "referral_comment", "handover"}
    assert empty <= {"idempotency", "alarm", "deletion_notice", "disclosed_to", "instrument", *passing}
