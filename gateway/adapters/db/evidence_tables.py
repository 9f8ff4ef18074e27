"""Side tables of the evidence, by which one child's entries are found; made from it, and to be made again at any time.

`audit_entry` itself has no index on the child: random keys would double the pages of every commit. These are filled in
batches beside it.
"""

from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, key_bytes


class AuditSubject(SQLModel, table=True):
    """The entries about one child."""

    __tablename__ = "audit_subject"
    __table_args__ = CLUSTERED
    subject_id: bytes = Field(sa_column=key_bytes(16))
    seq: int = Field(primary_key=True)


class AuditSet(SQLModel, table=True):
    """The entries about one set of children (`disclosed_set`)."""

    __tablename__ = "audit_set"
    __table_args__ = CLUSTERED
    digest: bytes = Field(sa_column=key_bytes(32))
    seq: int = Field(primary_key=True)
