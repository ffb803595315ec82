"""Slack as one piece: what policy does not admit from it, several workspaces, and secrets that are missing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.oauth.installation_store import Installation
from support import slack_scene
from twins.slack.people import click, event, slash
from twins.slack.server import Twin

from twokey.channels import doctor
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.routes import Delivery
from twokey.channels.slack.channel import SlackChannel
from twokey.core.entropy import SystemClock
from twokey.core.errors import EnvironmentFault, NotFound


def only_keys(folder: Path) -> None:
    """Have policy admit no approval from Slack."""
    path = folder / "policies" / "data.json"
    data = json.loads(path.read_text())
    risks = next(value["risks"] for value in [data, *data.values()] if isinstance(value, dict) and "risks" in value)
    for risk in risks.values():
        risk["auth"] = ["key"]
    path.write_text(json.dumps(data))


def test_where_policy_asks_for_keys_a_card_has_no_button_that_approves_and_a_forged_one_counts_for_nothing(
    twin: Twin, tmp_path: Path
) -> None:
    with slack_scene.opened(twin, tmp_path, prepare=only_keys) as scene:
        scene.link("ana", "sam")
        proposal = scene.proposed()
        card = scene.card(proposal)
        assert set(card.buttons()) == {"twokey.refuse", "twokey.diff"}
        assert "with your own key" in card.shown
        pressed = click(scene.world, "USAM", card, "twokey.refuse")
        pressed["actions"][0]["action_id"] = "twokey.approve"
        assert scene.do(pressed) not in {"answered", "asked"}
        assert (scene.written(), scene.state(proposal)) == (0, "awaiting_approval")
        assert scene.rejected()
        assert "Refused" in scene.world.told("USAM")


def test_several_workspaces_install_the_app_and_one_takes_it_off_again(twin: Twin, tmp_path: Path) -> None:
    several: dict[str, Any] = {
        "mode": "http",
        "client_id": "11.22",
        "redirect_url": "https://twokey.example/slack/oauth_redirect",
        "teams": ["THOME", "TLATER"],
    }
    with slack_scene.opened(twin, tmp_path, **several) as scene:
        routes = scene.slack.connected().routes
        assert [route.path for route in routes] == ["/slack/events", "/slack/install", "/slack/oauth_redirect"]
        assert scene.do(slash(scene.world, "UANA", "COPS", "help")) == "other_workspace"
        bot = Installation(
            app_id="A1",
            team_id="THOME",
            user_id="UANA",
            bot_token="xoxb-home",
            bot_id="BTHOME",
            bot_user_id="UBOTTHOME",
            bot_scopes="chat:write",
        )
        asyncio.run(scene.slack.installations.async_save(bot))
        assert scene.do(slash(scene.world, "UANA", "COPS", "help")) == "help"
        begun = next(route for route in routes if route.path == "/slack/install").endpoint(Delivery("", {}, b""))
        assert (begun.status, begun.headers["location"].split("?")[0]) == (302, "https://slack.com/oauth/v2/authorize")
        ended = next(route for route in routes if route.path.endswith("redirect")).endpoint(Delivery("", {}, b""))
        assert ended.status == 400
        assert scene.do(event(scene.world, "UANA", {"type": "app_uninstalled"})) == "app_uninstalled"
        assert scene.slack.installations.teams() == []
        assert scene.do(slash(scene.world, "UANA", "COPS", "help")) == "other_workspace"


def test_what_is_missing_is_said_when_it_begins_to_listen(twin: Twin, tmp_path: Path) -> None:
    with slack_scene.opened(twin, tmp_path, mode="http") as scene:

        def channel(**variables: str) -> SlackChannel:
            return SlackChannel(workspace=scene.workspace, home=tmp_path, clock=SystemClock(), environment=variables)

        stop = Stop()
        stop.ask()
        for variables, missing in (({}, "SLACK_SIGNING_SECRET"), ({"SLACK_SIGNING_SECRET": "x"}, "SLACK_BOT_TOKEN")):
            listen = channel(**variables).connected().listen
            assert listen is not None
            with pytest.raises(EnvironmentFault, match=missing):
                listen(stop)
        ready = channel(SLACK_SIGNING_SECRET="x", SLACK_BOT_TOKEN="xoxb-home").connected()
        assert ready.listen is not None
        ready.listen(stop)
        assert ready.look is not None
        scene.link("ana", "sam")
        scene.proposed()
        blind = channel()
        blind.look()  # nothing can be brought there, and nothing is raised


def test_a_place_in_another_workspace_is_not_posted_to(twin: Twin, tmp_path: Path) -> None:
    with slack_scene.opened(twin, tmp_path) as scene:
        with scene.workspace.ledger.change() as unit:
            message = scene.postbox.want(unit, "slack", "TOTHER/CFAR", "card:p-000000000000")
        before = len(scene.world.messages)
        with pytest.raises(NotFound) as caught:
            scene.postbox.post(message)
        assert caught.value.code == "slack_no_team"
        assert len(scene.world.messages) == before


def test_doctor_looks_at_slack_where_it_is_on(twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in slack_scene.VARIABLES.items():
        monkeypatch.setenv(name, value)
    with slack_scene.opened(twin, tmp_path) as scene:
        scene.link("ana")
    found = {check.name: check for check in doctor.examine(tmp_path / "w") if check.name.startswith("slack")}
    assert found["slack people"].text == "1 person is linked to an account there"
    assert {name for name, check in found.items() if check.level != "ok"} == {"slack address"}
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    found = {check.name: check for check in doctor.examine(tmp_path / "w") if check.name.startswith("slack")}
    assert found["slack tokens"].text == "SLACK_BOT_TOKEN is not set"
