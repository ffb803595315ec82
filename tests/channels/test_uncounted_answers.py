"""Answers that suffice and were not counted together, because who stored the last of them died: nothing waits for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CountingIds, FixedClock
from support import uncounted
from support.bench import Bench
from support.notes import notes_bench, notes_policy, proposed_note
from support.post import Queue
from support.workspace import Place, ana, approve

from twokey.channels.recovery import Recovery
from twokey.core import jobs
from twokey.core.lifecycle import State
from twokey.store import tables
from twokey.store.proposals import ProposalRecord


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = notes_bench(tmp_path, sqlite_url, clock, ids)
    made.policy.policy = notes_policy(quorum=2)
    yield made
    made.engine.dispose()


def recovery(bench: Bench, queue: Queue) -> Recovery:
    nobody: Any = None
    return Recovery(ledger=bench.ledger, gate=bench.gate, drivers=nobody, dispatcher=lambda: queue, clock=bench.clock)


def stored(bench: Bench, *names: str) -> ProposalRecord:
    record = proposed_note(bench)
    uncounted.store(bench.ledger, record, [bench.answer(record, name) for name in names])
    return record


def test_recovery_counts_them_and_has_what_they_allow_carried_out(bench: Bench):
    enough, short = stored(bench, "sam", "kim"), stored(bench, "sam")
    queue = Queue(bench.ledger, bench.clock, bench.ids)
    found = recovery(bench, queue).recover(patience_s=3.0)
    assert found.failures == ()
    assert found.proposals == (enough.id,)
    assert [job.subject for job in queue.jobs if job.task == jobs.execute(enough.id).task] == [enough.id]
    assert bench.gate.find(enough.id).state is State.APPROVED
    assert bench.gate.find(short.id).state is State.AWAITING_APPROVAL
    assert bench.gate.execute(enough.id).state is State.DONE
    assert recovery(bench, queue).recover().proposals == ()


def test_one_that_was_tampered_with_holds_up_no_other(bench: Bench):
    bad, good = stored(bench, "sam", "kim"), stored(bench, "sam", "kim")
    with bench.engine.begin() as connection:
        changed = tables.proposals.update().where(tables.proposals.c.id == bad.id)
        connection.execute(changed.values(digest="0" * 64))
    found = recovery(bench, Queue(bench.ledger, bench.clock, bench.ids)).recover()
    assert [failure.subject for failure in found.failures if failure.subject != "expiry"] == [bad.id]
    assert found.proposals == (good.id,)


def test_who_answers_again_by_hand_has_them_counted(tmp_path: Path, sqlite_url: str):
    place = Place(tmp_path, sqlite_url)
    with place.opened() as workspace:
        run = workspace.catalog(ana(workspace), str(place.warehouse), str(place.repository), (), lambda _: None).run.id
        (record,) = workspace.service.outcome(run).proposals
        uncounted.store_signed(workspace, record, "sam")
        assert approve(workspace, record.id) == "done"
