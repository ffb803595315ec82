"""What was written is taken back by an ordinary proposal: applied and reverted, the target is as it was."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from support.bench import Bench, git
from support.git_repo import make_commit
from support.notes import MakeBench, TracedNotes, approved_note, target

from twokey.core import canonical
from twokey.core.errors import CheckFailed, Refused
from twokey.core.events import ProposalMoved
from twokey.core.lifecycle import State
from twokey.core.values import Resource
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.desk import Desk
from twokey.tools.gate import WRITE_LEASE_S
from twokey.tools.proposing import Draft
from twokey.tools.reverting import AGENT


def done(bench: Bench, record: ProposalRecord) -> ProposalRecord:
    """Have sam approve a proposal, and carry it out."""
    bench.gate.answer(bench.answer(record), channel="cli")
    assert bench.gate.execute(record.id).state is State.DONE
    return bench.gate.find(record.id)


def undoing(bench: Bench, record: ProposalRecord, requester: str = "ana") -> ProposalRecord:
    """Propose to undo a write, in a run of its own."""
    return bench.gate.revert(record.id, run=bench.desk(requester).run, requester=requester)


def refs(bench: Bench) -> list[str]:
    return git(bench.repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines()


def tree(bench: Bench, branch: str) -> str:
    return git(bench.repository, "rev-parse", f"{branch}^{{tree}}").strip()


def sound(bench: Bench) -> bool:
    return "error" not in git(bench.repository, "fsck", "--strict", "--full", "--no-dangling")


def test_a_pull_request_is_taken_back_and_can_be_opened_again(bench: Bench):
    before = refs(bench)
    opened = done(bench, bench.propose())
    (branch,) = bench.branches()
    proposed = tree(bench, branch)
    closing = undoing(bench, opened)
    assert (closing.proposal.tool, closing.proposal.reverts, closing.proposal.agent) == (
        "close_pull_request",
        opened.id,
        AGENT,
    )
    assert closing.state is State.AWAITING_APPROVAL
    assert bench.gate.find(opened.id).state is State.DONE
    closed = done(bench, closing)
    assert refs(bench) == before
    assert bench.gate.find(opened.id).state is State.REVERTED
    last = [item.entry.event for item in bench.log.entries(opened.id, kind="proposal.moved")][-1]
    assert isinstance(last, ProposalMoved)
    assert (last.before, last.after, last.code) == (State.DONE, State.REVERTED, "reverted")
    again = undoing(bench, closed)
    assert again.proposal.tool == "open_pull_request"
    done(bench, again)
    (second,) = bench.branches()
    assert (second, tree(bench, second)) == (f"{branch}-again", proposed)
    assert bench.gate.find(closed.id).state is State.REVERTED
    assert sound(bench)


def test_after_a_merge_a_proposal_brings_the_old_content_back(bench: Bench):
    before = tree(bench, "main")
    opened = done(bench, bench.propose())
    (branch,) = bench.branches()
    git(bench.repository, "merge", "--quiet", "--ff-only", branch)
    git(bench.repository, "branch", "-D", branch)
    record = undoing(bench, opened)
    assert (record.proposal.tool, record.proposal.reverts) == ("open_pull_request", opened.id)
    done(bench, record)
    (second,) = bench.branches()
    assert tree(bench, second) == before
    assert bench.gate.find(opened.id).state is State.REVERTED


def test_who_asks_to_undo_does_not_approve_it(bench: Bench):
    opened = done(bench, bench.propose())
    closing = undoing(bench, opened, requester="sam")
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(closing, "sam"), channel="cli")
    assert caught.value.code == "own_proposal"
    assert bench.gate.answer(bench.answer(closing, "kim"), channel="cli").state is State.APPROVED


def withdrawn(bench: Bench) -> ProposalRecord:
    record = bench.propose()
    bench.gate.answer(bench.answer(record, "ana", "withdraw"), channel="cli")
    return record


def waiting(bench: Bench) -> ProposalRecord:
    return bench.propose()


def undone(bench: Bench) -> ProposalRecord:
    opened = done(bench, bench.propose())
    done(bench, undoing(bench, opened))
    return opened


def closed_by_hand(bench: Bench) -> ProposalRecord:
    opened = done(bench, bench.propose())
    git(bench.repository, "branch", "-D", bench.branches()[0])
    return opened


def branch_moved_on(bench: Bench) -> ProposalRecord:
    opened = done(bench, bench.propose())
    git(bench.repository, "checkout", "--quiet", bench.branches()[0])
    make_commit(bench.repository, {"more.md": b"More.\n"})
    git(bench.repository, "checkout", "--quiet", "main")
    return opened


def changed_since(bench: Bench) -> ProposalRecord:
    opened = done(bench, bench.propose())
    git(bench.repository, "merge", "--quiet", "--ff-only", bench.branches()[0])
    make_commit(bench.repository, {"models/a.yml": b"version: 3\n"})
    return opened


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (withdrawn, "nothing_to_undo"),
        (waiting, "nothing_to_undo"),
        (undone, "nothing_to_undo"),
        (closed_by_hand, "nothing_to_undo"),
        (branch_moved_on, "branch_moved"),
        (changed_since, "changed_since"),
    ],
)
def test_what_cannot_be_undone_is_refused(
    make_bench_once: Callable[[], Bench], made: Callable[[Bench], ProposalRecord], code: str
):
    bench = make_bench_once()
    record, before = made(bench), refs
    seen = before(bench)
    with pytest.raises(Refused) as caught:
        undoing(bench, record)
    assert caught.value.code == code
    assert refs(bench) == seen


@pytest.mark.parametrize("meanwhile", [closed_by_hand, branch_moved_on])
def test_what_became_impossible_after_the_approval_is_not_done(
    make_bench_once: Callable[[], Bench], meanwhile: Callable[[Bench], ProposalRecord]
):
    bench = make_bench_once()
    opened = done(bench, bench.propose())
    closing = undoing(bench, opened)
    bench.gate.answer(bench.answer(closing), channel="cli")
    (branch,) = bench.branches()
    if meanwhile is closed_by_hand:
        git(bench.repository, "branch", "-D", branch)
    else:
        git(bench.repository, "checkout", "--quiet", branch)
        make_commit(bench.repository, {"more.md": b"More.\n"})
        git(bench.repository, "checkout", "--quiet", "main")
    seen = refs(bench)
    assert bench.gate.execute(closing.id).state is State.SUPERSEDED
    assert (refs(bench), bench.gate.find(opened.id).state) == (seen, State.DONE)


def test_a_branch_that_somebody_works_on_is_not_deleted(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    opened = done(bench, bench.propose())
    closing = undoing(bench, opened)
    bench.gate.answer(bench.answer(closing), channel="cli")
    (branch,) = bench.branches()
    git(bench.repository, "worktree", "add", "--quiet", str(bench.repository.with_name("linked")), branch)
    seen = refs(bench)
    result = bench.gate.execute(closing.id)
    assert (result.state, result.code) == (State.FAILED, "branch_checked_out")
    assert (refs(bench), bench.gate.find(opened.id).state) == (seen, State.DONE)


def test_a_write_that_the_log_does_not_bear_out_is_not_undone(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    record = bench.propose()
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="done"))
    with pytest.raises(Refused) as caught:
        undoing(bench, record)
    assert caught.value.code == "nothing_to_undo"
    opened = done(bench, bench.propose(name="models/b.yml"))
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).where(tables.proposals.c.id == opened.id).values(state="executing"))
        connection.execute(update(tables.executions).values(lease_until_us=1))
    with bench.ledger.change() as unit:
        bench.steps.transition(unit, bench.gate.find(opened.id), State.DONE, "forged")
    with pytest.raises(CheckFailed):
        undoing(bench, opened)


def close_draft(desk: Desk, bench: Bench, opened: ProposalRecord) -> Draft:
    (branch,) = bench.branches()
    usual = bench.draft(desk)
    return Draft(
        tool="close_pull_request",
        args={
            "repository": str(bench.repository),
            "pull": opened.id,
            "branch": branch,
            "head": git(bench.repository, "rev-parse", branch).strip(),
        },
        provenance=(),
        findings=usual.findings,
        why="Because I say so.",
    )


def test_an_agent_may_not_propose_to_undo(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    opened = done(bench, bench.propose())
    desk = bench.desk()
    with pytest.raises(Refused):
        desk.propose(close_draft(desk, bench, opened), agent="catalog", step=2)
    assert len(bench.branches()) == 1


def test_a_persons_word_that_an_undoing_was_written_is_as_good_as_its_receipt(make_notes_once: MakeBench):
    class Died(BaseException):
        """Ends an executor where it stands."""

    def die() -> None:
        raise Died

    at: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([TracedNotes(at)])
    record = approved_note(bench, "trace_note")
    assert bench.gate.execute(record.id).state is State.DONE
    resource = Resource(kind="tickets", id=str(target(bench)), granted_by="request")
    bench.book.remember(resource.id, resource.id)
    back = bench.gate.revert(record.id, run=bench.desk().run, requester="ana")
    bench.gate.answer(bench.answer(back), channel="cli")
    at["before"] = die
    with pytest.raises(Died):
        bench.gate.execute(back.id)
    at.clear()
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(back.id).state is State.UNKNOWN
    assert bench.gate.find(record.id).state is State.DONE
    words = canonical.commitment("0" * 32, "It is there.")
    answer = bench.answer(bench.gate.find(back.id), "kim", "confirm_written", reason_commitment=words)
    assert bench.gate.answer(answer, channel="cli", reason="It is there.").state is State.DONE
    assert bench.gate.find(record.id).state is State.REVERTED


def test_what_was_undone_twice_is_reverted_once(make_notes_once: MakeBench):
    """The tool allows it; the first receipt is the one that counts."""
    bench = make_notes_once()
    record = approved_note(bench, "trace_note")
    bench.gate.execute(record.id)
    resource = Resource(kind="tickets", id=str(target(bench)), granted_by="request")
    bench.book.remember(resource.id, resource.id)
    both = [bench.gate.revert(record.id, run=bench.desk().run, requester="ana") for _ in range(2)]
    for back in both:
        bench.gate.answer(bench.answer(back), channel="cli")
        assert bench.gate.execute(back.id).state is State.DONE
    moves = [item.entry.event for item in bench.log.entries(record.id, kind="proposal.moved")]
    assert [move.after for move in moves if isinstance(move, ProposalMoved)].count(State.REVERTED) == 1
