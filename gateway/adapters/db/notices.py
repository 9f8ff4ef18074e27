"""Deletion notices and their receipts; marks of exports."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import orjson

from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store, moment, stamp
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.audit import AuditEntry
from gateway.domain.purging import Notice, NoticeQuery, Overdue

_NOTICE = "n.id, n.region, n.exchanges, n.pseudonyms, n.deleted_on, n.due_on, n.received_at"
_COLUMNS = {"region": "n.region", "school": "NULL", "owner": "NULL", "sealed": "FALSE"}


class SqliteNotices:
    """`gateway.domain.purging.Notices` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, query: NoticeQuery) -> list[Notice]:
        """One page, oldest first, of one agency and region exactly."""
        where, binds = to_sql(query.rows, _COLUMNS)
        binds |= {"f_agency": query.agency, "f_region": query.region, "f_limit": query.limit}
        where += " AND n.agency = :f_agency AND n.region = :f_region"
        if query.received is not None:
            where += f" AND n.received_at IS {'NOT ' if query.received else ''}NULL"
        if query.after is not None:
            where += " AND n.id > :f_after"
            binds["f_after"] = query.after
        rows = self._store.reader.execute(
            f"SELECT {_NOTICE} FROM deletion_notice n WHERE {where} ORDER BY n.id LIMIT :f_limit", binds
        )
        return [_notice(row) for row in rows]

    def one(self, notice_id: str, query: NoticeQuery) -> Notice | None:
        """The notice of that id, if it is among those of the query."""
        where, binds = to_sql(query.rows, _COLUMNS)
        binds |= {"f_agency": query.agency, "f_region": query.region, "f_id": notice_id}
        row = self._store.reader.execute(
            f"SELECT {_NOTICE} FROM deletion_notice n WHERE {where}"
            " AND n.agency = :f_agency AND n.region = :f_region AND n.id = :f_id",
            binds,
        ).fetchone()
        return _notice(row) if row else None

    def overdue(self, today: date) -> list[Overdue]:
        """By agency and region: receipts that were due before today."""
        rows = self._store.reader.execute(
            "SELECT agency, region, count(*), min(due_on) FROM deletion_notice"
            " WHERE received_at IS NULL AND due_on < ? GROUP BY agency, region ORDER BY agency, region",
            (today.isoformat(),),
        )
        return [
            Overdue(agency, region, count, date.fromisoformat(since)) for agency, region, count, since in rows
        ]

    def receive(self, notice_id: str, by: str, at: datetime, entry: AuditEntry) -> None:
        """Keep the first receipt, with the evidence, in one transaction."""
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE deletion_notice SET received_at = ?, received_by = ?"
                " WHERE id = ? AND received_at IS NULL",
                (stamp(at), by, notice_id),
            )
            insert_entries(connection, [written(entry)])

    def deleted_since_export(self, client: str, agency: str, exchange: str, region: str) -> list[str]:
        """Pseudonyms of children deleted since the client last exported that list; none before its first export."""
        rows = self._store.reader.execute(
            "SELECT n.pseudonyms FROM deletion_notice n, json_each(n.exchanges) e, export_mark m"
            " WHERE n.agency = ? AND e.value = ? AND m.client = ? AND m.exchange = e.value AND m.region = ?"
            " AND n.made_at > m.at",
            (agency, exchange, client, region),
        )
        return sorted(_all(row[0] for row in rows))

    def exported(self, client: str, exchange: str, region: str, at: datetime) -> None:
        """The client has exported that list now."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO export_mark (client, exchange, region, at) VALUES (?, ?, ?, ?)",
                (client, exchange, region, stamp(at)),
            )


def _all(texts: Iterable[str]) -> set[str]:
    return {str(each) for text in texts for each in orjson.loads(text)}


def _notice(row: tuple[Any, ...]) -> Notice:
    notice, region, exchanges, pseudonyms, deleted_on, due_on, received = row
    return Notice(
        id=notice,
        region=region,
        exchanges=orjson.loads(exchanges),
        pseudonyms=orjson.loads(pseudonyms),
        deleted_on=date.fromisoformat(deleted_on),
        due_on=date.fromisoformat(due_on),
        received_at=moment(received) if received else None,
    )
