"""Deletion: who got which list, notices to recipients, marks of exports."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables; nothing that is there changes."""
    op.create_table(
        "disclosed_to",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agency", sqltypes.AutoString(), nullable=False),
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("exchange", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "agency", "region", "exchange"),
    )
    op.create_table(
        "deletion_notice",
        sa.Column("id", sqltypes.AutoString(), nullable=False),
        sa.Column("agency", sqltypes.AutoString(), nullable=False),
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("exchanges", sa.JSON(), nullable=False),
        sa.Column("pseudonyms", sa.JSON(), nullable=False),
        sa.Column("deleted_on", sa.Date(), nullable=False),
        sa.Column("made_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("received_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("received_by", sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deletion_notice_agency", "deletion_notice", ["agency", "region", "id"])
    op.create_table(
        "export_mark",
        sa.Column("client", sqltypes.AutoString(), nullable=False),
        sa.Column("exchange", sqltypes.AutoString(), nullable=False),
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client", "exchange", "region"),
    )
