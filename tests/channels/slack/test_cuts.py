"""The network is cut at each call, before and after its effect: the work goes on, and nothing stands there twice."""

from collections import Counter

import pytest
from support.slack_scene import Scene
from twins.slack.people import click, slash
from twins.slack.server import PATIENCE_S

from twokey.store.proposals import ProposalRecord


def whole_way(scene: Scene, cut: tuple[int, str] | None = None) -> tuple[ProposalRecord, list[str]]:
    """From a command to a write and back to the card, with one call cut; gives the calls there were."""
    faults = scene.twin.faults
    since = len(faults.calls)
    if cut is not None:
        faults.arm_call(*cut)
    command = slash(scene.world, "UANA", "COPS", "catalog")
    command["response_url"] = scene.twin.base + scene.world.hook("COPS", "UANA")
    assert scene.again(scene.take(command)) in {"asked", "over"}
    run = scene.workspace.service.runs(limit=1)[0].id
    (proposal,) = scene.workspace.service.drive(run, lambda _: None).proposals
    scene.post()
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    pressed["response_url"] = scene.twin.base + scene.world.hook("CAPPROVALS", "USAM")
    assert scene.again(scene.take(pressed)) in {"answered", "answered_before", "over"}
    scene.work()
    scene.post()
    return proposal, faults.calls[since:]


def as_it_should_be(scene: Scene, proposal: ProposalRecord, runs: int, writes: int) -> None:
    assert scene.state(proposal) == "done"
    assert scene.written() == writes + 1
    assert len(scene.workspace.service.runs(limit=1000)) == runs + 1
    marks = Counter(str(message.metadata) for message in scene.world.by_app() if message.metadata is not None)
    assert set(marks.values()) == {1}
    for channel in ("COPS", "CAPPROVALS"):
        assert "sam" in scene.shown(proposal, channel)
    (progress,) = [record for record in scene.postbox.shown(f"progress:{proposal.run}") if record.state == "posted"]
    (message,) = [item for item in scene.world.by_app() if f"COPS/{item.ts}" == progress.remote]
    assert "Done" in message.shown


def test_without_a_cut_there_are_this_many_calls(scene: Scene) -> None:
    runs, writes = len(scene.workspace.service.runs(limit=1000)), scene.written()
    proposal, calls = whole_way(scene)
    as_it_should_be(scene, proposal, runs, writes)
    assert set(calls) == {
        "users.info",
        "conversations.info",
        "response_url",
        "chat.postMessage",
        "chat.update",
        "auth.test",
    }
    assert len(calls) in {11, 12}  # who we are is asked once


CUTS = [(number, kind) for number in range(11) for kind in ("before", "after")]
SAMPLE = [(1, "before"), (3, "after"), (4, "after"), (5, "before"), (8, "after"), (10, "after")]


@pytest.mark.parametrize("cut", SAMPLE)
def test_one_call_is_cut(scene: Scene, cut: tuple[int, str]) -> None:
    sweep(scene, cut)


@pytest.mark.soak
@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut not in SAMPLE])
def test_any_call_is_cut(scene: Scene, cut: tuple[int, str]) -> None:
    sweep(scene, cut)


def sweep(scene: Scene, cut: tuple[int, str]) -> None:
    runs, writes, cuts = len(scene.workspace.service.runs(limit=1000)), scene.written(), len(scene.twin.faults.done)
    proposal, _ = whole_way(scene, cut)
    assert len(scene.twin.faults.done) == cuts + 1
    as_it_should_be(scene, proposal, runs, writes)


def test_a_rate_limit_is_waited_for_and_nothing_is_lost(scene: Scene) -> None:
    scene.twin.api.lenient = False
    try:
        scene.world.spent.clear()
        # It is over some time after whatever this machine needs to come to the message.
        scene.world.spent["THOME:post:COPS"].extend([scene.world.now() + PATIENCE_S] * 5)
        assert scene.do(slash(scene.world, "UANA", "COPS", "ask what is this")) == "asked"
        run = scene.workspace.service.runs(limit=1)[0].id
        scene.post()
        (waiting,) = scene.postbox.shown(f"progress:{run}")
        assert (waiting.state, waiting.code, waiting.attempts) == ("wanted", "waits", 0)
        assert waiting.not_before_us > 0
    finally:
        scene.twin.api.lenient = True
        scene.world.spent.clear()
