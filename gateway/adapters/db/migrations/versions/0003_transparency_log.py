"""The transparency log: tiles, signed heads, cosignatures; what a witness remembers."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New tables only; entries there already are sealed after the start, in their order."""
    _log()
    _beside()
    _witness()


def _log() -> None:
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx"),
    )
    op.create_table(
        "audit_head",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("note", sqltypes.AutoString(), nullable=False),
        sa.Column("vkey", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_index("ix_audit_head_last_seq", "audit_head", ["last_seq"])
    op.create_index("ix_audit_head_at", "audit_head", ["at"])
    op.create_table(
        "audit_cosignature",
        sa.Column("witness", sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("line", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("witness", "size"),
        sqlite_with_rowid=False,
    )


def _beside() -> None:
    op.create_table(
        "log_lease",
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("holder", sqltypes.AutoString(), nullable=False),
        sa.Column("until", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _witness() -> None:
    op.create_table(
        "witnessed_head",
        sa.Column("origin", sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "size"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_fork",
        sa.Column("id", sqltypes.AutoString(), nullable=False),
        sa.Column("origin", sqltypes.AutoString(), nullable=False),
        sa.Column("known", sqltypes.AutoString(), nullable=False),
        sa.Column("offered", sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
