"""Group commit: everything that is ready to be written in one turn of the event loop shares one disk flush.

A lone caller is flushed at once; under load a batch forms by itself from the requests the loop has ready. Nothing is
answered before its entry is on disk.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from gateway.adapters.db.effects import SqliteTransaction, WrittenEntry, insert_entries, written
from gateway.adapters.db.engine import Store, unavailable
from gateway.adapters.db.guard import Counted
from gateway.adapters.db.proofs import SpentProofs, refused_proof
from gateway.domain.audit import AuditEntry
from gateway.domain.errors import HuxueError, SourceUnavailable
from gateway.domain.ports import Clock, KeyRing, Possession, Result, Transaction

_RETRY_SECONDS = 0.002
_PATIENCE_SECONDS = 15.0
_BATCH = 512
_IDLE_TURNS = 2
_MOST_TURNS = 24

Work = Callable[[Transaction], tuple[Any, AuditEntry]]
_Outcome = tuple[asyncio.Future[Any], Any, Exception | None]


class _Waiting(NamedTuple):
    """Somebody's entry, or work, or neither (only a proof to spend), waiting for the next commit."""

    future: asyncio.Future[Any]
    entry: AuditEntry | None
    work: Work | None
    proof: Possession | None


class GroupCommitJournal:
    """`gateway.domain.ports.Journal` over the embedded store."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._scheduled = False
        self._parked = False
        self._looking = 0
        self._since = 0.0
        self._seen = 0
        self._idle = 0
        self._turns = 0
        self._listeners: set[asyncio.Event] = set()
        self._proofs = SpentProofs()
        self._counted = Counted()

    async def record(self, entry: AuditEntry, proof: Possession | None = None) -> None:
        """Commit one entry; SourceUnavailable when it cannot be, TokenNotBound when its proof does not count."""
        await self._enqueue(entry, None, proof)

    async def perform(
        self, work: Callable[[Transaction], tuple[Result, AuditEntry]], proof: Possession | None = None
    ) -> Result:
        """Run `work` in the commit; what it raises undoes its own effects and nobody else's."""
        result: Result = await self._enqueue(None, work, proof)
        return result

    async def spend(self, proof: Possession) -> None:
        """Spend a proof in the next commit, with no entry; TokenNotBound when it does not count."""
        await self._enqueue(None, None, proof)

    def listen(self) -> asyncio.Event:
        """An event that is set after each commit with effects; hand it back with `unlisten`."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def unlisten(self, event: asyncio.Event) -> None:
        """Stop setting that event."""
        self._listeners.discard(event)

    def notify(self) -> None:
        """Tell the listeners that leads may have changed."""
        for event in self._listeners:
            event.set()

    def _enqueue(
        self, entry: AuditEntry | None, work: Work | None, proof: Possession | None
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if proof is not None and self._proofs.known(proof):
            future.set_exception(refused_proof())
            return future
        waiting = _Waiting(future, entry, work, proof)
        if proof is None or not proof.pending(partial(self._looked_at, waiting)):
            self._join(waiting)
        else:
            self._looking += 1
        return future

    def _looked_at(self, waiting: _Waiting) -> None:
        self._looking -= 1
        self._join(waiting)

    def _join(self, waiting: _Waiting) -> None:
        """Into the next commit. Whose proof is still looked at comes here when that is over."""
        self._waiting.append(waiting)
        if not self._scheduled:
            self._scheduled = True
            self._since = time.monotonic()
            self._seen = self._idle = self._turns = 0
            asyncio.get_running_loop().call_soon(self._gather)
        elif self._parked:
            self._parked = False
            asyncio.get_running_loop().call_soon(self._gather)

    def _gather(self) -> None:
        """Let requests that are already on their way join: flush once nothing has joined for two turns of the loop.

        A turn costs some microseconds, a disk flush a hundred times that; a lone caller waits two turns. While most
        proofs are still being looked at, the next verdict (there always is one) calls this again.
        """
        if self._looking > len(self._waiting) < _BATCH:
            self._parked = True
            return
        grown = len(self._waiting) > self._seen
        self._seen, self._turns = len(self._waiting), self._turns + 1
        self._idle = 0 if grown else self._idle + 1
        if self._idle >= _IDLE_TURNS or self._turns >= _MOST_TURNS or self._seen >= _BATCH:
            self._flush()
        else:
            asyncio.get_running_loop().call_soon(self._gather)

    def _flush(self) -> None:
        """Write the batch if the store is free; if a bulk load or another process has it, come back shortly."""
        ready = self._sift()
        if not ready and not self._waiting:
            self._scheduled = False
            return
        if not self._store.gate.acquire(blocking=False):
            self._later()
            return
        try:
            if not self._begin():
                self._later()
                return
            if not self._store.writer.in_transaction:
                self._scheduled = False
                return
            batch, self._waiting = self._waiting[:ready], self._waiting[ready:]
            self._write(batch)
        except sqlite3.Error:
            self._fail(unavailable())
        finally:
            self._store.gate.release()
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            self._since = time.monotonic()
            asyncio.get_running_loop().call_soon(self._flush)

    def _sift(self) -> int:
        """How many may be written: whose proof is false is refused before anything is written in the holder's name."""
        head, rest = self._waiting[:_BATCH], self._waiting[_BATCH:]
        good = [each for each in head if each.proof is None or each.proof.held()]
        if len(good) < len(head):
            kept = {id(each) for each in good}
            _settle([(each.future, None, refused_proof()) for each in head if id(each) not in kept])
            self._waiting = good + rest
        return len(good)

    def _begin(self) -> bool:
        """Open the transaction without waiting; False when another process is writing."""
        writer = self._store.writer
        writer.execute("PRAGMA busy_timeout=0")
        try:
            writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            self._fail(unavailable())
            return True
        finally:
            writer.execute("PRAGMA busy_timeout=10000")
        return True

    def _later(self) -> None:
        if time.monotonic() - self._since > _PATIENCE_SECONDS:
            self._scheduled = False
            self._fail(SourceUnavailable("系统繁忙，请稍后再试。", "The store is busy; try again."))
            return
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._flush)

    def _write(self, batch: list[_Waiting]) -> None:
        """One transaction for the batch. Savepoints are only paid for when some work refused itself or broke."""
        try:
            outcomes = self._attempt(batch, guarded=False)
        except Exception:  # noqa: BLE001 - tried again one by one: whoever raised it gets it, the others do not
            outcomes = self._attempt(batch, guarded=True)
        _settle(outcomes)
        if any(each.work is not None for each in batch):
            self.notify()

    def _attempt(self, batch: list[_Waiting], guarded: bool) -> list[_Outcome]:
        """Everyone's effects and entries, committed. Raises what unguarded work raises."""
        writer = self._store.writer
        # What a savepoint takes back must not be remembered: then the table is asked each time.
        counted = None if guarded else self._counted
        transaction = SqliteTransaction(writer, self._keys, self._clock.today(), counted)
        entries: list[WrittenEntry] = []
        outcomes: list[_Outcome] = []
        try:
            if guarded:
                writer.execute("PRAGMA busy_timeout=0")
                writer.execute("BEGIN IMMEDIATE")
            self._proofs.begin()
            self._counted.begin()
            for future, entry, work, proof in batch:
                if proof is not None and not self._proofs.spend(writer, proof):
                    outcomes.append((future, None, refused_proof()))
                elif guarded:
                    outcomes.append((future, *self._guarded(transaction, entry, work, entries)))
                elif work is not None:
                    result, made = work(transaction)
                    entries.append(written(made))
                    outcomes.append((future, result, None))
                else:
                    if entry is not None:
                        entries.append(written(entry))
                    outcomes.append((future, None, None))
            insert_entries(writer, entries)
            self._proofs.write(writer)
            writer.execute("COMMIT")
            self._proofs.committed()
            self._counted.committed()
        except sqlite3.Error:
            self._store.roll_back()
            failure = unavailable()
            return [(each.future, None, failure) for each in batch]
        except BaseException:
            self._store.roll_back()
            raise
        return outcomes

    def _guarded(
        self,
        transaction: SqliteTransaction,
        entry: AuditEntry | None,
        work: Work | None,
        entries: list[WrittenEntry],
    ) -> tuple[Any, Exception | None]:
        """Work behind a savepoint: a refusal inside it, or a bug, leaves the others' effects alone."""
        writer = self._store.writer
        writer.execute("SAVEPOINT work")
        try:
            result, made = work(transaction) if work is not None else (None, entry)
            if made is not None:
                entries.append(written(made))
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for this work
            writer.execute("ROLLBACK TO work")
            return None, error
        finally:
            writer.execute("RELEASE work")
        return result, None

    def _fail(self, failure: HuxueError) -> None:
        waiting, self._waiting = self._waiting, []
        _settle([(each.future, None, failure) for each in waiting])


def _settle(outcomes: list[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
