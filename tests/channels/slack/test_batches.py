"""Several tickets' changes approved with one press in Slack; and what a forged press does not do."""

from pathlib import Path
from typing import Any

import pytest
from support.slack_scene import Scene, opened
from twins.slack.people import click, slash, submit
from twins.slack.server import Twin

from twokey.channels.slack.batches import APPROVE, REFUSE, SHOW, PressedBatch
from twokey.core.errors import BadInput

TICKET = "---\nid: OPS-{n}\ntitle: The scores page {title}\nauthor: jo\ncreated_at: '2026-01-{n:02d}T09:00:00Z'\n---\n\n{body}\n"
BODY = "It crashes with an error since the update; an exception is thrown."


def prepare(workspace: Path) -> None:
    """Let the workspace look after a folder of tickets."""
    tickets = workspace.parent / "tickets"
    tickets.mkdir()
    for n in range(1, 26):
        title = f"{n} " + ("and the console, and the export, " * 3 if n > 9 else "")
        (tickets / f"OPS-{n}.md").write_text(TICKET.format(n=n, title=title.strip(" ,"), body=BODY), encoding="utf-8")
    (workspace / "routing.yaml").write_text(
        "people: {mia: , sam: }\nladder: {model-owners: [mia], platform-owners: [sam]}\n"
        "areas: {scores: model-owners}\ndefault: platform-owners\nprivate: platform-owners\n",
        encoding="utf-8",
    )
    path = workspace / "twokey.toml"
    more = f'\n[places.desk]\nkind = "tickets"\nlocation = "{tickets}"\n[triage]\ntickets = "desk"\nrouting = "routing.yaml"\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")


@pytest.fixture(scope="module")
def scene(twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(tmp_path_factory.mktemp("home")))
        with opened(twin, tmp_path_factory.mktemp("scene"), prepare=prepare) as made:
            made.link("ana", "sam", "pat", "eve")
            yield made


def triaged(scene: Scene, *numbers: int) -> list[str]:
    identity, _ = scene.workspace.identify("ana", "cli")
    keys = tuple(f"OPS-{n}" for n in numbers)
    outcome, _ = scene.workspace.triage_on(identity, keys, None, lambda _: None)
    return [record.id for record in outcome.proposals]


def button(scene: Scene, user: str, action: str = APPROVE) -> dict[str, Any]:
    """The last button that somebody alone was shown."""
    posts = [post for hook in scene.world.hooks.values() if hook["user"] == user for post in hook["posts"]]
    blocks = [block for post in posts for block in post.get("blocks", [])]
    found = [item for block in blocks for item in block.get("elements", []) if item.get("action_id") == action]
    return dict(found[-1])


def press(scene: Scene, user: str, value: str, action: str = APPROVE) -> str:
    world = scene.world
    return scene.do(
        {
            "type": "block_actions",
            "api_app_id": world.app,
            "team": {"id": "THOME", "domain": "test"},
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": "THOME"},
            "channel": {"id": "COPS", "name": "channel"},
            "container": {"type": "message", "message_ts": world.ts(), "channel_id": "COPS", "is_ephemeral": True},
            "trigger_id": world.trigger(user),
            "actions": [
                {"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": world.ts()}
            ],
        }
    )


def states(scene: Scene, proposals: list[str]) -> list[str]:
    return [scene.workspace.service.find(proposal).state.value for proposal in proposals]


def test_a_batch_is_shown_to_who_asks_and_approved_with_one_press(scene: Scene) -> None:
    made = triaged(scene, 1, 2, 3)
    assert scene.do(slash(scene.world, "USAM", "COPS", "approvals batch")) == "batches_shown"
    told = scene.world.told("USAM")
    for proposal in made:
        assert proposal in told
        preview = scene.workspace.service.find(proposal).proposal.preview
        assert all(line.strip() in told for line in preview.splitlines())
    value = str(button(scene, "USAM")["value"])
    assert press(scene, "UPAT", value) == "batch_answered"  # shown to somebody else: nothing counts
    assert states(scene, made) == ["awaiting_approval"] * 3
    assert "your answer counts for 0 of 3" in scene.world.told("UPAT")
    assert press(scene, "UANA", value) == "batch_answered"  # their own
    assert states(scene, made) == ["awaiting_approval"] * 3
    assert press(scene, "USAM", value) == "batch_answered"
    assert states(scene, made) == ["approved"] * 3
    assert press(scene, "USAM", value) == "batch_answered"
    scene.work()
    assert states(scene, made) == ["done"] * 3
    assert {"batch_not_shown", "own_proposal"} <= set(scene.rejected())


def test_from_a_tickets_key_to_the_sorted_ticket_and_back_to_the_card(scene: Scene) -> None:
    assert scene.do(slash(scene.world, "UANA", "COPS", "triage OPS-7")) == "asked"
    run = scene.workspace.service.runs(limit=1)[0].id
    (record,) = scene.workspace.service.drive(run, lambda _: None).proposals
    scene.post()
    card = scene.card(record)
    assert scene.do(click(scene.world, "USAM", card, "twokey.approve")) == "answered"
    scene.work()
    scene.post()
    assert scene.state(record) == "done"
    assert "sam" in scene.shown(record)
    assert "labels:" in (scene.folder / "tickets" / "OPS-7.md").read_text(encoding="utf-8")


def test_the_message_of_a_run_offers_what_waits_together_and_all_of_it_is_refused_with_a_reason(scene: Scene) -> None:
    assert scene.do(slash(scene.world, "UANA", "COPS", "triage OPS-8 OPS-9")) == "asked"
    run = scene.workspace.service.runs(limit=1)[0].id
    made = [record.id for record in scene.workspace.service.drive(run, lambda _: None).proposals]
    scene.post()
    (message,) = [item for item in scene.world.by_app("COPS") if SHOW in item.buttons()]
    assert run in message.shown
    assert scene.do(click(scene.world, "USAM", message, SHOW)) == "batches_shown"
    value = str(button(scene, "USAM", REFUSE)["value"])
    assert press(scene, "USAM", "p-1", REFUSE) == "button_value"
    assert press(scene, "USAM", value, REFUSE) == "opened"
    view = list(scene.world.views.values())[-1]
    reason = {"reason": {"reason": "not <@UANA> *these*"}}
    assert scene.do(submit(scene.world, "UPAT", view, reason)) == "batch_answered"  # shown to somebody else
    forged = {**view, "private_metadata": value.replace(made[0], "p-zzzzzzzzzzzz")}
    assert scene.do(submit(scene.world, "USAM", forged, reason)) in {"batch_not_shown", "not_found"}
    assert states(scene, made) == ["awaiting_approval"] * 2
    assert scene.do(submit(scene.world, "USAM", view, reason)) == "batch_answered"
    scene.post()
    assert states(scene, made) == ["refused"] * 2
    assert SHOW not in message.buttons()
    assert message.alive == []


def test_a_press_that_was_changed_on_its_way_answers_nothing(scene: Scene) -> None:
    made = triaged(scene, 4, 5, 6)
    assert scene.do(slash(scene.world, "USAM", "COPS", "approvals batch")) == "batches_shown"
    shown = PressedBatch.parse(str(button(scene, "USAM")["value"]))
    for digest, proposals in (
        (shown.digest, shown.proposals[:2]),
        ("0" * 64, shown.proposals),
        (shown.digest, (*shown.proposals[:2], "p-zzzzzzzzzzzz")),
    ):
        assert press(scene, "USAM", PressedBatch(digest, proposals).value) in {"batch_not_shown", "not_found"}
    assert press(scene, "USAM", f"{shown.digest}.{shown.proposals[0]}") == "button_value"
    assert states(scene, made) == ["awaiting_approval"] * 3
    assert scene.do(slash(scene.world, "UEVE", "COPS", "approvals batch")) == "no_batch"
    with pytest.raises(BadInput):
        PressedBatch.parse("")


def test_what_does_not_fit_a_message_is_shown_in_part(scene: Scene) -> None:
    scene.workspace.batching.answer(*scene.workspace.identify("sam", "cli"), **refusal(scene), tell=None)
    made = triaged(scene, *range(10, 26))
    assert scene.do(slash(scene.world, "USAM", "COPS", "approvals batch")) == "batches_shown"
    pressed = PressedBatch.parse(str(button(scene, "USAM")["value"]))
    assert 2 <= len(pressed.proposals) < len(made)
    assert all(scene.workspace.service.find(proposal).proposal.preview for proposal in pressed.proposals)
    assert press(scene, "USAM", pressed.value) == "batch_answered"
    assert states(scene, made).count("approved") == len(pressed.proposals)


def refusal(scene: Scene) -> dict[str, Any]:
    """What refuses all that is offered to sam."""
    identity, _ = scene.workspace.identify("sam", "cli")
    (offered,) = scene.workspace.batching.offered(identity)
    ids = [record.id for record in offered]
    shown = scene.workspace.batching.show(ids, identity, "cli").shown
    return {"action": "refuse", "digest": shown.digest, "proposals": ids}
