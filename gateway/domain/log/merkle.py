"""The Merkle tree of RFC 9162 §2.1: roots, inclusion and consistency proofs, and their verification.

Hashes are SHA-256, 32 bytes, in every cipher suite. What a tree holds is asked of a function `perfect(height, index)`:
the hash over leaves index·2^height up to (index+1)·2^height, so that a proof reads logarithmically few of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Perfect = Callable[[int, int], bytes]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over 2^n neighbouring subtrees of one height."""
    row, sha = hashes, hashlib.sha256
    while len(row) > 1:
        row = [sha(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]


def perfect_of(leaves: Sequence[bytes]) -> Perfect:
    """A tree whose leaf hashes are all at hand."""
    return lambda height, index: fold(leaves[index << height : (index + 1) << height])


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def range_hash(perfect: Perfect, start: int, end: int) -> bytes:
    """The node over leaves `start` to `end` (not included), as the tree is cut by RFC 9162."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return perfect(height, start >> height)
    middle = start + _split(size)
    return node_hash(range_hash(perfect, start, middle), range_hash(perfect, middle, end))


def root(perfect: Perfect, size: int) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return range_hash(perfect, 0, size) if size else EMPTY_ROOT


def inclusion_proof(perfect: Perfect, index: int, size: int) -> list[bytes]:
    """From the leaf upwards (§2.1.3.1). ValueError when there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(perfect, middle, end))
            end = middle
        else:
            proof.append(range_hash(perfect, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(perfect: Perfect, first: int, second: int) -> list[bytes]:
    """That the tree of `second` leaves continues that of `first` (§2.1.4.1); empty for equal or no leaves."""
    if not 0 <= first <= second:
        raise ValueError("a proof goes from a smaller tree to a larger one")
    return _subproof(perfect, first, 0, second, True) if 0 < first < second else []


def _subproof(perfect: Perfect, first: int, start: int, end: int, whole: bool) -> list[bytes]:
    if first == end - start:
        return [] if whole else [range_hash(perfect, start, end)]
    cut = _split(end - start)
    if first <= cut:
        right = range_hash(perfect, start + cut, end)
        return [*_subproof(perfect, first, start, start + cut, whole), right]
    left = range_hash(perfect, start, start + cut)
    return [*_subproof(perfect, first - cut, start + cut, end, False), left]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the leaf stands at `index` of the tree with that root (§2.1.3.2)."""
    if not 0 <= index < size or any(len(each) != HASH_BYTES for each in proof):
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == expected


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the second tree begins with the first (§2.1.4.2); a tree of no leaves begins every tree."""
    if not 0 <= first <= second or any(len(each) != HASH_BYTES for each in proof):
        return False
    if first in (0, second):
        expected = EMPTY_ROOT if first == 0 else second_root
        return not proof and first_root == expected
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    return _both_roots(first - 1, second - 1, path) == (first_root, second_root)


def _both_roots(at: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


class Frontier:
    """The right edge of a growing tree: enough to append leaves and to know the root, in log(size) hashes."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self._peaks = size, list(peaks)

    @classmethod
    def of(cls, perfect: Perfect, size: int) -> "Frontier":
        """The edge of a tree that is there already."""
        heights = [height for height in reversed(range(size.bit_length())) if size >> height & 1]
        return cls(size, [perfect(height, (size >> height) - 1) for height in heights])

    def append(self, subtree: bytes, height: int = 0) -> None:
        """One leaf more, or a whole subtree of 2^height leaves where the size is a multiple of that."""
        carry, peaks, found = self.size >> height, self._peaks, subtree
        while carry & 1:
            found = node_hash(peaks.pop(), found)
            carry >>= 1
        peaks.append(found)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found
