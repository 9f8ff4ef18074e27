"""Proofs of possession that are spent, and the different children each caller was told of in a day."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three short-lived tables; nothing that was there changes."""
    op.create_table(
        "spent_proofs",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("expires", sa.Integer(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _by_day("guard_seen")
    _by_day("guard_count", sa.Column("children", sa.Integer(), nullable=False))


def _by_day(table: str, *more: "sa.Column[int]") -> None:
    op.create_table(
        table,
        sa.Column("day", sqltypes.AutoString(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("day", "key"),
        sqlite_with_rowid=False,
    )
