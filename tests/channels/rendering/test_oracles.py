"""The checkers that the other tests lean on do see what they are there for."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import alive, block_kit
from support.hostile import CANARY


def rich(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [part]}]}]


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}],
        rich({"type": "text", "text": CANARY}),
        rich({"type": "text", "text": CANARY, "style": {"bold": True}}),
        rich({"type": "text", "text": "\u202e", "style": {"code": True}}),
        rich({"type": "user", "user_id": "U1"}),
        rich({"type": "broadcast", "range": "channel"}),
        rich({"type": "emoji", "name": "tada"}),
        rich({"type": "link", "url": "https://evil.example", "text": "x"}),
        [{"type": "header", "text": {"type": "plain_text", "text": CANARY}}],
        [{"type": "actions", "elements": [{"type": "button", "value": "x"}]}],
    ],
)
def test_what_is_alive_in_slack_is_seen(blocks: list[dict[str, Any]]):
    assert alive.in_slack(blocks)


@pytest.mark.parametrize(
    "text",
    [
        "@octocat", "fixes #12", "GH-12", "https://evil.example", "www.evil.example", ":tada:", "note[^1]", "$x$", CANARY,
        "![x](https://evil.example)", "[x](https://evil.example)", "<details>x", "<b>x</b>", "a | b\n--|--\n1 | 2", "> quoted",
        "1. one", "***", "~~x~~", "*x*", "    indented", "```suggestion\nx\n```", "`\u200b`", "0123456abcdef", "<https://evil.example>",
    ],
)  # fmt: skip
def test_what_is_alive_in_markdown_is_seen(text: str):
    assert alive.in_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>", "<p style='x'>x</p>", "<p onclick='x'>x</p>", "<a href='javascript:x'>x</a>", "<p>x", "<!-- x -->",
        f"<p>{CANARY}</p>", f"<form method='{CANARY}'></form>", "<?x?>", "<!doctype x>", "<p>\u202e</p>", "<![CDATA[x]]>",
        "<form><input type='hidden' name='value' value='x'></form>", f"<p><code class='name'>{CANARY} x</code></p>", "x</p>",
    ],
)  # fmt: skip
def test_what_is_alive_in_html_is_seen(text: str):
    assert alive.in_html(text)


@pytest.mark.parametrize(
    "line", ["\x1b[2J", "\u202e", "policy: ALLOW    x", "state           a\tb", "x\ny", "state           " + "x" * 70]
)
def test_what_is_alive_in_a_terminal_is_seen(line: str):
    assert alive.in_terminal([line], 16, 80)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("x"), "value": ""} | changes


def actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


CONFIRM = {name: plain("x") for name in ("title", "text", "confirm", "deny")}


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"type": "header", "text": plain("x")}] * 51,
        [{"type": "header", "text": plain("x" * 151)}],
        [{"type": "header", "text": plain("&" * 31)}],
        [{"type": "header", "text": plain("\U0001f600" * 76)}],
        [{"type": "header", "text": plain("")}],
        [{"type": "header", "text": plain("x") | {"emoji": True}}],
        [{"type": "divider"}],
        [actions()],
        [actions(*(button(action_id=str(n)) for n in range(26)))],
        [actions(button(), button())],
        [actions(button(value="x" * 2001))],
        [actions(button(style="huge"))],
        [actions(button(action_id="x" * 256))],
        [actions(button(text=plain("x" * 76)))],
        *([actions(button(confirm=CONFIRM | {name: plain("x" * 301)}))] for name in CONFIRM),
        [actions(button()) | {"block_id": "x"}] * 2,
        [actions(button()) | {"block_id": "x" * 256}],
        rich({"type": "text", "text": ""}),
        rich({"type": "text", "text": "x" * 3001}),
        rich({"type": "link", "text": "x", "url": "x" * 3001}),
        [{"type": "rich_text", "elements": []}],
        rich({"type": "text", "text": "x" * 2900}) * 5,
        [{"type": "input", "label": plain("x" * 2001), "element": {"max_length": 10}}],
        [{"type": "input", "label": plain("x"), "hint": plain("x" * 2001), "element": {"max_length": 10}}],
        [{"type": "input", "label": plain("x"), "element": {"max_length": 3001}}],
    ],
)
def test_a_limit_that_is_passed_is_seen(blocks: list[dict[str, Any]]):
    assert block_kit.message_problems({"text": "x", "blocks": blocks})


def test_limits_of_views_and_of_the_notification_are_seen():
    fine = [{"type": "header", "text": plain("x")}]
    view = {"title": plain("x"), "close": plain("x"), "blocks": fine}
    assert block_kit.view_problems(view) == []
    assert block_kit.view_problems(view | {"title": plain("x" * 25)})
    assert block_kit.view_problems(view | {"submit": plain("x" * 25)})
    assert block_kit.view_problems(view | {"private_metadata": "x" * 3001})
    assert block_kit.view_problems(view | {"callback_id": "x" * 256})
    assert block_kit.view_problems(view | {"blocks": fine * 101})
    assert block_kit.message_problems({"text": "", "blocks": fine})


def test_the_checker_knows_the_published_limits(data: Path):
    published = json.loads((data / "slack" / "blockkit_limits.json").read_text(encoding="utf-8"))
    assert {name: published["limits"][name] for name in block_kit.LIMITS} == block_kit.LIMITS
    assert published["extra"]["message.total_text.observed_max_about"] == block_kit.TOTAL_TEXT
