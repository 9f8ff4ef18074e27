"""What the purge reads of the store, and its transactions; which tables, the list of places says."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from gateway.adapters.db.engine import Store, stamp
from gateway.adapters.db.evidence_index import SqliteEvidenceIndex
from gateway.adapters.db.fact_tables import TABLES as FACT_TABLES
from gateway.adapters.db.purge_reads import (
    EVENTS,
    NOTHING,
    OPEN,
    REGISTERED,
    UNREGISTERED_ANYWHERE,
    registered,
    unregistered,
)
from gateway.adapters.db.recipients import learn_recipients, meta
from gateway.adapters.db.shredding import (
    FULL_RECEIPT,
    SqlitePurgeTransaction,
    clear_temporary,
    cutoff,
    due_condition,
)
from gateway.adapters.db.work_over import children_of_work_over
from gateway.adapters.places import with_clock
from gateway.domain.needy import GONE
from gateway.domain.ports import Clock, KeyRing
from gateway.domain.purging import Key
from gateway.domain.retention import Period, Since, Span

_ENTRIES_AT_ONCE = 20_000


class _Undo(Exception):
    """Ends a transaction that was only tried."""


class SqlitePurging:
    """`gateway.domain.purging.PurgeStore` over the embedded store."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    def spans(self, today: date, age: int) -> list[Span]:
        """Children who may have ended schooling: of that age, deceased or finished, or in no register."""
        born = today.replace(year=today.year - age, day=min(today.day, 28)) + timedelta(days=4)
        states = ", ".join(repr(state) for state in sorted(GONE))
        which = f"SELECT subject_id FROM student_register WHERE birth_date <= ? OR status IN ({states})"
        reader = self._store.reader
        found = registered(reader.execute(REGISTERED.format(which=which), (born.isoformat(),)))
        return [*found, *unregistered(reader, self._keys, UNREGISTERED_ANYWHERE)]

    def open_work(self) -> set[bytes]:
        """Children with a lead or case that is not closed."""
        return {row[0] for row in self._store.reader.execute(OPEN)}

    def orphans(self, made_before: date) -> list[bytes]:
        """Children the vault made before that day, about whom nothing is held any more."""
        rows = self._store.reader.execute(
            f"SELECT id FROM subject WHERE created_on < ? AND {NOTHING} ORDER BY id",
            (made_before.isoformat(),),
        )
        return [row[0] for row in rows]

    def values(self, dataset: str) -> tuple[Since, list[str]] | None:
        """What a dataset's rows count from by themselves, and its different values."""
        if dataset not in EVENTS:
            return None
        column, since = EVENTS[dataset]
        table = FACT_TABLES[dataset][0]
        rows = self._store.reader.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
        return since, [row[0] for row in rows]

    def rows_with(self, dataset: str, values: Collection[str]) -> list[Key]:
        """The keys of the dataset's rows with one of these values, the value last."""
        table, further, _ = FACT_TABLES[dataset]
        column, _ = EVENTS[dataset]
        names = ", ".join(("region", "subject_id", *further, column))
        marks = ", ".join("?" * len(values))
        return self._store.reader.execute(
            f"SELECT {names} FROM {table} WHERE {column} IN ({marks})", [*values]
        ).fetchall()

    def work_over(self, before: datetime) -> list[bytes]:
        """Children with work that was over at or before that moment."""
        return children_of_work_over(self._store.reader, before)

    def anything_expired(self, now: datetime, periods: Callable[[str], Period]) -> bool:
        """Whether any row is past its own clock: asked every minute, without the writer's lock."""
        asked = [(place.id, due_condition(place), cutoff(place, now, periods)) for place in with_clock()]
        asked.append(("upload", FULL_RECEIPT, stamp(periods("receipts").before_moment(now))))
        return any(
            self._store.reader.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", (until,)).fetchone()
            for table, where, until in asked
        )

    def learn_recipients(self) -> None:
        """Read on in the evidence, in short transactions: the first time this is long."""
        SqliteEvidenceIndex(self._store).catch_up()
        more = True
        while more:
            with self._store.writing() as connection:
                more = learn_recipients(connection, _ENTRIES_AT_ONCE)

    @contextmanager
    def transaction(self, keep: bool) -> Iterator[SqlitePurgeTransaction]:
        """Committed at the end when it is to be kept, undone otherwise."""
        try:
            with self._store.writing() as connection:
                yield SqlitePurgeTransaction(connection, self._keys, self._clock.today())
                clear_temporary(connection)
                if not keep:
                    raise _Undo
        except _Undo:
            return

    def wipe(self, tables: Iterable[str], most_rows: int | None) -> None:
        """Rewrite tables that lost rows.

        `secure_delete` zeroes what is deleted, but a page that was split earlier may keep a moved row's bytes between
        its cells; only a rewritten table has no such pages. The vault is always rewritten, a larger table than
        `most_rows` is not.
        """
        for table in sorted({*tables} & {*_REWRITTEN}):
            with self._store.writing() as connection:
                if table in _VAULT or most_rows is None or _rows(connection, table) <= most_rows:
                    _rewrite(connection, table, _REWRITTEN[table])

    def truncate(self) -> bool:
        """Empty the log of the store; False when somebody still reads old pages."""
        return self._store.truncate()

    def last_run(self) -> date | None:
        """The law date of the last whole run."""
        row = self._store.reader.execute("SELECT value FROM meta WHERE key = 'purged_on'").fetchone()
        return date.fromisoformat(row[0]) if row else None

    def ran(self, day: date) -> None:
        """Keep the law date of a whole run."""
        with self._store.writing() as connection:
            meta(connection, "purged_on", day.isoformat())


_VAULT = ("identifier", "subject")
_REWRITTEN = {
    "identifier": "lookup",
    "subject": "id",
    **{table: ", ".join(("region", "subject_id", *further)) for table, further, _ in FACT_TABLES.values()},
}


def _rows(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _rewrite(connection: sqlite3.Connection, table: str, key: str) -> None:
    """Every row out and in again, by key: freed pages are zeroed, new ones hold rows that are there."""
    connection.execute(f"CREATE TEMP TABLE rewritten AS SELECT * FROM {table} ORDER BY {key}")
    connection.execute(f"DELETE FROM {table}")
    connection.execute(f"INSERT INTO {table} SELECT * FROM temp.rewritten ORDER BY {key}")
    connection.execute("DROP TABLE temp.rewritten")
