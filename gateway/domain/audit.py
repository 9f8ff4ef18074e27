"""The evidence of one decision: who learned what about whom, under which policy, committed before it is told.

Source: 网络数据安全管理条例 art. 12 (provision records); 个人信息保护法 art. 51, 55.
The leaf hash is RFC 9162 §2.1.1's: SHA-256 over 0x00 and the entry's canonical bytes.

A caller may be shown the canonical bytes of an entry of its own, so they commit to the children concerned without
naming them: two callers cannot find out that they asked about the same child, and nobody can deny which child it was.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

import msgspec
import orjson

from gateway.domain.model import SubjectId

Decision = Literal["permit", "refuse", "fail"]


class AuditEntry(msgspec.Struct, frozen=True):
    """One entry. `fields` gives each released field's treatment; `answer_digest` is SHA-256 of the answer's bytes.

    `region` is the caller's own, `asked_region` the one whose children were asked about.
    `detail` is a problem's name or a short fact (never personal data). `subject` only where one child is concerned;
    `members` the children of a list, a file or a batch, as their 16-byte ids one after the other.
    """

    reference: str
    at: datetime
    law_date: date
    client: str
    agency: str
    role: str
    region: str
    asked_region: str
    action: str
    exchange: str
    purpose: str
    decision: Decision
    policy_version: str
    policy_ids: tuple[str, ...] = ()
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    count: int = 0
    answer_digest: str = ""
    subject: SubjectId | None = None
    officer: str | None = None
    detail: str = ""
    members: bytes = b""

    def __repr__(self) -> str:
        return f"AuditEntry({self.reference!r}, {self.action!r}, {self.exchange!r}, {self.decision!r})"


VERSION = 2
"""Of the canonical form. Form 1 (release 0.1) bore no `v`, no `members`, and the subject's id itself."""


def subject_commitment(reference: str, subject: SubjectId) -> str:
    """What an entry says of its child: 64 hex digits that hide the id (128 random bits) and bind to it."""
    return hashlib.sha256(b"subject\0" + reference.encode() + b"\0" + subject).hexdigest()


def members_digest(members: bytes) -> bytes:
    """Under what a set of children is kept, 32 bytes: the same children in the same order are kept once."""
    return hashlib.sha256(members).digest()


def members_commitment(reference: str, digest: bytes) -> str:
    """What an entry says of its set of children, made of the set's digest; 64 hex digits."""
    return hashlib.sha256(b"members\0" + reference.encode() + b"\0" + digest).hexdigest()


def canonical(entry: AuditEntry) -> bytes:
    """The bytes that are hashed and kept: UTF-8 JSON, keys sorted, no blanks (as RFC 8785 for these value types)."""
    body = {
        "action": entry.action,
        "agency": entry.agency,
        "answer_digest": entry.answer_digest,
        "asked_region": entry.asked_region,
        "at": entry.at.isoformat(timespec="microseconds"),
        "client": entry.client,
        "count": entry.count,
        "decision": entry.decision,
        "detail": entry.detail,
        "exchange": entry.exchange,
        "fields": entry.fields,
        "law_date": entry.law_date.isoformat(),
        "members": members_commitment(entry.reference, members_digest(entry.members))
        if entry.members
        else None,
        "officer": entry.officer,
        "policy_ids": entry.policy_ids,
        "policy_version": entry.policy_version,
        "purpose": entry.purpose,
        "reference": entry.reference,
        "region": entry.region,
        "role": entry.role,
        "subject": subject_commitment(entry.reference, entry.subject) if entry.subject else None,
        "v": VERSION,
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def leaf_hash(body: bytes) -> bytes:
    """RFC 9162 leaf hash of an entry's canonical bytes, 32 bytes."""
    return hashlib.sha256(b"\x00" + body).digest()
