"""Reads of the hot path: all that happen in one turn of the event loop share one read transaction.

A read transaction of SQLite's costs as much as the read itself, and a turn under load serves dozens of requests. What
is read in a turn was committed before that turn's first read, which is after each of its requests had come in.
"""

import asyncio
import contextlib
import sqlite3

from gateway.adapters.db.engine import Store


class Turn:
    """A connection of the event loop's own, and what was found through it in this turn."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: sqlite3.Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._found: dict[tuple[str, str], bool] = {}

    def reader(self) -> sqlite3.Connection:
        """The turn's snapshot; outside an event loop the thread's own reader, with a snapshot for each read."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._store.reader
        if self._connection is None:
            self._connection = self._store.reading()
        if self._loop is not loop:
            self._begin(self._connection, loop)
        return self._connection

    def exists(self, statement: str, value: str) -> bool:
        """Whether a statement of one parameter finds a row; in one turn it is asked once."""
        reader = self.reader()
        if reader is not self._connection:
            return reader.execute(statement, (value,)).fetchone() is not None
        found = self._found.get((statement, value))
        if found is None:
            found = reader.execute(statement, (value,)).fetchone() is not None
            self._found[statement, value] = found
        return found

    def _begin(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        """The end is queued first: whoever hears of a later commit runs after it, and sees that commit."""
        self._finish(connection)  # of an event loop that was closed within its turn
        loop.call_soon(self._end)
        connection.execute("BEGIN")
        self._loop = loop

    def _end(self) -> None:
        self._loop = None
        if self._connection is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # the store was closed meanwhile
                self._finish(self._connection)

    def _finish(self, connection: sqlite3.Connection) -> None:
        self._found.clear()
        if connection.in_transaction:
            connection.execute("COMMIT")
