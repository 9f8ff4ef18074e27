"""Reads that share a turn of the event loop: a commit that anybody has heard of is seen."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.db.engine import Store
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.db.turn import Turn

FOUND = "SELECT 1 FROM meta WHERE key = ?"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    made = Store(tmp_path / "huxue.db")
    yield made
    made.close()


def write(store: Store, key: str) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, '')", (key,))


def test_one_snapshot_a_turn_and_a_new_one_in_the_next(store: Store) -> None:
    turn = Turn(store)

    async def run() -> None:
        assert not turn.exists(FOUND, "new")
        write(store, "new")
        assert not turn.exists(FOUND, "new")
        assert turn.reader().execute(FOUND, ("new",)).fetchone() is None
        await asyncio.sleep(0)
        assert turn.exists(FOUND, "new")

    asyncio.run(run())


def test_whoever_hears_of_a_commit_sees_it(store: Store) -> None:
    turn = Turn(store)

    async def run() -> None:
        for number in range(50):
            assert not turn.exists(FOUND, f"key-{number}")
            await asyncio.to_thread(write, store, f"key-{number}")
            assert turn.exists(FOUND, f"key-{number}")

    asyncio.run(run())


def test_outside_a_loop_every_read_is_new(store: Store) -> None:
    turn = Turn(store)
    assert not turn.exists(FOUND, "new")
    write(store, "new")
    assert turn.exists(FOUND, "new")


def test_a_loop_closed_within_its_turn_and_a_store_closed_within_one(store: Store) -> None:
    turn, loop = Turn(store), asyncio.new_event_loop()

    async def look() -> bool:
        return turn.exists(FOUND, "new")

    task = loop.create_task(look())
    task.add_done_callback(lambda _: loop.stop())
    loop.run_until_complete(task)
    loop.close()
    write(store, "new")
    assert asyncio.run(look())

    async def close() -> None:
        turn.exists(FOUND, "new")
        store.close()

    asyncio.run(close())
