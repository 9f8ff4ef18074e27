"""The embedded store: SQLite in WAL mode, every commit on disk (synchronous=FULL), one writer at a time.

Readers never wait. Writers take the gate first, so that inside one process nobody waits inside SQLite; other
processes are waited for by SQLite's own busy handler, and never from the event loop.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.errors import SourceUnavailable

_CACHE_KIB = 65_536
_BUSY_MILLISECONDS = 10_000
_TRUNCATE_MILLISECONDS = 2_000
_STAMP = len("2026-11-20 08:00:00.000000")
_CHECKPOINT_PAGES = 16_384
"""Only a backstop: `checkpoint` runs every second beside the commits instead of inside one of them."""


def stamp(moment: datetime) -> str:
    """A time as the store keeps it: UTC, fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:_STAMP]


def moment(text: str) -> datetime:
    """What `stamp` wrote."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def unavailable() -> SourceUnavailable:
    """A store that is read-only, full or locked, as the caller may hear of it."""
    return SourceUnavailable(
        "数据暂不能保存，未写入任何内容。", "The store cannot be written to now; nothing was written."
    )


class Store:
    """Connections to one SQLite file: a reader for each thread, one writer behind the gate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gate = threading.Lock()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self.writer = self._connect()
        self._checkpointer = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self._opened.append(connection)
        return connection

    @property
    def reader(self) -> sqlite3.Connection:
        """This thread's own connection for reading."""
        found: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if found is None:
            found = self._local.reader = self.reading()
        return found

    def reading(self) -> sqlite3.Connection:
        """Another connection for reading, closed with the store."""
        made = self._connect()
        made.execute("PRAGMA query_only=ON")
        return made

    def version(self) -> int:
        """Changes with every commit by anyone; to be compared within one thread."""
        return int(self.reader.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, all or nothing. Blocks: for worker threads and the command line only."""
        with self.gate:
            try:
                self.writer.execute("BEGIN IMMEDIATE")
                yield self.writer
                self.writer.execute("COMMIT")
            except sqlite3.Error as error:
                self.roll_back()
                raise unavailable() from error
            except BaseException:
                self.roll_back()
                raise

    def checkpoint(self) -> None:
        """Move committed pages from the log into the file without making anyone wait."""
        self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def truncate(self) -> bool:
        """Move every page into the file and empty the log, so that no deleted row stays in it; False: try again later.

        Waits for readers of older pages a moment, and the writers with it. A connection of its own: the other
        checkpoints never wait.
        """
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout={_TRUNCATE_MILLISECONDS}")
            busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return not busy

    def probe(self) -> None:
        """Raises SourceUnavailable when nothing can be written now."""
        with self.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', '')")

    def roll_back(self) -> None:
        """Undo an open transaction, if there is one."""
        if self.writer.in_transaction:
            self.writer.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
