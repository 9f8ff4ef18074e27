"""The key ring: suites `intl` and `gm`, stores, rotation. `FileKeyRing` is the port's implementation."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.adapters.keys.envelope import PassphraseLock
from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.heads import verify_head
from gateway.adapters.keys.ring import CONSUMER_PREFIXES, FileKeyRing
from gateway.adapters.keys.roots import new_roots
from gateway.adapters.keys.secret import Secret
from gateway.adapters.keys.stores import FileRing, RingPlace, open_store
from gateway.adapters.keys.suites import suite_of

__all__ = [
    "CONSUMER_PREFIXES",
    "FileKeyRing",
    "KeyRingError",
    "create_keyring",
    "load_keyring",
    "verify_head",
]


def create_keyring(path: Path, suite: str = "intl", passphrase: str | None = None) -> None:
    """Write a new key file (mode 0600), sealed when there is a passphrase.

    Raises FileExistsError: a key ring is never overwritten.
    """
    lock = PassphraseLock(lambda: Secret(passphrase.encode())) if passphrase is not None else None
    FileRing(path, lock).create(new_roots(suite_of(suite), datetime.now(UTC)))


def load_keyring(path: Path, demo: bool = False) -> FileKeyRing:
    """The key ring in a file; KeyRingError when it is missing, open to others, malformed, or does not open.

    A sealed one is opened as the gateway opens it: by `HUXUE_KEYRING_PASSPHRASE`, or in the `demo` by the file beside it.
    """
    store = open_store(RingPlace(str(path), path, demo=demo))
    try:
        return FileKeyRing(store.load())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyRingError(f"{path} is not a key ring") from None
