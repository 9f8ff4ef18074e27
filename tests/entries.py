"""Entries of the evidence, for tests of whatever keeps or reads them."""

from datetime import UTC, date, datetime
from typing import Any

from gateway.domain.audit import AuditEntry

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


def entry(reference: str, **changes: Any) -> AuditEntry:
    """A dropout lead's question, granted; `changes` by member."""
    given: dict[str, Any] = {
        "reference": reference,
        "at": NOW,
        "law_date": date(2026, 11, 20),
        "client": "c",
        "agency": "education",
        "role": "education/dropout_lead",
        "region": "530423",
        "asked_region": "530423",
        "action": "ask",
        "exchange": "applicant-check",
        "purpose": "child_labour_check",
        "decision": "permit",
        "policy_version": "v",
    }
    return AuditEntry(**{**given, **changes})
