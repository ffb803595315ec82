"""A run that proposes several pull requests, one for each owner: each is one proposal, whatever cuts the run off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from support.bench import Bench, build
from support.git_repo import make_commit
from support.ride import Ride, document_shop, shop

from twokey.agents import drafts
from twokey.agents.state import Progress
from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools.amending import Suggestion

FILES = {
    "CODEOWNERS": b"/models/people/ @shop/people\n/models/sales/ @shop/sales\n",
    "dbt_project.yml": b"name: shop\n",
    "models/people/sources.yml": b"sources:\n  - name: people\n    schema: main\n    tables: [{name: customers}]\n",
    "models/sales/sources.yml": b"sources:\n  - name: sales\n    schema: main\n    tables: [{name: orders}]\n",
}


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


@pytest.fixture
def ride(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Ride]:
    bench = build(tmp_path, sqlite_url, clock, ids)
    files: dict[str, bytes | None] = {**FILES}
    make_commit(bench.repository, files)
    warehouse = shop(tmp_path / "shop.db")
    yield Ride(bench, warehouse, document_shop(bench, warehouse))
    bench.engine.dispose()


def answer(bench: Bench, record: ProposalRecord) -> None:
    bench.gate.answer(bench.answer(record), channel="cli")
    bench.gate.execute(record.id)


def paths(record: ProposalRecord) -> list[str]:
    return [file.path for file in record.proposal.files]


def test_each_owner_gets_a_proposal_and_the_run_waits_for_all_of_them(ride: Ride):
    assert len(ride.drive()) == 1
    first, second = sorted(ride.desk.proposals(), key=paths)
    assert (paths(first), paths(second)) == (["models/people/sources.yml"], ["models/sales/sources.yml"])
    assert first.digest != second.digest
    assert {first.state, second.state} == {State.AWAITING_APPROVAL}
    assert "It is for `shop/people`." in first.proposal.args["body"]
    answer(ride.bench, second)
    assert len(ride.drive()) == 1  # the other one still waits
    answer(ride.bench, first)
    assert ride.drive() == ()
    assert [record.state for record in ride.desk.proposals()] == [State.DONE, State.DONE]
    assert len(ride.bench.branches()) == 2


@pytest.mark.parametrize("at", [1, 2])
def test_a_run_that_is_cut_off_between_two_proposals_makes_each_once(ride: Ride, at: int):
    made = 0

    def tell(progress: Progress) -> None:
        nonlocal made
        made += progress.text.startswith("proposal ")
        if made == at:
            raise Killed

    with pytest.raises(Killed):
        ride.drive(tell)
    before = ride.desk.proposals()
    assert len(before) == at
    assert len(ride.drive()) == 1
    after = ride.desk.proposals()
    assert len({record.digest for record in after}) == len(after) == 2
    assert [record.digest for record in after][:at] == [record.digest for record in before]
    for record in after:
        answer(ride.bench, record)
    assert ride.drive() == ()
    assert [ride.kinds().count(kind) for kind in ("write.intended", "write.ended")] == [2, 2]


def test_what_takes_the_place_of_one_leaves_the_other_alone(ride: Ride):
    ride.drive()
    first, second = sorted(ride.desk.proposals(), key=paths)
    answer(ride.bench, first)
    make_commit(ride.bench.repository, {"other.md": b"Something else.\n"})
    with pytest.raises(Refused):
        ride.bench.gate.answer(ride.bench.answer(second), channel="cli")
    assert len(ride.drive()) == 1
    (new,) = [record for record in ride.desk.proposals() if record.state is State.AWAITING_APPROVAL]
    assert (new.proposal.supersedes, paths(new)) == (second.id, paths(second))
    answer(ride.bench, new)
    assert ride.drive() == ()


def test_a_suggestion_in_the_review_of_one_part_makes_a_proposal_of_that_part(ride: Ride):
    ride.drive()
    first, second = sorted(ride.desk.proposals(), key=paths)
    for record in (first, second):
        answer(ride.bench, record)
    change = Suggestion(proposal=second.id, path="models/sales/sources.yml", first=2, last=2, text="  - name: deals\n")
    new = ride.bench.gate.amend(change, run=ride.bench.desk("kim").run, requester="kim")
    assert paths(new) == paths(second)
    assert "  - name: deals\n" in new.proposal.args["files"][0]["content"]
    assert new.proposal.args["branch"] not in {record.proposal.args["branch"] for record in (first, second)}


def test_drafts_of_an_earlier_try_are_dropped(ride: Ride):
    drafts.keep(ride.desk, 2, [{"a": 1}, {"a": 2}, {"a": 3}])
    assert drafts.names(ride.desk, [2]) == ["draft-2", "draft-2-2", "draft-2-3"]
    ride.desk.forget("draft-2")
    assert drafts.names(ride.desk, [2]) == ["draft-2-2", "draft-2-3"]
    drafts.keep(ride.desk, 2, [{"a": 4}])
    assert drafts.names(ride.desk, [2]) == ["draft-2"]
    assert ride.desk.kept("draft-2") == {"a": 4}
