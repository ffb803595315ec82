"""Proofs for outsiders: what is given checks, and nothing else does."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from support.log_world import World, step

from twokey.audit.entry import Entry
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.audit.proof import FIRST_LINE, InclusionProof, check
from twokey.core.errors import CheckFailed, NotFound


def proofs(world: World, log: Log, count: int = 7) -> list[InclusionProof]:
    ids = [world.record(log, step(number))[0][0] for number in range(count)]
    return [log.proof(entry) for entry in ids]


def test_an_outsider_can_check_that_each_entry_is_in_the_log(world: World, log: Log):
    for number, proof in enumerate(proofs(world, log)):
        assert check(proof.text, proof.body, world.key.verifier) == number
        given = proof.as_json()
        assert (given["entry"], given["key"]) == (proof.body.decode(), world.key.verifier.vkey)
        assert str(given["proof"]).startswith(f"{FIRST_LINE}\nindex {number}\n")


def test_the_proof_of_one_entry_is_none_for_another(world: World, log: Log):
    first, second, *_ = proofs(world, log)
    with pytest.raises(CheckFailed, match="another root"):
        check(first.text, second.body, world.key.verifier)
    with pytest.raises(CheckFailed, match="another root"):
        check(first.text.replace("index 0", "index 1"), first.body, world.key.verifier)


def test_another_key_proves_nothing(world: World, log: Log):
    proof = proofs(world, log)[0]
    with pytest.raises(CheckFailed, match="carries no signature"):
        check(proof.text, proof.body, LogKey("w-000000000001", b"\x07" * 32).verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (FIRST_LINE, "c2sp.org/tlog-proof@v2"),
        ("\nindex 3\n", "\n"),
        ("\nindex 3\n", "\nindex 03\n"),
        ("\nindex 3\n", "\nindex -3\n"),
        ("\nindex 3\n", "\nindex 9\n"),
        ("\nindex 3\n", "\nindex 3\nAAAA\n"),
        ("\nindex 3\n", f"\nindex 3\n{base64.b64encode(bytes(32)).decode()}\n"),
        ("\nindex 3\n", "\nindex 3\n" + f"{base64.b64encode(bytes(32)).decode()}\n" * 64),
        ("\nindex 3\n", f"\nindex 3\n{'A' * 42}B=\n"),
        ("\n\n", "\n"),
    ],
    ids=range(10),
)
def test_what_is_written_otherwise_is_refused(world: World, log: Log, old: str, new: str):
    proof = proofs(world, log)[3]
    assert old in proof.text
    with pytest.raises(CheckFailed):
        check(proof.text.replace(old, new, 1 if old != "\n\n" else -1), proof.body, world.key.verifier)
    with pytest.raises(CheckFailed, match="no inclusion proof"):
        check("", proof.body, world.key.verifier)


def test_what_is_not_in_the_log_has_no_proof(world: World, log: Log):
    with pytest.raises(NotFound, match="no entry"):
        log.proof("l-zzzzzzzzzzzz")
    world.record(log, step(1))
    entry = log.newest()[0].entry.id
    blind = world.open(key=world.key.verifier)
    assert check(blind.proof(entry).text, log.proof(entry).body, world.key.verifier) == 0


def test_newest_entries_come_first_and_a_page_goes_on_where_the_last_one_ended(world: World, log: Log):
    for number in range(6):
        world.record(log, step(number, run=f"r-{number % 2:012d}"))
    assert [found.seq for found in log.newest(limit=4)] == [5, 4, 3, 2]
    assert [found.seq for found in log.newest(before=2)] == [1, 0]
    assert [found.seq for found in log.newest(["r-000000000001"])] == [5, 3, 1]
    assert [found.seq for found in log.newest(["r-000000000001", "r-000000000000"], before=3)] == [2, 1, 0]
    assert [found.seq for found in log.newest(kind="step.ended", limit=1)] == [5]
    assert log.newest(kind="run.ended") == ()
    assert [found.seq for found in log.newest(["r-000000000001"], kind="step.ended", before=4)] == [3, 1]


def test_a_search_looks_through_so_many_entries_and_says_where_to_go_on(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twokey.audit.log.SEARCHED_AT_ONCE", 2)
    for number in range(7):
        world.record(log, step(number, run=f"r-{number % 3:012d}"))

    def numbers(words: str, **bounds: Any) -> tuple[list[int], int | None, int]:
        found, more, seen = log.search(words, limit=bounds.pop("limit", 9), through=bounds.pop("through", 99), **bounds)
        return [each.seq for each in found], more, seen

    assert numbers("R-000000000001") == ([4, 1], None, 7)
    assert numbers("r-000000000001", limit=1) == ([4], 4, 3)
    assert numbers("r-000000000001", before=4) == ([1], None, 4)
    assert numbers("r-000000000001", through=3) == ([4], 4, 3)
    assert numbers("r-000000000000", limit=3) == ([6, 3, 0], None, 7)
    assert numbers("no such words") == ([], None, 7)
    assert numbers("no such words", through=7) == ([], None, 7)
    assert log.search("step", kind="run.ended", limit=1, through=9) == ((), None, 0)

    def even(entries: Sequence[Entry]) -> list[bool]:
        return [getattr(entry.event, "run", "").endswith(("0", "2")) for entry in entries]

    assert numbers("step", keep=even) == ([6, 5, 3, 2, 0], None, 7)
    assert numbers("step", keep=even, limit=2) == ([6, 5], 5, 2)
    assert numbers("r-000000000001", keep=even) == numbers("no such words"), "as if it held none of the words"
