"""The store: tables (SQLModel), migrations (Alembic), and the repositories in plain SQL on the hot paths."""
