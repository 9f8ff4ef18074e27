"""Proofs of possession are spent once across all processes, without a look-up on disk and without a flush of their own.

Each commit appends its proofs as one row; before a process spends any, inside the same write transaction, it reads the
rows that others have appended since. SQLite lets one process write at a time, so what is in memory then is all there is.
"""

import sqlite3
import time
from collections.abc import Callable

from gateway.domain.errors import TokenNotBound
from gateway.domain.ports import Possession

KEY_BYTES = 16
_SINCE = "SELECT seq, expires, keys FROM spent_proofs WHERE seq > ? ORDER BY seq"
_APPEND = "INSERT INTO spent_proofs (expires, keys) VALUES (?, ?)"
_FORGET = (
    "DELETE FROM spent_proofs WHERE seq < COALESCE("
    "(SELECT seq FROM spent_proofs WHERE expires >= ? ORDER BY seq LIMIT 1), 9223372036854775807)"
)
"""From the oldest row on, up to the first that still counts: nothing is scanned."""
_MARGIN = 60


def forget_proofs(connection: sqlite3.Connection, now: float) -> None:
    """Remove the rows of proofs that nobody would take any more, inside an open write transaction."""
    connection.execute(_FORGET, (int(now) - _MARGIN,))


def refused_proof() -> TokenNotBound:
    """For a proof that is false, spent or too old: which of them is not told."""
    return TokenNotBound(
        "持有证明无效或已使用，请重新生成。",
        "The proof of possession is not valid, or was used before; make a new one.",
        "invalid_dpop_proof",
    )


class SpentProofs:
    """What this process knows to be spent, by the moment it may be forgotten. For the journal's thread only."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._spent: dict[int, set[bytes]] = {}
        self._read = 0
        self._caught_up = False
        self._new: dict[int, list[bytes]] = {}
        self._written = 0

    def known(self, proof: Possession) -> bool:
        """Whether this process already knows it to be spent; another one may have spent it all the same."""
        return proof.key in self._spent.get(proof.expires, ())

    def begin(self) -> None:
        """A write transaction has begun; what an earlier one left unfinished is forgotten."""
        self._caught_up = False
        self._new.clear()

    def spend(self, connection: sqlite3.Connection, proof: Possession) -> bool:
        """False when it was spent before, or would be kept for no time any more."""
        if not self._caught_up:
            self._catch_up(connection)
        new = self._new.setdefault(proof.expires, [])
        if proof.expires <= self._now() or self.known(proof) or proof.key in new:
            return False
        new.append(proof.key)
        return True

    def write(self, connection: sqlite3.Connection) -> None:
        """Append this transaction's proofs; they count once it is committed."""
        for expires, keys in self._new.items():
            if keys:
                self._written = connection.execute(_APPEND, (expires, b"".join(keys))).lastrowid or 0

    def committed(self) -> None:
        """What was written is known from here on; what has expired is let go of."""
        if self._new:
            self._read = max(self._read, self._written)
        for expires, keys in self._new.items():
            self._spent.setdefault(expires, set()).update(keys)
        now = self._now()
        for expires in [each for each in self._spent if each <= now]:
            del self._spent[expires]
        self._new.clear()

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        for seq, expires, keys in connection.execute(_SINCE, (self._read,)):
            self._read = seq
            known = self._spent.setdefault(expires, set())
            known.update(keys[start : start + KEY_BYTES] for start in range(0, len(keys), KEY_BYTES))
        self._caught_up = True
