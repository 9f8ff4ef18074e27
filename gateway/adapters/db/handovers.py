"""Hand-overs of cases inside one write transaction, and the lists of them."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.db.referrals import actor_of, actor_values, day_of, text_of
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import Actor
from gateway.domain.handover import Handover, HandoverQuery
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.referral import OVERDUE, Event, State, after

_COLUMNS = {
    "region": "h.residence",
    "school": "h.school",
    "owner": "h.officer",
    "sealed": "h.hidden",
}
_RECEIVED = {
    "region": "h.to_region",
    "school": "NULL",
    "owner": "h.officer_there",
    "sealed": "h.hidden_there",
}
_NAMES = (
    *(
        "id",
        "region",
        "to_region",
        "residence",
        "school",
        "sealed",
        "subject_id",
        "case_ref",
        "new_case",
        "state",
    ),
    *("sent_at", "sent_on", "due_on"),
    *("sender_client", "sender_officer", "sender_agency", "sender_role"),
    *("receiver_client", "receiver_officer", "receiver_agency", "receiver_role"),
    *("decided_on", "duty", "follow_up", "body", "package", "words"),
)
_SELECT = (
    f"SELECT {', '.join(f'h.{name}' for name in _NAMES)}, h.officer, h.hidden, h.officer_there, h.hidden_there FROM"
    f" (SELECT h.*, c.owner AS officer, COALESCE(c.sealed, h.sealed) AS hidden,"
    " n.owner AS officer_there, COALESCE(n.sealed, 0) AS hidden_there FROM handover h"
    " LEFT JOIN case_file n ON n.ref = h.new_case"
    f" LEFT JOIN case_file c ON c.ref = h.case_ref) h"
)
"""Who may see it follows its case: sealed later, or another officer's by now."""
_INSERT = f"INSERT INTO handover ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"
_UPDATE = (
    "UPDATE handover SET state = ?, new_case = ?, receiver_client = ?, receiver_officer = ?, receiver_agency = ?,"
    " receiver_role = ?, decided_on = ?, package = ?, words = ? WHERE id = ? AND state = ?"
)


def handover_purpose(handover_id: str) -> str:
    """What the words and the package of a hand-over are sealed under."""
    return f"handover:{handover_id}"


def _handover(row: Sequence[Any], keys: KeyRing) -> Handover:
    found = dict(zip((*_NAMES, "officer", "hidden", "officer_there", "hidden_there"), row, strict=True))
    purpose = handover_purpose(found["id"])
    return Handover(
        id=found["id"],
        region=found["region"],
        to_region=found["to_region"],
        residence=found["residence"],
        school=found["school"],
        sealed=bool(found["hidden"]),
        owner=found["officer"],
        owner_there=found["officer_there"],
        sealed_there=bool(found["hidden_there"]),
        subject=SubjectId(found["subject_id"]),
        case=found["case_ref"],
        new_case=found["new_case"],
        state=State(found["state"]),
        sent_at=moment(found["sent_at"]),
        sent_on=date.fromisoformat(found["sent_on"]),
        due_on=date.fromisoformat(found["due_on"]),
        sender=Actor(*row[13:17]),
        receiver=actor_of(row[17:21]),
        decided_on=day_of(found["decided_on"]),
        duty=found["duty"],
        follow_up=found["follow_up"],
        body=orjson.loads(found["body"]),
        package=keys.open(purpose, found["package"]).decode(),
        words=orjson.loads(keys.open(purpose, found["words"])) if found["words"] else {},
    )


class SqliteHandoverDesk:
    """`gateway.domain.handover.HandoverDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def get(self, handover_id: str) -> Handover | None:
        """The hand-over of that id."""
        row = self._db.execute(f"{_SELECT} WHERE h.id = ?", (handover_id,)).fetchone()
        return _handover(row, self._keys) if row else None

    def pending_of(self, case: str) -> Handover | None:
        """The case's hand-over that is not decided yet."""
        row = self._db.execute(f"{_SELECT} WHERE h.case_ref = ? AND h.state = 'pending'", (case,)).fetchone()
        return _handover(row, self._keys) if row else None

    def of_county(self, region: str, states: Collection[State]) -> list[Handover]:
        """What that county sends, in those states."""
        marks = ", ".join("?" * len(states))
        rows = self._db.execute(
            f"{_SELECT} WHERE h.region = ? AND h.state IN ({marks}) ORDER BY h.sent_at, h.id",
            (region, *sorted(state.value for state in states)),
        ).fetchall()
        return [_handover(row, self._keys) for row in rows]

    def add(self, handover: Handover) -> None:
        """Keeps a new one; its package and words sealed."""
        self._db.execute(
            _INSERT,
            (
                *(handover.id, handover.region, handover.to_region, handover.residence, handover.school),
                *(handover.sealed, handover.subject, handover.case, handover.new_case, handover.state.value),
                *(stamp(handover.sent_at), text_of(handover.sent_on), text_of(handover.due_on)),
                *actor_values(handover.sender),
                *actor_values(handover.receiver),
                *(text_of(handover.decided_on), handover.duty, handover.follow_up),
                orjson.dumps(dict(handover.body)).decode(),
                *self._sealed(handover),
            ),
        )

    def move(self, handover: Handover, event: Event, changed: Handover) -> bool:
        """One step of the state machine, taken only from the state the caller saw."""
        if after(handover.state, event) is not changed.state:
            return False
        done = self._db.execute(
            _UPDATE,
            (
                *(changed.state.value, changed.new_case),
                *actor_values(changed.receiver),
                text_of(changed.decided_on),
                *self._sealed(changed),
                *(changed.id, handover.state.value),
            ),
        )
        return done.rowcount == 1

    def _sealed(self, handover: Handover) -> tuple[bytes, bytes | None]:
        purpose = handover_purpose(handover.id)
        words = self._keys.seal(purpose, orjson.dumps(dict(handover.words))) if handover.words else None
        return self._keys.seal(purpose, handover.package.encode()), words


class SqliteHandovers:
    """`gateway.domain.handover.Handovers` over the embedded store; for worker threads."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def find(self, query: HandoverQuery) -> list[Handover]:
        """Newest first."""
        rows, binds = to_sql(query.rows, _COLUMNS)
        received, _ = to_sql(query.rows, _RECEIVED)  # the same predicate: the same names of the same values
        where = f"((h.to_region = :f_to AND {received}) OR {rows})"
        binds["f_to"] = query.to_region
        if query.status is not None:
            state = State.PENDING.value if query.status == OVERDUE else query.status
            where, binds["f_status"] = f"{where} AND h.state = :f_status", state
        if query.status in (OVERDUE, State.PENDING.value):
            sign = "<" if query.status == OVERDUE else ">="
            where, binds["f_today"] = f"{where} AND h.due_on {sign} :f_today", query.today.isoformat()
        if query.before is not None:
            where += (
                " AND (h.sent_at, h.id) < (SELECT b.sent_at, b.id FROM handover b WHERE b.id = :f_before)"
            )
            binds["f_before"] = query.before
        binds["f_limit"] = query.limit
        found = self._store.reader.execute(
            f"{_SELECT} WHERE {where} ORDER BY h.sent_at DESC, h.id DESC LIMIT :f_limit", binds
        )
        return [_handover(row, self._keys) for row in found]
