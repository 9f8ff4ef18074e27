"""For any sequence of asks, exactly the first so many different children pass, whoever asks in between."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel, create_engine

from gateway.adapters.db.guard import Counted, DayCount, forget_days
from gateway.adapters.db.guard_tables import GuardCount, GuardSeen
from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring
from gateway.domain.limits import Quota, Sighting
from gateway.domain.principal import Principal

TODAY = date(2026, 11, 20)
FREE = 10_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FileKeyRing:
    path = tmp_path_factory.mktemp("keys") / "k.json"
    create_keyring(path)
    return load_keyring(path)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("store") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    wanted = [SQLModel.metadata.tables[str(each.__tablename__)] for each in (GuardSeen, GuardCount)]
    SQLModel.metadata.create_all(engine, tables=wanted)
    engine.dispose()
    return str(path)


def store(tables: str) -> sqlite3.Connection:
    """An empty store in memory, made as the tables say."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(Path(tables))) as made:
        made.backup(memory)
    return memory


def who(officer: str | None, client: str = "c-1") -> Principal:
    return Principal(
        client, "human_resources", "human_resources/recruitment_checker", "530423", None, officer
    )


asks = st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.integers(0, 12)), max_size=60)


@given(asks=asks, person=st.integers(1, 6), client=st.integers(1, 10))
def test_exactly_the_first_so_many_pass(
    tables: str, keys: FileKeyRing, asks: list[tuple[str | None, int]], person: int, client: int
) -> None:
    with closing(store(tables)) as memory:
        count = DayCount(memory, keys, TODAY)
        by_person: dict[str | None, set[int]] = {}
        by_client: set[int] = set()
        for officer, child in asks:
            seen = by_person.setdefault(officer, set())
            expected = None
            if child not in seen:
                if len(seen) >= person:
                    expected = "person"
                elif child not in by_client and len(by_client) >= client:
                    expected = "client"
                else:
                    seen.add(child)
                    by_client.add(child)
            quota = Quota(person, client, FREE, FREE)
            assert count.count(who(officer), quota, Sighting(f"child-{child}")) == expected


runs = st.lists(
    st.tuples(st.sampled_from([None, "a"]), st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)),
    max_size=80,
)


@given(asks=runs, neighbours=st.integers(2, 6), cohort=st.integers(1, 9))
def test_runs_are_counted_by_client_in_any_order(
    tables: str,
    keys: FileKeyRing,
    asks: list[tuple[str | None, int, int, int]],
    neighbours: int,
    cohort: int,
) -> None:
    """Month, day and number make an id: of one day fewer than `neighbours` pass, of one month `cohort`."""
    with closing(store(tables)) as memory:
        count = DayCount(memory, keys, TODAY)
        told: set[tuple[int, int, int]] = set()
        for officer, month, day, number in asks:
            child = (month, day, number)
            sighting = Sighting(repr(child), f"{month}-{day}", f"{month}")
            found = count.count(who(officer), Quota(FREE, FREE, neighbours, cohort), sighting)
            if child in told:
                assert found is None
                continue
            of_day = sum(1 for each in told if each[:2] == (month, day))
            of_month = sum(1 for each in told if each[0] == month)
            expected = "neighbours" if of_day >= neighbours - 1 else "cohort" if of_month >= cohort else None
            assert found == expected
            if found is None:
                told.add(child)


@given(children=st.lists(st.integers(0, 20), max_size=30))
def test_clients_and_days_are_apart(tables: str, keys: FileKeyRing, children: list[int]) -> None:
    quota, tomorrow = Quota(3, 3, FREE, FREE), date(2026, 11, 21)
    with closing(store(tables)) as memory:
        for day in (TODAY, tomorrow):
            for client in ("c-1", "c-2"):
                count = DayCount(memory, keys, day)
                passed = {
                    child
                    for child in children
                    if count.count(who(None, client), quota, Sighting(str(child))) is None
                }
                assert len(passed) == min(3, len(set(children)))
        forget_days(memory, tomorrow)
        days = {row[0] for row in memory.execute("SELECT day FROM guard_seen")}
        assert days <= {tomorrow.isoformat()}


def lines() -> Iterator[str]:
    yield repr(Sighting("530423201206308010", "53042320120630", "530423201206"))


def test_a_sighting_shows_no_id() -> None:
    assert not any(character.isdigit() for line in lines() for character in line)


transactions = st.lists(
    st.tuples(
        st.booleans(), st.lists(st.tuples(st.sampled_from([None, "a"]), st.integers(0, 6)), max_size=8)
    ),
    max_size=12,
)


@given(transactions=transactions, person=st.integers(1, 4))
def test_what_a_process_remembers_changes_no_answer(
    tables: str, keys: FileKeyRing, transactions: list[tuple[bool, list[tuple[str | None, int]]]], person: int
) -> None:
    """Committed or rolled back: with its memory a process says what the tables say without it."""
    quota, counted = Quota(person, FREE, FREE, FREE), Counted()
    with closing(store(tables)) as first, closing(store(tables)) as second:
        for commit, asks in transactions:
            counted.begin()
            remembering, plain = DayCount(first, keys, TODAY, counted), DayCount(second, keys, TODAY)
            for each in (first, second):
                each.execute("BEGIN")
            for officer, child in asks:
                found = remembering.count(who(officer), quota, Sighting(str(child)))
                assert found == plain.count(who(officer), quota, Sighting(str(child)))
            for each in (first, second):
                each.execute("COMMIT" if commit else "ROLLBACK")
            if commit:
                counted.committed()
