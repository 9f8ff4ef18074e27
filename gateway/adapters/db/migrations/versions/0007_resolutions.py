"""Resolutions of identity, and the side tables by which one child's evidence is found."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0007"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables only; the side tables fill by themselves."""
    op.create_table(
        "resolution",
        sa.Column("id", sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_ref", sqltypes.AutoString(), nullable=False),
        sa.Column("county", sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqltypes.AutoString(), nullable=False),
        sa.Column("client", sqltypes.AutoString(), nullable=False),
        sa.Column("officer", sqltypes.AutoString(), nullable=True),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("requested_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("deadline", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("decider", sqltypes.AutoString(), nullable=True),
        sa.Column("decided_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resolution_deadline", "resolution", ["deadline"])
    op.create_index("ix_resolution_requester", "resolution", ["client", "requested_at"])
    op.execute(
        "CREATE TABLE IF NOT EXISTS audit_subject (subject_id BLOB NOT NULL, seq INTEGER NOT NULL,"
        " PRIMARY KEY (subject_id, seq)) WITHOUT ROWID"
    )
    op.execute(
        "CREATE TABLE IF NOT EXISTS audit_set (digest BLOB NOT NULL, seq INTEGER NOT NULL,"
        " PRIMARY KEY (digest, seq)) WITHOUT ROWID"
    )
