"""One record told: its bytes, and the entry that is committed before they leave."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Released
from gateway.domain.model import SubjectId
from gateway.services import outgoing
from gateway.services.evidence import Evidence, Request


@dataclass(frozen=True, slots=True)
class Telling:
    """What leaves: a masked record, how each of its fields came out, the child it is of, and what was done."""

    record: Released
    words: Mapping[str, str]
    subject: SubjectId | None
    detail: str


def one_told(
    evidence: Evidence, request: Request, grant: Grant, telling: Telling
) -> tuple[bytes, AuditEntry]:
    """The answer with its reference, and the entry that names its digest."""
    reference = evidence.reference()
    body = outgoing.referenced(telling.record, reference)
    return body, evidence.entry(
        request,
        grant,
        reference=reference,
        count=1,
        digest=hashlib.sha256(body).hexdigest(),
        subject=telling.subject,
        detail=telling.detail,
        fields=telling.words,
    )
