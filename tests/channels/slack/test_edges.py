"""Where Slack says no, falls silent or asks to wait: people are answered another way, and nothing is done twice."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from support import uncounted
from support.slack_scene import Scene
from twins.slack.people import click, click_in_view, event, mention, slash, submit, to_assistant
from twins.slack.server import PATIENCE_S, Twin
from twins.slack.world import SCOPES, Token

from twokey.channels.inbox import MAX_ATTEMPTS, Inbound
from twokey.channels.postbox import Message
from twokey.channels.slack.handler import Handler
from twokey.channels.slack.teams import OneTeam
from twokey.channels.slack.web import Endpoint, SlackSaysNo, SlackTokenUnfit, called
from twokey.core.errors import BadInput, EnvironmentFault, TryLater


def respond(twin: Twin, path: str) -> None:
    endpoint = Endpoint(twin.api_url, f"{twin.base}/hooks/")
    asyncio.run(endpoint.respond(twin.base + path, {"text": "hello", "blocks": []}))


def test_an_answer_goes_only_to_slack_and_says_when_it_was_not_taken(twin: Twin) -> None:
    respond(twin, twin.world.hook("COPS", "UANA"))
    with pytest.raises(SlackSaysNo, match="none of Slack's"):
        respond(twin, "/elsewhere")
    with pytest.raises(SlackSaysNo, match="404"):
        respond(twin, "/hooks/999999")
    twin.faults.arm("response_url", "before")
    with pytest.raises(EnvironmentFault, match="cannot be reached"):
        respond(twin, twin.world.hook("COPS", "UANA"))
    for status, expected in ((429, TryLater), (503, EnvironmentFault)):
        twin.faults.answer("response_url", status)
        with pytest.raises(expected):
            respond(twin, twin.world.hook("COPS", "UANA"))


def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_not(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Endpoint(twin.api_url).asynchronous("xoxb-home")
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("twokey.channels.slack.web.asyncio.sleep", sleep)
    twin.faults.answer("users.info", 429, after=2)
    assert asyncio.run(called(client.users_info, user="UANA"))["user"]["id"] == "UANA"
    assert waited == [2]
    twin.faults.answer("users.info", 429, after=30)
    with pytest.raises(TryLater) as caught:
        asyncio.run(called(client.users_info, user="UANA"))
    assert caught.value.seconds == 30
    twin.faults.answer("users.info", 503)
    with pytest.raises(EnvironmentFault):
        asyncio.run(called(client.users_info, user="UANA"))


def test_whose_token_it_is_is_asked_of_slack(twin: Twin) -> None:
    endpoint = Endpoint(twin.api_url)
    with pytest.raises(BadInput, match="belongs to the workspace THOME"):
        OneTeam(endpoint, "xoxb-home", "TELSE").known()
    with pytest.raises(EnvironmentFault, match="invalid_auth"):
        OneTeam(endpoint, "xoxb-made-up").find("THOME")
    with pytest.raises(EnvironmentFault):
        OneTeam(Endpoint("http://127.0.0.1:9/api/"), "xoxb-home").find("THOME")
    assert OneTeam(endpoint, "xoxb-home").find("TOTHER") is None


def refusing(code: str) -> Callable[..., Any]:
    async def call(**_: Any) -> Any:
        raise SlackApiError("no", {"ok": False, "error": code})

    return call


@pytest.mark.parametrize(
    "code", ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"]
)
def test_a_token_that_slack_does_not_take_is_a_fault_of_the_surroundings(code: str) -> None:
    with pytest.raises(SlackTokenUnfit) as caught:
        asyncio.run(called(refusing(code)))
    assert (caught.value.code, isinstance(caught.value, EnvironmentFault)) == (f"slack_{code}", True)
    with pytest.raises(SlackSaysNo):
        asyncio.run(called(refusing("channel_not_found")))


def test_what_comes_while_the_token_is_dead_is_done_once_it_is_renewed(scene: Scene) -> None:
    token = scene.world.tokens["xoxb-home"]
    waiting = scene.take(slash(scene.world, "UANA", "COPS", "help"))
    scene.world.tokens["xoxb-home"] = dataclasses.replace(token, revoked=True)
    try:
        for _ in range(MAX_ATTEMPTS * 2):
            with pytest.raises(EnvironmentFault, match="token_revoked"):
                scene.inbox.handle(waiting)
    finally:
        scene.world.tokens["xoxb-home"] = token
    assert scene.inbox.handle(waiting) == "help"


def test_a_process_without_the_right_token_leaves_what_comes_to_another(scene: Scene) -> None:
    waiting = scene.take(slash(scene.world, "UANA", "COPS", "help"))
    for teams, code in (
        (OneTeam(scene.slack.endpoint, "xoxb-home", "TELSE"), "slack_other_team"),
        (OneTeam(scene.slack.endpoint, "xoxb-made-up"), "slack_invalid_auth"),
    ):
        other = Handler(scene.slack.handler._house, teams, lambda _, __: None)  # pyright: ignore[reportPrivateUsage]
        record = scene.inbox.find(waiting)
        assert record is not None
        assert record.body is not None
        given = Inbound(waiting, "slack", record.key, record.kind, record.body, record.received_us, 1)
        with pytest.raises(EnvironmentFault) as caught:
            other.handle(given)
        assert caught.value.code == code
    assert scene.inbox.handle(waiting) == "help"


def test_where_one_way_to_answer_is_closed_another_is_taken(scene: Scene) -> None:
    command = slash(scene.world, "UANA", "COPS", "help")
    before = len(scene.world.ephemeral)
    assert scene.do(command | {"response_url": scene.twin.base + "/hooks/999999"}, hook=False) == "help"
    assert len(scene.world.ephemeral) == before + 1
    direct = scene.world.direct("UANA", "THOME").id
    said = len(scene.world.by_app(direct))
    away = slash(scene.world, "UANA", "CFAR", "help")
    assert scene.do(away, hook=False) == "help"
    assert len(scene.world.by_app(direct)) == said + 1
    at_home = slash(scene.world, "UANA", direct, "help")
    assert scene.do(at_home, hook=False) == "help"
    assert len(scene.world.by_app(direct)) == said + 2


def test_an_answer_that_gets_lost_after_the_deed_undoes_nothing(scene: Scene) -> None:
    proposal = scene.proposed()
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    scene.twin.faults.arm("response_url", "before")
    assert scene.do(pressed) == "answered"
    scene.work()
    assert scene.state(proposal) == "done"


def test_where_the_write_fails_after_the_answer_the_answer_stands(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = scene.proposed()
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    gate: Any = scene.workspace.service._gate  # pyright: ignore[reportPrivateUsage]

    def broken(_: str) -> None:
        raise EnvironmentFault("The forge cannot be reached.", next="Wait.")

    assert scene.do(pressed) == "answered"
    monkeypatch.setattr(gate, "execute", broken)
    scene.work()
    monkeypatch.undo()
    assert scene.state(proposal) == "approved"
    again = pressed | {"trigger_id": scene.world.trigger("USAM")}
    assert scene.do(again) in {"answered_before", "card_changed"}
    assert scene.workspace.service.carry_out(proposal.id).state.value == "done"


def test_a_press_that_comes_again_has_answers_counted_that_a_dead_process_left(scene: Scene) -> None:
    proposal = scene.proposed()
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    uncounted.store_signed(scene.workspace, proposal, "sam")
    assert scene.do(pressed) == "answered_before"
    assert scene.state(proposal) == "approved"
    scene.work()
    assert scene.state(proposal) == "done"


def test_where_the_answer_could_not_be_taken_it_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = scene.proposed()
    pressed = click(scene.world, "USAM", scene.card(proposal), "twokey.approve")
    pressed["response_url"] = scene.twin.base + scene.world.hook("CAPPROVALS", "USAM")
    inbound = scene.take(pressed)
    gate: Any = scene.workspace.service._gate  # pyright: ignore[reportPrivateUsage]

    def broken(*_: object, **__: object) -> None:
        raise EnvironmentFault("The log cannot be written.", next="Wait.")

    monkeypatch.setattr(gate, "answer", broken)
    with pytest.raises(EnvironmentFault):
        scene.inbox.handle(inbound)
    monkeypatch.undo()
    assert scene.inbox.handle(inbound) == "answered"
    assert scene.state(proposal) == "approved"
    scene.work()
    assert scene.state(proposal) == "done"


def test_a_dialog_that_opens_too_late_says_so(scene: Scene) -> None:
    proposal = scene.proposed()
    card = scene.card(proposal)
    late = click(scene.world, "USAM", card, "twokey.diff")
    at, user, used = scene.world.triggers[late["trigger_id"]]
    scene.world.triggers[late["trigger_id"]] = (at - PATIENCE_S - 1, user, used)
    assert scene.do(late) == "too_late"
    assert "Press the button again" in scene.world.told("USAM").replace("\n", "")
    assert scene.do(click(scene.world, "USAM", card, "twokey.diff")) == "opened"
    view = list(scene.world.views.values())[-1]
    # A page of it, from within the dialog; and one from a dialog that Slack does not know any more.
    pressed = scene.card(proposal).buttons()["twokey.diff"]["value"]
    turned = click_in_view(scene.world, "USAM", {**view, "blocks": card.blocks}, "twokey.diff")
    turned["actions"][0] |= {"action_id": "twokey.page.on", "value": f"{pressed}.2"}
    assert scene.do(turned) == "opened"
    turned["trigger_id"] = scene.world.trigger("USAM")
    turned["view"] = {**turned["view"], "id": "V404"}
    assert scene.do(turned) == "slack_not_found"


def test_a_card_that_is_just_being_posted_waits_for_that(scene: Scene) -> None:
    proposal = scene.proposed()
    card = scene.card(proposal)
    with scene.workspace.ledger.change() as unit:
        unit.connection.exec_driver_sql(
            "UPDATE messages SET state = 'posting', remote = NULL WHERE purpose = ?", (f"card:{proposal.id}",)
        )
    inbound = scene.take(click(scene.world, "USAM", card, "twokey.approve"))
    with pytest.raises(TryLater):
        scene.inbox.handle(inbound)
    scene.post()  # found by its marker, and not posted again
    assert len([item for item in scene.world.by_app("CAPPROVALS") if proposal.id in item.shown]) == 1
    assert scene.again(inbound) == "answered"


def test_the_assistant_greets_who_may_be_greeted(scene: Scene) -> None:
    def started(user: str) -> dict[str, Any]:
        direct = scene.world.direct(user, "THOME").id
        thread = {"user_id": user, "channel_id": direct, "thread_ts": "1.1", "context": {}}
        return event(scene.world, user, {"type": "assistant_thread_started", "assistant_thread": thread})

    scene.world.direct("UGUEST", "THOME")
    poor = Token("THOME", "UBOTTHOME", SCOPES - {"assistant:write"})
    rich = scene.world.tokens["xoxb-home"]
    scene.world.say(scene.world.direct("UGUEST", "THOME").id, "UGUEST", "hello")
    scene.world.messages[-1].ts = "1.1"
    assert scene.do(started("UGUEST")) == "guest"
    scene.world.say(scene.world.direct("UANA", "THOME").id, "UANA", "hello")
    scene.world.messages[-1].ts = "1.1"
    scene.world.tokens["xoxb-home"] = poor
    try:
        assert scene.do(started("UANA")) == "greeted_bare"
    finally:
        scene.world.tokens["xoxb-home"] = rich
    assert scene.do(to_assistant(scene.world, "UANA", "help")) == "help"
    assert scene.do(mention(scene.world, "UANA", "COPS", "<@UBOTTHOME>")) == "help"
    unthreaded = {"type": "message", "channel_type": "im", "channel": scene.world.direct("UANA", "THOME").id}
    assert scene.do(event(scene.world, "UANA", unthreaded | {"text": "help", "ts": "1.2"})) == "help"


def test_views_and_buttons_of_others_are_left_alone(scene: Scene) -> None:
    view = {"id": "V1", "callback_id": "theirs", "type": "modal", "private_metadata": ""}
    assert scene.do(submit(scene.world, "USAM", view, {})) == "ignored_no_listener"
    other = slash(scene.world, "UANA", "COPS", "help") | {"user_id": "UMISSING"}
    assert scene.do(other | {"text": "approvals", "trigger_id": "9.9"}, hook=False) in {"unknown_user", "slack_no_text"}


@pytest.mark.parametrize("purpose", ["unheard_of:p-000000000000", "card:p-000000000000", "progress:r-000000000000"])
def test_a_message_about_nothing_is_not_posted(scene: Scene, purpose: str) -> None:
    before = len(scene.world.messages)
    with pytest.raises(BadInput):
        scene.slack.post(Message("m-000000000000", "slack", "THOME/COPS", purpose))
    assert len(scene.world.messages) == before


def test_a_message_is_looked_for_on_every_page_and_in_its_thread(scene: Scene) -> None:
    proposal = scene.proposed()
    first = scene.world.say("CESCALATIONS", "UANA", "a thread")

    def place(thread: str | None) -> str:
        return "THOME/CESCALATIONS" + (f"/{thread}" if thread else "")

    find: Callable[[Message], str | None] = scene.slack.find
    for thread in (None, first.ts):
        identifier = f"m-00000000000{1 if thread else 2}"
        message = Message(identifier, "slack", place(thread), f"remind:{proposal.id}")
        assert find(message) is None
        remote = scene.slack.post(message)
        for _ in range(150):
            scene.world.say("CESCALATIONS", "UANA", "chatter", thread)
        assert find(message) == remote
        forged = scene.world.say("CESCALATIONS", "UANA", "forged", thread)
        forged.metadata = {"event_type": "twokey_message", "event_payload": {"message": "m-000000000009"}}
        assert find(Message("m-000000000009", "slack", place(thread), f"remind:{proposal.id}")) is None
    scene.twin.faults.answer("chat.postMessage", 429, after=7)
    with pytest.raises(TryLater) as caught:
        scene.slack.post(Message("m-000000000003", "slack", place(None), f"remind:{proposal.id}"))
    assert caught.value.seconds == 7
