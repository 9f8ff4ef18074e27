"""What must be there before the gateway starts: a data folder brought up to date, and a key ring that fits it."""

import contextlib
from datetime import UTC, datetime

from gateway.adapters.db.engine import Store
from gateway.adapters.db.jobs import SqliteJobs
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.keys.roots import new_roots
from gateway.adapters.keys.secret import take
from gateway.adapters.keys.stores import (
    PASSPHRASE,
    EnvironmentRing,
    FileRing,
    RingPlace,
    make_passphrase,
    open_store,
)
from gateway.adapters.keys.suites import suite_of
from gateway.adapters.keys.watch import RingWatch
from gateway.settings import Settings


class NotReady(Exception):
    """What is missing for a start, in words for the person who starts it."""


def prepare_data(settings: Settings) -> None:
    """Bring the data folder up to date. Production makes no keys: it says what is missing (NotReady)."""
    if settings.profile == "demo":
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_ring(settings)
    elif settings.as_of is not None:
        raise NotReady("--as-of is for the demo profile only")
    missing = [
        f"{what} ({how})"
        for what, path, how in (
            (f"data folder {settings.data}", settings.data, "mkdir it, owned by the service, mode 0700"),
            (f"key ring {settings.keyring_path}", settings.keyring_path, "huxue keys create --data DIR"),
        )
        if not path.exists() and not (path == settings.keyring_path and settings.keyring.startswith("env:"))
    ]
    if missing:
        raise NotReady("missing: " + "; ".join(missing))
    upgrade(f"sqlite:///{settings.store_path}")


def ring_store(settings: Settings) -> FileRing | EnvironmentRing:
    """Where the settings say the key ring is; nothing is read yet."""
    return open_store(
        RingPlace(
            where=settings.keyring,
            path=settings.keyring_path,
            passphrase_file=settings.keyring_passphrase_file,
            body_file=settings.keyring_body_file,
            module=settings.pkcs11_module,
            token=settings.pkcs11_token,
            pin_file=settings.pkcs11_pin_file,
            demo=settings.profile == "demo",
        )
    )


def _make_ring(settings: Settings) -> None:
    """The demo makes what is missing: a ring, and for a file a passphrase beside it."""
    store = ring_store(settings)
    if isinstance(store, FileRing) and not store.path.exists():
        if not settings.keyring.startswith("pkcs11:"):
            make_passphrase(store.path)
        with contextlib.suppress(FileExistsError):
            store.create(new_roots(suite_of(settings.cipher_suite), datetime.now(UTC)))


def open_ring(settings: Settings) -> RingWatch:
    """The key ring, read; NotReady when it is not of the suite that the settings name."""
    watch = RingWatch(ring_store(settings))
    if watch.ring.suite != settings.cipher_suite:
        raise NotReady(
            f"the key ring is of suite {watch.ring.suite} and HUXUE_CIPHER_SUITE is {settings.cipher_suite}:"
            f" set HUXUE_CIPHER_SUITE={watch.ring.suite}, or name another ring"
        )
    if watch.warnings and _seal_is_expected(settings):
        raise NotReady(
            f"the key ring {settings.keyring_path} is not sealed, though a passphrase or hardware module is set:"
            " if it is release 0.1's, run `huxue keys seal`; if it was sealed before, somebody has replaced it"
        )
    return watch


def _seal_is_expected(settings: Settings) -> bool:
    """Whoever can write files but knows no passphrase must not hand the gateway keys of his own."""
    given = take(PASSPHRASE, settings.keyring_passphrase_file) is not None
    return given or settings.keyring.startswith("pkcs11:")


def recover(settings: Settings) -> None:
    """Once, before any worker starts: jobs that a stopped gateway left running will never finish."""
    store = Store(settings.store_path)
    SqliteJobs(store).fail_running()
    store.close()
