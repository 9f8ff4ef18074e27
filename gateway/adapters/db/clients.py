"""Registered clients and the assertions they have used."""

import sqlite3
from datetime import datetime

import orjson

from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.db.turn import Turn
from gateway.domain.audit import AuditEntry
from gateway.domain.model import ClientRecord

_ACTIVE = "SELECT 1 FROM client WHERE id = ? AND revoked_at IS NULL"


_HELD = (
    "status IN ('open', 'waiting') AND EXISTS (SELECT 1 FROM duty_officer o WHERE o.client = ? AND o.name = assignee"
    " AND o.agency = duty.owner AND substr(duty.residence, 1, length(o.region)) = o.region)"
)
"""Duties of officers who act through a client: revoked, it leaves them to nobody, and so to everybody of the office."""


def insert_client(connection: sqlite3.Connection, client: ClientRecord) -> None:
    """The client's row, inside an open write transaction."""
    connection.execute(
        "INSERT INTO client (id, agency, role, region, school, public_key, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            client.id,
            client.agency,
            client.role,
            client.region,
            client.school,
            orjson.dumps(client.public_key).decode(),
            stamp(client.created_at),
        ),
    )


class SqliteClients:
    """`gateway.domain.ports.Clients` over the embedded store. A change counts at once: nothing outlives its turn."""

    def __init__(self, store: Store, turn: Turn | None = None) -> None:
        self._store, self._turn = store, turn or Turn(store)

    def get(self, client_id: str) -> ClientRecord | None:
        """The client, revoked or not."""
        row = self._store.reader.execute(
            "SELECT id, agency, role, region, school, public_key, created_at, revoked_at FROM client WHERE id = ?",
            (client_id,),
        ).fetchone()
        if row is None:
            return None
        client, agency, role, region, school, key, created, revoked = row
        return ClientRecord(
            client,
            agency,
            role,
            region,
            school,
            orjson.loads(key),
            moment(created),
            moment(revoked) if revoked else None,
        )

    def is_active(self, client_id: str) -> bool:
        """Whether the client exists and is not revoked; asked on every request."""
        return self._turn.exists(_ACTIVE, client_id)

    def add(self, client: ClientRecord, audit: AuditEntry) -> None:
        """Register a client, with the evidence of it."""
        with self._store.writing() as connection:
            insert_client(connection, client)
            insert_entries(connection, [written(audit)])

    def revoke(self, client_id: str, at: datetime, audit: AuditEntry) -> bool:
        """Revoke a client, with the evidence of it; its officers' duties are in nobody's hands then.

        False, and nothing is written, when there is none to revoke.
        """
        with self._store.writing() as connection:
            done = connection.execute(
                "UPDATE client SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (stamp(at), client_id)
            )
            if done.rowcount == 1:
                connection.execute(f"UPDATE duty SET assignee = NULL WHERE {_HELD}", (client_id,))
                insert_entries(connection, [written(audit)])
            return done.rowcount == 1

    def duties_of(self, client_id: str) -> int:
        """How many standing duties are in the hands of officers who act through that client."""
        row = self._store.reader.execute(f"SELECT count(*) FROM duty WHERE {_HELD}", (client_id,)).fetchone()
        return int(row[0])

    def use_assertion(self, client_id: str, jti: str, expires_at: datetime) -> bool:
        """False when that assertion was used before. Expired ones are forgotten on the way."""
        with self._store.writing() as connection:
            connection.execute(
                "DELETE FROM assertion WHERE expires_at < ?", (stamp(datetime.now(expires_at.tzinfo)),)
            )
            try:
                connection.execute(
                    "INSERT INTO assertion (client, jti, expires_at) VALUES (?, ?, ?)",
                    (client_id, jti, stamp(expires_at)),
                )
            except sqlite3.IntegrityError:
                return False
            return True
