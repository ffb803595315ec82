"""The twin is a Slack that slack_sdk's own clients know: what they can do there, and what they are refused."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook import WebhookClient

from twins.slack.limits import blocks_wrong, view_wrong
from twins.slack.people import slash
from twins.slack.server import Twin
from twins.slack.world import SCOPES, Token, World

WORD: dict[str, Any] = {"type": "section", "text": {"type": "plain_text", "text": "word"}}
MODAL: dict[str, Any] = {"type": "modal", "title": {"type": "plain_text", "text": "Word"}, "blocks": [WORD]}


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    world = World()
    world.team("T1", token="xoxb-1")
    world.team("T2", token="xoxb-2")
    world.user("UANA", "T1")
    world.user("UFAR", "T2")
    world.channel("C1", "T1", "UANA")
    world.channel("C2", "T2", "UFAR")
    world.app_tokens.add("xapp-1")
    with Twin(world).running() as running:
        running.api.lenient = True
        yield running


@pytest.fixture
def client(twin: Twin) -> WebClient:
    return WebClient(token="xoxb-1", base_url=twin.api_url)


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_who_am_i(client: WebClient) -> None:
    who = client.auth_test()
    assert (who["team_id"], who["user_id"], who["app_id"]) == ("T1", "UBOTT1", "A0TWOKEY")


def test_a_message_is_posted_changed_and_found_by_its_metadata(client: WebClient) -> None:
    mark = {"event_type": "twokey", "event_payload": {"message": "m-1"}}
    posted: Any = client.chat_postMessage(channel="C1", text="hello", blocks=[WORD], metadata=mark)
    client.chat_update(channel="C1", ts=posted["ts"], text="changed", blocks=[WORD, WORD], metadata=mark)
    history: Any = client.conversations_history(channel="C1", include_all_metadata=True, limit=1)
    (found,) = history["messages"]
    assert (found["text"], found["metadata"], len(found["blocks"])) == ("changed", mark, 2)
    bare: Any = client.conversations_history(channel="C1", limit=1)
    assert "metadata" not in bare["messages"][0]
    client.chat_postMessage(channel="C1", text="below", thread_ts=posted["ts"])
    replies: Any = client.conversations_replies(channel="C1", ts=posted["ts"], limit=1)
    assert replies["has_more"]
    rest: Any = client.conversations_replies(
        channel="C1", ts=posted["ts"], limit=1, cursor=replies["response_metadata"]["next_cursor"]
    )
    assert [message["text"] for message in rest["messages"]] == ["below"]


def test_what_slack_refuses_in_a_message(twin: Twin, client: WebClient) -> None:
    post = client.chat_postMessage
    assert refused(post, channel="C404", text="x") == "channel_not_found"
    assert refused(post, channel="C2", text="x") == "channel_not_found"  # of another workspace
    assert refused(client.api_call, api_method="chat.postMessage", json={"channel": "C1"}) == "no_text"
    assert refused(post, channel="C1", text="x" * 40_001) == "msg_too_long"
    assert refused(post, channel="C1", text="x", blocks=[WORD] * 51) == "invalid_blocks"
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}
    assert refused(post, channel="C1", text="x", blocks=[long] * 5) == "msg_blocks_too_long"
    assert refused(post, channel="C1", text="x", thread_ts="1.1") == "thread_not_found"
    assert refused(client.chat_update, channel="C1", ts="1.1", text="x") == "message_not_found"
    other = twin.world.say("C1", "UANA", "mine")
    assert refused(client.chat_update, channel="C1", ts=other.ts, text="x") == "cant_update_message"
    assert refused(client.chat_postEphemeral, channel="C1", user="UFAR", text="x") == "user_not_in_channel"
    twin.world.channel("C3", "T1").members.clear()
    assert refused(post, channel="C3", text="x") == "not_in_channel"
    assert refused(client.users_info, user="UFAR") == "user_not_found"


def test_what_slack_refuses_of_a_token(twin: Twin) -> None:
    def with_token(token: str | None) -> str:
        return refused(WebClient(token=token, base_url=twin.api_url).chat_postMessage, channel="C1", text="x")

    twin.world.tokens["xoxb-gone"] = Token("T1", "UBOTT1", revoked=True)
    twin.world.tokens["xoxb-poor"] = Token("T1", "UBOTT1", SCOPES - {"chat:write"})
    assert with_token(None) == "not_authed"
    assert with_token("xoxb-made-up") == "invalid_auth"
    assert with_token("xoxb-gone") == "token_revoked"
    assert with_token("xoxb-poor") == "missing_scope"


def test_a_trigger_id_is_good_for_three_seconds_and_once(
    twin: Twin, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = twin.world.now()
    monkeypatch.setattr(twin.world, "now", lambda: moment)  # however long this takes
    trigger = twin.world.trigger("UANA")
    opened: Any = client.views_open(trigger_id=trigger, view=MODAL)
    view = opened["view"]
    assert refused(client.views_open, trigger_id=trigger, view=MODAL) == "exchanged_trigger_id"
    assert refused(client.views_open, trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"
    late = twin.world.trigger("UANA")
    twin.world.triggers[late] = (twin.world.now() - 3.1, "UANA", False)
    assert refused(client.views_open, trigger_id=late, view=MODAL) == "expired_trigger_id"
    client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    assert refused(client.views_update, view_id=view["id"], hash=view["hash"], view=MODAL) == "hash_conflict"
    assert refused(client.views_publish, user_id="UANA", view=MODAL) == "invalid_arguments"
    client.views_publish(user_id="UANA", view={"type": "home", "blocks": [WORD]})


def test_too_many_calls_have_to_wait(twin: Twin, client: WebClient, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = twin.world.now()
    monkeypatch.setattr(twin.world, "now", lambda: moment)  # however long this takes
    twin.api.lenient = False
    try:
        for _ in range(5):
            client.chat_postMessage(channel="C1", text="x")
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="C1", text="x")
        assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
        assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 5
        for times in twin.world.spent.values():
            times[:] = [at - 5 for at in times]
        patient = WebClient(token="xoxb-1", base_url=twin.api_url)
        patient.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
        patient.chat_postMessage(channel="C1", text="x")
    finally:
        twin.api.lenient = True


def test_files_are_uploaded(twin: Twin, client: WebClient) -> None:
    given: Any = client.files_upload_v2(channel="C1", content="whole diff", filename="diff.txt", title="diff")
    (identifier,) = [item["id"] for item in given["files"]]
    assert twin.world.files[identifier]["content"] == b"whole diff"
    assert twin.world.files[identifier]["channel"] == "C1"


def test_a_response_url_takes_five_answers(twin: Twin) -> None:
    hook = twin.world.hook("C1", "UANA")
    client = WebhookClient(twin.base + hook)
    statuses = [client.send(text="hello", response_type="ephemeral").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [404]
    assert "hello" in twin.world.told("UANA")


def test_a_cut_before_a_call_leaves_nothing_and_a_cut_after_it_leaves_the_message(twin: Twin) -> None:
    client = WebClient(token="xoxb-1", base_url=twin.api_url)
    client.retry_handlers.clear()
    count = len(twin.world.messages)
    for kind, more in (("before", 0), ("after", 1)):
        twin.faults.arm("chat.postMessage", kind)
        with pytest.raises(Exception, match=r"Remote end closed|reset"):
            client.chat_postMessage(channel="C1", text="x")
        assert len(twin.world.messages) == count + more


def test_the_assistant_and_direct_messages(twin: Twin, client: WebClient) -> None:
    opened: Any = client.conversations_open(users="UANA")
    direct = opened["channel"]["id"]
    client.assistant_threads_setStatus(channel_id=direct, thread_ts="1.1", status="reads ...")
    assert twin.world.statuses[-1] == (direct, "1.1", "reads ...")
    status = client.assistant_threads_setStatus
    assert refused(status, channel_id="C1", thread_ts="1.1", status="x") == "channel_type_not_supported"


def test_socket_mode_envelopes_are_sent_again_until_they_are_acknowledged(twin: Twin) -> None:
    async def converse() -> list[tuple[str, int | None]]:
        web_client = AsyncWebClient(base_url=twin.api_url)
        client = SocketModeClient(app_token="xapp-1", web_client=web_client, ping_interval=0.2)
        seen: list[tuple[str, int | None]] = []
        twice = asyncio.Event()

        async def take(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            seen.append((request.type, request.retry_attempt))
            if len(seen) == 2:
                twice.set()
            if request.type != "events_api" or request.retry_attempt:
                await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

        client.socket_mode_request_listeners.append(take)
        await client.connect()
        await asyncio.to_thread(twin.wait, lambda: bool(twin.connections))
        await asyncio.to_thread(twin.push, "slash_commands", slash(twin.world, "UANA", "C1", "help"))
        pushed = asyncio.create_task(asyncio.to_thread(twin.push_as, "env-x", "events_api", {"event": {}}))
        await twice.wait()
        await asyncio.to_thread(twin.drop, politely=True)
        await pushed
        await client.close()
        await client.aiohttp_client_session.close()
        return seen

    assert asyncio.run(converse()) == [("slash_commands", None), ("events_api", 0), ("events_api", 1)]


def test_a_ticket_of_another_app_token_opens_no_connection(twin: Twin) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient(base_url=twin.api_url).apps_connections_open(app_token="xapp-2")


def test_the_twin_counts_like_the_published_limits(data: Path) -> None:
    limits = json.loads((data / "slack" / "blockkit_limits.json").read_text())["limits"]

    def section(length: int) -> list[str]:
        return blocks_wrong([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}], most=50)

    def button(**parts: str) -> list[str]:
        shown = {"type": "plain_text", "text": parts.pop("text", "x")}
        element = {"type": "button", "text": shown, **parts}
        return blocks_wrong([{"type": "actions", "elements": [element]}], most=50)

    def title(length: int) -> list[str]:
        return view_wrong(MODAL | {"title": {"type": "plain_text", "text": "x" * length}})

    most = limits["section.text.max_length"]
    assert (section(most), bool(section(most + 1)), bool(section(0))) == ([], True, True)
    for name in ("text", "value", "url"):
        most = limits[f"button.{name}.max_length"]
        assert (button(**{name: "x" * most}), bool(button(**{name: "x" * (most + 1)}))) == ([], True)
    most = limits["button.text.max_length"]
    assert (button(text="x" * most), bool(button(text="x" * (most + 1)))) == ([], True)
    most = limits["view.title.max_length"]
    assert (title(most), bool(title(most + 1))) == ([], True)
    most = limits["message.blocks.max_items"]
    assert (blocks_wrong([WORD] * most, most=50), bool(blocks_wrong([WORD] * (most + 1), most=50))) == ([], True)
    header: dict[str, Any] = {
        "type": "header",
        "text": {"type": "plain_text", "text": "x" * limits["header.text.max_length"]},
    }
    assert blocks_wrong([header], most=50) == []
    header["text"]["text"] += "x"
    assert blocks_wrong([header], most=50)


def test_every_shape_that_is_no_block_is_refused() -> None:
    shapes: list[Any] = [
        None,
        [1],
        [{"type": "unheard_of"}],
        [{"type": "section"}],
        [{"type": "section", "text": "bare"}],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": [{"type": "unheard_of"}]}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": ""}]}],
        [{"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "plain_text_input"}}],
        [{"type": "rich_text", "elements": [{"type": "unheard_of"}]}],
        [
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}],
            }
        ],
        [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
        [{"type": "divider", "block_id": "x" * 256}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "fields": [WORD["text"]] * 11}],
    ]
    assert [shape for shape in shapes if not blocks_wrong(shape, most=50)] == []
    assert view_wrong(None)
    assert view_wrong({"type": "unheard_of"})
    assert view_wrong({"type": "modal", "blocks": [WORD]})
