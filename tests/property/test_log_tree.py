"""Trees of any size: what is proven holds, what is changed does not; tiles tell the same tree as its leaves."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.log.merkle import (
    HASH_BYTES,
    Frontier,
    consistency_proof,
    inclusion_proof,
    perfect_of,
    root,
    verify_consistency,
    verify_inclusion,
)
from gateway.domain.log.tiles import WIDTH, grown, perfect_from, width_at


def leaves(count: int, salt: int = 0) -> list[bytes]:
    return [hashlib.sha256(b"%d.%d" % (salt, number)).digest() for number in range(count)]


SIZES = st.integers(1, 600)
CUTS = st.lists(st.integers(1, 700), min_size=1, max_size=5)


@given(SIZES, st.data())
def test_every_leaf_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    tree = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof, top = inclusion_proof(perfect_of(tree), index, size), root(perfect_of(tree), size)
    assert verify_inclusion(tree[index], index, size, proof, top)
    other = data.draw(st.integers(0, size - 1).filter(lambda each: size == 1 or each != index))
    assert size == 1 or not verify_inclusion(tree[other], index, size, proof, top)
    assert size == 1 or not verify_inclusion(tree[index], other, size, proof, top)
    assert not verify_inclusion(tree[index], index, size, [*proof, top], top)
    for place in range(len(proof)):
        flipped = [*proof]
        flipped[place] = bytes(HASH_BYTES)
        assert not verify_inclusion(tree[index], index, size, flipped, top)


@given(SIZES, st.data())
def test_a_tree_continues_its_beginnings_and_no_other_tree(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    tree, other = perfect_of(leaves(size)), perfect_of(leaves(size, salt=1))
    proof = consistency_proof(tree, first, size)
    assert verify_consistency(first, size, root(tree, first), root(tree, size), proof)
    assert not verify_consistency(first, size, root(other, first), root(tree, size), proof)
    assert not verify_consistency(first, size, root(tree, first), root(other, size), proof)
    assert not verify_consistency(first, size, root(tree, first), root(tree, size), [*proof, bytes(32)])
    if proof:
        assert not verify_consistency(first, size, root(tree, first), root(tree, size), proof[:-1])


@given(CUTS)
def test_tiles_grow_to_the_same_tree_however_the_leaves_come(cuts: list[int]) -> None:
    kept: dict[tuple[int, int], bytes] = {}
    everything, size = leaves(sum(cuts)), 0

    def read(level: int, index: int) -> bytes:
        return kept.get((level, index), b"")

    for cut in cuts:
        for tile in list(grown(read, size, everything[size : size + cut])):
            before = kept.get((tile.level, tile.index), b"")
            assert tile.hashes.startswith(before)  # a tile only grows
            kept[tile.level, tile.index] = tile.hashes
        size += cut
        assert root(perfect_from(read), size) == root(perfect_of(everything), size)
        assert all(
            len(hashes) == HASH_BYTES * width_at(level, index, size)
            for (level, index), hashes in kept.items()
        )
    assert len(kept) >= -(-size // WIDTH)
    assert Frontier.of(perfect_from(read), size).root() == root(perfect_of(everything), size)


@given(SIZES, st.integers(0, 300))
def test_an_edge_goes_on_from_any_size(start: int, more: int) -> None:
    everything = leaves(start + more)
    edge = Frontier.of(perfect_of(everything), start)
    for leaf in everything[start:]:
        edge.append(leaf)
    assert (edge.size, edge.root()) == (start + more, root(perfect_of(everything), start + more))


@given(st.integers(0, 5), st.integers(0, 300))
def test_an_edge_takes_whole_subtrees_where_they_fit(tiles: int, more: int) -> None:
    everything = leaves(tiles * WIDTH + more)
    edge = Frontier()
    for number in range(tiles):
        edge.append(perfect_of(everything)(8, number), 8)
    for leaf in everything[tiles * WIDTH :]:
        edge.append(leaf)
    assert (edge.size, edge.root()) == (len(everything), root(perfect_of(everything), len(everything)))
