"""Reports: counts of a unit and period, and who signed them. No child."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel


class ReportRow(SQLModel, table=True):
    """One report: `figures` are the facts when it was made, `stated` what its signer said."""

    __tablename__ = "report"
    __table_args__ = (
        Index("ix_report_period", "period", "region", "id"),
        Index("ix_report_region", "region", "id"),
    )
    id: str = Field(primary_key=True)
    kind: str
    region: str
    school: str | None
    unit: str
    period: str
    first: date
    last: date
    status: str
    due_on: date
    made_on: date
    made_at: datetime
    figures: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    missing: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    stated: dict[str, Any] | None = Field(sa_column=Column(JSON))
    signed_by: str | None
    signed_on: date | None
