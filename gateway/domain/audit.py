"""The evidence of one decision: who learned what about whom, under which policy, committed before it is told.

Source: 网络数据安全管理条例 art. 12 (provision records); 个人信息保护法 art. 51, 55.
The leaf hash is RFC 9162 §2.1.1's: SHA-256 over 0x00 and the entry's canonical bytes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import orjson

from gateway.domain.model import SubjectId

Decision = Literal["permit", "refuse", "fail"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. `fields` gives each released field's treatment; `answer_digest` is SHA-256 of the answer's bytes.

    `region` is the caller's own, `asked_region` the one whose children were asked about.
    `detail` is a problem's name or a short fact (never personal data). `subject` only where one child is concerned.
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
    fields: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    answer_digest: str = ""
    subject: SubjectId | None = None
    officer: str | None = None
    detail: str = ""


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
        "officer": entry.officer,
        "policy_ids": entry.policy_ids,
        "policy_version": entry.policy_version,
        "purpose": entry.purpose,
        "reference": entry.reference,
        "region": entry.region,
        "role": entry.role,
        "subject": entry.subject.hex() if entry.subject else None,
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def leaf_hash(body: bytes) -> bytes:
    """RFC 9162 leaf hash of an entry's canonical bytes, 32 bytes."""
    return hashlib.sha256(b"\x00" + body).digest()
