"""Opening the vault: only inside the write transaction that holds the evidence of it."""

import sqlite3

import msgspec
from cryptography.exceptions import InvalidTag

from gateway.domain.errors import IdentityUnreadable
from gateway.domain.model import SubjectId
from gateway.domain.ports import Identity, KeyRing


class _Sealed(msgspec.Struct):
    """An identity as `effects.identity_bytes` wrote it."""

    resident_id: str | None
    name: str | None
    student_numbers: tuple[str, ...]

    def __repr__(self) -> str:
        return "_Sealed(…)"


_DECODER = msgspec.json.Decoder(_Sealed)


def open_vault(connection: sqlite3.Connection, keys: KeyRing, subject: SubjectId) -> Identity:
    """Who the child is. IdentityUnreadable when the identity was erased, changed, or is under another key ring."""
    row = connection.execute("SELECT data_key, sealed FROM subject WHERE id = ?", (subject,)).fetchone()
    if row is None:
        raise IdentityUnreadable
    try:
        found = _DECODER.decode(keys.open_identity(subject, row[0], row[1]))
    except (InvalidTag, msgspec.DecodeError):
        raise IdentityUnreadable from None
    return Identity(found.resident_id, found.name, found.student_numbers)
