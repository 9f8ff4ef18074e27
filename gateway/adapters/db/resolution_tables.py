"""The table of identity resolutions: who asked for whom, who agreed, and where it stands. No identity is in it."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import fixed_bytes


class ResolutionRow(SQLModel, table=True):
    """One resolution. `reason` and `note` are sealed under the id; `deadline` is when the present state lapses."""

    __tablename__ = "resolution"
    __table_args__ = (
        Index("ix_resolution_deadline", "deadline"),
        Index("ix_resolution_requester", "client", "requested_at"),
    )
    id: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=fixed_bytes(16))
    case_ref: str
    county: str
    role: str
    client: str
    officer: str | None
    emergency: bool
    state: str
    requested_at: datetime
    deadline: datetime | None
    reason: bytes
    decider: str | None
    decided_at: datetime | None
    note: bytes | None
