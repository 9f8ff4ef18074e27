"""Cases with their place, their state and their history; duties with what became of them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """What is there keeps its rows; a case or duty of before takes its place from its leads."""
    op.add_column("lead", sa.Column("episode", sa.Integer(), nullable=False, server_default="0"))
    _cases()
    _duties()
    op.create_table(
        "case_entry",
        sa.Column("case_ref", _TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("client", _TEXT, nullable=False),
        sa.Column("officer", _TEXT, nullable=True),
        sa.Column("agency", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("step", _TEXT, nullable=True),
        sa.Column("origin", _TEXT, nullable=True),
        sa.Column("state", _TEXT, nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("case_ref", "number"),
        sqlite_with_rowid=False,
    )


def _cases() -> None:
    with op.batch_alter_table("case_file") as table:
        for name in ("residence", "school", "previous", "merged_into", "owner"):
            table.add_column(sa.Column(name, _TEXT, nullable=True))
        for name in ("since", "observed_from", "ended_on"):
            table.add_column(sa.Column(name, sa.Date(), nullable=True))
        table.add_column(sa.Column("sealed", sa.Boolean(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE case_file SET since = date(opened_at),"
        " ended_on = CASE WHEN state = 'closed' THEN date(opened_at) END,"
        " residence = COALESCE((SELECT max(l.residence) FROM lead l WHERE l.case_ref = ref), region),"
        " school = (SELECT max(l.school) FROM lead l WHERE l.case_ref = ref)"
    )
    with op.batch_alter_table("case_file") as table:
        table.alter_column("since", existing_type=sa.Date(), nullable=False)
        table.alter_column("residence", existing_type=_TEXT, nullable=False)
        table.alter_column("sealed", existing_type=sa.Boolean(), server_default=None)
    op.create_index("ix_case_residence", "case_file", ["residence", "ref"])


def _duties() -> None:
    with op.batch_alter_table("duty") as table:
        for name in ("residence", "school", "case_ref", "assignee", "escalated_to", "waiting_for", "done_by"):
            table.add_column(sa.Column(name, _TEXT, nullable=True))
        for name in ("reminded_on", "escalated_on", "waiting_since", "done_on"):
            table.add_column(sa.Column(name, sa.Date(), nullable=True))
        table.alter_column("lead_id", existing_type=_TEXT, nullable=True)
    op.execute(
        "UPDATE duty SET residence = COALESCE((SELECT l.residence FROM lead l WHERE l.id = lead_id), region),"
        " school = (SELECT l.school FROM lead l WHERE l.id = lead_id),"
        " case_ref = (SELECT l.case_ref FROM lead l WHERE l.id = lead_id)"
    )
    with op.batch_alter_table("duty") as table:
        table.alter_column("residence", existing_type=_TEXT, nullable=False)
    op.create_index("ix_duty_case", "duty", ["case_ref"])
    op.create_index("ix_duty_open", "duty", ["status", "due_on"])
