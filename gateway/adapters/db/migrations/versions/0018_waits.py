"""Of a duty it is kept for how many days it has waited for other agencies in all."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column."""
    op.add_column("duty", sa.Column("waited", sa.Integer(), nullable=False, server_default="0"))
