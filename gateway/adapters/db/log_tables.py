"""Tables of the transparency log and of the witness."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, fixed_bytes


class AuditTile(SQLModel, table=True):
    """Up to 256 hashes of one level of the tree, one after the other."""

    __tablename__ = "audit_tile"
    level: int = Field(primary_key=True)
    idx: int = Field(primary_key=True)
    hashes: bytes


class AuditHead(SQLModel, table=True):
    """A signed head. One of a size: two sealers can never both write theirs."""

    __tablename__ = "audit_head"
    __table_args__ = (Index("ix_audit_head_last_seq", "last_seq"), Index("ix_audit_head_at", "at"))
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes = Field(sa_column=fixed_bytes(32))
    last_seq: int
    at: datetime
    note: str
    vkey: str


class AuditCosignature(SQLModel, table=True):
    """A witness's line under a head."""

    __tablename__ = "audit_cosignature"
    __table_args__ = CLUSTERED
    witness: str = Field(primary_key=True)
    size: int = Field(primary_key=True)
    line: str
    at: datetime


class LogLease(SQLModel, table=True):
    """Which process does a piece of work, until when."""

    __tablename__ = "log_lease"
    name: str = Field(primary_key=True)
    holder: str
    until: datetime


class WitnessedHead(SQLModel, table=True):
    """Heads of other gateways' logs that this one has cosigned."""

    __tablename__ = "witnessed_head"
    __table_args__ = CLUSTERED
    origin: str = Field(primary_key=True)
    size: int = Field(primary_key=True)
    root: bytes
    note: str
    at: datetime


class LogFork(SQLModel, table=True):
    """Two signed notes of one log that contradict each other."""

    __tablename__ = "log_fork"
    id: str = Field(primary_key=True)
    origin: str
    known: str
    offered: str
    reason: str
    at: datetime
