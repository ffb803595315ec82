"""Every mistake that the guide warns about is found, and the manifest is what the code needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from twins.slack.server import Twin
from twins.slack.world import SCOPES as GRANTED
from twins.slack.world import Token

from twokey.channels.slack import shapes
from twokey.channels.slack.doctoring import SCOPES, Found, examine
from twokey.core.entropy import SystemClock
from twokey.core.sections import SlackSection

ROOT = Path(__file__).resolve().parents[3]
SET = {"SLACK_BOT_TOKEN": "xoxb-home", "SLACK_APP_TOKEN": "xapp-home"}


def looked(
    twin: Twin, variables: dict[str, str] | None = None, *, linked: int = 2, clock: Any = None, **keys: Any
) -> list[Found]:
    section = SlackSection(
        mode=keys.pop("mode", "socket"),
        approvals_channel=keys.pop("approvals_channel", "CAPPROVALS"),
        api_url=twin.api_url,
        hooks_url=f"{twin.base}/hooks/",
        **keys,
    )
    found = list(examine(section, clock or SystemClock(), lambda: linked, SET | (variables or {})))
    assert not [item for item in found if "xoxb-home" in item.text or "xapp-home" in item.text]
    return found


def wrong(found: list[Found]) -> dict[str, str]:
    """What is amiss, by the name of the look."""
    assert all(item.next for item in found if item.level != "ok")
    return {item.name: item.text for item in found if item.level != "ok" and item.name != "slack address"}


def test_a_good_installation_is_good(twin: Twin) -> None:
    found = looked(twin)
    assert wrong(found) == {}
    names = ("tokens", "workspace", "clock", "channels", "socket", "people")
    assert {f"slack {name}" for name in names} <= {item.name for item in found}


def test_slack_that_is_off_is_not_looked_at() -> None:
    assert [item.text for item in examine(SlackSection(), SystemClock(), lambda: 0, {})] == ["Slack is off"]


def test_an_address_that_is_not_slacks_is_said(twin: Twin) -> None:
    assert looked(twin)[0].name == "slack address"


def test_tokens_that_are_missing_or_of_another_kind(twin: Twin) -> None:
    assert "SLACK_BOT_TOKEN is not set" in wrong(looked(twin, {"SLACK_BOT_TOKEN": ""}))["slack tokens"]
    swapped = wrong(looked(twin, {"SLACK_APP_TOKEN": "xoxb-swapped"}))
    assert "should begin with xapp-" in swapped["slack tokens"]
    assert "SLACK_SIGNING_SECRET is not set" in wrong(looked(twin, mode="http"))["slack tokens"]
    several = wrong(
        looked(twin, {"SLACK_SIGNING_SECRET": "x", "SLACK_CLIENT_SECRET": "y"}, mode="http", client_id="1.2")
    )
    assert "slack.redirect_url" in several["slack tokens"]


def test_a_token_of_another_workspace_a_revoked_one_and_one_that_may_too_little(twin: Twin) -> None:
    assert "belongs to THOME" in wrong(looked(twin, team="TELSE"))["slack workspace"]
    assert "invalid_auth" in wrong(looked(twin, {"SLACK_BOT_TOKEN": "xoxb-made-up"}))["slack workspace"]
    twin.world.tokens["xoxb-gone"] = Token("THOME", "UBOTTHOME", revoked=True)
    assert "token_revoked" in wrong(looked(twin, {"SLACK_BOT_TOKEN": "xoxb-gone"}))["slack workspace"]
    twin.world.tokens["xoxb-poor"] = Token("THOME", "UBOTTHOME", GRANTED - {"users:read"})
    assert "lacks users:read" in wrong(looked(twin, {"SLACK_BOT_TOKEN": "xoxb-poor"}))["slack workspace"]


def test_an_app_token_that_opens_no_connection(twin: Twin) -> None:
    assert "invalid_auth" in wrong(looked(twin, {"SLACK_APP_TOKEN": "xapp-wrong"}))["slack socket"]


def test_channels_that_cannot_be_posted_to(twin: Twin) -> None:
    twin.world.channel("COLD", "THOME").archived = True
    twin.world.channel("CALONE", "THOME").members.clear()
    assert "channel_not_found" in wrong(looked(twin, approvals_channel="CNONE"))["slack channels"]
    assert "is archived" in wrong(looked(twin, approvals_channel="COLD"))["slack channels"]
    assert "does not have the app" in wrong(looked(twin, approvals_channel="CALONE"))["slack channels"]
    assert "shared with another" in wrong(looked(twin, escalation_channel="CSHARED"))["slack channels"]
    assert "is not set" in wrong(looked(twin, approvals_channel=""))["slack channels"]
    assert "thread_channels (CSHARED) is shared" in wrong(looked(twin, thread_channels=["CSHARED"]))["slack channels"]
    assert wrong(looked(twin, thread_channels=["COPS"])) == {}


def test_a_clock_that_is_off(twin: Twin) -> None:
    class Off:
        def __init__(self, by: int) -> None:
            self.by = by

        def now_us(self) -> int:
            return SystemClock().now_us() + self.by * 1_000_000

    levels = {
        by: [item.level for item in looked(twin, clock=Off(by)) if item.name == "slack clock"] for by in (0, -90, 400)
    }
    assert levels == {0: ["ok"], -90: ["warn"], 400: ["FAIL"]}


def test_slack_that_cannot_be_reached(twin: Twin) -> None:
    section = SlackSection(mode="socket", api_url="http://127.0.0.1:9/api/", hooks_url=f"{twin.base}/hooks/")
    found = wrong(list(examine(section, SystemClock(), lambda: 1, SET)))
    assert "cannot be reached" in found["slack workspace"]


def test_nobody_who_is_linked(twin: Twin) -> None:
    assert "nobody is linked" in wrong(looked(twin, linked=0))["slack people"]


def test_the_guide_names_exactly_the_looks_there_are() -> None:
    text = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\| `(slack [a-z]+)` \|", text))
    assert named == {f"slack {name}" for name in ("tokens", "workspace", "socket", "channels", "clock", "people")}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "deploy" / "slack" / "manifest.yaml").read_text(encoding="utf-8"))


def test_the_manifest_is_what_slack_takes(manifest: Any) -> None:
    """Lengths and names after Slack's reference of app manifests."""
    shown, features = manifest["display_information"], manifest["features"]
    assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert re.fullmatch(r"[A-Za-z0-9 ._-]{1,80}", features["bot_user"]["display_name"])
    assert len(features["assistant_view"]["assistant_description"]) <= 300
    (command,) = features["slash_commands"]
    (shortcut,) = features["shortcuts"]
    assert (shortcut["type"], len(shortcut["name"]) <= 24) == ("message", True)
    assert len(shortcut["description"]) <= 150
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    settings = manifest["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert settings["org_deploy_enabled"] is False


def test_the_manifest_asks_for_what_the_code_uses_and_for_no_more(manifest: Any) -> None:
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES
    events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert {"message" if name == "message.im" else name for name in events} == shapes.EVENTS
    assert manifest["features"]["slash_commands"][0]["command"] == shapes.COMMAND
    assert manifest["features"]["shortcuts"][0]["callback_id"] == shapes.THREAD
