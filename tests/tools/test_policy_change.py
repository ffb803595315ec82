"""A change of the policy is a pull request like any other, and says nothing that is not in its evidence."""

from collections.abc import Callable

import pytest
from support.bench import Bench, git

from twokey.core.errors import Refused, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import Resource
from twokey.store.proposals import ProposalRecord
from twokey.tools.forge import Edit
from twokey.tools.policy_change import PolicyChange

MakeOnce = Callable[[], Bench]


def changed(bench: Bench, **fields: object) -> ProposalRecord:
    desk = bench.desk()
    resource = Resource(kind="repository", id=str(bench.repository), granted_by="request")
    place = bench.book.places([resource]).find("repository", resource.id)
    values = {
        "place": place,
        "base_branch": "main",
        "base_commit": git(bench.repository, "rev-parse", "main").strip(),
        "branch": f"twokey/{desk.run}",
        "title": "Ask two people",
        "body": "What a replay found.",
        "edits": (Edit("policies/data.json", b"{}\n"),),
        "claim": "Of 3 decisions 1 is another.",
        "figures": {"decisions": 3, "changed": 1},
        "why": "Because one person is not enough.",
    }
    change = PolicyChange(**(values | fields))  # pyright: ignore[reportArgumentType] - one of them is what is tried
    return bench.gate.propose_policy(change, run=desk.run, requester="ana")


def test_it_waits_for_people_and_cites_what_it_rests_on(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = changed(bench)
    assert record.state is State.AWAITING_APPROVAL
    assert record.proposal.tool == "open_pull_request"
    assert (record.proposal.requester, record.proposal.contributors) == ("ana", ("ana",))
    (finding,) = record.proposal.findings
    assert finding.claim == "Of 3 decisions 1 is another."
    assert finding.evidence == tuple(ref.id for ref in record.proposal.evidence)


def test_who_asks_for_it_does_not_approve_it(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = changed(bench)
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(record, "ana"), channel="cli")
    assert caught.value.code == "own_proposal"


def test_one_that_is_no_change_is_not_proposed(make_bench_once: MakeOnce):
    bench = make_bench_once()
    with pytest.raises(TwokeyError):
        changed(bench, edits=(Edit("README.md", b"# models\n"),))
