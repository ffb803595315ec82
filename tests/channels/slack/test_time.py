"""Cards come to their end: people are reminded before, and nobody answers after."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import slack_scene
from support.git_repo import make_commit
from support.slack_scene import Scene
from twins.slack.people import click
from twins.slack.server import Twin

from twokey.core.errors import CheckFailed


@pytest.fixture
def moved(twin: Twin, tmp_path: Path, clock: Any) -> Iterator[Scene]:
    """A workspace whose clock a test moves."""
    with slack_scene.opened(twin, tmp_path, clock) as opened:
        opened.link("ana", "sam", "pat")
        yield opened


def test_who_may_still_approve_is_reminded_once_and_then_it_is_brought_up_elsewhere(moved: Scene, clock: Any) -> None:
    proposal = moved.proposed()
    direct = {name: moved.world.direct(name, "THOME").id for name in ("UANA", "USAM", "UPAT")}

    def reminders() -> dict[str, int]:
        return {
            name: len([item for item in moved.world.by_app(channel) if "Expires soon" in item.shown])
            for name, channel in direct.items()
        }

    assert reminders() == {"UANA": 0, "USAM": 0, "UPAT": 0}
    clock.advance(22.5 * 3600)
    moved.post()
    moved.post()
    assert reminders() == {"UANA": 0, "USAM": 1, "UPAT": 1}
    assert not [item for item in moved.world.by_app("CESCALATIONS") if proposal.id in item.shown]
    clock.advance(3600)
    moved.post()
    assert reminders() == {"UANA": 0, "USAM": 1, "UPAT": 1}
    (raised,) = [item for item in moved.world.by_app("CESCALATIONS") if "Expires soon" in item.shown]
    assert moved.do(click(moved.world, "USAM", raised, "twokey.show")) == "opened"
    card = moved.card(proposal)
    late = click(moved.world, "USAM", card, "twokey.approve")
    clock.advance(3600)
    writes = moved.written()
    assert moved.do(late) not in {"answered", "asked"}
    assert (moved.state(proposal), moved.written()) == ("expired", writes)
    moved.post()
    assert "Expired" in card.shown
    assert "twokey.approve" not in str(card.blocks)


def test_a_press_that_waited_here_too_long_approves_nothing(moved: Scene, clock: Any) -> None:
    """It answers as of when Slack handed it over, not as of when somebody came to look at it."""
    proposal = moved.proposed()
    pressed = click(moved.world, "USAM", moved.card(proposal), "twokey.approve")
    pressed["response_url"] = moved.twin.base + moved.world.hook("CAPPROVALS", "USAM")
    inbound = moved.take(pressed)
    clock.advance(16 * 60)
    assert moved.again(inbound) == "stale_answer"
    assert (moved.state(proposal), moved.rejected()[-1]) == ("awaiting_approval", "stale_answer")
    assert moved.world.told("USAM")


def test_a_press_from_before_the_link_is_nobodys(moved: Scene, clock: Any) -> None:
    proposal = moved.proposed()
    inbound = moved.take(click(moved.world, "USAM", moved.card(proposal), "twokey.approve"))
    external = "slack:THOME/USAM"
    identity, credential = moved.workspace.identify("sam", "cli")
    clock.advance(1)
    moved.workspace.linking.remove(identity, credential, external)
    clock.advance(1)
    moved.link("sam")
    assert moved.again(inbound) == "not_authenticated"
    assert moved.state(proposal) == "awaiting_approval"


def test_a_plan_that_changed_after_its_card_was_posted_is_not_approved_by_it(moved: Scene) -> None:
    proposal = moved.proposed()
    card = moved.card(proposal)
    pressed = click(moved.world, "USAM", card, "twokey.approve")
    make_commit(moved.folder / "repo", {"README.md": b"# moved on\n"}, "Move on")
    writes = moved.written()
    assert moved.do(pressed) == "stale_target"
    assert moved.written() == writes
    assert moved.state(proposal) != "done"
    assert moved.world.told("USAM")


def test_a_proposal_that_cannot_be_announced_keeps_no_other_back(
    moved: Scene, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def external(name: str, provider: str) -> str:
        raise CheckFailed(f"{name} at {provider} is not proven.", next="Look at the log.", code="link_not_proven")

    moved.proposed()
    clock.advance(22.5 * 3600)
    monkeypatch.setattr(moved.workspace.linking.links, "external", external)
    assert moved.card(moved.proposed())
