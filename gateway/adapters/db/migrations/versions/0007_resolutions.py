"""Resolutions of identity, and the side tables by which one child's evidence is found."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0007"
down_revision = "0006"
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
    for name, key in (("audit_subject", "subject_id"), ("audit_set", "digest")):
        op.create_table(
            name,
            sa.Column(key, sa.LargeBinary(length=16 if key == "subject_id" else 32), nullable=False),
            sa.Column("seq", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint(key, "seq"),
            sqlite_with_rowid=False,
        )
