"""Who learnt of which child, under a pseudonym or by name, whichever way: by lists, files, leads, mappings, resolutions.

It is read out of the evidence, which has an entry for whatever was told: of a set of children, or of one child alone.
What was told is what the entry says was released; a list without pseudonyms leads its reader to nobody.
"""

import sqlite3
from collections.abc import Collection, Iterable
from itertools import product

from gateway.adapters.db.disclosed_sets import sets_with
from gateway.adapters.db.evidence_index import index_entries
from gateway.adapters.db.purge_reads import going
from schemas.catalogue import EXCHANGES

Recipients = dict[bytes, dict[tuple[str, str], set[str]]]
"""Child → (agency, region) → the exchanges by which it learnt of the child."""

_SEEN = "told_seen"
"""In `meta`: up to which row the evidence was read. (`recipients_seen`, before, was for lists alone.)"""
_ENTRIES = 5_000

_IDENTIFIERS = ", ".join(
    f"'{exchange.id}/{field.name}'"
    for exchange in EXCHANGES.values()
    for field in exchange.fields
    if field.classification == "identifier"
)
_TOLD = (
    "json_extract(b, '$.decision') = 'permit' AND EXISTS (SELECT 1 FROM json_each(b, '$.fields') f"
    f" WHERE json_extract(b, '$.exchange') || '/' || f.key IN ({_IDENTIFIERS}) AND f.value IN ('pseudonym', 'keep'))"
)
_WHO = "json_extract(b, '$.agency'), json_extract(b, '$.region'), json_extract(b, '$.exchange')"
_SETS = (
    f"INSERT OR IGNORE INTO disclosed_to (digest, agency, region, exchange) SELECT members, {_WHO}"
    " FROM (SELECT members, CAST(body AS TEXT) AS b FROM audit_entry"
    f" WHERE seq > ? AND seq <= ? AND members IS NOT NULL) WHERE {_TOLD}"
)
_ALONE = (
    f"SELECT DISTINCT subject_id, {_WHO} FROM (SELECT s.subject_id, CAST(e.body AS TEXT) AS b FROM temp.going g"
    f" JOIN audit_subject s ON s.subject_id = g.id JOIN audit_entry e ON e.seq = s.seq) WHERE {_TOLD}"
)


def meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a fact about the store."""
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def learn_recipients(connection: sqlite3.Connection, most: int | None = None) -> bool:
    """Read on in the evidence, `most` entries of it: who was told of which set. Whether there is more to read."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_SEEN,)).fetchone()
    seen = int(row[0]) if row else 0
    newest = int(connection.execute("SELECT COALESCE(max(seq), 0) FROM audit_entry").fetchone()[0])
    until = newest if most is None else min(newest, seen + most)
    if until == seen:
        return False
    connection.execute(_SETS, (seen, until))
    meta(connection, _SEEN, str(until))
    return until < newest


def recipients_of(
    connection: sqlite3.Connection, subjects: Collection[bytes], exchanges: Collection[str] = EXCHANGES
) -> Recipients:
    """Who learnt of which of these children by which of the exchanges, as far as the evidence goes this moment."""
    if not subjects:
        return {}
    learn_recipients(connection)
    while index_entries(connection, _ENTRIES) == _ENTRIES:
        continue
    found = Recipients()
    for digest, here in sets_with(connection, subjects).items():
        whom = connection.execute(
            "SELECT agency, region, exchange FROM disclosed_to WHERE digest = ?", (digest,)
        ).fetchall()
        _add(found, ((subject, *each) for subject, each in product(here, whom)), exchanges)
    going(connection, subjects)
    _add(found, connection.execute(_ALONE), exchanges)
    return found


def _add(found: Recipients, told: Iterable[tuple[bytes, str, str, str]], exchanges: Collection[str]) -> None:
    for subject, agency, region, exchange in told:
        if exchange in exchanges:
            found.setdefault(subject, {}).setdefault((agency, region), set()).add(exchange)
