"""Sealing: committed entries become leaves of the tree, in the order of their commits, under a head that is signed.

Every worker may call this as often as it likes: a lease lets one of them do the work, and should two believe they
are that one, the store keeps the first head of a size and turns the second away with everything that came with it.
"""

import threading
from collections.abc import Callable, Sequence

from gateway.domain.log.checkpoint import Checkpoint, Head, signed
from gateway.domain.log.merkle import root
from gateway.domain.log.note import Vkey
from gateway.domain.log.ports import Lease, LogStore
from gateway.domain.log.tiles import Tile, grown, perfect_from
from gateway.domain.ports import Clock, KeyRing

LEASE = "seal"
BATCH = 16_384
_INDEX_BATCH = 20_000


class Sealer:
    """The use case; for worker threads, never on the event loop."""

    def __init__(
        self, log: LogStore, lease: Lease, keys: KeyRing, clock: Clock, key: Callable[[], Vkey]
    ) -> None:
        self._log, self._lease, self._keys, self._clock, self._key = log, lease, keys, clock, key
        self._one = threading.Lock()

    def seal(self) -> int:
        """Seal what is committed and index it; how many entries were sealed by this call."""
        with self._one:
            sealed = 0
            while batch := self._seal_batch():
                sealed += batch
            while sealed and self._log.index_subjects(_INDEX_BATCH) == _INDEX_BATCH:
                pass
            return sealed

    def _seal_batch(self) -> int:
        before = self._log.head()
        entries = self._log.unsealed(before.last_seq if before else 0, BATCH)
        if not entries or not self._lease.take(LEASE, self._clock.now()):
            return 0
        tiles = list(grown(self._log.tile, before.size if before else 0, [leaf for _, leaf in entries]))
        head = self._head((before.size if before else 0) + len(entries), entries[-1][0], tiles)
        return len(entries) if self._log.append(before, tiles, head) else 0

    def _head(self, size: int, last_seq: int, tiles: Sequence[Tile]) -> Head:
        fresh = {(tile.level, tile.index): tile.hashes for tile in tiles}

        def read(level: int, index: int) -> bytes:
            return fresh.get((level, index)) or self._log.tile(level, index)

        key = self._key()  # asked every time: keys turn while the gateway runs
        checkpoint = Checkpoint(key.name, size, root(perfect_from(read), size))
        note = signed(checkpoint, key, self._keys.sign_head)
        return Head(size, checkpoint.root, last_seq, self._clock.now(), note.whole, key.text)
