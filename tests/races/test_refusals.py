"""People who approve and people who refuse in the same moment: one outcome, logged once, whoever was first."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CountingIds, FixedClock
from support.bench import Bench
from support.interleavings import policies
from support.notes import effects, notes_bench, proposed_note, target

from twokey.core.errors import Refused
from twokey.store.proposals import ProposalRecord

ROUNDS = 6


@pytest.fixture
def bench(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = notes_bench(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


def race(bench: Bench, record: ProposalRecord, answers: dict[str, str]) -> dict[str, str]:
    """Everybody answers at once, each in a thread; gives what each was told."""
    barrier = threading.Barrier(len(answers))
    told: dict[str, str] = {}

    def answer(name: str, action: Any) -> None:
        given = bench.answer(record, name, action)
        barrier.wait()
        try:
            result = bench.gate.answer(given, channel="cli")
            told[name] = result.state.value
            if result.state == "approved":
                told[name] = bench.gate.execute(record.id).state.value
        except Refused as refused:
            told[name] = refused.code

    threads = [threading.Thread(target=answer, args=item) for item in answers.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def events(bench: Bench, record: ProposalRecord, kind: str) -> list[dict[str, Any]]:
    return [json.loads(item.entry.encode())["event"] for item in bench.log.entries(record.id, kind=kind)]


@pytest.mark.parametrize("quorum", [1, 2])
def test_approvers_and_a_refusal_at_once_have_one_outcome(bench: Bench, quorum: int):
    bench.policy.policy = policies()["one" if quorum == 1 else "two"]
    bench.people.people["rita"] = bench.people.people["rita"].model_copy(update={"groups": ("platform-owners",)})
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS):
        record = proposed_note(bench, "trace_note", name=f"n{chr(97 + number)}")
        told = race(bench, record, {"sam": "approve", "kim": "approve", "rita": "refuse"})
        assert len(told) == 3
        left = [
            event["after"]
            for event in events(bench, record, "proposal.moved")
            if event["before"] == "awaiting_approval"
        ]
        assert len(left) == 1
        outcomes[left[0]] += 1
        said = [event["answer"]["statement"]["action"] for event in events(bench, record, "answer.given")]
        assert len(said) + len(events(bench, record, "click.rejected")) == 3
        if left[0] == "approved":
            assert said == ["approve"] * quorum
            assert told["rita"].startswith("is_") or told["rita"] == "already_answered"
            assert "done" in told.values()
        else:
            assert said.count("refuse") == 1
            assert said[-1] == "refuse"
            assert said.count("approve") < quorum
            assert told["rita"] == "refused"
        assert len(events(bench, record, "write.intended")) == (left[0] == "approved")
    assert effects(target(bench)) == outcomes["approved"]
    assert sum(outcomes.values()) == ROUNDS
    assert bench.log.verify().ok
