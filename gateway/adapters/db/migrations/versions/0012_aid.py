"""Payments of aid, focus groups, duties about a child without a lead, and whether an assessed child needs support."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables and a column; nothing that stands is changed."""
    op.create_table(
        "aid_payment",
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("term", sqltypes.AutoString(), nullable=False),
        sa.Column("scheme", sqltypes.AutoString(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("upload_id", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("region", "subject_id", "term", "scheme", "paid_on"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aid_payment_subject", "aid_payment", ["subject_id"])
    op.create_table(
        "focus_group",
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("focus", sqltypes.AutoString(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=True),
        sa.Column("upload_id", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("region", "subject_id", "focus", "from_date"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_focus_group_subject", "focus_group", ["subject_id"])
    op.create_table(
        "child_duty",
        sa.Column("region", sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("part", sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("region", "kind", "part", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_child_duty_subject", "child_duty", ["subject_id"])
    op.add_column("disability_assessment", sa.Column("needs_support", sa.Boolean(), nullable=True))
