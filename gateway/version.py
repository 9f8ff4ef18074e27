"""The version of this software, as installed."""

from importlib.metadata import version as _installed


def version() -> str:
    """E.g. ``0.1.0``."""
    return _installed("huxue")
