"""The tree: RFC 6962 vectors, and a naive reference that follows the RFC's own recursion."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.audit import merkle
from twokey.audit.merkle import BadProof, Node

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(140)]
sizes = st.integers(0, len(LEAVES))


def mth(leaves: list[bytes]) -> bytes:
    """Merkle Tree Hash as RFC 6962, section 2.1 defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:half]) + mth(leaves[half:])).digest()


class Stored:
    """Perfect subtrees as a growing log stores them."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self.leaves = list(leaves)
        self.interior: list[bytes] = []
        growing = merkle.Frontier()
        for leaf in self.leaves:
            self.interior += growing.append(leaf)

    def __call__(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        return {node: self.leaves[node[1]] if node[0] == 0 else self.interior[merkle.position(node)] for node in nodes}


STORED = Stored(LEAVES)


def test_known_hashes():
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(sizes)
def test_appending_gives_the_root_of_the_definition(size: int):
    growing = merkle.Frontier()
    for leaf in LEAVES[:size]:
        growing.append(leaf)
    assert growing.root() == mth(LEAVES[:size])
    assert merkle.root(size, STORED) == growing.root()
    rebuilt = merkle.frontier(size, STORED)
    assert (rebuilt.size, rebuilt.peaks) == (growing.size, growing.peaks)


def test_interior_nodes_are_numbered_in_the_order_in_which_they_are_completed():
    numbers = sorted(merkle.position((level, index)) for level in range(1, 8) for index in range(len(LEAVES) >> level))
    assert numbers == list(range(len(STORED.interior)))
    for level in range(1, 8):
        for index in range(len(LEAVES) >> level):
            assert STORED.interior[merkle.position((level, index))] == mth(
                LEAVES[index << level : (index + 1) << level]
            )


def test_a_copy_grows_on_its_own():
    first = merkle.Frontier(1, [LEAVES[0]])
    second = first.copy()
    second.append(LEAVES[1])
    assert (first.size, first.root()) == (1, LEAVES[0])


def test_a_frontier_has_as_many_peaks_as_its_size_has_ones():
    with pytest.raises(BadProof, match="2 perfect subtrees, not 1"):
        merkle.Frontier(3, [LEAVES[0]])


@given(st.data())
def test_every_inclusion_proof_holds_and_no_other_leaf_root_or_place_does(data: Any):
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    root = mth(LEAVES[:size])
    proof = merkle.inclusion_proof(index, size, STORED)
    good: dict[str, Any] = {"leaf": LEAVES[index], "index": index, "size": size, "root": root, "proof": proof}
    merkle.check_inclusion(**good)
    other_index = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    bad: list[dict[str, Any]] = [
        {"leaf": merkle.leaf_hash(b"forged")},
        {"root": merkle.leaf_hash(b"forged")},
        {"index": other_index},
        {"proof": [*proof, root]},
        {"proof": [root, *proof]},
        {"leaf": LEAVES[index][:31]},
    ]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bad += [
            {"proof": proof[:-1]},
            {"proof": [*proof[:place], merkle.leaf_hash(proof[place]), *proof[place + 1 :]]},
            {"proof": [*proof[:place], b"", *proof[place + 1 :]]},
        ]
    for change in bad:
        with pytest.raises(BadProof):
            merkle.check_inclusion(**(good | change))


@given(st.data())
def test_every_consistency_proof_holds_and_no_other_root_does(data: Any):
    size = data.draw(st.integers(1, len(LEAVES)))
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, STORED)
    good: dict[str, Any] = {
        "old": old,
        "old_root": mth(LEAVES[:old]),
        "size": size,
        "root": mth(LEAVES[:size]),
        "proof": proof,
    }
    merkle.check_consistency(**good)
    bad: list[dict[str, Any]] = [
        {"old_root": merkle.leaf_hash(b"forged")},
        {"root": merkle.leaf_hash(b"forged")},
        {"old": 0},
        {"old": size + 1},
        {"proof": [*proof, LEAVES[0]]},
        {"root": b"short"},
    ]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bad += [
            {"proof": []},
            {"proof": proof[:-1]},
            {"proof": [*proof[:place], merkle.leaf_hash(proof[place]), *proof[place + 1 :]]},
        ]
    for change in bad:
        with pytest.raises(BadProof):
            merkle.check_consistency(**(good | change))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_inclusion_proof_outside_the_tree(index: int, size: int):
    with pytest.raises(BadProof, match="outside"):
        merkle.inclusion_proof(index, size, STORED)


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5), (-1, 5)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(old: int, size: int):
    with pytest.raises(BadProof, match="no consistency proof"):
        merkle.consistency_proof(old, size, STORED)


def test_a_missing_hash_is_named():
    with pytest.raises(BadProof, match="level 2, number 0 is missing"):
        merkle.root(5, lambda _: {})


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_the_published_inclusion_vectors(data: Path):
    files = sorted((data / "audit/merkle/inclusion").rglob("*.json"))
    assert len(files) == 48
    for file in files:
        case = json.loads(file.read_text())
        held = True
        try:
            merkle.check_inclusion(
                leaf=_bytes(case["leafHash"]),
                index=case["leafIdx"],
                size=case["treeSize"],
                root=_bytes(case["root"]),
                proof=[_bytes(item) for item in case["proof"] or []],
            )
        except BadProof:
            held = False
        assert held is not case["wantErr"], file.name


def test_the_published_consistency_vectors(data: Path):
    files = sorted((data / "audit/merkle/consistency").rglob("*.json"))
    assert len(files) == 55
    for file in files:
        case = json.loads(file.read_text())
        held = True
        try:
            merkle.check_consistency(
                old=case["size1"],
                old_root=_bytes(case["root1"]),
                size=case["size2"],
                root=_bytes(case["root2"]),
                proof=[_bytes(item) for item in case["proof"] or []],
            )
        except BadProof:
            held = False
        assert held is not case["wantErr"], f"{file.parent.name}/{file.name}"
