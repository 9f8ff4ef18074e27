"""Duties that escalate, wait and are handed over; officers by the names in which they act; days lived through so far."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """What is there keeps its rows. A county with a history was looked at every day until its last file."""
    for name in ("above", "waiting_why", "done_what"):
        op.add_column("duty", sa.Column(name, _TEXT, nullable=True))
    op.drop_index("ix_duty_open", "duty")
    op.create_index("ix_duty_open", "duty", ["region", "status", "due_on"])
    op.create_table(
        "duty_officer",
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("agency", _TEXT, nullable=False),
        sa.Column("school", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("client", _TEXT, nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("region", "agency", "school", "name"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT OR IGNORE INTO meta (key, value)"
        " SELECT 'day/' || region, max(law_date) FROM upload GROUP BY region"
    )
