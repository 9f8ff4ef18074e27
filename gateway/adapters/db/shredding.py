"""One transaction of a purge: rows go as the list of places says, recipients are told, the evidence is written."""

import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import orjson

from gateway.adapters.db.effects import SqliteTransaction
from gateway.adapters.db.engine import stamp
from gateway.adapters.db.fact_tables import TABLES as FACT_TABLES
from gateway.adapters.db.ledger_marks import touch_of_cases
from gateway.adapters.db.purge_reads import EVENTS, going, open_work_of, spans_of, still_orphans
from gateway.adapters.db.recipients import Recipients, meta, recipients_of
from gateway.adapters.db.work_over import drop_work_over, without_work
from gateway.adapters.places import Place, of_children, with_clock
from gateway.domain.audit import AuditEntry
from gateway.domain.model import SubjectId
from gateway.domain.purging import Key, NoticeTerms
from gateway.domain.retention import Period, Removed, Span

_BY_WORK = frozenset(
    {"leads", "cases", "child-file", "identity", "case-referral", "referred-case", "case-handover"}
)
"""Exchanges that tell of a child because of its leads and cases, and of nothing else. Duties do where none is owed
about the child without a lead; ledgers and reports tell of it as long as it is owed school."""

_OF_AGE = "of-age"
_KEYS = {"case_file": "ref", "referral": "duty", "handover": "duty"}
"""The column of a parent that names a place's row, where it is not the parent's id."""

FULL_RECEIPT = "receipt <> '{}' AND received_at <= ?"
"""A county's newest receipts are emptied, not removed: they say how old its register is."""


def clear_temporary(connection: sqlite3.Connection) -> None:
    """Empty the writer's temporary tables, so that no random id outlives its child in them."""
    for (table,) in connection.execute("SELECT name FROM sqlite_temp_master WHERE type = 'table'").fetchall():
        connection.execute(f"DELETE FROM temp.{table}")


def due_condition(place: Place) -> str:
    """SQL for the rows of a place past their own clock; one parameter, see `cutoff`."""
    return f"{place.expires or place.clock} <= ? AND {place.only}"


def cutoff(place: Place, now: datetime, periods: Callable[[str], Period]) -> str:
    """The newest moment that is over."""
    return stamp(now if place.expires else periods(place.rule).before_moment(now))


class SqlitePurgeTransaction(SqliteTransaction):
    """`gateway.domain.purging.PurgeTransaction` over an open SQLite write transaction."""

    def spans_of(self, subjects: Collection[bytes]) -> list[Span]:
        """These children, as they stand now."""
        return spans_of(self._db, self._keys, subjects)

    def open_work_of(self, subjects: Collection[bytes]) -> set[bytes]:
        """Those with a lead or case that is not closed."""
        return open_work_of(self._db, subjects)

    def still_orphans(self, subjects: Collection[bytes]) -> list[bytes]:
        """Those about whom nothing is held."""
        return still_orphans(self._db, subjects)

    def lapse(self, subjects: Collection[bytes], fact: dict[str, object], at: datetime) -> list[Removed]:
        """Close the children's open leads with the fact that says why, and their cases and duties."""
        going(self._db, subjects)
        mine = "subject_id IN (SELECT id FROM temp.going)"
        leads = self._db.execute(f"SELECT id FROM lead WHERE status <> 'closed' AND {mine}").fetchall()
        for (lead_id,) in leads:
            self.close_lead(lead_id, fact, at)
        today = self._today.isoformat()
        self._db.execute(
            "UPDATE duty SET status = 'lapsed', done_on = ?, done_what = ? WHERE status IN ('open', 'waiting')"
            f" AND (case_ref IN (SELECT ref FROM case_file WHERE {mine})"
            f" OR lead_id IN (SELECT id FROM lead WHERE {mine})"
            f" OR id IN (SELECT id FROM child_duty WHERE {mine})"
            f" OR id IN (SELECT duty FROM referral WHERE state = 'pending' AND {mine})"
            f" OR id IN (SELECT duty FROM handover WHERE state = 'pending' AND {mine}))",
            (today, _OF_AGE),
        )
        cases = self._db.execute(
            "UPDATE case_file SET previous = state, state = 'closed', since = ?1, ended_on = ?1"
            f" WHERE ended_on IS NULL AND {mine}",
            (today,),
        )
        touch_of_cases(self._db, self._today)
        return [Removed("lead", "open-work", len(leads)), Removed("case_file", "open-work", cases.rowcount)]

    def shred(self, subjects: Collection[bytes], terms: NoticeTerms) -> list[Removed]:
        """Notices to recipients first; then everything about the children, their data keys last."""
        self._notify(recipients_of(self._db, subjects), terms)
        going(self._db, subjects)
        return [
            Removed(place.id, "child", self._db.execute(_with_the_child(place)).rowcount)
            for place in of_children()
        ]

    def _notify(self, recipients: Recipients, terms: NoticeTerms) -> None:
        for subject, whom in sorted(recipients.items()):
            for (agency, region), exchanges in sorted(whom.items()):
                self._db.execute(
                    "INSERT INTO deletion_notice (id, agency, region, exchanges, pseudonyms, deleted_on, made_at,"
                    " due_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        f"del-{int(terms.now.timestamp() * 1000):012x}{os.urandom(10).hex()}",
                        agency,
                        region,
                        orjson.dumps(sorted(exchanges)).decode(),
                        orjson.dumps(self._known_as(agency, SubjectId(subject))).decode(),
                        terms.today.isoformat(),
                        stamp(terms.now),
                        terms.due_on.isoformat(),
                    ),
                )

    def _known_as(self, agency: str, subject: SubjectId) -> list[str]:
        """Every pseudonym under which the agency may know the child: one a key version that counts."""
        versions = self._keys.pseudonym_versions(agency)
        return [self._keys.pseudonym(agency, subject, version) for version in versions]

    def drop_facts(self, dataset: str, subjects: Collection[bytes]) -> list[Removed]:
        """All rows of a dataset about these children."""
        going(self._db, subjects)
        table = FACT_TABLES[dataset][0]
        gone = self._db.execute(f"DELETE FROM {table} WHERE subject_id IN (SELECT id FROM temp.going)")
        return [Removed(table, dataset, gone.rowcount)]

    def drop_rows(self, dataset: str, keys: Sequence[Key]) -> list[Removed]:
        """Rows by key and by what they count from: one that was corrected meanwhile stays."""
        table, further, _ = FACT_TABLES[dataset]
        names = ("region", "subject_id", *further, EVENTS[dataset][0])
        where = " AND ".join(f"{name} = ?" for name in names)
        before = self._db.total_changes
        self._db.executemany(f"DELETE FROM {table} WHERE {where}", keys)
        return [Removed(table, dataset, self._db.total_changes - before)]

    def drop_work(self, subjects: Collection[bytes], before: datetime, terms: NoticeTerms) -> list[Removed]:
        """Leads and cases of these children that are over, with what hangs on them.

        Whoever learnt of a child by them is told, once the last of them goes.
        """
        # another run may have been here since the list was made, and have told them
        subjects = {*subjects} - without_work(self._db, subjects).keys()
        counts = drop_work_over(self._db, subjects, before)
        left = without_work(self._db, subjects)
        for owed, exchanges in ((True, _BY_WORK), (False, _BY_WORK | {"duties"})):
            children = [subject for subject, still in left.items() if still is owed]
            self._notify(recipients_of(self._db, children, exchanges), terms)
        return counts

    def drop_expired(
        self, now: datetime, periods: Callable[[str], Period]
    ) -> tuple[list[Removed], list[str]]:
        """Rows past their own clock, and the ids of files whose cards went."""
        counts, files = [], []
        for place in with_clock():
            where, until = due_condition(place), cutoff(place, now, periods)
            if place.id == "stored_file":
                rows = self._db.execute(
                    f"DELETE FROM {place.id} WHERE {where} RETURNING id", (until,)
                ).fetchall()
                files = [row[0] for row in rows]
                counts.append(Removed(place.id, place.rule, len(files)))
                continue
            gone = self._db.execute(f"DELETE FROM {place.id} WHERE {where}", (until,))
            counts.append(Removed(place.id, place.rule, gone.rowcount))
        emptied = self._db.execute(
            f"UPDATE upload SET receipt = '{{}}' WHERE {FULL_RECEIPT}",
            (stamp(periods("receipts").before_moment(now)),),
        )
        return [*counts, Removed("upload", "receipts", emptied.rowcount)], files

    def record(self, entry: AuditEntry) -> None:
        """The evidence; lists computed from what was there count as old from here on."""
        self.write_audit(entry)
        row = self._db.execute("SELECT value FROM meta WHERE key = 'purges'").fetchone()
        meta(self._db, "purges", str(int(row[0]) + 1 if row else 1))


def _with_the_child(place: Place) -> str:
    """How a place's rows go with the children of the temporary table."""
    if place.through is not None:
        column, parent = place.through
        key = _KEYS.get(parent, "id")
        return (
            f"DELETE FROM {place.id} WHERE {column} IN"
            f" (SELECT {key} FROM {parent} WHERE subject_id IN (SELECT id FROM temp.going))"
        )
    if place.lookup is not None:
        return (
            f"DELETE FROM {place.id} WHERE {place.lookup} IN (SELECT lookup FROM identifier"
            " WHERE subject_id IN (SELECT id FROM temp.going))"
        )
    return f"DELETE FROM {place.id} WHERE {place.child} IN (SELECT id FROM temp.going)"
