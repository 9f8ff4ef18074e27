"""Nonces for proofs of possession (RFC 9449 §8): the same in every process, changed every two minutes, never stored.

A nonce is a keyed digest of its window of time, so any process that has the key ring knows it, also after a restart.
"""

from collections.abc import Callable

WINDOW_SECONDS = 120
_LIVES = 2
"""Windows in which a nonce is taken: its own and the next. It is good for two to four minutes."""


class Nonces:
    """`derive` is `KeyRing.derived_id`."""

    def __init__(self, derive: Callable[..., str]) -> None:
        self._derive = derive
        self._window = -1
        self._current = ""
        self._taken: dict[str, int] = {}

    def current(self, now: float) -> str:
        """The nonce to hand out at a moment (seconds since the epoch)."""
        self._turn(int(now) // WINDOW_SECONDS)
        return self._current

    def expiry(self, nonce: str, now: float) -> int | None:
        """When that nonce is no longer taken, in seconds since the epoch; None when it is not taken now."""
        self._turn(int(now) // WINDOW_SECONDS)
        return self._taken.get(nonce)

    def _turn(self, window: int) -> None:
        """The next window's counts already: another machine's clock may be a little ahead."""
        if window == self._window:
            return
        made = {each: self._made(each) for each in (window - 1, window, window + 1)}
        self._taken = {nonce: (each + _LIVES) * WINDOW_SECONDS for each, nonce in made.items()}
        self._current, self._window = made[window], window

    def _made(self, window: int) -> str:
        return self._derive("dpop", window.to_bytes(8, "big"))
