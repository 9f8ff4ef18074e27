"""Officers by the names in which they act on duties."""

import sqlite3
from datetime import date


class SqliteOfficers:
    """`gateway.domain.owing.Officers` over an open SQLite write transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def met(self, region: str, agency: str, name: str, client: str, on: date) -> None:
        """That officer looked at the agency's duties: from then on duties can be given to them."""
        self._db.execute(
            "INSERT INTO duty_officer (region, agency, name, client, seen_on) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (region, agency, name) DO UPDATE SET client = excluded.client, seen_on = excluded.seen_on",
            (region, agency, name, client, on.isoformat()),
        )

    def knows(self, region: str, agency: str, name: str) -> bool:
        """Whether an officer of that name has worked for the agency there, by a client that is not revoked."""
        found = self._db.execute(
            "SELECT 1 FROM duty_officer o JOIN client c ON c.id = o.client"
            " WHERE o.region = ? AND o.agency = ? AND o.name = ? AND c.revoked_at IS NULL",
            (region, agency, name),
        )
        return found.fetchone() is not None
