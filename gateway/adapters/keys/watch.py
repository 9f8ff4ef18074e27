"""A running gateway takes the ring anew when it was changed, without a restart and off the hot path."""

import time

from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.ring import FileKeyRing
from gateway.adapters.keys.stores import RingStore

_RETRY_SECONDS = 10.0


class RingWatch:
    """`check` is called each second from a worker thread. A ring that cannot be read leaves the old one in use."""

    def __init__(self, store: RingStore) -> None:
        self._store = store
        self._mark = store.mark()
        self.ring = FileKeyRing(store.load())
        self.problem: str | None = None
        self._tried = 0.0

    @property
    def warnings(self) -> list[str]:
        """For the health report: never key material, no paths of secrets."""
        problem = [f"the key ring was changed and cannot be read: {self.problem}"] if self.problem else []
        return [*self._store.warnings, *problem]

    def check(self) -> bool:
        """Take what changed; whether anything did."""
        ticked = self.ring.tick()
        mark = self._store.mark()
        again = self.problem is not None and time.monotonic() - self._tried > _RETRY_SECONDS
        if mark == self._mark and not again:
            return ticked
        self._mark, self._tried = mark, time.monotonic()
        return self._take() or ticked

    def _take(self) -> bool:
        try:
            roots = self._store.load()
            if roots.suite.name != self.ring.suite:
                raise KeyRingError("it is of another suite")
            self.ring.adopt(roots)
        except KeyRingError as error:
            self.problem = str(error)
            return False
        except (ValueError, KeyError, TypeError):
            self.problem = "it is not a key ring"
            return False
        self.problem = None
        return True
