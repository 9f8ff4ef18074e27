"""Duties inside one write transaction."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter

import orjson

from gateway.adapters.db.duty_list import DUTY, FROM, duty_of
from gateway.adapters.db.engine import stamp
from gateway.domain.duties import Duty, Moot, Moved
from gateway.domain.landing import Effect
from gateway.domain.model import DutyDraft
from gateway.domain.owing import one_up
from gateway.domain.ports import KeyRing

LONG_OVER = "long-over"
_STANDING = "status IN ('open', 'waiting')"
_ENDED = f"UPDATE duty SET status = ?, done_on = ?, done_by = ?, done_what = ? WHERE {_STANDING}"
_RESUMED = (
    "UPDATE duty SET status = 'open', waiting_for = NULL, waiting_since = NULL, waiting_why = NULL, reminded_on = NULL,"
    " due_on = ?, escalated_on = ?, waited = ? WHERE id = ? AND status = 'waiting'"
)
_INSERT = (
    "INSERT INTO duty (id, kind, owner, region, lead_id, case_ref, residence, school, due_on, status, opened_at,"
    " facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)"
)
_AGAIN = (
    f"{_INSERT} ON CONFLICT (id) DO UPDATE SET status = 'open', due_on = excluded.due_on,"
    " opened_at = excluded.opened_at, owner = excluded.owner, residence = excluded.residence,"
    " school = excluded.school, done_on = NULL, done_by = NULL, done_what = NULL, escalated_to = NULL,"
    " escalated_on = NULL, above = NULL, reminded_on = NULL, waiting_for = NULL, waiting_since = NULL,"
    " waiting_why = NULL, waited = 0 WHERE duty.status = 'cancelled'"
)
_Place = tuple[str | None, str, str | None]
_OVERDUE = "status = 'open' AND due_on < ? AND (escalated_on IS NULL OR escalated_on <= ?)"
_TOWNSHIP = (
    "CASE WHEN owner = 'school' AND escalated_to IS NULL AND length(residence) >= 9"
    " THEN substr(residence, 1, 9) END"
)
_Holder = tuple[str, str | None, str | None]
"""Owner, the township where a school's duty would go up to, where the duty went last."""


class SqliteDutyDesk:
    """`gateway.domain.duties.DutyDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing, done: Counter[Effect]) -> None:
        self._db, self._keys, self._done = connection, keys, done

    def open(self, draft: DutyDraft, at: datetime) -> str:
        """One duty for its basis, kind and facts; a lead that opened anew is another basis."""
        place, basis = self._place(draft)
        row = self._row(draft, place, basis, at) if place else None
        if row is None:  # a closed lead owes nothing
            return self._id(draft, basis)
        if not self._db.execute("SELECT 1 FROM duty WHERE id = ?", (row[0],)).fetchone():
            self._db.execute(_INSERT, row)
            self._count("opened", 1)
        return str(row[0])

    def open_all(self, drafts: Sequence[DutyDraft], at: datetime) -> list[str]:
        """Many at once, of no lead: nothing is looked up for any of them. A cancelled one is owed again."""
        if any(draft.lead is not None for draft in drafts):
            raise ValueError("a lead's duty is opened by itself")
        placed = [(draft, *self._place(draft)) for draft in drafts]
        rows = [self._row(draft, place, basis, at) for draft, place, basis in placed if place]
        made = self._db.executemany(_AGAIN, rows).rowcount if rows else 0
        self._count("opened", made)
        return [str(row[0]) for row in rows]

    def _id(self, draft: DutyDraft, basis: Sequence[bytes]) -> str:
        return self._keys.derived_id("duty", *basis, draft.kind.encode(), _facts(draft))

    def _row(
        self, draft: DutyDraft, place: _Place, basis: Sequence[bytes], at: datetime
    ) -> tuple[object, ...]:
        return (
            self._id(draft, basis),
            draft.kind,
            draft.owner,
            draft.region,
            draft.lead,
            *place,
            draft.due_on.isoformat(),
            stamp(at),
            _facts(draft).decode(),
        )

    def _place(self, draft: DutyDraft) -> tuple[_Place | None, list[bytes]]:
        """(case, residence, school), and what makes it one duty. Of a closed lead nothing is owed: no place."""
        if draft.lead is None:
            told = draft.basis or draft.case or draft.region
            return (draft.case, draft.residence or draft.region, draft.school), [told.encode()]
        case, residence, school, episode, status = self._db.execute(
            "SELECT case_ref, residence, school, episode, status FROM lead WHERE id = ?", (draft.lead,)
        ).fetchone()
        # A duty of another county's agency (a labour visit) stands where that agency does.
        inside = residence if residence.startswith(draft.region) else draft.region
        basis = [draft.lead.encode(), str(episode).encode()] if episode else [draft.lead.encode()]
        return None if status == "closed" else (case, inside, school), basis

    def finish(self, case: str, kinds: Collection[str], on: date, by: str) -> int:
        """Marks the case's standing duties of those kinds as done; how many."""
        where = f"case_ref = ? AND kind IN ({', '.join('?' * len(kinds))})"
        return self._end("done", where, (case, *sorted(kinds)), on, by)

    def finish_one(self, duty_id: str, on: date, by: str) -> bool:
        """Marks one as done; False when it does not stand any more."""
        return self._end("done", "id = ?", (duty_id,), on, by) == 1

    def finish_basis(self, region: str, kind: str, report: str, on: date, by: str) -> int:
        """Marks the county's standing duty to hand in that report as done: the few of that kind are looked at."""
        where = "region = ? AND kind = ? AND json_extract(facts, '$.report') = ?"
        return self._end("done", where, (region, kind, report), on, by)

    def finish_all(self, duties: Collection[str], on: date, by: str) -> int:
        """Marks each as done that stands; how many."""
        return self._end_all("done", ((None, duty) for duty in duties), on, by)

    def cancel_all(self, moot: Collection[Moot], on: date, by: str) -> int:
        """Nobody owes these any more, each for its reason; how many of them stood."""
        return self._end_all("cancelled", ((each.why, each.duty) for each in moot), on, by)

    def _end_all(self, status: str, ended: Iterable[tuple[str | None, str]], on: date, by: str) -> int:
        rows = [(status, on.isoformat(), by, why, duty) for why, duty in sorted(ended, key=itemgetter(1))]
        many = self._db.executemany(f"{_ENDED} AND id = ?", rows).rowcount if rows else 0
        return self._count(status, many)

    def lapse(self, region: str, before: date, on: date, by: str) -> int:
        """The county's duties of no lead and no case whose last day lies before `before` are owed no more; how many."""
        where = "region = ? AND due_on < ? AND lead_id IS NULL AND case_ref IS NULL"
        return self._end("lapsed", where, (region, before.isoformat()), on, by, LONG_OVER)

    def cancel(self, case: str, on: date, by: str, why: str) -> int:
        """Nobody owes what is left of the case's duties any more; how many."""
        return self._end("cancelled", "case_ref = ?", (case,), on, by, why)

    def cancel_one(self, duty_id: str, on: date, by: str, why: str) -> bool:
        """Nobody owes it any more; False when it does not stand."""
        return self._end("cancelled", "id = ?", (duty_id,), on, by, why) == 1

    def end_lead(self, lead: str, done: bool, on: date, by: str) -> int:
        """The lead's standing duties are done, or nobody owes them any more; how many."""
        status, why = ("done", None) if done else ("cancelled", "no-longer-applies")
        return self._end(status, "lead_id = ?", (lead,), on, by, why)

    def escalate(self, region: str, day: date, again: date, at: datetime) -> int:
        """Overdue duties of the county go one level up, those that did by `again` one more; how many."""
        days = day.isoformat(), again.isoformat()
        holders = self._holders(region, day, again)
        return self._count("escalated", sum(self._raise(region, holder, days, at) for holder in holders))

    def _holders(self, region: str, day: date, again: date) -> list[_Holder]:
        """Who has overdue duties now, as far as it matters for the way up: a few for a whole county."""
        found = self._db.execute(
            f"SELECT DISTINCT owner, {_TOWNSHIP}, escalated_to FROM duty WHERE region = ? AND {_OVERDUE}",
            (region, day.isoformat(), again.isoformat()),
        )
        return found.fetchall()

    def _raise(self, region: str, holder: _Holder, days: tuple[str, str], at: datetime) -> int:
        owner, township, now_at = holder
        goal = one_up(owner, region, township or region, now_at)
        if goal is None:
            return 0
        here = f"region = ? AND {_OVERDUE} AND owner = ? AND {_TOWNSHIP} IS ? AND escalated_to IS ?"
        binds = (region, *days, owner, township, now_at)
        self._tell("duty-escalated", here, binds, at)
        return self._db.execute(
            f"UPDATE duty SET escalated_to = ?, escalated_on = ?, above = COALESCE(above, ?) WHERE {here}",
            (goal, days[0], goal.partition("@")[0], *binds),
        ).rowcount

    def waiting(self, region: str, day: date, days: int) -> list[Duty]:
        """The county's duties that by `day` have waited for other agencies for so many days, all waits together."""
        found = self._db.execute(
            f"SELECT {DUTY} FROM {FROM} WHERE d.region = ? AND d.status = 'waiting'"
            " AND julianday(?) - julianday(d.waiting_since) + d.waited >= ? ORDER BY d.id",
            (region, day.isoformat(), days),
        )
        return [duty_of(row) for row in found.fetchall()]

    def resume(self, duty_id: str, again: Moved) -> None:
        """It is owed again, its last day moved; a reminder may come again."""
        up = again.escalated_on.isoformat() if again.escalated_on else None
        values = (again.due_on.isoformat(), up, again.waited, duty_id)
        self._count("resumed", self._db.execute(_RESUMED, values).rowcount)

    def remind(self, region: str, day: date, until: Mapping[str, date], at: datetime) -> int:
        """Marks the county's duties due after `day` and by the day their kind says as reminded of; how many."""
        kinds = sorted(until.items())
        return self._count("reminded", sum(self._remind(region, kind, day, last, at) for kind, last in kinds))

    def _remind(self, region: str, kind: str, day: date, last: date, at: datetime) -> int:
        here = "region = ? AND status = 'open' AND due_on > ? AND due_on <= ? AND kind = ? AND reminded_on IS NULL"
        binds = (region, day.isoformat(), last.isoformat(), kind)
        self._tell("duty-reminded", here, binds, at)
        return self._db.execute(
            f"UPDATE duty SET reminded_on = ? WHERE {here}", (day.isoformat(), *binds)
        ).rowcount

    def _tell(self, kind: str, here: str, binds: tuple[str | None, ...], at: datetime) -> None:
        """The stream of leads says of which of them a duty was reminded of or went up."""
        self._db.execute(
            "INSERT INTO lead_event (region, lead_id, kind, at)"
            f" SELECT DISTINCT region, lead_id, ?, ? FROM duty WHERE lead_id IS NOT NULL AND {here} ORDER BY lead_id",
            (kind, stamp(at), *binds),
        )

    def _end(
        self, status: str, where: str, values: tuple[str, ...], on: date, by: str, why: str | None = None
    ) -> int:
        binds = (status, on.isoformat(), by, why, *values)
        return self._count(status, self._db.execute(f"{_ENDED} AND {where}", binds).rowcount)

    def _count(self, what: str, many: int) -> int:
        if many:
            self._done["duties", what] += many
        return many


def _facts(draft: DutyDraft) -> bytes:
    """A duty's facts as they are kept: part of what makes it one."""
    return orjson.dumps(dict(draft.facts), option=orjson.OPT_SORT_KEYS)
