"""What the gateway does beside answering, from its start to its end: sealing, housekeeping, keys that turn."""

import asyncio
import contextlib
import gc
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI

from gateway.domain.errors import HuxueError
from gateway.http.logging import log
from gateway.parts import Parts

_HOUSEKEEPING_SECONDS = 60.0
_GC_THRESHOLDS = (50_000, 20, 100)
_CHECKPOINT_SECONDS = 1.0
_KEYS_SECONDS = 1.0
_CATCH_UP_SECONDS = 30.0
_LEDGERS_SECONDS = 5.0


def lifespan_of(parts: Parts) -> Any:
    """The application's lifespan: background work runs inside it and has ended when it has."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        work = (
            _housekeeping(parts),
            _checkpoints(parts),
            _keys(parts),
            _ledgers(parts),
            parts.log.sealing(),
            parts.log.submitting(),
        )
        tasks = [asyncio.create_task(each) for each in work]
        # Nothing made so far dies before the process does: keep the collector from walking it again and again.
        # A file of a hundred thousand rows makes millions of objects at once: look for cycles less often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        log.info("started", policies=parts.points.version)
        for warning in parts.ring.warnings:
            log.warning("key ring", warning=warning)
        await _catch_up(parts)
        yield
        for task in tasks:
            task.cancel()
        await parts.context.export.stop()
        parts.context.binding.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Threads cannot be cancelled: let them finish before the connections they use are closed.
        await asyncio.get_running_loop().shutdown_default_executor()
        parts.store.close()

    return lifespan


async def _catch_up(parts: Parts) -> None:
    """The days that nobody lived through, before anybody is answered. Other processes may be at it: they are waited for.

    A store that cannot be written to does not keep the gateway from saying so: it starts, and takes nothing in
    before those days (`Daily.before`).
    """
    until = time.monotonic() + _CATCH_UP_SECONDS
    while True:
        try:
            await asyncio.to_thread(parts.daily.run)
        except HuxueError as error:
            log.warning("days to live through", problem=error.name)
            if time.monotonic() > until:
                return
            await asyncio.sleep(_CHECKPOINT_SECONDS)
        else:
            break
    for warning in parts.daily.warnings():
        log.warning("law date", warning=warning)


async def _checkpoints(parts: Parts) -> None:
    while True:
        await asyncio.sleep(_CHECKPOINT_SECONDS)
        with contextlib.suppress(sqlite3.Error):
            await asyncio.to_thread(parts.store.checkpoint)


async def _ledgers(parts: Parts) -> None:
    """What a file, a case or a day changed is put on the ledgers; whoever reads one before waits for it."""
    while True:
        await asyncio.sleep(_LEDGERS_SECONDS)
        try:
            for county in await asyncio.to_thread(parts.counties):
                await asyncio.to_thread(parts.ledgers.refresh, county, parts.clock.today())
        except HuxueError as error:
            log.warning("ledgers", problem=error.name)
        except Exception:  # noqa: BLE001 - what failed once is tried again; readers are told of it themselves
            log.error("ledgers", exc_info=True)


async def _keys(parts: Parts) -> None:
    """Each second: has the key ring turned?"""
    told: str | None = None
    while True:
        await asyncio.sleep(_KEYS_SECONDS)
        if await asyncio.to_thread(parts.ring.check):
            log.info("key ring taken")
        if parts.ring.problem != told:
            told = parts.ring.problem
            if told:
                log.warning("key ring", warning=told)


async def _housekeeping(parts: Parts) -> None:
    """Time passes: rules that fire by the day are evaluated; what is past its purpose or its expiry goes."""
    while True:
        try:
            if await asyncio.to_thread(parts.daily.run):
                parts.journal.notify()
            if await asyncio.to_thread(parts.purge.tick):
                parts.journal.notify()
            await asyncio.to_thread(parts.context.export.expire)
            await parts.context.resolve.lapse()
            await asyncio.to_thread(parts.transient.forget, parts.clock.now(), parts.clock.today())
            await asyncio.to_thread(parts.context.lists.forget_old)
        except HuxueError as error:
            log.warning("housekeeping", problem=error.name)
        except Exception:  # noqa: BLE001 - a day's work that fails must not stop the next minute's
            log.error("housekeeping", exc_info=True)
        await asyncio.sleep(_HOUSEKEEPING_SECONDS)
