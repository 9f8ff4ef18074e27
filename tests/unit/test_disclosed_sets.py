"""A set of children is what its digest says and holds whom it holds, plain or in pieces; odd pages cost next to nothing."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.adapters.db.disclosed_sets import INSERT, members_of, places_in, rows_for, sets_with
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.logs.database import DatabaseLog
from gateway.domain.audit import AuditEntry, canonical, members_digest
from gateway.domain.model import SubjectId
from tests.unit.test_evidence_index import child, entry

LIST = 3_000
PAGES = 200


def children(count: int, seed: int = 1) -> list[SubjectId]:
    dice = random.Random(seed)
    return [SubjectId(dice.randbytes(16)) for _ in range(count)]


def page(whole: list[SubjectId], first: int, last: int) -> AuditEntry:
    return replace(entry(0, members=b"".join(whole[first:last])), cut_from=(whole, first))


def odd_pages(whole: list[SubjectId], count: int = PAGES, seed: int = 2) -> list[tuple[int, int]]:
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        first = dice.randrange(len(whole))
        found.append((first, min(len(whole), first + dice.randrange(1, 2_000))))
    return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    upgrade(f"sqlite:///{tmp_path / 'huxue.db'}")
    with closing(sqlite3.connect(tmp_path / "huxue.db")) as found:
        yield found


def keep(database: sqlite3.Connection, made: AuditEntry) -> bytes:
    rows = rows_for(made)
    database.executemany(INSERT, rows)
    return rows[-1][0]


def size(database: sqlite3.Connection) -> int:
    found = database.execute("SELECT COALESCE(sum(32 + length(members)), 0) FROM disclosed_set").fetchone()
    return int(found[0])


def test_every_page_is_read_back_under_the_digest_that_it_always_had(database: sqlite3.Connection) -> None:
    whole = children(LIST)
    for first, last in [(0, LIST), (0, 1), (LIST - 1, LIST), (17, 18), *odd_pages(whole)]:
        digest = keep(database, page(whole, first, last))
        assert digest == members_digest(b"".join(whole[first:last]))
        assert members_of(database, digest) == b"".join(whole[first:last])


def test_the_entry_commits_to_the_page_and_not_to_how_it_is_kept() -> None:
    whole = children(LIST)
    made = page(whole, 100, 1_500)
    assert canonical(made) == canonical(replace(made, cut_from=None))


def test_a_child_is_in_the_pages_that_told_of_it_and_in_no_other(database: sqlite3.Connection) -> None:
    whole = children(LIST)
    pages = {keep(database, page(whole, *where)): where for where in odd_pages(whole)}
    for at in range(0, LIST, 37):
        found = pages.keys() & sets_with(database, [whole[at]]).keys()
        assert found == {digest for digest, (first, last) in pages.items() if first <= at < last}
    several = [whole[5], whole[1_000], whole[2_999], children(1, seed=9)[0]]
    hits = sets_with(database, several)
    for digest, (first, last) in pages.items():
        assert hits.get(digest, set()) == set(several) & set(whole[first:last])


def test_a_child_that_stands_there_twice_is_found_by_either_place(database: sqlite3.Connection) -> None:
    """As a child with two leads does."""
    whole = children(600)
    whole[500] = whole[10]
    early, late, neither = (
        keep(database, page(whole, *where)) for where in ((5, 300), (400, 599), (20, 480))
    )
    found = sets_with(database, [whole[10]])
    assert {early, late} <= found.keys()
    assert neither not in found


def test_pages_of_odd_limits_cost_next_to_nothing(database: sqlite3.Connection) -> None:
    whole = children(LIST)
    plain = sum(16 * (last - first) for first, last in odd_pages(whole))
    for where in odd_pages(whole):
        keep(database, page(whole, *where))
    once = 16 * LIST
    assert plain > 50 * once, "as it would be without pieces"
    assert size(database) < 2 * once + PAGES * 1_000


def test_a_list_that_changed_a_little_keeps_its_blocks(database: sqlite3.Connection) -> None:
    whole = children(LIST)
    keep(database, page(whole, 0, LIST))
    before = size(database)
    changed = [*whole[:700], *children(1, seed=3), *whole[700:]]
    keep(database, page(changed, 0, len(changed)))
    assert size(database) - before < before / 5


def test_a_page_with_no_list_around_it_shares_what_lies_between_its_edges(
    database: sqlite3.Connection,
) -> None:
    """A page of leads: the list it is of is known to nobody."""
    whole = children(1_000)
    told = [whole[first : first + 900] for first in range(100)]
    for each in told:
        digest = keep(database, page(each, 0, len(each)))
        assert members_of(database, digest) == b"".join(each)
    assert size(database) < sum(16 * len(each) for each in told) / 3


def test_a_set_that_was_kept_before_there_were_pieces_stands(database: sqlite3.Connection) -> None:
    """Under the same digest, and neither is kept twice."""
    whole = children(LIST)
    old = keep(database, replace(page(whole, 10, 900), cut_from=None))
    assert keep(database, page(whole, 10, 900)) == old
    assert members_of(database, old) == b"".join(whole[10:900])
    assert old in sets_with(database, [whole[10]])
    assert database.execute("SELECT count(*) FROM disclosed_set WHERE digest = ?", (old,)).fetchone() == (1,)


def test_a_part_of_a_block_that_becomes_a_block_is_read_by_those_made_of_it(
    database: sqlite3.Connection,
) -> None:
    """A page ended inside a block; then whoever came after it in the block left the list."""
    inner = [SubjectId(b"\xff" + child[1:]) for child in children(160)]
    whole = [*inner[:100], SubjectId(b"\0" + inner[100][1:]), *inner[101:]]
    part = keep(database, page(whole, 0, 50))
    left = [*whole[:50], *whole[100:]]
    digest = keep(database, page(left, 0, len(left)))
    assert members_of(database, part) == b"".join(whole[:50])
    assert members_of(database, digest) == b"".join(left)
    assert DatabaseLog(database).set_holds(digest)
    assert sets_with(database, [whole[7]]).keys() >= {part, digest}


WAYS = {
    "block gone": "DELETE FROM disclosed_set WHERE length(members) % 16 = 0",
    "block changed": "UPDATE disclosed_set SET members = zeroblob(length(members)) WHERE length(members) % 16 = 0",
    "other pieces": "UPDATE disclosed_set SET members = substr(members, 1, 41) WHERE length(members) % 16 <> 0",
    "no pieces": "UPDATE disclosed_set SET members = x'0102030405' WHERE length(members) % 16 <> 0",
    "text": "UPDATE disclosed_set SET members = '护学' WHERE length(members) % 16 <> 0",
    "gone": "DELETE FROM disclosed_set WHERE length(members) % 16 <> 0",
    "block longer": "UPDATE disclosed_set SET members = CAST(members || x'00' AS BLOB) WHERE length(members) % 16 = 0",
}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS.keys())
def test_what_was_done_to_a_set_in_pieces_is_found(database: sqlite3.Connection, change: str) -> None:
    whole = children(LIST)
    digest = keep(database, page(whole, 10, 2_000))
    assert DatabaseLog(database).set_holds(digest)
    database.execute(change)
    assert not DatabaseLog(database).set_holds(digest)
    sets_with(database, [whole[10]])  # and nobody's look-up fails of it


@pytest.mark.parametrize(
    ("members", "places"),
    [
        (child(7), [0]),
        (child(1) + child(7) + child(2) + child(7), [1, 3]),
        (child(1) + child(2), []),
        (b"", []),
        (child(7)[8:] + child(7)[:8], []),
        (b"\1" * 8 + child(7) + b"\1" * 8, []),
        (child(7)[:8] + b"\1" * 8, []),
        (child(1) + child(7) + b"cut off", [1]),
        (child(1) + child(7)[:15], []),
    ],
)
def test_a_child_in_a_set_stands_at_its_place(members: bytes, places: list[int]) -> None:
    assert places_in(members, child(7)) == places


def test_a_child_astride_two_others_is_neither() -> None:
    one, other = b"\0" * 8 + b"\7" * 8, b"\7" * 8 + b"\0" * 8
    astride = one[8:] + other[:8]
    assert astride in one + other
    assert places_in(one + other, astride) == []
