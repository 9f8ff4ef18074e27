"""Which children stood in a list, a file or a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column beside the evidence, and the sets it points to. Rows are added, never changed."""
    op.execute("ALTER TABLE audit_entry ADD COLUMN members BLOB")
    op.create_table(
        "disclosed_set",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
