"""A proposal whose target has moved on: one that means the same takes its place, and is approved anew."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event
from support.bench import Bench, git, policy_data
from support.git_repo import make_commit

from twokey.core.errors import Refused
from twokey.core.events import ProposalMoved
from twokey.core.lifecycle import State
from twokey.core.values import Call, Decision
from twokey.policies import bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store import proposals
from twokey.store.proposals import ProposalRecord


class Killed(BaseException):
    """Stands for the end of the process."""


def move_on(bench: Bench, name: str = "other.md", content: bytes = b"Something else.\n") -> None:
    make_commit(bench.repository, {name: content})


def approved(bench: Bench) -> ProposalRecord:
    record = bench.propose()
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    return bench.gate.find(record.id)


def of_the_run(bench: Bench, record: ProposalRecord) -> list[ProposalRecord]:
    with bench.ledger.look() as connection:
        return proposals.list_proposals(connection, run=record.run)[::-1]


def successor(bench: Bench, record: ProposalRecord) -> ProposalRecord:
    """The one proposal that took the place of another, after checking that it is one of its own."""
    old, new = of_the_run(bench, record)
    assert (old.id, old.state, old.code) == (record.id, State.SUPERSEDED, "stale_target")
    assert (new.state, new.proposal.supersedes) == (State.AWAITING_APPROVAL, record.id)
    assert new.digest != record.digest
    assert new.proposal.target.version == git(bench.repository, "rev-parse", "main").strip()
    assert (new.proposal.requester, new.proposal.evidence) == (record.proposal.requester, record.proposal.evidence)
    last = [item.entry.event for item in bench.log.entries(record.id, kind="proposal.moved")][-1]
    assert isinstance(last, ProposalMoved)
    assert last.successor == new.id
    return new


def test_a_stale_target_at_the_click_leads_to_a_new_card(bench: Bench):
    record = bench.propose()
    move_on(bench)
    answer = bench.answer(record)
    with pytest.raises(Refused) as caught:
        bench.gate.answer(answer, channel="cli")
    new = successor(bench, record)
    assert caught.value.code == "stale_target"
    assert new.id in caught.value.message
    with pytest.raises(Refused):
        bench.gate.answer(answer, channel="cli")
    assert bench.gate.answer(bench.answer(new), channel="cli").state is State.APPROVED
    assert bench.gate.execute(new.id).state is State.DONE
    (branch,) = bench.branches()
    assert git(bench.repository, "show", f"{branch}:other.md") == "Something else.\n"
    assert git(bench.repository, "show", f"{branch}:models/a.yml") == "version: 2\n"


def test_a_stale_target_at_the_execution_needs_a_new_approval(bench: Bench):
    record = approved(bench)
    move_on(bench)
    result = bench.gate.execute(record.id)
    new = successor(bench, record)
    assert (result.state, result.code, result.successor) == (State.SUPERSEDED, "stale_target", new.id)
    assert bench.gate.execute(new.id).state is State.AWAITING_APPROVAL
    assert bench.gate.approvals(new) == []
    assert bench.branches() == []
    moved = bench.answer(record).statement.model_copy(update={"proposal": new.id})
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.keys["sam"].sign(moved), channel="cli")
    assert caught.value.code == "changed_proposal"


def test_a_change_that_others_have_touched_has_to_be_asked_for_again(bench: Bench):
    record = approved(bench)
    move_on(bench, "models/a.yml", b"version: 1\n")
    result = bench.gate.execute(record.id)
    assert (result.state, result.code, result.successor) == (State.SUPERSEDED, "stale_target", None)
    assert len(of_the_run(bench, record)) == 1


def test_a_click_on_a_change_that_others_have_touched_says_so(bench: Bench):
    record = bench.propose()
    move_on(bench, "models/a.yml", b"version: 1\n")
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(record), channel="cli")
    assert caught.value.code == "stale_target"
    assert [item.state for item in of_the_run(bench, record)] == [State.SUPERSEDED]


def test_nothing_takes_the_place_of_a_proposal_whose_requester_is_gone(bench: Bench):
    record = approved(bench)
    move_on(bench)
    real = bench.policy.policy.decide

    class Policy:
        """The requester leaves between policy's answer and the successor."""

        def decide(self, call: Call) -> Decision:
            answer = real(call)
            bench.people.people.pop("ana", None)
            return answer

    bench.policy.policy = Policy()
    result = bench.gate.execute(record.id)
    assert (result.state, result.successor) == (State.SUPERSEDED, None)
    assert len(of_the_run(bench, record)) == 1


def test_a_successor_that_policy_denies_waits_for_nobody(bench: Bench):
    record = approved(bench)
    move_on(bench)
    real = bench.policy.policy.decide
    data = policy_data([])
    engine = Embedded(bundle.load().with_data(data), deadline_s=10.0)
    nothing = Guard(engine)

    class Policy:
        """Forbids the tool after its first answer."""

        def decide(self, call: Call) -> Decision:
            bench.policy.policy = nothing
            return real(call)

    bench.policy.policy = Policy()
    try:
        result = bench.gate.execute(record.id)
    finally:
        engine.close()
    assert (result.state, result.successor) == (State.SUPERSEDED, None)
    _, new = of_the_run(bench, record)
    assert new.state is State.DENIED


def test_the_old_one_goes_and_the_new_one_comes_together_or_not_at_all(bench: Bench):
    record = approved(bench)
    move_on(bench)

    def kill(connection: Connection) -> None:
        if connection.exec_driver_sql("SELECT count(*) FROM proposals").scalar_one() > 1:
            raise Killed

    event.listen(bench.engine, "commit", kill)
    with pytest.raises(Killed):
        bench.gate.execute(record.id)
    event.remove(bench.engine, "commit", kill)
    (only,) = of_the_run(bench, record)
    assert only.state is State.APPROVED
    assert bench.gate.execute(record.id).state is State.SUPERSEDED
    successor(bench, record)


def test_two_at_once_lead_to_one_successor(bench: Bench):
    record = approved(bench)
    move_on(bench)
    barrier = threading.Barrier(3)
    said: list[str | None] = []

    def run() -> None:
        barrier.wait()
        result = bench.gate.execute(record.id)
        said.append(result.successor)
        assert result.state is State.SUPERSEDED

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    new = successor(bench, record)
    assert sorted(said, key=str) == [None, None, new.id]


def test_whoever_is_second_to_supersede_says_what_the_first_made_of_it(bench: Bench):
    record = approved(bench)
    move_on(bench)
    real = bench.policy.policy
    rest: list[Callable[[], object]] = [lambda: None, lambda: bench.gate.execute(record.id)]

    class Policy:
        """As the successor is decided on, somebody else has made one."""

        def decide(self, call: Call) -> Decision:
            meanwhile = rest.pop(0) if rest else lambda: None
            if not rest:
                bench.policy.policy = real
            meanwhile()
            return real.decide(call)

    bench.policy.policy = Policy()
    result = bench.gate.execute(record.id)
    assert (result.state, result.successor) == (State.SUPERSEDED, None)
    successor(bench, record)
