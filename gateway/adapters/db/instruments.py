"""Legal instruments, their numbers and their proof of service; limited by the grant's predicate, by the case's place."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from gateway.adapters.db.cases import CASE, case_of
from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import CaseFile
from gateway.domain.instrument_record import Instrument, InstrumentState, Service
from gateway.domain.instruments import Document, Kind
from gateway.domain.model import SubjectId
from gateway.domain.ports import KeyRing
from gateway.domain.predicate import Predicate

_COLUMNS = {"region": "c.residence", "school": "c.school", "owner": "c.owner", "sealed": "c.sealed"}
_INSTRUMENT = (
    "i.id, i.kind, i.number, i.subject_id, i.case_ref, i.county, i.office, i.role, i.client, i.officer,"
    " i.issued_at, i.issued_on, i.state, i.due_on, i.service, i.void_reason"
)
_FROM = "FROM instrument i JOIN case_file c ON c.ref = i.case_ref"
_ORDER = "ORDER BY i.issued_at, i.id"
_INSERT = (
    "INSERT INTO instrument (id, kind, number, subject_id, case_ref, county, office, role, client, officer,"
    " issued_at, issued_on, state, year, serial, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_NEXT = (
    "INSERT INTO instrument_counter (office, year, kind, last) VALUES (?, ?, ?, 1)"
    " ON CONFLICT (office, year, kind) DO UPDATE SET last = last + 1 RETURNING last"
)
_WORDS = msgspec.json.Encoder()
_DOCUMENT = msgspec.json.Decoder(Document)
_SERVICE = msgspec.json.Decoder(Service)


def purpose_of(instrument_id: str) -> str:
    """What the wording of an instrument, its proof of service and its reasons are sealed under."""
    return f"instrument:{instrument_id}"


def _instrument(row: Sequence[Any], keys: KeyRing) -> Instrument:
    purpose = purpose_of(row[0])
    return Instrument(
        id=row[0],
        kind=Kind(row[1]),
        number=row[2],
        subject=SubjectId(row[3]),
        case=row[4],
        county=row[5],
        office=row[6],
        role=row[7],
        client=row[8],
        officer=row[9],
        issued_at=moment(row[10]),
        issued_on=date.fromisoformat(row[11]),
        state=InstrumentState(row[12]),
        due_on=date.fromisoformat(row[13]) if row[13] else None,
        service=_SERVICE.decode(keys.open(purpose, row[14])) if row[14] else None,
        void_reason=keys.open(purpose, row[15]).decode() if row[15] else None,
    )


class SqliteInstrumentDesk:
    """`gateway.domain.instrument_record.InstrumentDesk` over an open write transaction."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyRing) -> None:
        self._db, self._keys = connection, keys

    def case(self, ref: str, rows: Predicate) -> CaseFile | None:
        """The case, if it is among the rows."""
        where, binds = to_sql(rows, _COLUMNS)
        row = self._db.execute(
            f"SELECT {CASE} FROM case_file c WHERE c.ref = :f_ref AND {where}", {**binds, "f_ref": ref}
        ).fetchone()
        return case_of(row) if row else None

    def next_serial(self, office: str, year: int, kind: Kind) -> int:
        """The next running number, taken."""
        return int(self._db.execute(_NEXT, (office, year, kind.value)).fetchone()[0])

    def add(self, instrument: Instrument, serial: int, document: Document) -> None:
        """Keeps a new one, its wording sealed."""
        self._db.execute(
            _INSERT,
            (
                instrument.id,
                instrument.kind.value,
                instrument.number,
                instrument.subject,
                instrument.case,
                instrument.county,
                instrument.office,
                instrument.role,
                instrument.client,
                instrument.officer,
                stamp(instrument.issued_at),
                instrument.issued_on.isoformat(),
                instrument.state.value,
                instrument.issued_on.year,
                serial,
                self._sealed(instrument.id, _WORDS.encode(document)),
            ),
        )

    def get(self, instrument_id: str, rows: Predicate) -> Instrument | None:
        """The instrument, if its case is among the rows."""
        where, binds = to_sql(rows, _COLUMNS)
        row = self._db.execute(
            f"SELECT {_INSTRUMENT} {_FROM} WHERE i.id = :f_id AND {where}", {**binds, "f_id": instrument_id}
        ).fetchone()
        return _instrument(row, self._keys) if row else None

    def of_case(self, case: str) -> list[Instrument]:
        """Every one of a case, oldest first."""
        rows = self._db.execute(f"SELECT {_INSTRUMENT} {_FROM} WHERE i.case_ref = ? {_ORDER}", (case,))
        return [_instrument(row, self._keys) for row in rows.fetchall()]

    def move(self, instrument: Instrument, changed: Instrument) -> bool:
        """Keeps state, term, service and reason if the instrument is still where the caller saw it."""
        service, reason = changed.service, changed.void_reason
        done = self._db.execute(
            "UPDATE instrument SET state = ?, due_on = ?, service = ?, void_reason = ? WHERE id = ? AND state = ?",
            (
                changed.state.value,
                changed.due_on.isoformat() if changed.due_on else None,
                self._sealed(changed.id, _WORDS.encode(service)) if service else None,
                self._sealed(changed.id, reason.encode()) if reason else None,
                instrument.id,
                instrument.state.value,
            ),
        )
        return done.rowcount == 1

    def _sealed(self, instrument_id: str, words: bytes) -> bytes:
        return self._keys.seal(purpose_of(instrument_id), words)


class SqliteInstruments:
    """`gateway.domain.instrument_record.Instruments` over the embedded store; for worker threads."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store, self._keys = store, keys

    def of_case(self, case: str, rows: Predicate) -> list[Instrument] | None:
        """Every one of a case that is among the rows, oldest first; None when it is not."""
        where, binds = to_sql(rows, _COLUMNS)
        seen = self._store.reader.execute(
            f"SELECT 1 FROM case_file c WHERE c.ref = :f_ref AND {where}", {**binds, "f_ref": case}
        ).fetchone()
        if seen is None:
            return None
        found = self._store.reader.execute(
            f"SELECT {_INSTRUMENT} {_FROM} WHERE i.case_ref = ? {_ORDER}", (case,)
        )
        return [_instrument(row, self._keys) for row in found.fetchall()]

    def kept(self, instrument_id: str, rows: Predicate) -> tuple[Instrument, Document] | None:
        """It and its wording, if its case is among the rows."""
        where, binds = to_sql(rows, _COLUMNS)
        row = self._store.reader.execute(
            f"SELECT {_INSTRUMENT}, i.content {_FROM} WHERE i.id = :f_id AND {where}",
            {**binds, "f_id": instrument_id},
        ).fetchone()
        if row is None:
            return None
        words = self._keys.open(purpose_of(instrument_id), row[-1])
        return _instrument(row, self._keys), _DOCUMENT.decode(words)
