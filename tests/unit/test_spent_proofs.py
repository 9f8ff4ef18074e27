"""Proofs in the group commit: spent with the entry or not at all, the false ones refused, the others unharmed."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.clock import AsOfClock
from gateway.adapters.db.engine import Store
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring
from gateway.domain.audit import AuditEntry
from gateway.domain.errors import Conflict, HuxueError, RateLimited, TokenNotBound
from gateway.domain.ports import Transaction
from tests import entries

TODAY = date(2026, 11, 20)
IN_TIME = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
"""No run is so slow that a proof of it runs out."""


@dataclass
class Given:
    """A proof whose signature is what the test says it is."""

    number: int
    right: bool = True
    expires: int = IN_TIME
    refusal: HuxueError | None = None
    asked: int = 0

    @property
    def key(self) -> bytes:
        return self.number.to_bytes(16, "big")

    def pending(self, tell: Callable[[], None]) -> bool:
        return False

    def admitted(self) -> HuxueError | None:
        self.asked += 1
        return self.refusal

    def held(self) -> bool:
        return self.right


def entry(number: int) -> AuditEntry:
    return entries.entry(f"ref-{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    create_keyring(tmp_path / "k.json")
    return tmp_path


class Processes:
    """Journals over one store file, as several processes have them."""

    def __init__(self, folder: Path) -> None:
        self._keys: FileKeyRing = load_keyring(folder / "k.json")
        self.path, self.stores = folder / "huxue.db", []  # type: Path, list[Store]

    def journal(self) -> GroupCommitJournal:
        self.stores.append(Store(self.path))
        return GroupCommitJournal(self.stores[-1], self._keys, AsOfClock(TODAY))

    def references(self) -> list[str]:
        connection = sqlite3.connect(self.path)
        rows = connection.execute("SELECT reference FROM audit_entry ORDER BY seq").fetchall()
        connection.close()
        return [row[0] for row in rows]


@pytest.fixture
def processes(path: Path) -> Iterator[Processes]:
    made = Processes(path)
    yield made
    for store in made.stores:
        store.close()


def together(*waiting: Coroutine[Any, Any, Any]) -> list[Any]:
    """What came of each: its result, or the class of its error."""

    async def run() -> list[Any]:
        found = await asyncio.gather(*waiting, return_exceptions=True)
        return [type(each) if isinstance(each, BaseException) else each for each in found]

    return asyncio.run(run())


def test_a_false_proof_writes_nothing_and_harms_nobody(processes: Processes) -> None:
    journal = processes.journal()
    found = together(*(journal.record(entry(n), Given(n, right=n % 2 == 0)) for n in range(6)))
    assert found == [None, TokenNotBound] * 3
    assert processes.references() == ["ref-0", "ref-2", "ref-4"]


def test_a_batch_of_false_proofs_only(processes: Processes) -> None:
    journal = processes.journal()
    assert together(journal.record(entry(1), Given(1, right=False))) == [TokenNotBound]
    assert together(journal.record(entry(2), Given(2))) == [None]
    assert processes.references() == ["ref-2"]


def test_the_same_proof_twice_in_a_batch_counts_once(processes: Processes) -> None:
    journal = processes.journal()
    assert together(*(journal.record(entry(n), Given(7)) for n in range(3))) == [None] + [TokenNotBound] * 2
    assert processes.references() == ["ref-0"]


def test_what_one_process_spent_is_spent_in_all(processes: Processes) -> None:
    first, second = processes.journal(), processes.journal()
    assert together(first.record(entry(1), Given(1))) == [None]
    assert together(second.spend(Given(1))) == [TokenNotBound]
    assert together(second.spend(Given(2))) == [None]
    assert together(first.spend(Given(2)), first.record(entry(3))) == [TokenNotBound, None]
    later = processes.journal()
    assert together(later.spend(Given(1)), later.spend(Given(2)), later.spend(Given(3))) == [
        TokenNotBound,
        TokenNotBound,
        None,
    ]
    assert processes.references() == ["ref-1", "ref-3"]


def test_a_proof_that_ran_out_while_it_waited_does_not_count(processes: Processes) -> None:
    journal = processes.journal()
    assert together(journal.spend(Given(1, expires=int(time.time()) - 1))) == [TokenNotBound]


def fails(number: int) -> Callable[[Transaction], tuple[str, AuditEntry]]:
    def work(_transaction: Transaction) -> tuple[str, AuditEntry]:
        if number == 1:
            raise Conflict
        return f"done-{number}", entry(number)

    return work


def test_work_that_fails_leaves_others_alone_and_its_proof_spent(processes: Processes) -> None:
    journal = processes.journal()
    found = together(*(journal.perform(fails(n), Given(n)) for n in range(3)))
    assert found == ["done-0", Conflict, "done-2"]
    assert processes.references() == ["ref-0", "ref-2"]
    assert together(*(journal.spend(Given(n)) for n in range(4))) == [TokenNotBound] * 3 + [None]


def test_whose_holder_has_asked_enough_is_spent_and_does_nothing(processes: Processes) -> None:
    journal = processes.journal()
    proofs = [Given(n, refusal=RateLimited(7) if n == 2 else None) for n in range(4)]
    waiting = (journal.perform(fails(each.number), each) for each in proofs)
    assert together(*waiting) == ["done-0", Conflict, RateLimited, "done-3"]
    assert processes.references() == ["ref-0", "ref-3"]
    assert together(journal.spend(Given(2))) == [TokenNotBound]


def test_only_of_a_proof_that_counts_it_is_asked_whether_its_holder_may(processes: Processes) -> None:
    journal = processes.journal()
    proofs = [Given(1), Given(1), Given(2, right=False), Given(3, expires=int(time.time()) - 1)]
    together(*(journal.spend(each) for each in proofs))
    assert [each.asked for each in proofs] == [1, 0, 0, 0]


def test_a_commit_that_fails_spends_nothing(processes: Processes) -> None:
    journal = processes.journal()
    store = processes.stores[0]
    store.writer.execute("PRAGMA query_only=ON")
    assert together(journal.record(entry(1), Given(1)))[0] is not None
    store.writer.execute("PRAGMA query_only=OFF")
    assert together(journal.record(entry(1), Given(1))) == [None]
    assert processes.references() == ["ref-1"]
