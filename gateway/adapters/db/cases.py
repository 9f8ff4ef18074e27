"""Cases and their history inside one write transaction."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import orjson

from gateway.adapters.db import case_work
from gateway.adapters.db.engine import moment, stamp
from gateway.adapters.db.ledger_marks import touch
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import OPENED, Actor, CaseEntry, CaseFile, CaseWork, EntryKind, State
from gateway.domain.disclosure import SYSTEM_ROLE
from gateway.domain.landing import Effect
from gateway.domain.model import LeadDraft, SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import Predicate

CASE = (
    "c.ref, c.region, c.subject_id, c.state, c.opened_at, c.since, c.residence, c.school, c.previous,"
    " c.observed_from, c.merged_into, c.ended_on, c.owner, c.sealed"
)
CASE_COLUMNS = {"region": "c.residence", "school": "c.school", "owner": "c.owner", "sealed": "c.sealed"}
_ENTRY = "case_ref, number, region, kind, on_date, at, client, officer, agency, role, step, origin, state, body, words"
_FACTS_KEPT = 50


def case_of(row: Sequence[Any]) -> CaseFile:
    """A row of `CASE`, read."""
    return CaseFile(
        ref=row[0],
        region=row[1],
        subject=SubjectId(row[2]),
        state=State(row[3]),
        opened_at=moment(row[4]),
        since=date.fromisoformat(row[5]),
        residence=row[6],
        school=row[7],
        previous=State(row[8]) if row[8] else None,
        observed_from=_day(row[9]),
        merged_into=row[10],
        ended_on=_day(row[11]),
        owner=row[12],
        sealed=bool(row[13]),
    )


def words_purpose(ref: str, number: int) -> str:
    """What the free text of a line of the history is sealed under."""
    return f"case:{ref}:{number}"


def entries_of(connection: sqlite3.Connection, keys: KeyRing, ref: str) -> list[CaseEntry]:
    """A case's history, oldest first."""
    rows = connection.execute(f"SELECT {_ENTRY} FROM case_entry WHERE case_ref = ? ORDER BY number", (ref,))
    return [_entry(row, keys) for row in rows.fetchall()]


def _entry(row: Sequence[Any], keys: KeyRing) -> CaseEntry:
    words = orjson.loads(keys.open(words_purpose(row[0], row[1]), row[14])) if row[14] else {}
    return CaseEntry(
        case=row[0],
        number=row[1],
        region=row[2],
        kind=EntryKind(row[3]),
        on=date.fromisoformat(row[4]),
        at=moment(row[5]),
        by=Actor(*row[6:10]),
        step=row[10],
        origin=State(row[11]) if row[11] else None,
        to=State(row[12]) if row[12] else None,
        body=orjson.loads(row[13]),
        words=words,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_GOES_ON = (
    "WITH RECURSIVE chain(ref) AS (SELECT ?1"
    " UNION SELECT h.new_case FROM handover h JOIN chain ON h.case_ref = chain.ref WHERE h.state = 'accepted'"
    " UNION SELECT h.case_ref FROM handover h JOIN chain ON h.new_case = chain.ref WHERE h.state = 'accepted'"
    " UNION SELECT m.merged_into FROM case_file m JOIN chain ON m.ref = chain.ref WHERE m.merged_into IS NOT NULL)"
    f" SELECT {CASE} FROM case_file c WHERE c.ref IN (SELECT ref FROM chain) AND c.ended_on IS NULL AND c.ref <> ?1"
)


class SqliteCaseDesk:
    """`gateway.domain.case.CaseDesk` over an open SQLite write transaction."""

    def __init__(
        self, connection: sqlite3.Connection, keys: KeyRing, today: date, done: Counter[Effect]
    ) -> None:
        self._db, self._keys, self._today, self._done = connection, keys, today, done

    def get(self, ref: str) -> CaseFile | None:
        """The case, open or not."""
        row = self._db.execute(f"SELECT {CASE} FROM case_file c WHERE ref = ?", (ref,)).fetchone()
        return case_of(row) if row else None

    def open_case_of(self, region: str, subject: SubjectId) -> CaseFile | None:
        """The child's open case in that county."""
        row = self._db.execute(
            f"SELECT {CASE} FROM case_file c WHERE subject_id = ? AND region = ? AND ended_on IS NULL",
            (subject, region),
        ).fetchone()
        return case_of(row) if row else None

    def current_case_of(self, region: str, subject: SubjectId) -> CaseFile | None:
        """The child's open case in that county, or the open one it was merged into."""
        return self._current(self._all_of(region, subject))

    def goes_on_in(self, ref: str) -> CaseFile | None:
        """Another open case that this one goes on in, or goes back to: by accepted hand-overs and by mergers."""
        row = self._db.execute(_GOES_ON, (ref,)).fetchone()
        return case_of(row) if row else None

    def ref_for(self, draft: LeadDraft, at: datetime) -> str:
        """The child's present case; a new one bears its number, so that who drops out again after the end gets another."""
        known = self._all_of(draft.region, draft.subject)
        case = self._current(known)
        return case.ref if case else self._made(draft, len(known), at)

    def _all_of(self, region: str, subject: SubjectId) -> list[CaseFile]:
        """The child's cases in that county, ended ones too."""
        found = self._db.execute(
            f"SELECT {CASE} FROM case_file c WHERE subject_id = ? AND region = ?", (subject, region)
        )
        return [case_of(row) for row in found]

    def _current(self, known: Sequence[CaseFile]) -> CaseFile | None:
        standing = next((case for case in known if case.ended_on is None), None)
        joined = (self._joined(case.merged_into) for case in known)
        return standing or next((case for case in joined if case), None)

    def _joined(self, into: str | None) -> CaseFile | None:
        """The open case at the end of a chain of mergers."""
        while into is not None:
            case = self.get(into)
            if case is None or case.ended_on is None:
                return case
            into = case.merged_into
        return None

    def _made(self, draft: LeadDraft, number: int, at: datetime) -> str:
        ref = self._keys.derived_id("case", draft.region.encode(), draft.subject, str(number).encode())
        self._db.execute(
            "INSERT INTO case_file (ref, region, subject_id, state, opened_at, opened_on, since, residence, school,"
            " sealed) VALUES (?1, ?2, ?3, 'suspected', ?4, ?5, ?5, ?6, ?7, 0)",
            (
                ref,
                draft.region,
                draft.subject,
                stamp(at),
                self._today.isoformat(),
                draft.residence,
                draft.school,
            ),
        )
        by, body = Actor("gateway", None, "gateway", SYSTEM_ROLE), {"rule": draft.rule}
        opening = CaseEntry(ref, draft.region, EntryKind.STEP, self._today, at, by, OPENED, body=body)
        self.write(replace(opening, to=State.SUSPECTED))
        touch(self._db, draft.region, draft.subject, self._today)
        self._done["cases", "opened"] += 1
        return ref

    def visible(self, ref: str, rows: Predicate) -> CaseFile | None:
        """The case, if it is among the rows the caller may see."""
        where, binds = to_sql(rows, CASE_COLUMNS)
        row = self._db.execute(
            f"SELECT {CASE} FROM case_file c WHERE c.ref = :f_ref AND {where}", {**binds, "f_ref": ref}
        ).fetchone()
        return case_of(row) if row else None

    def work_of(self, ref: str) -> CaseWork:
        """The case's leads and duties."""
        return case_work.work_of(self._db, ref)

    def hand_over(self, ref: str, into: str) -> dict[str, list[str]]:
        """Moves leads and duties to another case; which they were."""
        return case_work.hand_over(self._db, ref, into)

    def take_back(self, ref: str, moved: Mapping[str, Sequence[str]], since: Collection[str]) -> None:
        """Moves back what still belongs to one of those cases."""
        case_work.take_back(self._db, ref, moved, since)

    def update(self, case: CaseFile) -> None:
        """Keeps everything of the case but its ref, county, child and opening."""
        self._db.execute(
            "UPDATE case_file SET state = ?, since = ?, residence = ?, school = ?, previous = ?, observed_from = ?,"
            " merged_into = ?, ended_on = ?, owner = ?, sealed = ? WHERE ref = ?",
            (
                case.state.value,
                case.since.isoformat(),
                case.residence,
                case.school,
                case.previous.value if case.previous else None,
                case.observed_from.isoformat() if case.observed_from else None,
                case.merged_into,
                case.ended_on.isoformat() if case.ended_on else None,
                case.owner,
                case.sealed,
                case.ref,
            ),
        )
        touch(self._db, case.region, case.subject, self._today)
        self._done["cases", "changed"] += 1

    def write(self, entry: CaseEntry) -> int:
        """Adds a line to the history; its number."""
        (number,) = self._db.execute(
            "SELECT COALESCE(max(number), 0) + 1 FROM case_entry WHERE case_ref = ?", (entry.case,)
        ).fetchone()
        words = orjson.dumps(dict(entry.words)) if entry.words else None
        self._db.execute(
            f"INSERT INTO case_entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.case,
                number,
                entry.region,
                entry.kind.value,
                entry.on.isoformat(),
                stamp(entry.at),
                entry.by.client,
                entry.by.officer,
                entry.by.agency,
                entry.by.role,
                entry.step,
                entry.origin.value if entry.origin else None,
                entry.to.value if entry.to else None,
                orjson.dumps(dict(entry.body)).decode(),
                self._keys.seal(words_purpose(entry.case, number), words) if words else None,
            ),
        )
        return int(number)

    def entries(self, ref: str) -> list[CaseEntry]:
        """The history, oldest first."""
        return entries_of(self._db, self._keys, ref)

    def close_leads(self, ref: str, fact: Mapping[str, object], at: datetime) -> int:
        """Closes the case's leads with the fact that says why; how many."""
        leads = self._db.execute(
            "SELECT id, region, facts FROM lead WHERE status <> 'closed' AND case_ref = ? AND region = "
            "(SELECT region FROM case_file WHERE ref = ?)",
            (ref, ref),
        ).fetchall()
        for lead_id, region, facts in leads:
            close_lead(self._db, (lead_id, region, facts), fact, at)
            self._done["leads", "closed"] += 1
        return len(leads)


def close_lead(
    connection: sqlite3.Connection, lead: tuple[str, str, str], fact: Mapping[str, object], at: datetime
) -> None:
    """Closes a lead (id, county, facts as kept) with one fact more."""
    lead_id, region, facts = lead
    kept = [*orjson.loads(facts), dict(fact)][-_FACTS_KEPT:]
    connection.execute(
        "UPDATE lead SET status = 'closed', facts = ?, updated_at = ? WHERE id = ?",
        (orjson.dumps(kept).decode(), stamp(at), lead_id),
    )
    lead_event(connection, region, lead_id, "closed", at)


def lead_event(connection: sqlite3.Connection, region: str, lead_id: str, kind: str, at: datetime) -> None:
    """What happened to a lead, for its stream."""
    connection.execute(
        "INSERT INTO lead_event (region, lead_id, kind, at) VALUES (?, ?, ?, ?)",
        (region, lead_id, kind, stamp(at)),
    )
