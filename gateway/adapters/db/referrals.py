"""Referrals inside one write transaction, and the lists of them."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import Actor
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.referral import OVERDUE, Comment, Event, Kind, Referral, ReferralQuery, State, after

_COLUMNS = {
    "region": "r.residence",
    "school": "r.school",
    "owner": "r.officer",
    "sealed": "r.hidden",
}
_RECEIVED = {"region": "r.county", "school": "NULL", "owner": "NULL", "sealed": "FALSE"}
"""To its receiver a referral is the county's, wherever in it the child lives."""
_NAMES = (
    *("id", "kind", "route", "county", "residence", "school", "sealed", "subject_id", "case_ref", "measure"),
    *("state", "sent_at", "sent_on", "due_on"),
    *("sender_client", "sender_officer", "sender_agency", "sender_role"),
    *("receiver_client", "receiver_officer", "receiver_agency", "receiver_role"),
    *("decided_on", "ground", "outcome", "outcome_on", "concerns", "duty", "body", "words"),
)
_SELECT = (
    f"SELECT {', '.join(f'r.{name}' for name in _NAMES)}, r.officer, r.hidden FROM"
    f" (SELECT r.*, c.owner AS officer, COALESCE(c.sealed, r.sealed) AS hidden FROM referral r"
    f" LEFT JOIN case_file c ON c.ref = r.case_ref) r"
)
"""Who may see it follows its case: sealed later, or another officer's by now."""
_INSERT = f"INSERT INTO referral ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"
_UPDATE = (
    "UPDATE referral SET state = ?, receiver_client = ?, receiver_officer = ?, receiver_agency = ?,"
    " receiver_role = ?, decided_on = ?, ground = ?, outcome = ?, outcome_on = ?, words = ?"
    " WHERE id = ? AND state = ?"
)


def referral_purpose(referral_id: str) -> str:
    """What the words of a referral are sealed under."""
    return f"referral:{referral_id}"


def comment_purpose(referral_id: str, number: int) -> str:
    """What a comment is sealed under."""
    return f"referral:{referral_id}:{number}"


def text_of(day: date | None) -> str | None:
    """A law date as it is kept."""
    return day.isoformat() if day else None


def day_of(text: str | None) -> date | None:
    """A law date, read."""
    return date.fromisoformat(text) if text else None


def actor_values(actor: Actor | None) -> tuple[str | None, ...]:
    """Who did something, as columns."""
    return (actor.client, actor.officer, actor.agency, actor.role) if actor else (None,) * 4


def actor_of(values: Sequence[Any]) -> Actor | None:
    """The same, read."""
    return Actor(*values) if values[0] else None


def _referral(row: Sequence[Any], keys: KeyRing) -> Referral:
    found = dict(zip((*_NAMES, "officer", "hidden"), row, strict=True))
    sealed = found["words"]
    return Referral(
        id=found["id"],
        kind=Kind(found["kind"]),
        route=found["route"],
        county=found["county"],
        residence=found["residence"],
        school=found["school"],
        sealed=bool(found["hidden"]),
        owner=found["officer"],
        subject=SubjectId(found["subject_id"]) if found["subject_id"] else None,
        case=found["case_ref"],
        measure=found["measure"],
        state=State(found["state"]),
        sent_at=moment(found["sent_at"]),
        sent_on=date.fromisoformat(found["sent_on"]),
        due_on=day_of(found["due_on"]),
        sender=Actor(*row[14:18]),
        receiver=actor_of(row[18:22]),
        decided_on=day_of(found["decided_on"]),
        ground=found["ground"],
        outcome=found["outcome"],
        outcome_on=day_of(found["outcome_on"]),
        concerns=found["concerns"],
        duty=found["duty"],
        body=orjson.loads(found["body"]),
        words=orjson.loads(keys.open(referral_purpose(found["id"]), sealed)) if sealed else {},
    )


class SqliteReferralDesk:
    """`gateway.domain.referral.ReferralDesk` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def get(self, referral_id: str) -> Referral | None:
        """The referral of that id."""
        row = self._db.execute(f"{_SELECT} WHERE r.id = ?", (referral_id,)).fetchone()
        return _referral(row, self._keys) if row else None

    def standing(self, route: str, case: str) -> Referral | None:
        """The case's referral by that route which is pending or accepted."""
        row = self._db.execute(
            f"{_SELECT} WHERE r.case_ref = ? AND r.route = ? AND r.state IN ('pending', 'accepted')",
            (case, route),
        ).fetchone()
        return _referral(row, self._keys) if row else None

    def of_county(self, county: str, states: Collection[State]) -> list[Referral]:
        """The county's referrals in those states; notifications too."""
        marks = ", ".join("?" * len(states))
        rows = self._db.execute(
            f"{_SELECT} WHERE r.county = ? AND r.state IN ({marks}) ORDER BY r.sent_at, r.id",
            (county, *sorted(state.value for state in states)),
        ).fetchall()
        return [_referral(row, self._keys) for row in rows]

    def add(self, referral: Referral) -> None:
        """Keeps a new one; its words sealed."""
        self._db.execute(
            _INSERT,
            (
                *(referral.id, referral.kind.value, referral.route, referral.county, referral.residence),
                *(referral.school, referral.sealed, referral.subject, referral.case, referral.measure),
                *(referral.state.value, stamp(referral.sent_at), text_of(referral.sent_on)),
                text_of(referral.due_on),
                *actor_values(referral.sender),
                *actor_values(referral.receiver),
                *(text_of(referral.decided_on), referral.ground, referral.outcome),
                *(text_of(referral.outcome_on), referral.concerns, referral.duty),
                orjson.dumps(dict(referral.body)).decode(),
                self._sealed(referral),
            ),
        )

    def move(self, referral: Referral, event: Event, changed: Referral) -> bool:
        """One step of the state machine, taken only from the state the caller saw."""
        if after(referral.state, event) is not changed.state:
            return False
        done = self._db.execute(
            _UPDATE,
            (
                changed.state.value,
                *actor_values(changed.receiver),
                *(text_of(changed.decided_on), changed.ground, changed.outcome, text_of(changed.outcome_on)),
                self._sealed(changed),
                changed.id,
                referral.state.value,
            ),
        )
        return done.rowcount == 1

    def comment(self, referral_id: str, comment: Comment) -> None:
        """Adds a comment, sealed; it goes with the case."""
        (number,) = self._db.execute(
            "SELECT COALESCE(max(number), 0) + 1 FROM referral_comment WHERE referral_id = ?", (referral_id,)
        ).fetchone()
        sealed = self._keys.seal(comment_purpose(referral_id, number), comment.text.encode())
        self._db.execute(
            "INSERT INTO referral_comment (referral_id, number, case_ref, at, client, officer, agency, role, words)"
            " SELECT id, ?, case_ref, ?, ?, ?, ?, ?, ? FROM referral WHERE id = ?",
            (number, stamp(comment.at), *actor_values(comment.by), sealed, referral_id),
        )

    def comments(self, referral_id: str) -> list[Comment]:
        """The comments, oldest first."""
        rows = self._db.execute(
            "SELECT number, at, client, officer, agency, role, words FROM referral_comment"
            " WHERE referral_id = ? ORDER BY number",
            (referral_id,),
        ).fetchall()
        return [
            Comment(
                moment(at),
                Actor(*who),
                self._keys.open(comment_purpose(referral_id, number), words).decode(),
            )
            for number, at, *who, words in rows
        ]

    def read_by(self, roles: Collection[str], county: str) -> bool:
        """Whether an active client of one of the roles is there for exactly that county."""
        marks = ", ".join("?" * len(roles))
        return (
            self._db.execute(
                "SELECT 1 FROM client WHERE region = ? AND revoked_at IS NULL"
                f" AND agency || '/' || role IN ({marks}) LIMIT 1",
                (county, *sorted(roles)),
            ).fetchone()
            is not None
        )

    def is_active(self, client: str) -> bool:
        """Whether that client is there and not revoked."""
        found = self._db.execute("SELECT 1 FROM client WHERE id = ? AND revoked_at IS NULL", (client,))
        return found.fetchone() is not None

    def employer_known(self, county: str, employer: str) -> bool:
        """Whether inspection confirmed child labour at that employer in the county: an ask alone confirms nothing."""
        found = self._db.execute(
            "SELECT 1 FROM inspection WHERE region = ? AND employer_uscc = ? AND finding = 'confirmed' LIMIT 1",
            (county, employer),
        )
        return found.fetchone() is not None

    def _sealed(self, referral: Referral) -> bytes | None:
        if not referral.words:
            return None
        return self._keys.seal(referral_purpose(referral.id), orjson.dumps(dict(referral.words)))


class SqliteReferrals:
    """`gateway.domain.referral.Referrals` over the embedded store; for worker threads."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def find(self, query: ReferralQuery) -> list[Referral]:
        """Newest first."""
        where, binds = _side(query)
        if query.status is not None:
            where = f"{where} AND {_status(query, binds)}"
        if query.before is not None:
            where += (
                " AND (r.sent_at, r.id) < (SELECT b.sent_at, b.id FROM referral b WHERE b.id = :f_before)"
            )
            binds["f_before"] = query.before
        binds["f_limit"] = query.limit
        rows = self._store.reader.execute(
            f"{_SELECT} WHERE {where} ORDER BY r.sent_at DESC, r.id DESC LIMIT :f_limit", binds
        )
        return [_referral(row, self._keys) for row in rows]


def _side(query: ReferralQuery) -> tuple[str, dict[str, object]]:
    """What the receiver's side may see is its county's; the sender's side, the cases of its reach."""
    if query.routes is not None:
        names = {f"f_route_{number}": route for number, route in enumerate(sorted(query.routes))}
        marks = ", ".join(f":{name}" for name in names) or "NULL"
        rows, binds = to_sql(query.rows, _RECEIVED)
        where = f"r.county = :f_county AND r.route IN ({marks}) AND {rows}"
        return where, {**binds, "f_county": query.county, **names}
    where, binds = to_sql(query.rows, _COLUMNS)
    roles = {f"f_role_{number}": role for number, role in enumerate(sorted(query.senders))}
    marks = ", ".join(f":{name}" for name in roles) or "NULL"
    return f"r.kind = 'referral' AND r.sender_role IN ({marks}) AND {where}", {**binds, **roles}


def _status(query: ReferralQuery, binds: dict[str, object]) -> str:
    binds["f_status"], binds["f_today"] = query.status, query.today.isoformat()
    if query.status == OVERDUE:
        return "r.state = 'pending' AND r.due_on < :f_today AND :f_status IS NOT NULL"
    if query.status == State.PENDING.value:
        return "r.state = :f_status AND r.due_on >= :f_today"
    return "r.state = :f_status AND :f_today IS NOT NULL"
