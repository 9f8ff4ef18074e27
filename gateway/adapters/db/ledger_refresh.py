"""Brings ledgers up to date, in short transactions: the notes of `ledger_marks` are worked off day by day.

The days of a county's ledgers only go forward. A day begins when everything of the days before it is done, so that
what is noted on one day is never written on an earlier one.
"""

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from gateway.adapters.db.engine import Store
from gateway.adapters.db.ledger_marks import day_begins, everybody
from gateway.adapters.db.ledger_work import Newest, Work
from gateway.adapters.db.registers import SqliteRegisterTransaction
from gateway.domain.landing import RegisterTransaction
from gateway.domain.ledger import Verdict
from gateway.domain.rulebook import Rulebook

CHILDREN_AT_ONCE = 1_000
_STEPS_OF_A_DAY = 5
_BREATH_SECONDS = 0.001
"""Between two steps, so that asks get the writer's lock in turn."""
_MOST_KNOWN = 50_000


def ledger_days(db: sqlite3.Connection, region: str) -> tuple[date, date] | None:
    """The first day of the county's ledgers, and the newest one begun."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_key(region),)).fetchone()
    if row is None:
        return None
    first, last = row[0].split("|")
    return date.fromisoformat(first), date.fromisoformat(last)


def _key(region: str) -> str:
    return f"ledger/{region}"


@dataclass(frozen=True, slots=True)
class _Pass:
    id: int
    upload: str | None
    dataset: str
    position: bytes


class Steps:
    """One step after the other, each inside a transaction of whoever asks."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._book = rulebook
        self._newest: tuple[Any, Newest] | None = None
        self._known: tuple[tuple[str, date], dict[Any, Verdict]] | None = None
        self._schools: tuple[str, str] = ("", "")

    def outstanding(self, db: sqlite3.Connection, region: str, today: date) -> bool:
        """Whether there is anything to do; a look that takes no lock."""
        days = ledger_days(db, region)
        return days is None or days[1] < today or self._pending(db, region, days[1])

    def _pending(self, db: sqlite3.Connection, region: str, day: date) -> bool:
        """Whether anything is noted up to that day; what is noted on a later one waits until it has begun."""
        notes = "SELECT 1 FROM {} WHERE region = ?1 AND day <= ?2"
        both = f"{notes.format('ledger_pass')} UNION ALL {notes.format('ledger_touch')}"
        return bool(db.execute(f"SELECT EXISTS ({both})", (region, day.isoformat())).fetchone()[0])

    def prepare(self, db: sqlite3.Connection, region: str) -> tuple[_Pass, Sequence[bytes]] | None:
        """The next children of the oldest pass up to the day begun, found without the lock."""
        days = ledger_days(db, region)
        if days is None:
            return None
        row = db.execute(
            "SELECT id, upload_id, dataset, position FROM ledger_pass WHERE region = ? AND day <= ?"
            " ORDER BY day, id LIMIT 1",
            (region, days[1].isoformat()),
        ).fetchone()
        if self._pending(db, region, days[1]):
            self._learn(db, region)
        return (_Pass(*row), self._children(db, region, _Pass(*row))) if row else None

    def _learn(self, db: sqlite3.Connection, region: str) -> Newest:
        """Which school was handed in when; read again only after another file."""
        last = db.execute("SELECT max(rowid) FROM upload").fetchone()[0]
        if self._newest is None or self._newest[0] != last:
            self._newest = (last, Newest(db, region))
        return self._newest[1]

    def _children(self, db: sqlite3.Connection, region: str, each: _Pass) -> list[bytes]:
        table, which = "student_register", ""
        binds: tuple[str | None, ...] = ()
        if each.dataset == "attendance":
            table, which, binds = "attendance", "AND upload_id = ?", (each.upload,)
        elif each.upload:
            which = "AND (upload_id = ? OR school_code IN (SELECT value FROM json_each(?)))"
            binds = (each.upload, self._schools_of(db, region, each.upload))
        rows = db.execute(
            f"SELECT DISTINCT subject_id FROM {table} WHERE region = ? AND subject_id > ? {which}"
            f" ORDER BY subject_id LIMIT {CHILDREN_AT_ONCE}",
            (region, each.position, *binds),
        )
        return [row[0] for row in rows]

    def _schools_of(self, db: sqlite3.Connection, region: str, upload: str) -> str:
        """The schools that a file named, as a JSON array: their other children are carried forward."""
        if self._schools[0] != upload:
            (found,) = db.execute(
                "SELECT json_group_array(school_code) FROM (SELECT DISTINCT school_code FROM student_register"
                " WHERE region = ? AND upload_id = ?)",
                (region, upload),
            ).fetchone()
            self._schools = (upload, found)
        return self._schools[1]

    def take(
        self,
        db: sqlite3.Connection,
        region: str,
        today: date,
        prepared: tuple[_Pass, Sequence[bytes]] | None,
    ) -> bool:
        """One step, in the open transaction; False when nothing was left to do."""
        days = ledger_days(db, region)
        if days is None:
            begun = _newest_file(db, region, today)
            everybody(db, region, begun)
            self._begin(db, region, begun, begun)
            return True
        first, last = days
        if prepared is not None:
            return self._pass(db, region, last, *prepared)
        if self._touched(db, region, last):
            return True
        if last >= today or self._pending(db, region, last):
            return self._pending(db, region, last)
        following = last + timedelta(days=1)
        day_begins(db, region, following, self._book.of(region).limits)
        self._begin(db, region, first, following)
        return True

    def _begin(self, db: sqlite3.Connection, region: str, first: date, last: date) -> None:
        db.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (_key(region), f"{first.isoformat()}|{last.isoformat()}"),
        )

    def _pass(
        self, db: sqlite3.Connection, region: str, day: date, each: _Pass, children: Sequence[bytes]
    ) -> bool:
        row = db.execute("SELECT position FROM ledger_pass WHERE id = ?", (each.id,)).fetchone()
        if row is None or row[0] != each.position:
            return True  # another process was faster
        self._work(db, region, day).do(children)
        if len(children) < CHILDREN_AT_ONCE:
            db.execute("DELETE FROM ledger_pass WHERE id = ?", (each.id,))
        else:
            db.execute("UPDATE ledger_pass SET position = ? WHERE id = ?", (children[-1], each.id))
        return True

    def _touched(self, db: sqlite3.Connection, region: str, day: date) -> bool:
        rows = db.execute(
            "SELECT region, day, subject_id FROM ledger_touch WHERE region = ? AND day <= ?"
            f" LIMIT {CHILDREN_AT_ONCE}",
            (region, day.isoformat()),
        ).fetchall()
        if not rows:
            return False
        self._work(db, region, day).do([row[2] for row in rows])
        db.executemany("DELETE FROM ledger_touch WHERE region = ? AND day = ? AND subject_id = ?", rows)
        return True

    def _work(self, db: sqlite3.Connection, region: str, day: date) -> Work:
        book = self._book.of(region)
        if self._known is None or self._known[0] != (region, day) or len(self._known[1]) > _MOST_KNOWN:
            self._known = ((region, day), {})
        newest = self._newest[1] if self._newest else self._learn(db, region)
        return Work(db, region, day, book.limits, book.cases, newest, self._known[1])


class SqliteLedgerKeeper:
    """`gateway.domain.ledger_desk.LedgerKeeper` over the embedded store."""

    def __init__(self, store: Store, rulebook: Rulebook) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._of: defaultdict[str, tuple[threading.Lock, Steps]] = defaultdict(
            lambda: (threading.Lock(), Steps(rulebook))
        )

    def refresh(self, region: str, today: date) -> None:
        """Returns when everything committed before the call is on the county's ledgers, as of today."""
        with self._guard:
            lock, steps = self._of[region]
        with lock:
            while steps.outstanding(self._store.reader, region, today):
                prepared = steps.prepare(self._store.reader, region)
                with self._store.writing() as db:
                    steps.take(db, region, today, prepared)
                time.sleep(_BREATH_SECONDS)


class LedgerDay:
    """`gateway.services.daily.DayTask`: a new day's ledgers, in the transaction that lives it.

    As far as a few steps go: a mass of changes is left to the keeper, which lives through the days in order too.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self._of: defaultdict[str, Steps] = defaultdict(lambda: Steps(rulebook))

    def run(self, transaction: RegisterTransaction, region: str, day: date, _now: datetime) -> None:
        """Bring the county's ledgers to that day."""
        if not isinstance(transaction, SqliteRegisterTransaction):
            raise TypeError("a day is lived in a transaction of this store")
        db, steps = transaction.connection, self._of[region]
        for _ in range(_STEPS_OF_A_DAY):
            if not steps.outstanding(db, region, day):
                return
            steps.take(db, region, day, steps.prepare(db, region))


def _newest_file(db: sqlite3.Connection, region: str, today: date) -> date:
    """The day on which a county's ledgers begin: that of its newest file, whose facts are the ones that stand.

    A gateway stopped right after the first file and started days later knows what was known on that day.
    """
    (found,) = db.execute("SELECT max(law_date) FROM upload WHERE region = ?", (region,)).fetchone()
    return min(date.fromisoformat(found), today) if found else today
