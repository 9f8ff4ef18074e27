"""The tree against the published vectors of Certificate Transparency (RFC 6962, RFC 9162)."""

import pytest

from gateway.domain.audit import leaf_hash
from gateway.domain.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    perfect_of,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    leaf_hash(bytes.fromhex(each))
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, ROOTS[3].hex()]),
    (2, 3, [ROOTS[1].hex()]),
    (1, 5, [ROOTS[0].hex(), B, D]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3].hex()]), (2, 5, [B, D])]
TREE = perfect_of(LEAVES)


def test_the_root_of_nothing() -> None:
    assert root(TREE, 0) == EMPTY_ROOT == Frontier().root()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size: int) -> None:
    assert root(TREE, size) == ROOTS[size - 1]
    edge = Frontier()
    for leaf in LEAVES[:size]:
        edge.append(leaf)
    assert edge.root() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion(index: int, size: int, path: list[str]) -> None:
    proof = inclusion_proof(TREE, index, size)
    assert [each.hex() for each in proof] == path
    assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size - 1])


@pytest.mark.parametrize(("first", "second", "path"), CONSISTENCY)
def test_consistency(first: int, second: int, path: list[str]) -> None:
    proof = consistency_proof(TREE, first, second)
    assert [each.hex() for each in proof] == path
    assert verify_consistency(first, second, ROOTS[first - 1], ROOTS[second - 1], proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (8, 8), (-1, 8)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(TREE, index, size)
    assert not verify_inclusion(LEAVES[0], index, size, [], ROOTS[0])


def test_no_proof_backwards() -> None:
    with pytest.raises(ValueError, match="smaller"):
        consistency_proof(TREE, 5, 4)
    assert not verify_consistency(5, 4, ROOTS[4], ROOTS[3], [])
    assert not verify_consistency(2, 5, ROOTS[1], ROOTS[4], [])
    assert not verify_consistency(0, 5, ROOTS[1], ROOTS[4], [])
    assert verify_consistency(0, 5, EMPTY_ROOT, ROOTS[4], [])


def test_a_hash_of_another_length_is_no_proof() -> None:
    proof = inclusion_proof(TREE, 2, 8)
    assert not verify_inclusion(LEAVES[2], 2, 8, [each[:31] for each in proof], ROOTS[7])
