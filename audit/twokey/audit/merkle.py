"""The Merkle tree of RFC 6962 (RFC 9162, section 2.1) over SHA-256: pure functions on hashes.

Rules: a tree is described by the hashes of its perfect subtrees. The subtree ``(level, index)`` covers the leaves from
``index * 2**level`` up to, without, ``(index + 1) * 2**level``. Proofs are made from stored subtree hashes in
O(log size) and checked from nothing but the proof; a check that does not hold raises.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Node: TypeAlias = tuple[int, int]
"""A perfect subtree as (level, index)."""

Range: TypeAlias = tuple[int, int]
"""Leaves from the first up to, without, the second; begins at a multiple of the largest power of two inside."""

Fetch: TypeAlias = Callable[[Iterable[Node]], Mapping[Node, bytes]]
"""Gives the stored hashes of perfect subtrees. May leave out what is not stored."""


class BadProof(ValueError):  # noqa: N818 - a proof that does not hold is a result
    """The proof does not hold, or could not be made because stored hashes are missing."""


def leaf_hash(body: bytes) -> bytes:
    """Hash of a leaf: SHA-256 of 0x00 and the entry's bytes."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an interior node: SHA-256 of 0x01 and the hashes of its halves."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def position(node: Node) -> int:
    """Number the interior nodes (level 1 and up) from 0 in the order in which a growing tree completes them.

    Before the leaf ``n`` arrives, ``n - popcount(n)`` interior nodes are complete; the leaf completes levels 1, 2, ...
    """
    level, index = node
    last_leaf = ((index + 1) << level) - 1
    return last_leaf - last_leaf.bit_count() + level - 1


class Frontier:
    """The roots of the perfect subtrees of a growing tree, largest first: all that is needed to append."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise BadProof(f"a tree of {size} leaves has {size.bit_count()} perfect subtrees, not {len(peaks)}")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add one leaf hash; give the hashes of the interior nodes that it completes, lowest level first."""
        completed: list[bytes] = []
        carry, rest = leaf, self.size
        while rest & 1:
            carry = node_hash(self.peaks.pop(), carry)
            completed.append(carry)
            rest >>= 1
        self.peaks.append(carry)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Give the root hash; that of the empty tree is SHA-256 of nothing."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def copy(self) -> "Frontier":
        """Give an independent frontier of the same tree."""
        return Frontier(self.size, self.peaks)


def peaks(size: int) -> list[Node]:
    """Name the perfect subtrees of a tree of ``size`` leaves, largest first."""
    return _cover((0, size))


def root(size: int, fetch: Fetch) -> bytes:
    """Give the root of the first ``size`` leaves from stored hashes; raises ``BadProof`` where one is missing."""
    return _hashes([(0, size)], fetch)[0] if size else EMPTY_ROOT


def frontier(size: int, fetch: Fetch) -> Frontier:
    """Rebuild the frontier of the first ``size`` leaves; raises ``BadProof`` where a hash is missing."""
    nodes = peaks(size)
    found = fetch(nodes) if nodes else {}
    return Frontier(size, [_need(found, node) for node in nodes])


def inclusion_proof(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """Prove that the leaf ``index`` is in the tree of ``size`` leaves (RFC 6962, section 2.1.1); lowest hash first."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} lies outside a tree of {size} leaves")
    ranges: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return _hashes(ranges[::-1], fetch)


def consistency_proof(old: int, size: int, fetch: Fetch) -> list[bytes]:
    """Prove that the tree of ``old`` leaves is a prefix of the tree of ``size`` leaves (RFC 6962, section 2.1.2)."""
    if not 0 < old <= size:
        raise BadProof(f"a tree of {old} leaves has no consistency proof to one of {size}")
    ranges: list[Range] = []
    begin, end, known = 0, size, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin, known = middle, False
    if not known:
        ranges.append((begin, end))
    return _hashes(ranges[::-1], fetch)


def check_inclusion(*, leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check an inclusion proof (RFC 9162, section 2.1.3.2).

    Raises:
        BadProof: it does not show that ``leaf`` is the leaf ``index`` of the tree with this size and root.

    """
    _check_lengths(leaf, root, *proof)
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} lies outside a tree of {size} leaves")
    place, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("the inclusion proof is too long")
        if place & 1 or place == last:
            value = node_hash(sibling, value)
            shift = _trailing_zeros(place)
            place, last = place >> shift, last >> shift
        else:
            value = node_hash(value, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise BadProof("the inclusion proof is too short")
    if value != root:
        raise BadProof("the inclusion proof leads to another root")


def check_consistency(*, old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check a consistency proof (RFC 9162, section 2.1.4.2). A tree of no leaves proves nothing and is refused.

    Raises:
        BadProof: it does not show that the old tree is a prefix of the new one.

    """
    _check_lengths(*proof)
    if not 0 < old <= size:
        raise BadProof(f"a tree of {old} leaves is no prefix of one of {size}")
    if old == size:
        if proof or old_root != root:
            raise BadProof("two trees of one size have different roots")
        return
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    if not path:
        raise BadProof("the consistency proof is empty")
    shift = _trailing_zeros(old)
    place, last = (old - 1) >> shift, (size - 1) >> shift
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("the consistency proof is too long")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            shift = _trailing_zeros(place)
            place, last = place >> shift, last >> shift
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise BadProof("the consistency proof is too short")
    if before != old_root or after != root:
        raise BadProof("the consistency proof leads to another root")


def _split(size: int) -> int:
    """Largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _trailing_zeros(number: int) -> int:
    """How often ``number`` can be halved; 0 for 0, which stays 0."""
    return (number & -number).bit_length() - 1 if number else 0


def _cover(leaves: Range) -> list[Node]:
    """Name the perfect subtrees that make up a range, left to right."""
    begin, end = leaves
    nodes: list[Node] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def _hashes(ranges: Sequence[Range], fetch: Fetch) -> list[bytes]:
    covers = [_cover(leaves) for leaves in ranges]
    wanted = [node for cover in covers for node in cover]
    found = fetch(wanted) if wanted else {}
    return [_fold([_need(found, node) for node in cover]) for cover in covers]


def _fold(hashes: Sequence[bytes]) -> bytes:
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def _need(found: Mapping[Node, bytes], node: Node) -> bytes:
    if node not in found:
        raise BadProof(f"the stored hash of level {node[0]}, number {node[1]} is missing")
    return found[node]


def _check_lengths(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise BadProof(f"a hash has {HASH_BYTES} bytes")
