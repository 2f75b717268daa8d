"""Hash trees of RFC 6962 and RFC 9162: roots, proofs, verification; no files, no signatures.

Everything here is pure. A proof is a list of 32-byte hashes, from the leaf's side to the root's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, 2.1.1)."""

Subtree = Callable[[int, int], bytes]
"""(height h, index i) → hash of the complete subtree over leaves [i·2^h, (i+1)·2^h)."""

Range = tuple[int, int]
"""Leaves from the first up to, not including, the second."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry (RFC 9162, 2.1.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162, 2.1.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the root of the complete subtree over these hashes; their number is a power of two."""
    sha256 = hashlib.sha256
    row = list(hashes)
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return row[0]


def joined(peaks: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees of falling size, left to right."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def peak_ranges(start: int, end: int) -> list[Range]:
    """Return the complete subtrees, largest first, whose hashes `joined` make that of the range.

    `start` must be a multiple of the largest power of two that is not above `end - start`; all
    ranges of proofs are like that.
    """
    ranges = []
    while start < end:
        step = 1 << (end - start).bit_length() - 1
        ranges.append((start, start + step))
        start += step
    return ranges


def range_hash(leaves: Range, subtree: Subtree) -> bytes:
    """Return MTH(D[start:end]) of RFC 9162, 2.1.1, for a range as in `peak_ranges`."""
    return joined([_complete(part, subtree) for part in peak_ranges(*leaves)])


def root_hash(size: int, subtree: Subtree) -> bytes:
    """Return the root of the tree over the first `size` leaves."""
    return range_hash((0, size), subtree)


def many_inclusion_proofs(
    indexes: Iterable[int], size: int, subtree: Subtree
) -> Iterator[list[bytes]]:
    """Yield `inclusion_proof` of each index, computing the tree's right edge only once.

    A sibling is a complete subtree, or it is the right edge of its height.
    """
    edge: dict[int, bytes] = {}
    for index in indexes:
        proof = []
        inner = (index ^ (size - 1)).bit_length()
        for height in range(index.bit_length() if index >> inner else inner):
            sibling = index >> height ^ 1
            if height < inner and sibling == size - 1 >> height:
                if height not in edge:
                    edge[height] = range_hash((sibling << height, size), subtree)
                proof.append(edge[height])
            elif height < inner or not sibling & 1:
                proof.append(subtree(height, sibling))
        yield proof


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 9162, 2.1.3.1; needs 0 <= index < size."""
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return [range_hash(leaves, subtree) for leaves in reversed(ranges)]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return PROOF(old, D[new]) of RFC 9162, 2.1.4.1; needs 0 < old <= new."""
    ranges = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # otherwise the old tree is itself a subtree, and the verifier knows its root
        ranges.append((start, end))
    return [range_hash(leaves, subtree) for leaves in reversed(ranges)]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof shows this leaf hash at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes([leaf, *proof]):
        return False
    position, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(step, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        position >>= 1
        last >>= 1
    return last == 0 and found == root


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the proof shows that the old tree begins the new one (RFC 9162, 2.1.4.2).

    The empty tree begins every tree, and every tree itself; both need an empty proof.
    """
    if not 0 <= old <= new or not _are_hashes(proof):
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _roots_of(old - 1, new - 1, path) == (old_root, new_root)


def _roots_of(position: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    while position & 1:
        position >>= 1
        last >>= 1
    of_old = of_new = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            of_old, of_new = node_hash(step, of_old), node_hash(step, of_new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            of_new = node_hash(of_new, step)
        position >>= 1
        last >>= 1
    return (of_old, of_new) if last == 0 else None


def _complete(leaves: Range, subtree: Subtree) -> bytes:
    start, end = leaves
    height = (end - start).bit_length() - 1
    return subtree(height, start >> height)


def _split(count: int) -> int:
    """Return the largest power of two below `count` (at least 2)."""
    return 1 << (count - 1).bit_length() - 1


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
