"""Moments as the contract writes them."""

from datetime import UTC, datetime


def to_second(moment: datetime) -> str:
    """A moment with its zone in UTC, cut to the second: `2026-11-20T02:15:00Z`. Source: RFC 3339 §5.6."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"
