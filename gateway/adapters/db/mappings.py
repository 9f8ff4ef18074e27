"""Which children an agency was told of by pseudonym, and which of its mappings it has fetched."""

import sqlite3
from datetime import datetime

import orjson

from gateway.adapters.db.disclosed_sets import members_of
from gateway.adapters.db.engine import Store, stamp
from gateway.domain.model import SubjectId

_ID = 16
_TOLD = "SELECT body, members FROM audit_entry WHERE members IS NOT NULL AND instr(body, ?) > 0"
_FETCHED = (
    "SELECT 1 FROM pseudonym_mapping WHERE agency = ? AND region = ? AND from_version = ? AND to_version = ?"
    " AND NOT again"
)
_CLAIM = (
    "INSERT INTO pseudonym_mapping (agency, region, from_version, to_version, reference, fetched_at, again)"
    " VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (agency, region, from_version, to_version)"
    " DO UPDATE SET reference = excluded.reference, fetched_at = excluded.fetched_at, again = 0 WHERE again"
)


class SqliteToldChildren:
    """`gateway.domain.ports.ToldChildren` over the evidence; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def told(self, agency: str, region: str) -> list[SubjectId]:
        """Children whose pseudonym that agency was ever told for the region or a part of it, still known, by id."""
        reader = self._store.reader
        digests = {
            digest
            for body, digest in reader.execute(_TOLD, (b'"agency":' + orjson.dumps(agency),))
            if _by_pseudonym(orjson.loads(body), agency, region)
        }
        told: set[bytes] = set()
        for digest in digests:
            members = members_of(reader, digest)
            told |= {members[start : start + _ID] for start in range(0, len(members), _ID)}
        found = []
        for subject in sorted(told):
            known = reader.execute("SELECT 1 FROM subject WHERE id = ? AND length(data_key) > 0", (subject,))
            if known.fetchone():
                found.append(SubjectId(subject))
        return found

    def fetched(self, who: tuple[str, str, int, int]) -> bool:
        """Whether that mapping was fetched and is not allowed again."""
        return self._store.reader.execute(_FETCHED, who).fetchone() is not None


def _by_pseudonym(body: dict[str, object], agency: str, region: str) -> bool:
    fields = body["fields"]
    told = body["decision"] == "permit" and isinstance(fields, dict) and "pseudonym" in fields.values()
    return told and body["agency"] == agency and str(body["asked_region"]).startswith(region)


def claim(
    connection: sqlite3.Connection, who: tuple[str, str, int, int], reference: str, at: datetime
) -> bool:
    """Inside a write transaction: the mapping is fetched now. False when it was before, and not allowed again."""
    return connection.execute(_CLAIM, (*who, reference, stamp(at))).rowcount == 1


def allow_again(connection: sqlite3.Connection, agency: str) -> int:
    """Inside a write transaction: let an agency fetch its mappings once more; how many there are."""
    return connection.execute("UPDATE pseudonym_mapping SET again = 1 WHERE agency = ?", (agency,)).rowcount
