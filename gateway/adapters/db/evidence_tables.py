"""Side tables of the evidence, by which one child's entries are found; made from it, and to be made again at any time.

`audit_entry` itself has no index on the child: random keys would double the pages of every commit. These are filled in
batches beside it.
"""

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

_ORDERED = {"sqlite_with_rowid": False}


class AuditSubject(SQLModel, table=True):
    """The entries about one child."""

    __tablename__ = "audit_subject"
    __table_args__ = _ORDERED
    subject_id: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    seq: int = Field(primary_key=True)


class AuditSet(SQLModel, table=True):
    """The entries about one set of children (`disclosed_set`)."""

    __tablename__ = "audit_set"
    __table_args__ = _ORDERED
    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    seq: int = Field(primary_key=True)
