"""Payments of aid, focus groups, and which duties are owed about which child without a lead."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, key_bytes


class AidPayment(SQLModel, table=True):
    """One payment to a pupil; `amount` in fen, `term` as `gateway.domain.terms` writes it."""

    __tablename__ = "aid_payment"
    __table_args__ = (Index("ix_aid_payment_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    term: str = Field(primary_key=True)
    scheme: str = Field(primary_key=True)
    paid_on: date = Field(primary_key=True)
    amount: int
    upload_id: str


class FocusGroup(SQLModel, table=True):
    """A pupil in a focus group; without `to_date` still in it."""

    __tablename__ = "focus_group"
    __table_args__ = (Index("ix_focus_group_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    focus: str = Field(primary_key=True)
    from_date: date = Field(primary_key=True)
    to_date: date | None
    upload_id: str


class ChildDuty(SQLModel, table=True):
    """A duty about a child that no lead stands behind; `part` what it is about besides (a term), `id` the duty's.

    Once here, that duty is not opened for the child again.
    """

    __tablename__ = "child_duty"
    __table_args__ = (Index("ix_child_duty_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    id: str
