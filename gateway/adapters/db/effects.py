"""Effects inside one write transaction: subjects, leads, cases, duties, events and the evidence itself."""

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import orjson

from gateway.adapters.db.case_facts import SqliteCaseFacts
from gateway.adapters.db.cases import SqliteCaseDesk, close_lead, lead_event
from gateway.adapters.db.child_files import SqliteChildFiles
from gateway.adapters.db.children import one_child
from gateway.adapters.db.disclosed_sets import INSERT as SET_INSERT
from gateway.adapters.db.disclosed_sets import rows_for
from gateway.adapters.db.duties import SqliteDutyDesk
from gateway.adapters.db.duty_work import SqliteDutyWork
from gateway.adapters.db.engine import stamp
from gateway.adapters.db.guard import Counted, DayCount
from gateway.adapters.db.handovers import SqliteHandoverDesk
from gateway.adapters.db.instruments import SqliteInstrumentDesk
from gateway.adapters.db.mappings import claim
from gateway.adapters.db.referrals import SqliteReferralDesk
from gateway.adapters.db.reports import SqliteReportDesk
from gateway.adapters.db.resolutions import SqliteResolutionDesk
from gateway.adapters.db.vault import open_vault
from gateway.domain.audit import AuditEntry, canonical, leaf_hash
from gateway.domain.landing import Effect
from gateway.domain.limits import Quota, Sighting
from gateway.domain.model import AlarmDraft, ChildFacts, DutyDraft, LeadDraft, SubjectId
from gateway.domain.ports import Identity, KeyRing
from gateway.domain.principal import Principal

_FACTS_KEPT = 50

_AUDIT_INSERT = "INSERT INTO audit_entry (reference, subject_id, members, body, leaf) VALUES (?, ?, ?, ?, ?)"


Row = tuple[str, bytes | None, bytes | None, bytes, bytes]


class WrittenEntry(NamedTuple):
    """An entry as its table row, and what is kept of the set of children it points to."""

    row: Row
    sets: list[tuple[bytes, bytes]]


def written(entry: AuditEntry) -> WrittenEntry:
    """An entry made ready to be inserted; TypeError or ValueError when it cannot be written down."""
    body = canonical(entry)
    sets = rows_for(entry)
    digest = sets[-1][0] if sets else None
    return WrittenEntry((entry.reference, entry.subject, digest, body, leaf_hash(body)), sets)


def insert_entries(connection: sqlite3.Connection, entries: Sequence[WrittenEntry]) -> None:
    """The evidence, inside an open write transaction; a set of children is kept once, under its digest."""
    sets = [row for entry in entries for row in entry.sets]
    if sets:
        connection.executemany(SET_INSERT, sets)
    connection.executemany(_AUDIT_INSERT, [entry.row for entry in entries])


def identity_bytes(identity: Identity) -> bytes:
    """An identity as it is sealed: a JSON object. (msgspec: orjson would leave a kilobyte behind for each.)"""
    return _IDENTITY.encode(identity._asdict())


_IDENTITY = msgspec.json.Encoder()


def identity_tags(keys: KeyRing, identities: Sequence[Identity], version: int | None = None) -> list[bytes]:
    """Keyed digests by which an unchanged identity is recognised without opening it."""
    written = [
        "\0".join((each.resident_id or "", each.name or "", *each.student_numbers)) for each in identities
    ]
    return keys.lookups("identity-tag", written, version)


class SqliteTransaction:
    """`gateway.domain.ports.Transaction` over an open SQLite write transaction."""

    def __init__(
        self, connection: sqlite3.Connection, keys: KeyRing, today: date, counted: Counted | None = None
    ) -> None:
        self._db, self._keys, self._today, self._counted = connection, keys, today, counted
        self.done: Counter[Effect] = Counter()

    @property
    def connection(self) -> sqlite3.Connection:
        """The open transaction's connection, for what else of the store joins it."""
        return self._db

    def child(self, lookup: bytes, region: str) -> ChildFacts:
        """What is known of a child. The writer's pages stay warm: a reader's are thrown away with every commit."""
        return one_child(self._db, lookup, region)

    def subject_for(self, lookup: bytes, identity: Identity) -> SubjectId:
        """The child with that keyed identifier; made and sealed when nobody knew it."""
        former = self._former(lookup, identity)
        for known in (lookup, *former):
            row = self._db.execute("SELECT subject_id FROM identifier WHERE lookup = ?", (known,)).fetchone()
            if row:
                return SubjectId(row[0])
        subject = SubjectId(os.urandom(16))
        wrapped, sealed = self._keys.seal_identity(subject, identity_bytes(identity))
        (tag,) = identity_tags(self._keys, [identity])
        self._db.execute(
            "INSERT INTO subject (id, data_key, sealed, tag, has_id, created_on) VALUES (?, ?, ?, ?, 1, ?)",
            (subject, wrapped, sealed, tag, self._today.isoformat()),
        )
        self._db.executemany(
            "INSERT INTO identifier (lookup, kind, subject_id) VALUES (?, 'resident_id', ?)",
            [(each, subject) for each in (lookup, *former)],
        )
        return subject

    def _former(self, lookup: bytes, identity: Identity) -> list[bytes]:
        """While the index key turns: the same identifier's look-ups under the other versions."""
        versions = self._keys.index_versions
        if len(versions) == 1 or identity.resident_id is None:
            return []
        found = [self._keys.lookup("resident_id", identity.resident_id, each) for each in versions]
        return [each for each in found if each != lookup]

    def open_lead(self, draft: LeadDraft, at: datetime) -> tuple[str, bool]:
        """Opens the lead, or adds what is new to it; an unchanged lead is left alone and is no news."""
        lead_id = self._keys.derived_id("lead", draft.region.encode(), draft.subject, draft.rule.encode())
        row = self._db.execute("SELECT status, facts FROM lead WHERE id = ?", (lead_id,)).fetchone()
        if row is None:
            self._insert_lead(lead_id, draft, at)
            self.done["leads", "opened"] += 1
            return lead_id, True
        known = orjson.loads(row[1])
        news = [fact for fact in draft.facts if dict(fact) not in known]
        if news:
            if row[0] == "closed":
                self._open_anew(lead_id, draft, at)
            status = "open" if row[0] == "closed" else row[0]
            self._update_lead(lead_id, draft, [*known, *news][-_FACTS_KEPT:], status, at)
            what = "reopened" if row[0] == "closed" else "updated"
            self._event(draft.region, lead_id, what, at)
            self.done["leads", what] += 1
        return lead_id, bool(news)

    def _insert_lead(self, lead_id: str, draft: LeadDraft, at: datetime) -> None:
        now = stamp(at)
        self._db.execute(
            "INSERT INTO lead (id, region, subject_id, rule, rule_version, case_ref, residence, school, owner,"
            " sealed, status, opened_at, updated_at, due_on, facts, episode)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, 'open', ?, ?, ?, ?, 0)",
            (
                lead_id,
                draft.region,
                draft.subject,
                draft.rule,
                draft.rule_version,
                self.cases.ref_for(draft, at),
                draft.residence,
                draft.school,
                now,
                now,
                draft.due_on.isoformat(),
                orjson.dumps([dict(fact) for fact in draft.facts]).decode(),
            ),
        )
        self._event(draft.region, lead_id, "opened", at)

    def _open_anew(self, lead_id: str, draft: LeadDraft, at: datetime) -> None:
        """A closed lead whose trigger holds again belongs to the child's open case, which may be another one now."""
        self._db.execute(
            "UPDATE lead SET episode = episode + 1, case_ref = ? WHERE id = ?",
            (self.cases.ref_for(draft, at), lead_id),
        )

    def _update_lead(
        self, lead_id: str, draft: LeadDraft, facts: list[Mapping[str, object]], status: str, at: datetime
    ) -> None:
        self._db.execute(
            "UPDATE lead SET facts = ?, residence = ?, school = COALESCE(?, school), updated_at = ?, status = ?,"
            " due_on = CASE WHEN status = 'closed' THEN ? ELSE due_on END WHERE id = ?",
            (
                orjson.dumps(facts).decode(),
                draft.residence,
                draft.school,
                stamp(at),
                status,
                draft.due_on.isoformat(),
                lead_id,
            ),
        )

    def close_lead(self, lead_id: str, fact: Mapping[str, object], at: datetime) -> None:
        """The register itself shows that the trigger no longer holds: closed, with the fact that says so."""
        row = self._db.execute("SELECT region, facts FROM lead WHERE id = ?", (lead_id,)).fetchone()
        close_lead(self._db, (lead_id, *row), fact, at)
        self.done["leads", "closed"] += 1

    @property
    def cases(self) -> SqliteCaseDesk:
        """Cases, in this transaction."""
        return SqliteCaseDesk(self._db, self._keys, self._today, self.done)

    @property
    def case_facts(self) -> SqliteCaseFacts:
        """What registers and histories say of a county's cases."""
        return SqliteCaseFacts(self._db, self.done)

    @property
    def child_files(self) -> SqliteChildFiles:
        """Children's files, in this transaction."""
        return SqliteChildFiles(self._db, self._keys)

    @property
    def duties(self) -> SqliteDutyDesk:
        """Duties, in this transaction."""
        return SqliteDutyDesk(self._db, self._keys, self.done)

    @property
    def reports(self) -> SqliteReportDesk:
        """Reports, in this transaction."""
        return SqliteReportDesk(self._db, self.done)

    @property
    def duty_work(self) -> SqliteDutyWork:
        """What officers do with duties, in this transaction."""
        return SqliteDutyWork(self._db)

    @property
    def referrals(self) -> SqliteReferralDesk:
        """Referrals, in this transaction."""
        return SqliteReferralDesk(self._db, self._keys)

    @property
    def handovers(self) -> SqliteHandoverDesk:
        """Hand-overs, in this transaction."""
        return SqliteHandoverDesk(self._db, self._keys)

    def open_duty(self, draft: DutyDraft, at: datetime) -> None:
        """One duty for a lead, kind and facts; asking again changes nothing."""
        self.duties.open(draft, at)

    def acknowledge(self, lead_id: str, by: str, at: datetime) -> bool:
        """Marks an open lead as seen; acknowledging again keeps the first; False when it is closed."""
        row = self._db.execute("SELECT status, region FROM lead WHERE id = ?", (lead_id,)).fetchone()
        if row is None or row[0] == "closed":
            return False
        if row[0] == "open":
            self._db.execute(
                "UPDATE lead SET status = 'acknowledged', acknowledged_by = ?, acknowledged_at = ?,"
                " updated_at = ? WHERE id = ?",
                (by, stamp(at), stamp(at), lead_id),
            )
            self._event(row[1], lead_id, "acknowledged", at)
        return True

    def reveal(self, subject: SubjectId) -> Identity:
        """Who the child is; IdentityUnreadable when the vault cannot say."""
        return open_vault(self._db, self._keys, subject)

    @property
    def instruments(self) -> SqliteInstrumentDesk:
        """Legal instruments, in this transaction."""
        return SqliteInstrumentDesk(self._db, self._keys)

    @property
    def resolutions(self) -> SqliteResolutionDesk:
        """Resolutions of identity, in this transaction."""
        return SqliteResolutionDesk(self._db, self._keys)

    def raise_alarm(self, draft: AlarmDraft, at: datetime) -> str:
        """Keeps the alarm, or counts it once more with its newest facts."""
        parts = (draft.kind.encode(), draft.region.encode(), draft.key.encode())
        alarm_id = self._keys.derived_id("alarm", *parts)
        now = stamp(at)
        self._db.execute(
            "INSERT INTO alarm (id, kind, region, about, facts, raised, first_at, last_at, status)"
            " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6, 'open') ON CONFLICT (id) DO UPDATE SET raised = raised + 1,"
            " facts = excluded.facts, last_at = excluded.last_at, status = 'open'",
            (alarm_id, draft.kind, draft.region, draft.about, orjson.dumps(dict(draft.facts)).decode(), now),
        )
        return alarm_id

    def acknowledge_alarm(self, alarm_id: str, by: str, at: datetime) -> None:
        """Marks an open alarm as seen; an acknowledged one is left as it is."""
        self._db.execute(
            "UPDATE alarm SET status = 'acknowledged', acknowledged_by = ?, acknowledged_at = ?"
            " WHERE id = ? AND status = 'open'",
            (by, stamp(at), alarm_id),
        )

    def count_child(self, principal: Principal, quota: Quota, sighting: Sighting) -> str | None:
        """Counts a different child of the day, or names the limit that it breaks."""
        return DayCount(self._db, self._keys, self._today, self._counted).count(principal, quota, sighting)

    def claim_mapping(self, who: tuple[str, str, int, int], reference: str, at: datetime) -> bool:
        """False when that mapping was fetched before and is not allowed again."""
        return claim(self._db, who, reference, at)

    def write_audit(self, entry: AuditEntry) -> None:
        """The evidence, in this transaction."""
        insert_entries(self._db, [written(entry)])

    def _event(self, region: str, lead_id: str, kind: str, at: datetime) -> None:
        lead_event(self._db, region, lead_id, kind, at)
