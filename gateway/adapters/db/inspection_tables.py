"""Tables of labour inspection: what was found at an employer, and which child it was about."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, key_bytes


class InspectionRow(SQLModel, table=True):
    """One row as inspection handed it in: a fact about an employer. It says nothing of which child was found."""

    __tablename__ = "inspection"
    __table_args__ = (
        Index("ix_inspection_employer", "region", "employer_uscc", "inspected_on"),
        Index("ix_inspection_upload", "upload_id"),
        CLUSTERED,
    )
    region: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    residence: str
    employer_uscc: str
    employer_name: str | None
    inspected_on: date
    place: str | None
    finding: str
    measure: str
    upload_id: str


class SightingRow(SQLModel, table=True):
    """A child named in an inspection's row; it goes with the child."""

    __tablename__ = "sighting"
    __table_args__ = (Index("ix_sighting_subject", "subject_id"), CLUSTERED)
    region: str = Field(primary_key=True)
    subject_id: bytes = Field(sa_column=key_bytes(16))
    inspection_id: str = Field(primary_key=True)
    inspected_on: date
