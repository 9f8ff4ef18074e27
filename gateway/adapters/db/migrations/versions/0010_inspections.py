"""Labour inspection: what was found at employers, and the children it was about."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT = sqltypes.AutoString()


def upgrade() -> None:
    """Two tables; nothing that is there changes."""
    op.create_table(
        "inspection",
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("residence", _TEXT, nullable=False),
        sa.Column("employer_uscc", _TEXT, nullable=False),
        sa.Column("employer_name", _TEXT, nullable=True),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("place", _TEXT, nullable=True),
        sa.Column("finding", _TEXT, nullable=False),
        sa.Column("measure", _TEXT, nullable=False),
        sa.Column("upload_id", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("region", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inspection_employer", "inspection", ["region", "employer_uscc", "inspected_on"])
    op.create_index("ix_inspection_upload", "inspection", ["upload_id"])
    op.create_table(
        "sighting",
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("subject_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("inspection_id", _TEXT, nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("region", "subject_id", "inspection_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sighting_subject", "sighting", ["subject_id"])
