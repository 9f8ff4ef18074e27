"""A county's duties of one kind are found without reading the others."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index."""
    op.create_index("ix_duty_kind", "duty", ["region", "kind", "status"])
