"""Duties inside one write transaction."""

import sqlite3
from collections.abc import Collection
from datetime import date, datetime

import orjson

from gateway.adapters.db.engine import stamp
from gateway.domain.model import DutyDraft
from gateway.domain.ports import KeyRing

_STANDING = "status IN ('open', 'waiting')"


class SqliteDutyDesk:
    """`gateway.domain.duties.DutyDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def open(self, draft: DutyDraft, at: datetime) -> str:
        """One duty for its basis, kind and facts; a lead that opened anew is another basis."""
        facts = orjson.dumps(dict(draft.facts), option=orjson.OPT_SORT_KEYS)
        place, basis = self._place(draft)
        duty_id = self._keys.derived_id("duty", *basis, draft.kind.encode(), facts)
        if self._db.execute("SELECT 1 FROM duty WHERE id = ?", (duty_id,)).fetchone():
            return duty_id
        self._db.execute(
            "INSERT INTO duty (id, kind, owner, region, lead_id, case_ref, residence, school, due_on, status,"
            " opened_at, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
            (
                duty_id,
                draft.kind,
                draft.owner,
                draft.region,
                draft.lead,
                *place,
                draft.due_on.isoformat(),
                stamp(at),
                facts.decode(),
            ),
        )
        return duty_id

    def _place(self, draft: DutyDraft) -> tuple[tuple[str | None, str, str | None], list[bytes]]:
        """(case, residence, school), and what makes it one duty."""
        if draft.lead is None:
            told = draft.basis or draft.case or draft.region
            return (draft.case, draft.residence or draft.region, draft.school), [told.encode()]
        case, residence, school, episode = self._db.execute(
            "SELECT case_ref, residence, school, episode FROM lead WHERE id = ?", (draft.lead,)
        ).fetchone()
        # A duty of another county's agency (a labour visit) stands where that agency does.
        inside = residence if residence.startswith(draft.region) else draft.region
        basis = [draft.lead.encode(), str(episode).encode()] if episode else [draft.lead.encode()]
        return (case, inside, school), basis

    def finish(self, case: str, kinds: Collection[str] | None, on: date, by: str) -> int:
        """Marks the case's standing duties of those kinds (None: of every kind) as done; how many."""
        which, marks = sorted(kinds or ()), ", ".join("?" * len(kinds or ()))
        only = f" AND kind IN ({marks})" if kinds is not None else ""
        return self._end("done", f"case_ref = ?{only}", (case, *which), on, by)

    def finish_one(self, duty_id: str, on: date, by: str) -> bool:
        """Marks one as done; False when it does not stand any more."""
        return self._end("done", "id = ?", (duty_id,), on, by) == 1

    def cancel(self, case: str, on: date, by: str) -> int:
        """Nobody owes what is left of the case's duties any more; how many."""
        return self._end("cancelled", "case_ref = ?", (case,), on, by)

    def cancel_one(self, duty_id: str, on: date, by: str) -> bool:
        """Nobody owes it any more; False when it does not stand."""
        return self._end("cancelled", "id = ?", (duty_id,), on, by) == 1

    def _end(self, status: str, where: str, values: tuple[str, ...], on: date, by: str) -> int:
        return self._db.execute(
            f"UPDATE duty SET status = ?, done_on = ?, done_by = ? WHERE {_STANDING} AND {where}",
            (status, on.isoformat(), by, *values),
        ).rowcount
