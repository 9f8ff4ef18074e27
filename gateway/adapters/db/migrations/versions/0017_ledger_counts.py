"""Children of a ledger are counted from an index alone."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index: it holds all that a count looks at, the key's columns included."""
    columns = ["region", "ledger", "status", "valid_to", "township", "school"]
    op.create_index("ix_ledger_count", "ledger_entry", columns)
