"""One child's entries are all found, whichever way they are kept, and however far the index has got."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.db import evidence_index
from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store
from gateway.adapters.db.evidence_index import SqliteChildEvidence, SqliteEvidenceIndex
from gateway.adapters.db.migrate import upgrade
from gateway.domain.audit import AuditEntry
from gateway.domain.disclosure import uses_of
from gateway.domain.model import SubjectId
from tests import entries

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def child(number: int) -> SubjectId:
    return SubjectId(number.to_bytes(16, "big"))


def entry(number: int, subject: SubjectId | None = None, members: bytes = b"") -> AuditEntry:
    told = {"action": "subscribe", "exchange": "leads", "purpose": "dropout_control"}
    return entries.entry(f"ref-{number:032x}", at=NOW, subject=subject, members=members, **told)


@dataclass
class Evidence:
    store: Store
    index: SqliteEvidenceIndex
    count: int = 0

    def add(self, *entries: tuple[SubjectId | None, bytes]) -> None:
        made = [entry(self.count + at, *each) for at, each in enumerate(entries)]
        with self.store.writing() as connection:
            insert_entries(connection, [written(each) for each in made])
        self.count += len(made)


@pytest.fixture
def evidence(tmp_path: Path) -> Iterator[Evidence]:
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    store = Store(tmp_path / "huxue.db")
    yield Evidence(store, SqliteEvidenceIndex(store))
    store.close()


def test_a_new_entry_is_found_before_anything_is_indexed(evidence: Evidence) -> None:
    evidence.add((child(1), b""), (None, child(2) + child(1)), (None, b""), (child(2), b""))
    assert evidence.index.seqs_of(child(1)) == [2, 1]
    assert evidence.index.seqs_of(child(3)) == []
    rows = evidence.store.reader.execute("SELECT count(*) FROM audit_subject").fetchone()
    assert rows == (0,), "a short tail is looked through; a look writes nothing but its evidence"


@pytest.mark.parametrize("tail", [0, 3, 10_000])
def test_nothing_is_missed_however_far_the_index_is(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch, tail: int
) -> None:
    monkeypatch.setattr(evidence_index, "_TAIL", tail)
    monkeypatch.setattr(evidence_index, "_BATCH", 7)
    dice = random.Random(tail)
    expected: dict[int, list[int]] = {number: [] for number in range(12)}
    for seq in range(1, 201):
        alone = dice.random() < 0.5
        who = [dice.randrange(12)] if alone else sorted(dice.sample(range(12), dice.randrange(4)))
        evidence.add((child(who[0]), b"") if alone else (None, b"".join(map(child, who))))
        for number in who:
            expected[number].insert(0, seq)
        if dice.random() < 0.05:
            evidence.index.catch_up()
        asked = dice.randrange(12)
        assert evidence.index.seqs_of(child(asked)) == expected[asked]
    evidence.index.catch_up()
    assert evidence.index.catch_up() == 0
    assert all(evidence.index.seqs_of(child(number)) == seqs for number, seqs in expected.items())


def test_a_set_told_again_after_it_was_indexed_is_found(evidence: Evidence) -> None:
    """The same list is kept once; each telling is an entry of its own."""
    same = child(1) + child(2)
    evidence.add((None, same))
    evidence.index.catch_up()
    evidence.add((None, same), (child(1), same))
    assert evidence.index.seqs_of(child(1)) == [3, 2, 1]
    assert evidence.index.seqs_of(child(2)) == [3, 2, 1]


def test_bodies_come_newest_first_and_read_back(evidence: Evidence) -> None:
    evidence.add(*[(child(1), b"")] * 5)
    found = SqliteChildEvidence(evidence.store)
    bodies = found.bodies(evidence.index.seqs_of(child(1)))
    assert [use.reference[-1] for use in uses_of(bodies)] == ["4", "3", "2", "1", "0"]
    assert found.seq_of(f"ref-{2:032x}") == 3
    assert found.seq_of("ref-none") is None
    assert found.places(child(1)) == frozenset()
