from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.storage.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    folded,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_hash,
)

MUTATIONS = int(os.environ.get("HOLDFAST_PROOF_MUTATIONS", "6000"))
"""Mutated proofs in the short round; the full proof raises it to a million."""

# The test tree of the Certificate Transparency reference implementation of RFC 6962.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
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
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


class Tree:
    """A tree whose answers come from the definitions of RFC 9162, 2.1, read literally."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self._hashes = [leaf_hash(entry) for entry in entries]
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        if end - start == 0:
            return hashlib.sha256(b"").digest()
        if end - start == 1:
            return self._hashes[start]
        if (start, end) not in self._roots:
            middle = start + self._split(end - start)
            joined = node_hash(self.root(start, middle), self.root(middle, end))
            self._roots[start, end] = joined
        return self._roots[start, end]

    def path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + self._split(end - start)
        if index < middle:
            return [*self.path(index, start, middle), self.root(middle, end)]
        return [*self.path(index, middle, end), self.root(start, middle)]

    def proof(self, old: int, start: int, end: int, *, known: bool = True) -> list[bytes]:
        if old == end:
            return [] if known else [self.root(start, end)]
        middle = start + self._split(end - start)
        if old <= middle:
            return [*self.proof(old, start, middle, known=known), self.root(middle, end)]
        return [*self.proof(old, middle, end, known=False), self.root(start, middle)]

    def subtree(self, height: int, index: int) -> bytes:
        start = index << height
        return folded(self._hashes[start : start + (1 << height)])

    def _split(self, count: int) -> int:
        step = 1
        while step * 2 < count:
            step *= 2
        return step


CT = Tree(ENTRIES)


def in_hex(hashes: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in hashes]


def test_published_roots() -> None:
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert [root_hash(size, CT.subtree).hex() for size in range(1, 9)] == ROOTS
    assert root_hash(0, CT.subtree) == EMPTY_ROOT


def test_published_inclusion_proofs() -> None:
    for (index, size), expected in INCLUSION.items():
        proof = inclusion_proof(index, size, CT.subtree)
        assert in_hex(proof) == expected
        root = bytes.fromhex(ROOTS[size - 1])
        assert is_included(leaf_hash(ENTRIES[index]), index, size, proof, root)


def test_published_consistency_proofs() -> None:
    for (old, new), expected in CONSISTENCY.items():
        proof = consistency_proof(old, new, CT.subtree)
        assert in_hex(proof) == expected
        roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
        assert is_consistent(old, new, *roots, proof)


def test_every_proof_of_every_small_tree_equals_the_definition() -> None:
    tree = Tree([bytes([number]) for number in range(40)])
    roots = [tree.root(0, size) for size in range(41)]
    for size in range(1, 41):
        assert root_hash(size, tree.subtree) == roots[size]
        for index in range(size):
            path = inclusion_proof(index, size, tree.subtree)
            assert path == tree.path(index, 0, size)
            assert is_included(leaf_hash(bytes([index])), index, size, path, roots[size])
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, tree.subtree)
            assert proof == tree.proof(old, 0, size)
            assert is_consistent(old, size, roots[old], roots[size], proof)


@settings(deadline=None)
@given(st.data())
def test_random_trees_equal_the_definition(data: st.DataObject) -> None:
    entries = data.draw(st.lists(st.binary(max_size=8), min_size=1, max_size=300))
    tree = Tree(entries)
    size = len(entries)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = tree.root(0, size)
    assert inclusion_proof(index, size, tree.subtree) == tree.path(index, 0, size)
    proof = consistency_proof(old, size, tree.subtree)
    assert proof == tree.proof(old, 0, size)
    assert is_consistent(old, size, tree.root(0, old), root, proof)


def test_empty_tree_begins_every_tree() -> None:
    root = CT.root(0, 8)
    assert is_consistent(0, 8, EMPTY_ROOT, root, [])
    assert is_consistent(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not is_consistent(0, 8, root, root, [])
    assert not is_consistent(0, 8, EMPTY_ROOT, root, [root])


def test_wrong_sizes_and_lengths_are_refused() -> None:
    leaf, root = leaf_hash(ENTRIES[0]), CT.root(0, 8)
    proof = inclusion_proof(0, 8, CT.subtree)
    assert not is_included(leaf, -1, 8, proof, root)
    assert not is_included(leaf, 8, 8, proof, root)
    assert not is_included(leaf, 0, 0, [], EMPTY_ROOT)
    assert not is_included(leaf, 0, 8, proof[:-1], root)
    assert not is_included(leaf, 0, 8, [*proof, root], root)
    assert not is_included(leaf, 0, 8, [*proof[:-1], proof[-1] + b"\0"], root)
    assert not is_included(b"short", 0, 8, proof, root)
    path = consistency_proof(6, 8, CT.subtree)
    roots = CT.root(0, 6), root
    assert is_consistent(6, 8, *roots, path)
    assert not is_consistent(8, 6, *roots, path)
    assert not is_consistent(-1, 8, *roots, path)
    assert not is_consistent(6, 6, roots[0], roots[0], path)
    assert not is_consistent(6, 6, *roots, [])
    assert not is_consistent(6, 8, *roots, [])
    assert not is_consistent(6, 8, *roots, path[:-1])
    assert not is_consistent(6, 8, *roots, [*path, root])
    assert not is_consistent(4, 8, CT.root(0, 4), root, [])


@pytest.mark.parametrize("seed", [1])
def test_p8_mutated_proofs_are_never_accepted(seed: int) -> None:
    chance = random.Random(seed)
    tree = Tree([chance.randbytes(9) for _ in range(90)])
    roots = [root_hash(size, tree.subtree) for size in range(91)]
    for _ in range(MUTATIONS // 2):
        size = chance.randrange(2, 91)
        index, old = chance.randrange(size), chance.randrange(1, size)
        path = inclusion_proof(index, size, tree.subtree)
        leaf, root = tree.subtree(0, index), roots[size]
        other = _mutated(path, chance)
        if other != path:
            assert not is_included(leaf, index, size, other, root)
        elsewhere = chance.randrange(size)
        if elsewhere != index:
            assert not is_included(leaf, elsewhere, size, path, root)
        proof = consistency_proof(old, size, tree.subtree)
        other = _mutated(proof, chance)
        if other != proof:
            assert not is_consistent(old, size, roots[old], root, other)


def _mutated(proof: list[bytes], chance: random.Random) -> list[bytes]:
    changed = list(proof)
    way = chance.randrange(4)
    if way == 0 or not changed:
        changed.insert(chance.randrange(len(changed) + 1), chance.randbytes(32))
    elif way == 1:
        del changed[chance.randrange(len(changed))]
    elif way == 2:
        at = chance.randrange(len(changed))
        flipped = bytearray(changed[at])
        flipped[chance.randrange(32)] ^= 1 << chance.randrange(8)
        changed[at] = bytes(flipped)
    else:
        chance.shuffle(changed)
    return changed
