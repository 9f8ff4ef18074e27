"""Tiles of the Merkle tree (C2SP tlog-tiles): 256 hashes each; a full tile's root is one hash of the level above.

A tile is kept once and only grows: the partial tile of an older head is the beginning of what stands there now.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.domain.log.merkle import HASH_BYTES, Perfect, fold

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES

ReadTile = Callable[[int, int], bytes]


class MissingTile(Exception):
    """A tile that the tree's size calls for is not there, or too short."""

    def __init__(self, level: int, index: int) -> None:
        super().__init__(f"tile {level}/{index}")
        self.level, self.index = level, index


@dataclass(frozen=True, slots=True)
class Tile:
    """`hashes` are 1 to 256 hashes of 32 bytes, one after the other."""

    level: int
    index: int
    hashes: bytes


def hashes_of(tile: bytes) -> list[bytes]:
    """A tile's hashes apart."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


@lru_cache(maxsize=4096)
def tile_root(tile: bytes) -> bytes:
    """The root of a full tile."""
    return fold(hashes_of(tile))


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes that tile has in a tree of `size` leaves, 0 to 256."""
    count = size >> HEIGHT * level
    return max(0, min(WIDTH, count - index * WIDTH))


def grown(read: ReadTile, size: int, leaves: Sequence[bytes]) -> Iterator[Tile]:
    """The tiles that change when leaves join a tree of `size`: each as it stands afterwards."""
    level, fresh = 0, list(leaves)
    while fresh:
        count = size >> HEIGHT * level
        index, width = count >> HEIGHT, count % WIDTH
        joined = (read(level, index)[: width * HASH_BYTES] if width else b"") + b"".join(fresh)
        fresh = []
        for number, start in enumerate(range(0, len(joined), TILE_BYTES)):
            tile = joined[start : start + TILE_BYTES]
            yield Tile(level, index + number, tile)
            if len(tile) == TILE_BYTES:
                fresh.append(tile_root(tile))
        level += 1


def perfect_from(read: ReadTile) -> Perfect:
    """The tree as its tiles tell it; MissingTile when one is not there or too short."""

    def perfect(height: int, index: int) -> bytes:
        level, rest = divmod(height, HEIGHT)
        number, offset = divmod(index << rest, WIDTH)
        start = offset * HASH_BYTES
        found = read(level, number)[start : start + (HASH_BYTES << rest)]
        if len(found) != HASH_BYTES << rest:
            raise MissingTile(level, number)
        return fold(hashes_of(found))

    return perfect
