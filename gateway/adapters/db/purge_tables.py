"""What deletion leaves behind: who was told of which children, what they were told then, whether they confirmed it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import key_bytes


class DisclosedTo(SQLModel, table=True):
    """Which agency, in which region, was told of a set of children; read from the evidence as it grows (`recipients`)."""

    __tablename__ = "disclosed_to"
    digest: bytes = Field(sa_column=key_bytes(32))
    agency: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    exchange: str = Field(primary_key=True)


class DeletionNotice(SQLModel, table=True):
    """One child that one agency must forget too: under the agency's own pseudonyms, until it has confirmed and a while."""

    __tablename__ = "deletion_notice"
    __table_args__ = (Index("ix_deletion_notice_agency", "agency", "region", "id"),)
    id: str = Field(primary_key=True)
    agency: str
    region: str
    exchanges: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    pseudonyms: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    deleted_on: date
    made_at: datetime
    due_on: date
    received_at: datetime | None
    received_by: str | None


class ExportMark(SQLModel, table=True):
    """When a client last exported a list: its next manifest names the children deleted since."""

    __tablename__ = "export_mark"
    client: str = Field(primary_key=True)
    exchange: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    at: datetime
