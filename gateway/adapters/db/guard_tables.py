"""Tables of what callers used up: proofs that are spent, and the different children of a day. Both are short-lived."""

from sqlmodel import Field, SQLModel

from gateway.adapters.db.columns import CLUSTERED, key_bytes


class SpentProofs(SQLModel, table=True):
    """The proofs of one commit, 16 bytes each, one after the other; `expires` in seconds since the epoch.

    Appended, never searched: every process reads on from where it was, inside the transaction in which it writes.
    AUTOINCREMENT, so that no number comes back when all rows have been removed.
    """

    __tablename__ = "spent_proofs"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int | None = Field(default=None, primary_key=True)
    expires: int
    keys: bytes


class GuardSeen(SQLModel, table=True):
    """A child that a person, or a client, was told of on a day: a keyed digest of the three."""

    __tablename__ = "guard_seen"
    __table_args__ = CLUSTERED
    day: str = Field(primary_key=True)
    key: bytes = Field(sa_column=key_bytes(20))


class GuardCount(SQLModel, table=True):
    """How many different children so far, by keyed digest of the counter's name."""

    __tablename__ = "guard_count"
    __table_args__ = CLUSTERED
    day: str = Field(primary_key=True)
    key: bytes = Field(sa_column=key_bytes(20))
    children: int
