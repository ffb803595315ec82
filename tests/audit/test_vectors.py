"""The published vectors are what the code makes, and two verifiers that share no code agree on them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import log_oracle, log_vectors

from twokey.audit import merkle, verify
from twokey.audit.verify import CheckpointRow, EntryRow, Stream

FILE = Path(__file__).resolve().parents[2] / "audit/vectors/log.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))


class Rows:
    """A log in the form of the vectors, as a source for the verifier."""

    def __init__(self, log: dict[str, Any], pending: int = 0) -> None:
        self._log = log
        self._pending = pending

    def entries(self) -> Stream[EntryRow]:
        for row in self._log["entries"]:
            leaf = bytes.fromhex(row["leaf_hash"])
            yield row["seq"], row["id"], row["subject"], row["kind"], row["body"].encode(), leaf

    def nodes(self) -> Stream[tuple[object, object]]:
        for row in self._log["nodes"]:
            yield row["pos"], bytes.fromhex(row["hash"])

    def checkpoints(self) -> Stream[CheckpointRow]:
        for row in self._log["checkpoints"]:
            yield row["size"], bytes.fromhex(row["root"]), row["note"]

    def counts(self) -> tuple[int, int]:
        return self._pending, 0


def test_the_file_is_what_the_code_makes():
    assert FILE.read_text("utf-8") == log_vectors.text()


def test_the_good_log_is_good_for_both():
    report = verify.verify(Rows(VECTORS["log"]), key=VECTORS["vkey"], old=VECTORS["held_elsewhere"])
    assert (report.ok, report.size, report.rollback_checked) == (True, 7, True)
    assert report.root == VECTORS["log"]["checkpoints"][-1]["root"]
    assert log_oracle.good(VECTORS["log"], VECTORS["vkey"])


@pytest.mark.parametrize("case", VECTORS["tampered"], ids=lambda case: str(case["what"]))
def test_a_tampered_log_is_found_and_its_first_bad_entry_named(case: dict[str, Any]):
    report = verify.verify(Rows(case["log"]), key=VECTORS["vkey"])
    assert report.ok is case["accepted_without_old_checkpoint"]
    assert report.first_bad == case["first_bad"]
    assert log_oracle.good(case["log"], VECTORS["vkey"]) is case["accepted_without_old_checkpoint"]
    assert not verify.verify(Rows(case["log"]), key=VECTORS["vkey"], old=VECTORS["held_elsewhere"]).ok


def test_the_proofs_hold():
    leaves = [bytes.fromhex(row["leaf_hash"]) for row in VECTORS["log"]["entries"]]
    root = bytes.fromhex(VECTORS["log"]["checkpoints"][-1]["root"])
    for one in VECTORS["inclusion"]:
        proof = [bytes.fromhex(item) for item in one["proof"]]
        merkle.check_inclusion(leaf=leaves[one["index"]], index=one["index"], size=7, root=root, proof=proof)
    bodies = [row["body"].encode() for row in VECTORS["log"]["entries"]]
    for one in VECTORS["consistency"]:
        old_root = log_oracle.tree(bodies[: one["old"]])
        proof = [bytes.fromhex(item) for item in one["proof"]]
        merkle.check_consistency(old=one["old"], old_root=old_root, size=7, root=root, proof=proof)


def test_the_oracle_knows_a_good_signature_from_a_bad_one():
    """RFC 8032, section 7.1, test 2."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert log_oracle.signed(public, b"\x72", signature)
    assert not log_oracle.signed(public, b"\x73", signature)


@settings(deadline=None, max_examples=60)  # Ed25519 written out in Python takes its time
@given(st.data())
def test_both_verifiers_agree_on_any_change_of_one_value(data: st.DataObject):
    log = json.loads(json.dumps(VECTORS["log"]))
    table = data.draw(st.sampled_from(["entries", "checkpoints"]))
    row = data.draw(st.integers(0, len(log[table]) - 1))
    column = data.draw(st.sampled_from(sorted(log[table][row])))
    value = log[table][row][column]
    if isinstance(value, int):
        log[table][row][column] = data.draw(st.integers(-2, 9))
    elif column in {"leaf_hash", "root"}:
        log[table][row][column] = data.draw(st.binary(min_size=32, max_size=32)).hex()
    elif column in {"body", "note"}:
        place = data.draw(st.integers(0, len(value) - 1))
        letter = data.draw(st.sampled_from("0123456789abcxyz"))
        log[table][row][column] = value[:place] + letter + value[place + 1 :]
    else:
        log[table][row][column] = data.draw(st.sampled_from([value, "x"]))
    same = log == VECTORS["log"]
    report = verify.verify(Rows(log), key=VECTORS["vkey"])
    assert report.ok is same
    if not same:
        assert report.first_bad is not None
        assert report.first_bad <= 7
    assert _oracle(log) is (same or column == "subject")  # the oracle does not look at that index


def _oracle(log: dict[str, Any]) -> bool:
    try:
        return log_oracle.good(log, VECTORS["vkey"])
    except (ValueError, KeyError, IndexError, TypeError):  # it is small: what it cannot read is not good
        return False
