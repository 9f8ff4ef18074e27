"""Referrals with their comments, and hand-overs of cases from county to county."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """Three tables; nothing that is there changes."""
    _referrals()
    _comments()
    _handovers()


def _referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("route", _TEXT, nullable=False),
        sa.Column("county", _TEXT, nullable=False),
        sa.Column("residence", _TEXT, nullable=False),
        sa.Column("school", _TEXT, nullable=True),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(16), nullable=True),
        sa.Column("case_ref", _TEXT, nullable=True),
        sa.Column("measure", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("sent_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("sender_client", _TEXT, nullable=False),
        sa.Column("sender_officer", _TEXT, nullable=True),
        sa.Column("sender_agency", _TEXT, nullable=False),
        sa.Column("sender_role", _TEXT, nullable=False),
        sa.Column("receiver_client", _TEXT, nullable=True),
        sa.Column("receiver_officer", _TEXT, nullable=True),
        sa.Column("receiver_agency", _TEXT, nullable=True),
        sa.Column("receiver_role", _TEXT, nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("ground", _TEXT, nullable=True),
        sa.Column("outcome", _TEXT, nullable=True),
        sa.Column("outcome_on", sa.Date(), nullable=True),
        sa.Column("concerns", _TEXT, nullable=True),
        sa.Column("duty", _TEXT, nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_referral_county", "referral", ["county", "sent_at"])
    op.create_index(
        "ix_referral_standing",
        "referral",
        ["case_ref", "route"],
        unique=True,
        sqlite_where=sa.text("state IN ('pending', 'accepted')"),
    )


def _comments() -> None:
    op.create_table(
        "referral_comment",
        sa.Column("referral_id", _TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_ref", _TEXT, nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("client", _TEXT, nullable=False),
        sa.Column("officer", _TEXT, nullable=True),
        sa.Column("agency", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", "number"),
        sqlite_with_rowid=False,
    )


def _handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("to_region", _TEXT, nullable=False),
        sa.Column("residence", _TEXT, nullable=False),
        sa.Column("school", _TEXT, nullable=True),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(16), nullable=False),
        sa.Column("case_ref", _TEXT, nullable=False),
        sa.Column("new_case", _TEXT, nullable=True),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("sent_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("sender_client", _TEXT, nullable=False),
        sa.Column("sender_officer", _TEXT, nullable=True),
        sa.Column("sender_agency", _TEXT, nullable=False),
        sa.Column("sender_role", _TEXT, nullable=False),
        sa.Column("receiver_client", _TEXT, nullable=True),
        sa.Column("receiver_officer", _TEXT, nullable=True),
        sa.Column("receiver_agency", _TEXT, nullable=True),
        sa.Column("receiver_role", _TEXT, nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("duty", _TEXT, nullable=True),
        sa.Column("follow_up", _TEXT, nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("package", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_handover_to", "handover", ["to_region", "sent_at"])
    op.create_index(
        "ix_handover_standing",
        "handover",
        ["case_ref"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
    )
