"""Reports; and the law date on which a case was opened."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """A case of before was opened on the day its time says."""
    op.create_table(
        "report",
        *(sa.Column(name, _TEXT, nullable=False) for name in ("id", "kind", "region")),
        sa.Column("school", _TEXT, nullable=True),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("unit", "period")),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("first", "last")),
        sa.Column("status", _TEXT, nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("due_on", "made_on")),
        sa.Column("made_at", sqltypes.UTCDateTime(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("figures", "missing")),
        sa.Column("stated", sa.JSON(), nullable=True),
        sa.Column("signed_by", _TEXT, nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_report_period", "report", ["period", "region", "id"])
    op.create_index("ix_report_region", "report", ["region", "id"])
    with op.batch_alter_table("case_file") as table:
        table.add_column(sa.Column("opened_on", sa.Date(), nullable=True))
    op.execute("UPDATE case_file SET opened_on = date(opened_at)")
    with op.batch_alter_table("case_file") as table:
        table.alter_column("opened_on", existing_type=sa.Date(), nullable=False)
