"""Bring a store to the newest version of its tables."""

import contextlib
import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"


def config(connection: Connection) -> Config:
    """Alembic's configuration over an open connection; no file, no logging of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["connection"] = connection
    return settings


def upgrade(url: str) -> None:
    """Run every missing migration, each in a transaction."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _wal)
        _make_private(engine.url.database or "")
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
    engine.dispose()


def _make_private(path: str) -> None:
    """A store that is not there yet is made for its owner only; SQLite makes its log like it.

    One that is there is not even opened: closing any descriptor of a file drops every POSIX lock the process has on it,
    SQLite's own included, and two writers without locks ruin a store (https://www.sqlite.org/howtocorrupt.html §2.2).
    """
    with contextlib.suppress(OSError):  # it is there; anything else SQLite says better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _wal(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
    connection.execute("PRAGMA synchronous=FULL")  # type: ignore[attr-defined]
    connection.execute("PRAGMA busy_timeout=10000")  # type: ignore[attr-defined]
