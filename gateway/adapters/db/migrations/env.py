"""Alembic's environment: the connection is handed in by `gateway.adapters.db.migrate`."""

from alembic import context

from gateway.adapters.db.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
