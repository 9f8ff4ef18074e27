"""Legal instruments and their running numbers."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """New tables only."""
    op.create_table(
        "instrument",
        sa.Column("county", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_ref", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("office", _TEXT, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("client", _TEXT, nullable=False),
        sa.Column("officer", _TEXT, nullable=False),
        sa.Column("issued_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.LargeBinary(), nullable=True),
        sa.Column("void_reason", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("county", "id"),
    )
    op.create_index("ix_instrument_id", "instrument", ["id"], unique=True)
    op.create_index("ix_instrument_number", "instrument", ["office", "year", "kind", "serial"], unique=True)
    op.create_index("ix_instrument_case", "instrument", ["case_ref"])
    op.create_table(
        "instrument_counter",
        sa.Column("office", _TEXT, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("office", "year", "kind"),
    )
