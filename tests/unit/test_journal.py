"""Group commit over a real SQLite file: together when ready together, apart when one goes wrong, silent on a bad disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.clock import AsOfClock
from gateway.adapters.db import journal as journal_module
from gateway.adapters.db.engine import Store
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring
from gateway.domain.audit import AuditEntry, leaf_hash
from gateway.domain.errors import Conflict, SourceUnavailable
from gateway.domain.model import LeadDraft, SubjectId
from gateway.domain.ports import Identity, Transaction
from tests import entries

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


def entry(number: int, **changes: Any) -> AuditEntry:
    return entries.entry(f"ref-{number}", **changes)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "huxue.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FileKeyRing:
    path = tmp_path_factory.mktemp("keys") / "k.json"
    create_keyring(path)
    return load_keyring(path)


@pytest.fixture
def store(tmp_path: Path, template: Path) -> Iterator[Store]:
    (tmp_path / "huxue.db").write_bytes(template.read_bytes())
    store = Store(tmp_path / "huxue.db")
    yield store
    store.close()


@pytest.fixture
def journal(store: Store, keys: FileKeyRing) -> GroupCommitJournal:
    return GroupCommitJournal(store, keys, AsOfClock(TODAY))


def rows(store: Store, query: str = "SELECT reference FROM audit_entry ORDER BY seq") -> list[Any]:
    connection = sqlite3.connect(store.path)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()


def opens_lead(
    number: int, error: Exception | None = None
) -> Callable[[Transaction], tuple[str, AuditEntry]]:
    """Work that makes a child and a lead, then possibly fails."""

    def work(transaction: Transaction) -> tuple[str, AuditEntry]:
        subject = transaction.subject_for(bytes([number]) * 20, Identity(f"id-{number}", None))
        draft = LeadDraft(
            SubjectId(subject), "applicant-under-16", "530423", "530423", TODAY, ({"n": number},)
        )
        lead, _news = transaction.open_lead(draft, NOW)
        if error is not None:
            raise error
        return lead, entry(number)

    return work


def test_what_is_ready_together_is_one_commit(store: Store, journal: GroupCommitJournal) -> None:
    commits: list[str] = []
    store.writer.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)

    async def run() -> None:
        await asyncio.gather(*(journal.record(entry(number)) for number in range(100)))

    asyncio.run(run())
    assert rows(store) == [f"ref-{number}" for number in range(100)]
    assert len(commits) == 1


def test_more_than_a_batch_is_all_written(
    store: Store, journal: GroupCommitJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_BATCH", 7)

    async def run() -> None:
        await asyncio.gather(*(journal.record(entry(number)) for number in range(50)))
        await journal.record(entry(50))

    asyncio.run(run())
    assert rows(store) == [f"ref-{number}" for number in range(51)]


def test_an_entry_is_on_disk_when_record_returns(store: Store, journal: GroupCommitJournal) -> None:
    async def run() -> list[Any]:
        await journal.record(entry(1, subject=SubjectId(b"s" * 16)))
        return rows(store)

    assert asyncio.run(run()) == ["ref-1"]
    body, leaf = store.reader.execute("SELECT body, leaf FROM audit_entry").fetchone()
    assert leaf == leaf_hash(body)


def test_effects_and_their_entry_land_together(store: Store, journal: GroupCommitJournal) -> None:
    lead = asyncio.run(wait_for(journal.perform(opens_lead(1))))
    assert rows(store) == ["ref-1"]
    assert rows(store, "SELECT id FROM lead") == [lead]
    assert len(rows(store, "SELECT id FROM subject")) == 1
    assert rows(store, "SELECT kind FROM lead_event") == ["opened"]


async def wait_for(waiting: Any, seconds: float = 5) -> Any:
    """What a hanging journal would never give back."""
    return await asyncio.wait_for(waiting, seconds)


@pytest.mark.parametrize("error", [Conflict(), ValueError("a bug")], ids=repr)
def test_work_that_fails_undoes_its_own_effects_only(
    store: Store, journal: GroupCommitJournal, error: Exception
) -> None:
    async def run() -> list[Any]:
        together = asyncio.gather(
            journal.perform(opens_lead(1)),
            journal.record(entry(10)),
            journal.perform(opens_lead(2, error)),
            journal.perform(opens_lead(3)),
            return_exceptions=True,
        )
        return list(await wait_for(together))

    answers = asyncio.run(run())
    assert type(answers[2]) is type(error)
    assert sorted(rows(store)) == ["ref-1", "ref-10", "ref-3"]
    assert set(rows(store, "SELECT id FROM lead")) == {answers[0], answers[3]}
    assert len(rows(store, "SELECT id FROM subject")) == 2


def test_an_error_of_the_store_in_one_work_is_everybodys(store: Store, journal: GroupCommitJournal) -> None:
    async def run() -> list[Any]:
        works = (
            journal.perform(opens_lead(1)),
            journal.perform(opens_lead(2, sqlite3.OperationalError("disk full"))),
        )
        return list(await wait_for(asyncio.gather(*works, return_exceptions=True)))

    assert {type(answer) for answer in asyncio.run(run())} == {SourceUnavailable}
    assert rows(store) == []
    assert rows(store, "SELECT id FROM lead") == []


def test_an_entry_that_cannot_be_written_down_is_its_callers_error_only(
    store: Store, journal: GroupCommitJournal
) -> None:
    async def run() -> list[Any]:
        works = (
            journal.record(entry(1, detail=object())),
            journal.record(entry(2)),
            journal.perform(opens_lead(3)),
        )
        return list(await wait_for(asyncio.gather(*works, return_exceptions=True)))

    assert isinstance(asyncio.run(run())[0], TypeError)
    assert rows(store) == ["ref-2", "ref-3"]


def test_after_work_that_failed_the_journal_goes_on(store: Store, journal: GroupCommitJournal) -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match="a bug"):
            await wait_for(journal.perform(opens_lead(1, ValueError("a bug"))))
        await wait_for(journal.record(entry(2)))

    asyncio.run(run())
    assert rows(store) == ["ref-2"]


def test_the_same_child_asked_about_twice_at_once_is_one(store: Store, journal: GroupCommitJournal) -> None:
    async def run() -> list[str]:
        works = [opens_lead(1), opens_lead(1)]
        first = works[1]

        def renumbered(transaction: Transaction) -> tuple[str, AuditEntry]:
            return first(transaction)[0], entry(2)

        return list(await asyncio.gather(journal.perform(works[0]), journal.perform(renumbered)))

    one, other = asyncio.run(run())
    assert one == other
    assert len(rows(store, "SELECT id FROM subject")) == 1
    assert len(rows(store, "SELECT ref FROM case_file")) == 1


def test_a_disk_that_cannot_be_written_to_answers_nobody(store: Store, journal: GroupCommitJournal) -> None:
    store.writer.execute("PRAGMA query_only=ON")

    async def run() -> list[Any]:
        works = (journal.record(entry(1)), journal.perform(opens_lead(2)), journal.record(entry(3)))
        return list(await wait_for(asyncio.gather(*works, return_exceptions=True)))

    assert [type(answer) for answer in asyncio.run(run())] == [SourceUnavailable] * 3
    assert rows(store) == []
    assert rows(store, "SELECT id FROM subject") == []

    store.writer.execute("PRAGMA query_only=OFF")
    asyncio.run(wait_for(journal.record(entry(4))))
    assert rows(store) == ["ref-4"], "and is used again when it can be"


def test_a_closed_store_answers_nobody(store: Store, journal: GroupCommitJournal) -> None:
    store.writer.close()

    async def run() -> list[Any]:
        works = (journal.record(entry(1)), journal.perform(opens_lead(2)))
        first = list(await wait_for(asyncio.gather(*works, return_exceptions=True)))
        return [*first, *await wait_for(asyncio.gather(journal.record(entry(3)), return_exceptions=True))]

    assert [type(answer) for answer in asyncio.run(run())] == [SourceUnavailable] * 3
    assert rows(store) == []
    assert store.gate.acquire(blocking=False), "the gate is not left shut"


def test_a_disk_that_fails_at_the_commit_answers_nobody(store: Store, journal: GroupCommitJournal) -> None:
    def refuse(action: int, first: str | None, *_: object) -> int:
        return (
            sqlite3.SQLITE_DENY
            if action == sqlite3.SQLITE_TRANSACTION and first == "COMMIT"
            else sqlite3.SQLITE_OK
        )

    store.writer.set_authorizer(refuse)

    async def run() -> list[Any]:
        works = (journal.record(entry(1)), journal.perform(opens_lead(2)))
        return list(await wait_for(asyncio.gather(*works, return_exceptions=True)))

    assert [type(answer) for answer in asyncio.run(run())] == [SourceUnavailable] * 2
    assert rows(store) == []
    assert not store.writer.in_transaction


def test_an_entry_that_cannot_be_kept_takes_its_batch_with_it(
    store: Store, journal: GroupCommitJournal
) -> None:
    async def run() -> list[Any]:
        works = (journal.perform(opens_lead(1)), journal.record(entry(1)))
        return list(await wait_for(asyncio.gather(*works, return_exceptions=True)))

    assert {type(answer) for answer in asyncio.run(run())} == {SourceUnavailable}
    assert rows(store) == []
    assert rows(store, "SELECT id FROM lead") == []


def test_while_a_bulk_writer_has_the_store_the_loop_goes_on(
    store: Store, journal: GroupCommitJournal
) -> None:
    async def run() -> tuple[bool, int]:
        store.gate.acquire()
        waiting = asyncio.ensure_future(journal.record(entry(1)))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.001)
            turns += 1
        early = waiting.done()
        store.gate.release()
        await wait_for(waiting)
        return early, turns

    assert asyncio.run(run()) == (False, 20)
    assert rows(store) == ["ref-1"]


def test_while_another_process_writes_the_loop_goes_on(store: Store, journal: GroupCommitJournal) -> None:
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def run() -> bool:
        waiting = asyncio.ensure_future(journal.record(entry(1)))
        for _ in range(20):
            await asyncio.sleep(0.001)
        early = waiting.done()
        other.execute("COMMIT")
        await wait_for(waiting)
        return early

    assert asyncio.run(run()) is False
    other.close()
    assert rows(store) == ["ref-1"]


@pytest.mark.parametrize("holder", ["gate", "process"])
def test_patience_ends_with_an_error_not_with_an_answer(
    store: Store, journal: GroupCommitJournal, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    monkeypatch.setattr(journal_module, "_PATIENCE_SECONDS", 0.05)
    other = sqlite3.connect(store.path, isolation_level=None)
    if holder == "gate":
        store.gate.acquire()
    else:
        other.execute("BEGIN IMMEDIATE")

    async def run() -> None:
        with pytest.raises(SourceUnavailable):
            await wait_for(journal.record(entry(1)))

    asyncio.run(run())
    if holder == "gate":
        store.gate.release()
    other.close()
    assert rows(store) == []
    asyncio.run(wait_for(journal.record(entry(2))))
    assert rows(store) == ["ref-2"]


def test_a_bulk_writer_in_a_thread_and_the_journal_take_turns(
    store: Store, journal: GroupCommitJournal
) -> None:
    def bulk(number: int) -> None:
        with store.writing() as connection:
            connection.execute("INSERT INTO meta (key, value) VALUES (?, '')", (f"bulk-{number}",))

    async def run() -> None:
        threads = [threading.Thread(target=bulk, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        await wait_for(asyncio.gather(*(journal.record(entry(number)) for number in range(30))))
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))

    asyncio.run(run())
    assert len(rows(store)) == 30
    assert len(rows(store, "SELECT key FROM meta WHERE key LIKE 'bulk-%'")) == 10


def test_a_caller_who_left_holds_nobody_up(store: Store, journal: GroupCommitJournal) -> None:
    async def run() -> None:
        gone = asyncio.ensure_future(journal.record(entry(1)))
        stays = asyncio.ensure_future(journal.record(entry(2)))
        await asyncio.sleep(0)
        gone.cancel()
        await wait_for(stays)

    asyncio.run(run())
    assert "ref-2" in rows(store)


def test_listeners_hear_of_effects_and_not_of_mere_evidence(journal: GroupCommitJournal) -> None:
    async def run() -> tuple[bool, bool, bool]:
        event = journal.listen()
        await journal.record(entry(10))
        quiet = event.is_set()
        await journal.perform(opens_lead(1))
        heard = event.is_set()
        event.clear()
        journal.unlisten(event)
        await journal.perform(opens_lead(2))
        return quiet, heard, event.is_set()

    assert asyncio.run(run()) == (False, True, False)
