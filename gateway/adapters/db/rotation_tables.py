"""Tables of the turning keys: how far the re-wrapping is, and which mappings of pseudonyms were fetched."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel


class Rotation(SQLModel, table=True):
    """Re-wrapping under one new key: the last row that was done, so that it goes on from there."""

    job: str = Field(primary_key=True)
    version: int
    position: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    done: bool


class PseudonymMapping(SQLModel, table=True):
    """An agency's fetching of its old → new pseudonyms; `again` when an operator allowed it once more."""

    __tablename__ = "pseudonym_mapping"
    agency: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    from_version: int = Field(primary_key=True)
    to_version: int = Field(primary_key=True)
    reference: str
    fetched_at: datetime
    again: bool
