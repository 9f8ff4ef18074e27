"""Jobs and the cards of the files they made."""

import sqlite3
from datetime import datetime
from typing import Any

import orjson

from gateway.adapters.db.engine import Store, moment, stamp
from gateway.domain.jobs import Job, StoredFile

_JOB = (
    "id, client, exchange, purpose, region, format, state, progress, created_at, expires_at, manifest, error"
)
_CHANGEABLE = frozenset({"state", "progress", "manifest", "error", "expires_at"})


class SqliteJobs:
    """`gateway.domain.ports.Jobs` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, job: Job) -> None:
        """Keep a new job."""
        with self._store.writing() as connection:
            connection.execute(
                f"INSERT INTO job ({_JOB}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    job.client,
                    job.exchange,
                    job.purpose,
                    job.region,
                    job.format,
                    job.state,
                    job.progress,
                    stamp(job.created_at),
                    stamp(job.expires_at),
                    None,
                    None,
                ),
            )

    def get(self, job_id: str, client: str) -> Job | None:
        """The client's own job of that id."""
        row = self._store.reader.execute(
            f"SELECT {_JOB} FROM job WHERE id = ? AND client = ?", (job_id, client)
        ).fetchone()
        if row is None:
            return None
        *plain, created, expires, manifest, error = row
        names = ("id", "client", "exchange", "purpose", "region", "format", "state", "progress")
        return Job(
            **dict(zip(names, plain, strict=True)),
            created_at=moment(created),
            expires_at=moment(expires),
            manifest=orjson.loads(manifest) if manifest else None,
            error=error,
        )

    def update(self, job_id: str, **changes: object) -> None:
        """Set some of a job's state; a cancelled job stays cancelled."""
        if not changes.keys() <= _CHANGEABLE:
            raise ValueError("a job's identity does not change")
        names = ", ".join(f"{name} = ?" for name in changes)
        with self._store.writing() as connection:
            connection.execute(
                f"UPDATE job SET {names} WHERE id = ? AND state <> 'cancelled'",
                (*(_stored(value) for value in changes.values()), job_id),
            )

    def fail_running(self) -> None:
        """At start: jobs a stopped process left running will never finish."""
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE job SET state = 'failed', error = 'interrupted' WHERE state = 'running'"
            )

    def add_file(self, file: StoredFile) -> None:
        """Keep a file's card."""
        with self._store.writing() as connection:
            insert_file(connection, file)

    def file(self, file_id: str, client: str) -> StoredFile | None:
        """The client's own file of that id."""
        row = self._store.reader.execute(
            "SELECT id, client, media_type, name, size, sha256, expires_at FROM stored_file"
            " WHERE id = ? AND client = ?",
            (file_id, client),
        ).fetchone()
        if row is None:
            return None
        file, owner, media_type, name, size, sha256, expires = row
        return StoredFile(file, owner, media_type, name, size, sha256, moment(expires))

    def expired(self, now: datetime) -> list[str]:
        """Files past their expiry; their cards are gone after this."""
        with self._store.writing() as connection:
            rows = connection.execute(
                "DELETE FROM stored_file WHERE expires_at <= ? RETURNING id", (stamp(now),)
            ).fetchall()
        return [row[0] for row in rows]

    def without_card(self, names: list[str]) -> list[str]:
        """Those of the files that have no card: a crash came between writing the file and its commit."""
        reader = self._store.reader
        return [
            name
            for name in names
            if reader.execute("SELECT 1 FROM stored_file WHERE id = ?", (name,)).fetchone() is None
        ]

    def drop_files(self, names: list[str]) -> None:
        """Forget the cards of these files (a cancelled job's)."""
        with self._store.writing() as connection:
            connection.executemany("DELETE FROM stored_file WHERE id = ?", ((name,) for name in names))


def insert_file(connection: sqlite3.Connection, file: StoredFile) -> None:
    """A file's card, inside an open write transaction."""
    connection.execute(
        "INSERT INTO stored_file (id, client, media_type, name, size, sha256, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (file.id, file.client, file.media_type, file.name, file.size, file.sha256, stamp(file.expires_at)),
    )


def _stored(value: object) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return value
