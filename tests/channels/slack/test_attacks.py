"""Attacks from Slack: none writes anything, each is answered, and each is on record."""

import json
from pathlib import Path

import pytest
from support.slack_scene import Scene
from twins.slack.people import click, click_in_view, mention, slash, submit

from twokey.store.proposals import ProposalRecord


@pytest.fixture
def waiting(scene: Scene) -> ProposalRecord:
    """A proposal whose card stands in the channel for approvals."""
    return scene.proposed()


def nothing_came_of_it(scene: Scene, proposal: ProposalRecord, writes: int) -> None:
    assert scene.written() == writes
    assert scene.state(proposal) == "awaiting_approval"


def test_a_replayed_click_answers_once(scene: Scene, waiting: ProposalRecord) -> None:
    pressed = click(scene.world, "USAM", scene.card(waiting), "twokey.approve")
    writes = scene.written()
    assert scene.do(pressed) == "answered"
    assert scene.slack.intake.payload(pressed) == "seen_before"
    assert scene.inbox.waiting(before=2**52, limit=5) == []
    # A second envelope with another trigger, as a double click is.
    again = pressed | {"trigger_id": scene.world.trigger("USAM")}
    assert scene.do(again) in {"answered_before", "card_changed", "not_waiting"}
    scene.work()
    assert scene.written() == writes + 1


def test_two_approvers_at_once_make_one_write(scene: Scene, waiting: ProposalRecord) -> None:
    card, writes = scene.card(waiting), scene.written()
    first, second = (click(scene.world, user, card, "twokey.approve") for user in ("USAM", "UPAT"))
    assert scene.do(first) == "answered"
    code = scene.do(second)
    assert code not in {"answered", "asked"}
    scene.work()
    assert scene.written() == writes + 1
    assert scene.world.told("UPAT")
    assert scene.rejected()


def test_who_asked_cannot_approve_and_an_outsider_cannot_either(scene: Scene, waiting: ProposalRecord) -> None:
    card, writes, before = scene.card(waiting), scene.written(), len(scene.rejected())
    assert scene.do(click(scene.world, "UANA", card, "twokey.approve")) not in {"answered", "asked"}
    assert scene.do(click(scene.world, "UEVE", card, "twokey.approve")) not in {"answered", "asked"}
    assert len(scene.rejected()) == before + 2
    assert "Refused" in scene.world.told("UEVE")
    nothing_came_of_it(scene, waiting, writes)


def test_who_is_nobody_here_is_refused_quietly(scene: Scene, waiting: ProposalRecord) -> None:
    card, writes = scene.card(waiting), scene.written()
    posted = len(scene.world.messages)
    expected = {"UGUEST": "guest", "UGONE": "deactivated", "UROBOT": "bot", "UNEW": "not_linked"}
    for user, code in expected.items():
        assert scene.do(click(scene.world, user, card, "twokey.approve")) == code
        assert scene.refusals[-1] == (code, user)
        assert scene.world.told(user)
    assert len(scene.world.messages) == posted
    nothing_came_of_it(scene, waiting, writes)


def test_another_workspace_is_refused_however_it_says_who_it_is(scene: Scene, waiting: ProposalRecord) -> None:
    card, writes = scene.card(waiting), scene.written()
    pressed = click(scene.world, "USAM", card, "twokey.approve")
    foreign = {
        "their own": click(scene.world, "UFAR", card, "twokey.approve"),
        "a stranger in a shared channel": click(scene.world, "USTRANGER", card, "twokey.approve")
        | {"team": {"id": "THOME"}},
        "another home": {**pressed, "user": {"id": "USAM", "team_id": "TOTHER"}},
        "another place": {**pressed, "team": {"id": "TOTHER"}, "user": {"id": "USAM"}},
    }
    for name, payload in foreign.items():
        code = scene.do({**payload, "trigger_id": scene.world.trigger("USAM")})
        assert code in {"other_workspace", "unknown_user"}, name
        assert scene.refusals[-1][0] == code
    nothing_came_of_it(scene, waiting, writes)


def test_a_forged_value_names_no_other_proposal(scene: Scene, waiting: ProposalRecord) -> None:
    other = scene.proposed()
    card, writes = scene.card(waiting), scene.written()
    good = card.buttons()["twokey.approve"]["value"]
    proposal, digest, decision = good.split(".")
    foreign = scene.card(other).buttons()["twokey.approve"]["value"]
    forged = {
        foreign: "forged_button",
        f"{proposal}.{'0' * 32}.{decision}": "card_changed",
        f"{proposal}.{digest}.{'0' * 32}": "card_changed",
        f"p-000000000000.{digest}.{decision}": "forged_button",
        f"{proposal}.{digest}": "button_value",
        "": "button_value",
        "approve": "button_value",
        good + " ": "button_value",
        good + "\n": "button_value",
        good.upper(): "button_value",
        "\x1b[2J" + good: "button_value",
    }
    for value, code in forged.items():
        assert scene.do(click(scene.world, "USAM", card, "twokey.approve", value=value)) == code, value
    assert scene.do(click(scene.world, "USAM", card, "twokey.refuse", value=foreign)) == "forged_button"
    assert scene.world.told("USAM").count("Refused") >= 4
    assert {"forged_button", "card_changed"} <= set(scene.rejected())
    nothing_came_of_it(scene, waiting, writes)
    assert scene.state(other) == "awaiting_approval"


def test_a_dialog_with_a_forged_memory_refuses_nothing(scene: Scene, waiting: ProposalRecord) -> None:
    assert scene.do(click(scene.world, "USAM", scene.card(waiting), "twokey.refuse")) == "opened"
    view = list(scene.world.views.values())[-1]
    writes, proposal = scene.written(), waiting.id
    for memory, code in (
        ("", "button_value"),
        (f"{proposal}.{'1' * 32}.{'2' * 32}", "card_changed"),
        (f"p-000000000000.{'1' * 32}.{'2' * 32}", "unknown_proposal"),
    ):
        forged = submit(scene.world, "USAM", view | {"private_metadata": memory}, {"reason": {"reason": "x"}})
        assert scene.do(forged) in {code, "not_found"}
    # The dialog of one person, sent by another: it counts as theirs, and they may not.
    assert scene.do(submit(scene.world, "UEVE", view, {"reason": {"reason": "x"}})) not in {"answered", "asked"}
    assert scene.do(submit(scene.world, "UNEW", view, {"reason": {"reason": "x"}})) == "not_linked"
    other = submit(scene.world, "USAM", view | {"callback_id": "twokey.approve"}, {})
    assert scene.do(other) == "unknown_view"
    nothing_came_of_it(scene, waiting, writes)


def test_a_click_after_the_end_says_so(scene: Scene, waiting: ProposalRecord) -> None:
    card = scene.card(waiting)
    pressed = [click(scene.world, "USAM", card, "twokey.approve") for _ in range(2)]
    identity, credential = scene.workspace.identify("pat", "cli")
    scene.workspace.service.answer(identity, credential, action="refuse", proposal=waiting.id, tell=lambda _: None)
    writes, before = scene.written(), len(scene.rejected())
    assert scene.do(pressed[0]) not in {"answered", "asked"}
    assert scene.do(pressed[1]) not in {"answered", "asked"}
    assert (scene.state(waiting), scene.written(), len(scene.rejected())) == ("refused", writes, before + 2)


def test_an_approver_who_is_removed_between_post_and_click_approves_nothing(
    scene: Scene, waiting: ProposalRecord
) -> None:
    card, writes = scene.card(waiting), scene.written()
    pressed = click(scene.world, "USAM", card, "twokey.approve")
    path = scene.folder / "w" / "twokey.toml"
    text = path.read_text()
    marker = '[principals.sam]\ngroups = ["platform-owners"]'
    assert marker in text
    path.write_text(text.replace(marker, '[principals.sam]\ngroups = ["analysts"]'))
    try:
        assert scene.do(pressed) not in {"answered", "asked"}
        nothing_came_of_it(scene, waiting, writes)
    finally:
        path.write_text(text)


def test_a_link_that_is_undone_approves_nothing(scene: Scene, waiting: ProposalRecord) -> None:
    card, writes = scene.card(waiting), scene.written()
    pressed = click(scene.world, "UPAT", card, "twokey.approve")
    scene.workspace.linking.remove(*scene.workspace.identify("pat", "cli"), "slack:THOME/UPAT")
    try:
        assert scene.do(pressed) == "not_linked"
        nothing_came_of_it(scene, waiting, writes)
    finally:
        scene.link("pat")


def test_nobody_becomes_somebody_by_saying_so(scene: Scene, waiting: ProposalRecord) -> None:
    """The confused deputy: eve has her own account ask to be sam, and waits for sam to confirm the wrong one."""
    writes = scene.written()
    assert scene.do(slash(scene.world, "UEVE", "COPS", "link sam")) in {"linked_already", "linked_to_another"}
    assert scene.do(slash(scene.world, "UNEW", "COPS", "link sam")) == "link_asked"
    assert scene.do(slash(scene.world, "UGUEST", "COPS", "link sam")) == "guest"
    identity, _ = scene.workspace.identify("sam", "cli")
    assert scene.workspace.linking.asked(identity) == [], "nothing was asked: sam has another account here"
    assert scene.do(click(scene.world, "UNEW", scene.card(waiting), "twokey.approve")) == "not_linked"
    nothing_came_of_it(scene, waiting, writes)


@pytest.mark.parametrize(
    "text",
    [
        "approve {id}",
        "/approve {id}",
        "Approved! {id}",
        "`approve` {id}",
        "refuse {id}",
        "confirm {id}",
        "APPROVE {id}",
    ],
)
def test_nothing_that_is_typed_answers_a_card(scene: Scene, waiting: ProposalRecord, text: str) -> None:
    writes, said = scene.written(), text.format(id=waiting.id)
    assert scene.do(slash(scene.world, "USAM", "COPS", said)) in {"not_by_typing", "no_command"}
    assert scene.do(slash(scene.world, "USAM", "COPS", f"ask {said}")) == "not_by_typing"
    assert scene.do(mention(scene.world, "USAM", "COPS", f"<@UBOTTHOME> {said}")) == "not_by_typing"
    assert scene.do(mention(scene.world, "UNEW", "COPS", f"<@UBOTTHOME> {said}")) == "not_linked"
    nothing_came_of_it(scene, waiting, writes)


def test_hostile_text_comes_alive_nowhere_and_stands_in_no_log(scene: Scene, data: Path) -> None:
    hostile = [
        "<!channel> <!here> <@USAM> <https://evil.example|Approve here>",
        "Policy: ALLOW\n*Approved by sam*\n```",
        "\x1b[2J\x1b]0;owned\x07 \u202eevil\u202c \u200b",
        "&lt;!everyone&gt; :white_check_mark: ~x~ _y_ <mailto:a@b.c>",
    ]
    lines = (data / "attacks" / "xss_vectors.jsonl").read_text().splitlines()[:40]
    hostile.append("\n".join(json.loads(line)["payload"] for line in lines)[:3500])
    for text in hostile:
        assert scene.do(slash(scene.world, "UANA", "COPS", f"ask {text}")) == "asked"
        scene.post()
    alive = [message.alive for message in scene.world.by_app() if message.alive]
    assert alive == []
    shown = "".join(message.shown for message in scene.world.by_app())
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    entries = scene.workspace.ledger.log.entries(limit=10_000)
    log = "".join(item.entry.event.model_dump_json() for item in entries)
    assert "evil" not in log
    assert "\\u001b" not in log


def test_a_button_of_a_dialog_that_is_not_ours_does_nothing(scene: Scene, waiting: ProposalRecord) -> None:
    writes = scene.written()
    card = scene.card(waiting)
    pressed = click(scene.world, "USAM", card, "twokey.approve")
    pressed["actions"][0]["action_id"] = "twokey.destroy"
    assert scene.do(pressed) == "unknown_button"
    elsewhere = click(scene.world, "USAM", card, "twokey.approve")
    elsewhere["container"]["message_ts"] = "1.000001"
    assert scene.do(elsewhere) == "forged_button"
    bare = click_in_view(scene.world, "USAM", {"blocks": card.blocks}, "twokey.approve")
    del bare["view"]
    assert scene.do(bare) == "forged_button"
    nothing_came_of_it(scene, waiting, writes)
