"""Alembic's environment: the connection is handed in by `gateway.adapters.db.migrate`."""

from alembic import context
from sqlmodel import SQLModel

from gateway.adapters.db import (  # noqa: F401 - registers the tables
    evidence_tables,
    guard_tables,
    log_tables,
    purge_tables,
    resolution_tables,
    rotation_tables,
    tables,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
