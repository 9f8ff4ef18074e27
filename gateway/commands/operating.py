"""What an operator does to the keys is in the evidence before it is done, where there is a store to hold it.

A ring is made before any store: that one is in use is said at the first start on it, and so is that another one is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.adapters.cedar import load
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store
from gateway.adapters.db.migrate import upgrade
from gateway.domain.moments import to_second
from gateway.services.operation import operator_entry
from gateway.settings import Settings
from gateway.start import NotReady, open_ring

_RING = "ring_in_use"
"""In `meta`: by which the ring is known again; made of its `ids` root, which never turns, and telling nothing of it."""


@contextmanager
def store_of(settings: Settings) -> Iterator[Store]:
    """The store of a data folder, brought up to date."""
    if not settings.data.is_dir():
        raise NotReady(f"missing: data folder {settings.data}")
    upgrade(f"sqlite:///{settings.store_path}")
    store = Store(settings.store_path)
    try:
        yield store
    finally:
        store.close()


def tell(settings: Settings, store: Store, act: str) -> None:
    """The evidence of what is about to be done to the ring, which no transaction can hold."""
    entry = operator_entry(SystemClock(), load(settings.policies).version, act)
    with store.writing() as connection:
        insert_entries(connection, [written(entry)])


def tell_if_there(settings: Settings, act: str) -> None:
    """As `tell`, where there is a store; otherwise the first start says which ring it found (`tell_ring`)."""
    if settings.store_path.is_file():
        with store_of(settings) as store:
            tell(settings, store, act)


def tell_ring(settings: Settings) -> None:
    """At a start, before anything is served: of which suite and from when the ring is, if it was not in use before."""
    ring = open_ring(settings).ring
    known = ring.derived_id("ring", _RING.encode())
    act = f"keys-first-used:{ring.suite} made={to_second(ring.made)}"
    entry = operator_entry(SystemClock(), load(settings.policies).version, act)
    with store_of(settings) as store, store.writing() as connection:
        found = connection.execute("SELECT value FROM meta WHERE key = ?", (_RING,)).fetchone()
        if found != (known,):
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_RING, known))
            insert_entries(connection, [written(entry)])
