"""From a Slack command to a pull request on GitHub and back to the card, with the network cut at each call of either.

Each cut comes before or after its call has its effect. The work is taken up again as a worker does, and ends as if
nothing had happened: one pull request, one write, each message once, and the card says who approved it and that it is
done. Where GitHub stays away for longer than a request is tried again, a write may end as failed instead, and then
nothing is there; or, where nobody could look, as unknown, and a person is asked.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from support import slack_scene
from support.slack_scene import Scene
from twins.github.fixtures import LOCATION, URL, Stand, stand
from twins.github.server import Fault
from twins.github.world import PullRequest
from twins.slack.people import click, slash
from twins.slack.server import Twin

from twokey.core.errors import EnvironmentFault
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools.github.client import TRIES

Side = Literal["slack", "github"]
When = Literal["before", "after", "away"]
"""``away``: GitHub is gone for as long as one request is tried again."""
TURNS = 12
"""How often everything unfinished is taken up again before a test gives up."""


@dataclass
class Both:
    """A workspace between two twins."""

    scene: Scene
    github: Stand

    def calls(self) -> dict[Side, int]:
        """How many calls each twin has had."""
        return {"slack": len(self.scene.twin.faults.calls), "github": len(self.github.twin.calls)}

    def was_cut(self) -> bool:
        """Tell whether what was armed has happened."""
        return not self.scene.twin.faults.waits() and all(fault.times == 0 for fault in self.github.twin.faults)

    def arm(self, side: Side, number: int, when: When) -> None:
        """Cut one of the calls from now on, counted from 0."""
        if side == "slack":
            self.scene.twin.faults.arm_call(number, when)
        else:
            times = TRIES if when == "away" else 1
            self.github.twin.faults = [
                Fault("cut_after" if when == "after" else "cut_before", skip=number, times=times)
            ]

    def go_on(self) -> None:
        """Take up everything that is unfinished, once: deliveries, runs, approved and started writes, messages."""
        scene = self.scene
        for inbound in scene.inbox.waiting(before=2**52, limit=10):
            _tried(lambda inbound=inbound: scene.inbox.handle(inbound))
        service = scene.workspace.service
        for run in service.runs(limit=1):
            if run.state == "running":
                _tried(lambda run=run: service.drive(run.id, lambda _: None, patient=True))
            for record in service.outcome(run.id).proposals:
                if record.state in {State.APPROVED, State.EXECUTING}:
                    _tried(lambda record=record: service.carry_out(record.id))
        _tried(scene.slack.announcer.announce)
        for message in scene.postbox.waiting(before=2**52, limit=100):
            _tried(lambda message=message: scene.postbox.post(message))

    def until(self, *states: State) -> ProposalRecord:
        """Go on until the latest run has a proposal in a state and nothing is left to do; gives the proposal."""
        service = self.scene.workspace.service
        for _ in range(TURNS):
            self.go_on()
            found = [
                record
                for run in service.runs(limit=1)
                for record in service.outcome(run.id).proposals
                if record.state in states
            ]
            quiet = not self.scene.postbox.waiting(before=2**52, limit=1)
            if found and quiet and not self.scene.inbox.waiting(before=2**52, limit=1):
                return found[0]
        raise AssertionError(f"it did not come to {states}")


def _tried(do: Callable[[], object]) -> None:
    """Do something as a worker would: what the surroundings did is tried again in the next turn."""
    try:
        do()
    except EnvironmentFault:
        return


@dataclass
class Place:
    """Two twins that stay, and the folder of a workspace that each test opens anew."""

    twin: Twin
    github: Stand
    folder: Path

    @contextmanager
    def opened(self) -> Generator[Both]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TWOKEY_HOME", str(self.folder / "home"))
            with slack_scene.reopened(self.twin, self.folder) as scene:
                yield Both(scene, self.github)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("both")
    with (
        pytest.MonkeyPatch.context() as patch,
        stand(folder / "github") as github,
        Twin(slack_scene.populated()).running() as twin,
    ):
        twin.api.lenient = True
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        patch.setenv("HUB_TOKEN", github.token)

        def on_github(made: Path) -> None:
            settings = made / "twokey.toml"
            text = settings.read_text().replace(str(folder / "repo"), LOCATION)
            there = f'\n[github]\nurl = "{URL}"\napi = "{github.twin.api}"\ntoken_env = "HUB_TOKEN"\n'
            settings.write_text(text + there)

        with slack_scene.opened(twin, folder, prepare=on_github) as scene:
            scene.link("ana", "sam")
        yield Place(twin, github, folder)


def whole_way(both: Both) -> ProposalRecord:
    """From a command to a write and back to the card."""
    scene = both.scene
    command = slash(scene.world, "UANA", "COPS", "catalog")
    command["response_url"] = scene.twin.base + scene.world.hook("COPS", "UANA")
    scene.take(command)
    proposal = both.until(State.AWAITING_APPROVAL)
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    pressed["response_url"] = scene.twin.base + scene.world.hook("CAPPROVALS", "USAM")
    scene.take(pressed)
    return both.until(State.DONE, State.FAILED, State.UNKNOWN)


def swept(place: Place, side: Side, number: int, when: When) -> None:
    """Go the whole way with one call cut, and look at everything that came of it."""
    pulls = set(place.github.repository.pulls)
    with place.opened() as both:
        runs, writes = len(both.scene.workspace.service.runs(limit=1000)), both.scene.written()
        both.arm(side, number, when)
        proposal = whole_way(both)
        assert both.was_cut()
        assert len(both.scene.workspace.service.runs(limit=1000)) == runs + 1
        assert both.scene.written() == writes + 1
        new = [pull for number, pull in place.github.repository.pulls.items() if number not in pulls]
        told_alike(both, proposal)
        if when == "away" and proposal.state is State.FAILED:
            assert new == [], "it says that nothing was written, and nothing was"
        elif when == "away" and proposal.state is State.UNKNOWN:
            assert receipts(both, proposal) == ["unknown"], (
                "nobody could look: a person is asked, and nothing is doubled"
            )
            assert len(new) <= 1
        else:
            written_once(both, proposal, new)


def written_once(both: Both, proposal: ProposalRecord, new: Sequence[PullRequest]) -> None:
    [pull] = new
    assert (proposal.state, receipts(both, proposal)) == (State.DONE, ["written"])
    assert isinstance(proposal.result, dict)
    assert (pull.head_sha, pull.head, pull.ticket.state) == (proposal.result["head"], proposal.result["branch"], "open")
    assert str(pull.ticket.body).count(f"<!-- twokey:pull {proposal.id} ") == 1
    assert pull.ticket.comments == []
    assert len(set(pull.ticket.labels)) == len(pull.ticket.labels)


def told_alike(both: Both, proposal: ProposalRecord) -> None:
    """Every message stands there once, and says what became of it."""
    scene = both.scene
    marks = Counter(str(message.metadata) for message in scene.world.by_app() if message.metadata is not None)
    assert set(marks.values()) == {1}
    for channel in ("COPS", "CAPPROVALS"):
        shown = scene.shown(proposal, channel)
        assert "sam" in shown
        assert proposal.state.value in shown.lower()


def receipts(both: Both, proposal: ProposalRecord) -> list[str]:
    events = both.scene.workspace.ledger.history(proposal.id, "write.ended")
    return [event.outcome for event in events if isinstance(event, WriteEnded)]


SLACK, GITHUB = 12, 37
"""How many calls of each a whole way has."""
CUTS: list[tuple[Side, int, When]] = [
    *(("slack", number, when) for number in range(SLACK) for when in ("before", "after")),
    *(("github", number, when) for number in range(GITHUB) for when in ("before", "after", "away")),
]
SAMPLE: list[tuple[Side, int, When]] = [*CUTS[::17], ("github", 28, "after")]
"""Every so many, and the one where nobody knows whether the pull request was opened."""


def test_there_are_this_many_calls(place: Place) -> None:
    with place.opened() as both:
        before = both.calls()
        proposal = whole_way(both)
        assert {side: number - before[side] for side, number in both.calls().items()} == {
            "slack": SLACK,
            "github": GITHUB,
        }
        told_alike(both, proposal)


@pytest.mark.parametrize(("side", "number", "when"), SAMPLE)
def test_one_call_is_cut(place: Place, side: Side, number: int, when: When) -> None:
    swept(place, side, number, when)


@pytest.mark.soak
@pytest.mark.parametrize(("side", "number", "when"), [cut for cut in CUTS if cut not in SAMPLE])
def test_any_call_is_cut(place: Place, side: Side, number: int, when: When) -> None:
    swept(place, side, number, when)
