"""Referrals and hand-overs as the OpenAPI document shows them."""

from typing import Any

from pydantic import BaseModel


class ReferralModel(BaseModel):
    """A referral: the sender's view, the preview, or to the officer who accepted it the case. Fields depend on the side."""

    reference: str | None = None
    id: str
    kind: str
    to: str
    status: str
    measure: str
    region: str
    sent_on: str
    due_on: str | None = None
    decided_on: str | None = None
    ground: str | None = None
    outcome: str | None = None
    outcome_on: str | None = None
    stage: str | None = None
    case_open_weeks: int | None = None
    notices_served: list[str] | None = None
    concerns: str | None = None
    employer_uscc: str | None = None
    month: str | None = None
    measure_taken: str | None = None
    case: str | None = None
    pseudonym: str | None = None
    guardian: dict[str, Any] | None = None
    notices: list[dict[str, Any]] | None = None
    note: str | None = None
    reason: str | None = None
    comments: list[dict[str, Any]] | None = None


class ReferralPage(BaseModel):
    """One page of referrals or hand-overs."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    as_of: str
    missing_sources: list[str]
    reference: str


class HandoverModel(BaseModel):
    """A hand-over: the sender's view, the preview, or once accepted the receiver's."""

    reference: str | None = None
    id: str
    kind: str
    status: str
    from_region: str
    to_region: str
    stage: str
    case_open_weeks: int
    notices_served: list[str]
    has_plan: bool
    sent_on: str
    due_on: str
    decided_on: str | None = None
    package_sha256: str
    case: str | None = None
    new_case: str | None = None
    pseudonym: str | None = None
    reason: str | None = None
    package: str | None = None
