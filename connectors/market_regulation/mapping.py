"""This agency hands over no dataset yet: its mappings go here when it does."""

from connectors.base import Mapping

PROVIDES: tuple[Mapping, ...] = ()
