"""Tables of referrals and hand-overs. What officers wrote, and how to reach a guardian, is sealed under the id."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, fixed_bytes


class ReferralRow(SQLModel, table=True):
    """One referral or notification. A case has one standing referral by a route: the index holds it so."""

    __tablename__ = "referral"
    __table_args__ = (
        Index("ix_referral_county", "county", "sent_at"),
        Index(
            "ix_referral_standing",
            "case_ref",
            "route",
            unique=True,
            sqlite_where=text("state IN ('pending', 'accepted')"),
        ),
    )
    id: str = Field(primary_key=True)
    kind: str
    route: str
    county: str
    residence: str
    school: str | None
    sealed: bool
    subject_id: bytes | None = Field(sa_column=Column(LargeBinary(16), nullable=True))
    case_ref: str | None
    measure: str
    state: str
    sent_at: datetime
    sent_on: date
    due_on: date | None
    sender_client: str
    sender_officer: str | None
    sender_agency: str
    sender_role: str
    receiver_client: str | None
    receiver_officer: str | None
    receiver_agency: str | None
    receiver_role: str | None
    decided_on: date | None
    ground: str | None
    outcome: str | None
    outcome_on: date | None
    concerns: str | None
    duty: str | None
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    words: bytes | None


class ReferralCommentRow(SQLModel, table=True):
    """What one side wrote under a referral; sealed."""

    __tablename__ = "referral_comment"
    __table_args__ = CLUSTERED
    referral_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    case_ref: str
    at: datetime
    client: str
    officer: str | None
    agency: str
    role: str
    words: bytes


class HandoverRow(SQLModel, table=True):
    """One hand-over of a case from a county to another. `package` is the signed note, sealed."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("ix_handover_to", "to_region", "sent_at"),
        Index(
            "ix_handover_standing",
            "case_ref",
            unique=True,
            sqlite_where=text("state = 'pending'"),
        ),
    )
    id: str = Field(primary_key=True)
    region: str
    to_region: str
    residence: str
    school: str | None
    sealed: bool
    subject_id: bytes = Field(sa_column=fixed_bytes(16))
    case_ref: str
    new_case: str | None
    state: str
    sent_at: datetime
    sent_on: date
    due_on: date
    sender_client: str
    sender_officer: str | None
    sender_agency: str
    sender_role: str
    receiver_client: str | None
    receiver_officer: str | None
    receiver_agency: str | None
    receiver_role: str | None
    decided_on: date | None
    duty: str | None
    follow_up: str | None
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    package: bytes
    words: bytes | None
