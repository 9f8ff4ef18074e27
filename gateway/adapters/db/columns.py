"""What tables of this store have alike."""

from typing import Any

from sqlalchemy import Column, LargeBinary

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
"""A table that is its own index: rows stand in the order of the primary key."""


def key_bytes(length: int) -> Any:
    """A primary key, or a part of one, of that many bytes."""
    return Column(LargeBinary(length), primary_key=True)


def fixed_bytes(length: int) -> Any:
    """That many bytes, never missing."""
    return Column(LargeBinary(length), nullable=False)
