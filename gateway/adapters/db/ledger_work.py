"""A few children at a time, inside a write transaction: what the ledgers should say of them, and what they say."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from gateway.adapters.db.cases import CASE, case_of
from gateway.adapters.db.children import many_facts
from gateway.domain.case import CaseBook, CaseFile
from gateway.domain.ledger import Entry, Interval, Ledger, LedgerFacts, Verdict, decide, follow
from gateway.domain.model import Standing
from gateway.domain.predicate import TOWNSHIP_DIGITS
from gateway.domain.rules import residence_within
from gateway.domain.schooling import Thresholds
from schemas.identifiers import age_on

_ROW = "r.status, r.status_date, r.confirmed_on, r.birth_date, r.residence, r.school_code, r.upload_id"
_ENTRY = "status, township, school, case_ref, sources, carried_forward"
_WRITE = (
    "INSERT OR REPLACE INTO ledger_entry (region, ledger, subject_id, valid_from, valid_to, since, reason, evidence,"
    f" {_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_Row = tuple[Any, ...]
_Wanted = tuple[str, str, str | None, str | None, str, int]
"""An entry as it is kept: the columns of `_ENTRY`."""


class Newest:
    """Of each school the newest file that named it: a child whom only an older one named is carried forward.

    The unit of a file is the school: a file with any child of it hands in the whole school again.
    """

    def __init__(self, db: sqlite3.Connection, region: str) -> None:
        self._order: dict[str, int] = dict(
            db.execute("SELECT id, rowid FROM upload WHERE region = ?", (region,))
        )
        self._schools: dict[str, int] = {}
        named = "SELECT DISTINCT school_code, upload_id FROM student_register WHERE region = ?"
        for school, upload in db.execute(named, (region,)):
            self._schools[school] = max(self._schools.get(school, 0), self._order.get(upload, 0))

    def omitted(self, school: str, upload: str) -> bool:
        """Whether the school was handed in again, by a newer file that does not name the child."""
        order = self._order.get(upload)
        if order is None:  # a file since, whose own pass is still to come; or one long purged
            return upload < min(self._order, default="")
        return order < self._schools.get(school, 0)


class Work:
    """One county on one day. What many children have alike is decided once."""

    def __init__(
        self,
        db: sqlite3.Connection,
        region: str,
        day: date,
        limits: Thresholds,
        book: CaseBook,
        newest: Newest,
        known: dict[_Row, Verdict],
    ) -> None:
        self._db, self._region, self._day = db, region, day
        self._limits, self._book, self._newest, self._known = limits, book, newest, known

    def do(self, subjects: Sequence[bytes]) -> None:
        """Bring the ledgers of these children up to date."""
        db = self._db
        db.execute("CREATE TEMP TABLE IF NOT EXISTS ledger_now (id BLOB PRIMARY KEY) WITHOUT ROWID")
        db.execute("DELETE FROM temp.ledger_now")
        db.executemany("INSERT OR IGNORE INTO temp.ledger_now VALUES (?)", ((each,) for each in subjects))
        cases = self._cases()
        special = self._special() | cases.keys()
        rows = self._rows()
        facts = many_facts(db, special) if special else {}
        standing = self._standing()
        written: list[_Row] = []
        for row in rows:
            subject = row[0]
            if subject in special:
                verdict = self._judged(row, facts, cases.get(subject))
            elif row[1] is None:
                verdict = None
            else:
                verdict = self._alike(row)
            written += self._changes(row, verdict, cases.get(subject), standing.get(subject, {}))
        db.executemany(_WRITE, written)
        db.execute("DELETE FROM temp.ledger_now")

    def _rows(self) -> list[_Row]:
        return self._db.execute(
            f"SELECT n.id, {_ROW} FROM temp.ledger_now n LEFT JOIN student_register r"
            " ON r.region = ? AND r.subject_id = n.id",
            (self._region,),
        ).fetchall()

    def _cases(self) -> dict[bytes, CaseFile]:
        """The open case of each, else the one that ended last."""
        found: dict[bytes, CaseFile] = {}
        for row in self._db.execute(
            f"SELECT {CASE} FROM temp.ledger_now n CROSS JOIN case_file c ON c.subject_id = n.id"
            " WHERE c.region = ? ORDER BY c.ended_on IS NULL, c.ended_on, c.opened_at",
            (self._region,),
        ):
            case = case_of(row)
            found[case.subject] = case
        return found

    def _special(self) -> set[bytes]:
        """Who is in another register too, or was absent for long: judged one by one."""
        elsewhere = (
            "SELECT n.id FROM temp.ledger_now n CROSS JOIN student_register r ON r.subject_id = n.id"
            " WHERE r.region <> ?1"
        )
        absent = (
            "SELECT n.id FROM temp.ledger_now n CROSS JOIN attendance a ON a.region = ?1 AND a.subject_id = n.id"
            " WHERE a.excused = 0 AND a.longest_absence >= ?2"
        )
        rows = self._db.execute(f"{elsewhere} UNION {absent}", (self._region, self._limits.absence_days))
        return {row[0] for row in rows}

    def _standing(self) -> dict[bytes, dict[str, _Row]]:
        found: dict[bytes, dict[str, _Row]] = {}
        for ledger in Ledger:
            for row in self._db.execute(
                f"SELECT e.subject_id, e.valid_from, e.since, {_ENTRY} FROM temp.ledger_now n CROSS JOIN ledger_entry e"
                " ON e.region = ? AND e.ledger = ? AND e.subject_id = n.id WHERE e.valid_to IS NULL",
                (self._region, ledger.value),
            ):
                found.setdefault(row[0], {})[ledger.value] = row[1:]
        return found

    def _judged(self, row: _Row, facts: Mapping[bytes, Any], case: CaseFile | None) -> Verdict:
        child = facts.get(row[0])
        age = age_on(date.fromisoformat(row[4]), self._day) if row[4] else None
        enrolments = child.enrolments if child else ()
        absence = child.absence if child else None
        found = LedgerFacts(self._region, age, enrolments, absence, case)
        return decide(found, self._day, self._limits, self._book)

    def _alike(self, row: _Row) -> Verdict:
        """Of a child with one register row and nothing else, by what that says."""
        key = row[1:5]
        found = self._known.get(key)
        if found is None:
            day = date.fromisoformat
            own = Standing(self._region, row[1], day(row[2]), day(row[3]))
            facts = LedgerFacts(self._region, age_on(day(row[4]), self._day), (own,))
            found = self._known[key] = decide(facts, self._day, self._limits, self._book)
        return found

    def _changes(
        self, row: _Row, verdict: Verdict | None, case: CaseFile | None, standing: Mapping[str, _Row]
    ) -> Iterable[_Row]:
        statuses = verdict.statuses if verdict else {}
        if not statuses and not standing:
            return ()
        place = self._place(row, verdict, case) if statuses else None
        found: list[_Row] = []
        for ledger in Ledger:
            status, kept = statuses.get(ledger), standing.get(ledger.value)
            wanted = (status, *place) if status and place else None
            if (kept[2:] if kept else None) == wanted:
                continue
            why = self._why(ledger, verdict, case)
            before, after = _interval(kept), Entry(*wanted) if wanted else None
            found += [self._kept(ledger, row[0], each) for each in follow(before, after, self._day, why)]
        return found

    def _place(self, row: _Row, verdict: Verdict | None, case: CaseFile | None) -> _Row:
        assert verdict is not None  # noqa: S101 - statuses came out of it
        sources = ",".join(verdict.sources)
        if row[1] is None:
            residence = case.residence if case else self._region
            return residence[:TOWNSHIP_DIGITS], case.school if case else None, verdict.case, sources, 0
        township = residence_within(self._region, row[5])[:TOWNSHIP_DIGITS]
        return township, row[6], verdict.case, sources, int(self._newest.omitted(row[6], row[7]))

    def _why(self, ledger: Ledger, verdict: Verdict | None, case: CaseFile | None) -> tuple[str, str]:
        reason = verdict.reasons.get(ledger, "") if verdict else "not-registered"
        by_case = case is not None and (reason.startswith("case-") or reason in _BY_CASE)
        return reason, case.ref if case and by_case else "student-register"

    def _kept(self, ledger: Ledger, subject: bytes, each: Interval) -> _Row:
        entry, until = each.entry, each.valid_to
        return (
            self._region,
            ledger.value,
            subject,
            each.valid_from.isoformat(),
            until.isoformat() if until else None,
            each.since.isoformat(),
            each.reason,
            each.evidence,
            entry.status,
            entry.township,
            entry.school,
            entry.case,
            entry.sources,
            int(entry.carried_forward),
        )


_BY_CASE = frozenset({"moved", "suspected", "dropped-out"})


def _interval(kept: _Row | None) -> Interval | None:
    if kept is None:
        return None
    start, since, *entry = kept
    status, township, school, case, sources, carried = entry
    return Interval(
        Entry(status, township, school, case, sources, carried),
        date.fromisoformat(start),
        date.fromisoformat(since),
    )
