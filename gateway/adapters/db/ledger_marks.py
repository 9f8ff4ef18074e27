"""Notes of whom the ledgers must look at again. A note is written with the change it is about, in one commit.

A file leaves one note, whatever its size; a case leaves one for its child; a day leaves one for each child for whom
time alone may change something.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date, timedelta

from gateway.domain.ledger import FIRST_AGE, LAST_AGE
from gateway.domain.schooling import Thresholds

START = b""
"""Before the first child."""
_MOST_TOUCHED = 20_000
_DATASETS = frozenset({"student-register", "attendance"})
_TOUCH = "INSERT OR IGNORE INTO ledger_touch (region, day, subject_id)"


def touch(db: sqlite3.Connection, region: str, subject: bytes, day: date) -> None:
    """The child's case changed."""
    db.execute(f"{_TOUCH} VALUES (?, ?, ?)", (region, day.isoformat(), subject))


def touch_of_cases(db: sqlite3.Connection, day: date) -> None:
    """Cases of the children in the temporary table `going` changed."""
    db.execute(
        f"{_TOUCH} SELECT region, ?, subject_id FROM case_file"
        " WHERE subject_id IN (SELECT id FROM temp.going)",
        (day.isoformat(),),
    )


def file_landed(db: sqlite3.Connection, region: str, dataset: str, upload_id: str, day: date) -> None:
    """A file of the county was taken in; files of other datasets say nothing about schooling."""
    if dataset in _DATASETS:
        _pass(db, region, day, upload_id, dataset)


def shown_elsewhere(db: sqlite3.Connection, region: str, day: date) -> None:
    """Other counties' children among those of the file, in the temporary table `wanted`: a transfer may have arrived."""
    others = "SELECT 1 FROM student_register WHERE region < ?1 UNION ALL SELECT 1 FROM student_register WHERE region > ?1"
    if db.execute(f"SELECT EXISTS ({others})", (region,)).fetchone()[0]:
        db.execute(
            f"{_TOUCH} SELECT region, ?2, subject_id FROM student_register"
            " WHERE subject_id IN (SELECT id FROM temp.wanted) AND region <> ?1",
            (region, day.isoformat()),
        )


def everybody(db: sqlite3.Connection, region: str, day: date) -> None:
    """All children of the county's register, and all who have a case there: instead of whatever was noted before."""
    for table in ("ledger_pass", "ledger_touch"):
        db.execute(f"DELETE FROM {table} WHERE region = ?", (region,))
    _pass(db, region, day, None, "")
    db.execute(
        f"{_TOUCH} SELECT region, ?, subject_id FROM case_file WHERE region = ?", (day.isoformat(), region)
    )


def day_begins(db: sqlite3.Connection, region: str, day: date, limits: Thresholds) -> None:
    """Whoever comes of school age, or out of it; whose transfer is overdue; of whom a register has gone stale."""
    births = [each.isoformat() for years in (FIRST_AGE, LAST_AGE + 1) for each in _born(day, years)]
    late = (day - timedelta(days=limits.transfer_days + 1)).isoformat()
    stale = (day - timedelta(days=limits.register_stale_days + 1)).isoformat()
    marks = ", ".join("?" * len(births))
    turning = (
        f"(birth_date IN ({marks}) OR (status = 'transferred_out' AND status_date = ?) OR confirmed_on = ?)"
    )
    found = db.execute(
        f"SELECT subject_id FROM student_register WHERE region = ? AND {turning} LIMIT {_MOST_TOUCHED + 1}",
        (region, *births, late, stale),
    ).fetchall()
    if len(found) > _MOST_TOUCHED:
        _pass(db, region, day, None, "")
    else:
        _touch_all(db, region, day, (row[0] for row in found))
    _elsewhere_stale(db, region, day, stale)
    _attendance_stale(db, region, day, limits)


def _elsewhere_stale(db: sqlite3.Connection, region: str, day: date, stale: str) -> None:
    for bound in ("<", ">"):
        db.execute(
            f"{_TOUCH} SELECT ?1, ?2, r.subject_id FROM student_register r WHERE r.region {bound} ?1"
            " AND r.confirmed_on = ?3 AND EXISTS (SELECT 1 FROM student_register o WHERE o.region = ?1"
            " AND o.subject_id = r.subject_id)",
            (region, day.isoformat(), stale),
        )


def _attendance_stale(db: sqlite3.Connection, region: str, day: date, limits: Thresholds) -> None:
    """On the first day on which a month is too long ago to count."""
    last = day - timedelta(days=limits.attendance_stale_days + 1)
    if (last + timedelta(days=1)).day == 1:
        db.execute(
            f"{_TOUCH} SELECT region, ?, subject_id FROM attendance WHERE region = ? AND month = ?"
            " AND excused = 0 AND longest_absence >= ?",
            (day.isoformat(), region, f"{last:%Y-%m}", limits.absence_days),
        )


def _born(day: date, years: int) -> list[date]:
    """Birth dates of those who complete that many years on the day (`schemas.identifiers.age_on`)."""
    year = day.year - years
    found = [] if (day.month, day.day) == (2, 29) and not _leap(year) else [day.replace(year=year)]
    if (day.month, day.day) == (2, 28) and not _leap(day.year) and _leap(year):
        found.append(date(year, 2, 29))
    return found


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _touch_all(db: sqlite3.Connection, region: str, day: date, subjects: Iterable[bytes]) -> None:
    db.executemany(f"{_TOUCH} VALUES (?, ?, ?)", ((region, day.isoformat(), each) for each in subjects))


def _pass(db: sqlite3.Connection, region: str, day: date, upload_id: str | None, dataset: str) -> None:
    db.execute(
        "INSERT INTO ledger_pass (region, day, upload_id, dataset, position) VALUES (?, ?, ?, ?, ?)",
        (region, day.isoformat(), upload_id, dataset, START),
    )
