"""The three ledgers, and what is still to be looked at for them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """New tables only; a county that is there already gets its ledgers when they are first asked for."""
    op.create_table(
        "ledger_entry",
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("ledger", _TEXT, nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("township", _TEXT, nullable=False),
        sa.Column("school", _TEXT, nullable=True),
        sa.Column("case_ref", _TEXT, nullable=True),
        sa.Column("sources", _TEXT, nullable=False),
        sa.Column("carried_forward", sa.Boolean(), nullable=False),
        sa.Column("reason", _TEXT, nullable=True),
        sa.Column("evidence", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("region", "ledger", "subject_id", "valid_from"),
        sqlite_with_rowid=False,
    )
    for name in ("school", "township", "status"):
        columns = ["region", "ledger", name, "subject_id"]
        op.create_index(f"ix_ledger_{name}", "ledger_entry", columns)
    op.create_index("ix_ledger_subject", "ledger_entry", ["subject_id"])
    op.create_table(
        "ledger_touch",
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("region", "day", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("upload_id", _TEXT, nullable=True),
        sa.Column("dataset", _TEXT, nullable=False),
        sa.Column("position", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_pass", "ledger_pass", ["region", "day"])
