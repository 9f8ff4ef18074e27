"""Requests a minute, by client and by officer, counted in each process (`limits`, fixed windows in memory).

A busy caller's requests are taken from the window some at a time, so that the hot path only counts down. Whose token is
bound to a key has none taken before the proof has counted (`Admission`).
"""

import math
import time
from dataclasses import dataclass
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from gateway.domain.errors import RateLimited
from gateway.domain.limits import LimitBook
from gateway.domain.principal import Principal

_SHARES = 256
_KEPT = 10_000

Key = tuple[str, str]
"""What is counted, and whose."""


class Refusal(NamedTuple):
    """Too many: how long to wait in seconds, and whether it is the first of its window."""

    retry_after: int
    first: bool

    def error(self) -> RateLimited:
        """As it is raised."""
        return RateLimited(self.retry_after)


@dataclass(slots=True)
class _Share:
    """Requests taken from a window beforehand."""

    left: int
    until: float


class RateBook:
    """Counts against `LimitBook`; for one thread."""

    def __init__(self, book: LimitBook) -> None:
        self._book = book
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._items: dict[int, RateLimitItem] = {}
        self._shares: dict[Key, _Share] = {}
        self._told: dict[Key, float] = {}
        self._doubted: dict[str, float] = {}

    def request(self, principal: Principal) -> Refusal | None:
        """Counts one request of a client, and of its officer if one is named."""
        rates = self._book.rates_of(principal.role)
        refusal = self._take(("client", principal.client), rates.client)
        if refusal is None and principal.officer is not None:
            refusal = self._take(("officer", principal.person), rates.officer)
        return refusal

    def used_up(self, principal: Principal) -> Refusal | None:
        """Whether a request was refused in this window already; counts nothing."""
        if not self._told:
            return None
        now = time.time()
        for key in (("client", principal.client), ("officer", principal.person)):
            until = self._told.get(key, 0.0)
            if until > now:
                return Refusal(max(1, math.ceil(until - now)), first=False)
        return None

    def token(self, client: str) -> Refusal | None:
        """Counts one token given to a client."""
        return self._take(("token", client), self._book.tokens.client)

    def barred(self, address: str) -> Refusal | None:
        """Whether an address has failed too often to be heard now; counts nothing."""
        key, item = ("failure", address), self._item(self._book.tokens.failures)
        return None if self._windows.test(item, *key) else self._refusal(key, item)

    def failed(self, address: str) -> None:
        """Counts a failed attempt."""
        self._windows.hit(self._item(self._book.tokens.failures), "failure", address)

    def disproved(self, client: str, address: str) -> None:
        """Counts a proof that did not count, of a client's token, from an address."""
        item, key = self._proofs(client, address)
        self._windows.hit(item, *key)
        if not self._windows.test(item, *key):
            self._doubted[client] = self._windows.get_window_stats(item, *key).reset_time

    def doubts(self, client: str) -> bool:
        """Whether there is an address from which too many did not count."""
        return self._doubted.get(client, 0.0) > time.time()

    def doubted(self, client: str, address: str) -> Refusal | None:
        """Whether this is one; no reason to refuse a right proof, which the holder may send from there."""
        item, key = self._proofs(client, address)
        return None if self._windows.test(item, *key) else self._refusal(key, item)

    def _proofs(self, client: str, address: str) -> tuple[RateLimitItem, Key]:
        return self._item(self._book.tokens.failures), ("proof", f"{client} {address}")

    def _take(self, key: Key, limit: int) -> Refusal | None:
        share, now = self._shares.get(key), time.time()
        if share is not None and share.left and share.until > now:
            share.left -= 1
            return None
        item = self._item(limit)
        for size in (max(1, limit // _SHARES), 1):
            # Tested first: a hit that fails would use the window up all the same.
            if self._windows.test(item, *key, cost=size):
                self._windows.hit(item, *key, cost=size)
                self._keep(key, _Share(size - 1, self._windows.get_window_stats(item, *key).reset_time))
                return None
        return self._refusal(key, item)

    def _keep(self, key: Key, share: _Share) -> None:
        if len(self._shares) >= _KEPT:
            self._shares.clear()
        self._shares[key] = share

    def _refusal(self, key: Key, item: RateLimitItem) -> Refusal:
        reset = self._windows.get_window_stats(item, *key).reset_time
        first = self._told.get(key, 0.0) < reset - 1
        if len(self._told) >= _KEPT:
            self._told.clear()
        self._told[key] = reset
        return Refusal(max(1, math.ceil(reset - time.time())), first)

    def _item(self, limit: int) -> RateLimitItem:
        if limit not in self._items:
            self._items[limit] = RateLimitItemPerMinute(limit)
        return self._items[limit]


class Admission:
    """A request's place in its caller's rates, taken once: its commit may be tried twice."""

    __slots__ = ("_asked", "_principal", "_rates", "refusal")

    def __init__(self, rates: RateBook, principal: Principal) -> None:
        self._rates, self._principal = rates, principal
        self._asked = False
        self.refusal: Refusal | None = None

    def __call__(self) -> RateLimited | None:
        """None, or why there is none."""
        if not self._asked:
            self._asked = True
            self.refusal = self._rates.request(self._principal)
        return None if self.refusal is None else self.refusal.error()
