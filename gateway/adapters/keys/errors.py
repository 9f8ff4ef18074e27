"""What can be wrong with a key ring."""


class KeyRingError(Exception):
    """The ring is missing, readable by others, sealed, or no ring. Says what to do, never what it holds."""
