"""A store made by the migrations is the store the tables describe."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gateway.adapters.db import metadata
from gateway.adapters.db.metadata import METADATA
from gateway.adapters.db.migrate import _make_private, config, upgrade


@pytest.fixture
def path(tmp_path: Path) -> Path:
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    return tmp_path / "huxue.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def test_a_fresh_store_is_what_the_tables_say(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_every_module_of_tables_is_known() -> None:
    found = {path.stem for path in Path(metadata.__file__).parent.glob("*tables.py")} - {"fact_tables"}
    assert {"tables", "log_tables"} < found <= vars(metadata).keys()
    assert {"audit_entry", "audit_head", "guard_seen"} < METADATA.tables.keys()


def test_upgrading_twice_changes_nothing(path: Path, connection: sqlite3.Connection) -> None:
    before = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    upgrade(f"sqlite:///{path}")
    assert connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_evidence_is_never_changed_or_removed(connection: sqlite3.Connection) -> None:
    insert = "INSERT INTO audit_entry (reference, body, leaf) VALUES (?, x'00', x'00')"
    connection.execute(insert, ("ref-1",))
    connection.commit()
    for attempt in (
        "UPDATE audit_entry SET body = x'01'",
        "UPDATE audit_entry SET seq = 9 WHERE reference = 'ref-1'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE seq = 1",
        "REPLACE INTO audit_entry (seq, reference, body, leaf) VALUES (1, 'ref-1', x'01', x'01')",
        "REPLACE INTO audit_entry (reference, body, leaf) VALUES ('ref-1', x'01', x'01')",
        "INSERT INTO audit_entry (reference, body, leaf) VALUES ('ref-1', x'01', x'01')"
        " ON CONFLICT (reference) DO UPDATE SET body = x'01'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(attempt)
        connection.rollback()
    assert connection.execute("SELECT seq, reference, body FROM audit_entry").fetchall() == [
        (1, "ref-1", b"\0")
    ]


def test_a_removed_entrys_number_is_not_given_again(connection: sqlite3.Connection) -> None:
    """AUTOINCREMENT: should somebody remove the trigger and the last entry, the gap stays to be seen."""
    for number in range(3):
        connection.execute(
            "INSERT INTO audit_entry (reference, body, leaf) VALUES (?, x'', x'')", (f"ref-{number}",)
        )
    connection.execute("DROP TRIGGER audit_entry_no_delete")
    connection.execute("DELETE FROM audit_entry WHERE seq = 3")
    connection.execute("INSERT INTO audit_entry (reference, body, leaf) VALUES ('ref-9', x'', x'')")
    assert [row[0] for row in connection.execute("SELECT seq FROM audit_entry ORDER BY seq")] == [1, 2, 4]


def test_upgrading_a_store_in_use_leaves_its_locks_alone(path: Path) -> None:
    """Opening and closing the file beside SQLite would drop this process's locks on it."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    upgrade_beside = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE')"
    )
    _make_private(str(path))
    tried = subprocess.run(
        [sys.executable, "-c", upgrade_beside, str(path)], capture_output=True, check=False
    )
    holder.execute("ROLLBACK")
    holder.close()
    assert b"locked" in tried.stderr


def test_a_store_of_before_the_ledgers_keeps_what_is_in_it(tmp_path: Path) -> None:
    """The migration on a store in use: cases and children stay, and the ledgers begin empty."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as opened:
        command.upgrade(config(opened), "0008")
    engine.dispose()
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute(
        "INSERT INTO case_file (ref, region, subject_id, state, opened_at, since, residence, sealed) VALUES"
        " ('case-1', '530423', zeroblob(16), 'suspected', '2026-11-01 00:00:00', '2026-11-01', '530423101', 0)"
    )
    connection.commit()
    upgrade(url)
    assert connection.execute("SELECT ref, state FROM case_file").fetchall() == [("case-1", "suspected")]
    for table in ("ledger_entry", "ledger_touch", "ledger_pass"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    connection.close()
