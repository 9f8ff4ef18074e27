"""The ledgers and what is still to be looked at for them. An entry is never changed once its days have passed."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, fixed_bytes, key_bytes


class LedgerEntryRow(SQLModel, table=True):
    """A child on a county's ledger from `valid_from` up to, not on, `valid_to`; `reason` and `evidence` of its end."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_school", "region", "ledger", "school", "subject_id"),
        Index("ix_ledger_township", "region", "ledger", "township", "subject_id"),
        Index("ix_ledger_status", "region", "ledger", "status", "subject_id"),
        Index("ix_ledger_subject", "subject_id"),
        Index("ix_ledger_count", "region", "ledger", "status", "valid_to", "township", "school"),
        CLUSTERED,
    )
    region: str = Field(primary_key=True)
    ledger: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    valid_from: date = Field(primary_key=True)
    valid_to: date | None
    status: str
    since: date
    township: str
    school: str | None
    case_ref: str | None
    sources: str
    carried_forward: bool
    reason: str | None
    evidence: str | None


class LedgerTouch(SQLModel, table=True):
    """A child whose place on the county's ledgers may have changed on that day, and was not looked at yet."""

    __tablename__ = "ledger_touch"
    __table_args__ = CLUSTERED
    region: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))


class LedgerPass(SQLModel, table=True):
    """Children to be looked at in the order of their random ids: those of a file, or without `upload_id` all.

    `position` is the last one that was done.
    """

    __tablename__ = "ledger_pass"
    __table_args__ = (Index("ix_ledger_pass", "region", "day"),)
    id: int | None = Field(default=None, primary_key=True)
    region: str
    day: date
    upload_id: str | None
    dataset: str
    position: bytes = Field(sa_column=fixed_bytes(16))
