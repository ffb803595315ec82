"""The main job in Slack: asked for with a command, answered with a button, and told back where it was asked."""

from support.git_repo import run_git
from support.slack_scene import Scene
from twins.slack.people import click, click_in_view, event, mention, slash, submit, to_assistant


def test_from_a_command_to_a_branch_and_back_to_the_card(scene: Scene) -> None:
    proposal = scene.proposed()
    (progress,) = [message for message in scene.world.by_app("COPS") if "Waits for people" in message.shown]
    assert "catalog" in progress.shown
    card = scene.card(proposal)
    assert "asked by" in card.shown
    assert set(card.buttons()) == {"twokey.approve", "twokey.refuse", "twokey.diff"}
    assert card.alive == []
    assert scene.do(click(scene.world, "USAM", card, "twokey.approve")) == "answered"
    assert "Your answer counts" in scene.world.told("USAM")
    scene.work()
    scene.post()
    assert scene.state(proposal) == "done"
    assert "sam" in scene.shown(proposal)
    assert "twokey.approve" not in str(card.blocks)
    assert "Done" in progress.shown
    branch = str(scene.workspace.service.find(proposal.id).proposal.args["branch"])
    assert run_git(scene.folder / "repo", "log", "--oneline", f"main..{branch}").strip()
    answers = scene.workspace.ledger.log.entries(proposal.id, kind="answer.given")
    (given,) = [item.entry.event for item in answers if item.entry.event.kind == "answer.given"]
    assert (given.answer.auth, given.answer.external, given.channel) == ("slack", "slack:THOME/USAM", "slack")


def test_a_card_stands_once_at_each_place_and_says_that_it_was_shown(scene: Scene) -> None:
    proposal = scene.proposed()
    scene.post()
    scene.post()
    places = [message.place for message in scene.postbox.shown(f"card:{proposal.id}")]
    assert sorted(places) == ["THOME/CAPPROVALS", "THOME/COPS"]
    assert scene.card(proposal, "COPS")
    shown = scene.workspace.ledger.log.entries(proposal.id, kind="card.shown")
    assert {item.entry.event.channel for item in shown if item.entry.event.kind == "card.shown"} == {"slack"}


def test_a_refusal_asks_why_in_a_dialog(scene: Scene) -> None:
    proposal = scene.proposed()
    card = scene.card(proposal)
    assert scene.do(click(scene.world, "USAM", card, "twokey.refuse")) == "opened"
    view = list(scene.world.views.values())[-1]
    assert view["callback_id"] == "twokey.refuse"
    sent = submit(scene.world, "USAM", view, {"reason": {"reason": "not <@UANA> *today*"}})
    assert scene.do(sent) == "answered"
    scene.post()
    assert scene.state(proposal) == "refused"
    assert card.alive == []
    assert "not <@UANA> *today*" in card.shown


def test_the_whole_change_is_paged_in_a_dialog(scene: Scene) -> None:
    proposal = scene.proposed()
    assert scene.do(click(scene.world, "UEVE", scene.card(proposal), "twokey.diff")) == "opened"
    view = list(scene.world.views.values())[-1]
    assert "people" in str(view["blocks"])
    assert "page 1 of 1" in " ".join(str(view["blocks"]).split())


def test_the_home_tab_holds_what_waits_for_this_person(scene: Scene) -> None:
    proposal = scene.proposed()
    opened = {"type": "app_home_opened", "tab": "home", "channel": "DUSAM"}
    assert scene.do(event(scene.world, "USAM", opened)) == "home"
    home = scene.world.homes["USAM"]
    assert proposal.id in str(home)
    assert scene.do(event(scene.world, "UEVE", opened)) == "home"
    assert proposal.id not in str(scene.world.homes["UEVE"])
    assert scene.do(event(scene.world, "UNEW", opened)) == "not_linked"
    assert "link" in str(scene.world.homes["UNEW"])
    assert scene.do(event(scene.world, "UGUEST", opened)) == "guest"
    assert "Guests" in str(scene.world.homes["UGUEST"])
    assert scene.do(event(scene.world, "USAM", opened | {"tab": "messages"})) == "ignored_tab"
    pressed = click_in_view(scene.world, "USAM", home, "twokey.show", proposal.id)
    assert scene.do(pressed) == "opened"
    view = list(scene.world.views.values())[-1]
    assert scene.do(click_in_view(scene.world, "USAM", view, "twokey.approve")) == "answered"
    scene.work()
    assert scene.state(proposal) == "done"
    assert "Your answer counts" in str(scene.world.views[view["id"]])


def test_commands_answer_whoever_typed_them(scene: Scene) -> None:
    said = {
        "help": "help",
        "": "help",
        "approvals": "listed",
        "freeze": "listed",
        "freeze off": "key_needed",
        "freeze on": "no_reason",
        "freeze sideways": "no_command",
        "deploy everything": "no_command",
        "approve p-000000000000": "not_by_typing",
        "ask": "bad_input",
        "catalog ; DROP": "bad_table",
        "incident ../../etc": "bad_incident",
        "incident inc-0412": "no_telemetry",
        "link nobody": "linked_to_another",
    }
    for text, code in said.items():
        assert scene.do(slash(scene.world, "UANA", "COPS", text)) == code, text
    told = scene.world.told("UANA")
    assert "What you can ask for" in told
    assert "never by typing" in told
    assert "/twokey triage TICKET" in told
    assert "/twokey incident ID" in told


def test_writes_are_stopped_from_slack_and_only_a_key_lets_them_go_on(scene: Scene) -> None:
    proposal = scene.proposed()
    card = scene.card(proposal)
    pressed = click(scene.world, "USAM", card, "twokey.approve")
    assert scene.do(slash(scene.world, "UEVE", "COPS", "freeze on something is wrong")) == "frozen"
    try:
        assert scene.do(pressed) == "frozen"
        assert scene.state(proposal) == "awaiting_approval"
        scene.post()
        assert "STOPPED" in card.shown
    finally:
        identity, credential = scene.workspace.identify("sam", "cli")
        scene.workspace.controls.freeze(identity, credential, on=False, reason="it was nothing")


def test_a_mention_asks_and_the_answer_stands_in_its_thread(scene: Scene) -> None:
    said = mention(scene.world, "UANA", "COPS", "<@UBOTTHOME> what &lt;is&gt; this <https://x.example|site>?")
    assert scene.do(said) == "asked"
    run = scene.workspace.service.runs(limit=1)[0]
    assert run.request.text == "what <is> this site (https://x.example)?"
    scene.post()
    (answer,) = [message for message in scene.world.by_app("COPS") if message.thread == said["event"]["ts"]]
    assert run.id in answer.shown
    assert answer.alive == []


def test_the_assistant_pane_shows_what_goes_on(scene: Scene) -> None:
    direct = scene.world.direct("UANA", "THOME")
    thread = scene.world.say(direct.id, "UBOTTHOME", "New chat").ts
    started = {
        "type": "assistant_thread_started",
        "assistant_thread": {"user_id": "UANA", "channel_id": direct.id, "thread_ts": thread, "context": {}},
    }
    assert scene.do(event(scene.world, "UANA", started)) == "greeted"
    assert scene.world.prompts
    assert scene.do(to_assistant(scene.world, "UANA", "document the tables")) == "asked"
    assert scene.world.statuses[-1][0] == direct.id
    scene.post()
    run = scene.workspace.service.runs(limit=1)[0]
    assert [message for message in scene.world.by_app(direct.id) if run.id in message.shown]
    bot = to_assistant(scene.world, "UANA", "echo")
    bot["event"]["bot_id"] = "B1"
    assert scene.do(bot) == "ignored_not_for_us"
    changed = {"type": "message", "channel_type": "channel", "channel": "COPS", "text": "hello", "ts": "1.1"}
    assert scene.do(event(scene.world, "UANA", changed)) == "ignored_not_for_us"


def test_in_a_shared_channel_nothing_is_posted(scene: Scene) -> None:
    before = len(scene.world.by_app("CSHARED"))
    assert scene.do(slash(scene.world, "UANA", "CSHARED", "ask document the tables")) == "asked"
    scene.post()
    assert len(scene.world.by_app("CSHARED")) == before
    run = scene.workspace.service.runs(limit=1)[0]
    direct = scene.world.direct("UANA", "THOME")
    assert [message for message in scene.world.by_app(direct.id) if run.id in message.shown]


def test_linking_takes_both_sides(scene: Scene) -> None:
    assert scene.do(slash(scene.world, "UNEW", "COPS", "approvals")) == "not_linked"
    told = scene.world.told("UNEW")
    assert "stands for nobody here" in told
    said: list[str] = []
    for name in ("sam", "nobody"):
        before = len(scene.world.told("UNEW"))
        assert scene.do(slash(scene.world, "UNEW", "COPS", f"link {name}")) == "link_asked"
        said.append(scene.world.told("UNEW")[before:])
    assert said[0] == said[1] != "", "who there is here is nobody's to find out"
    assert scene.workspace.linking.links.principal("slack:THOME/UNEW") is None
    scene.workspace.linking.remove(*scene.workspace.identify("eve", "cli"), "slack:THOME/UEVE")
    assert scene.do(slash(scene.world, "UNEW", "COPS", "link eve")) == "link_asked"
    assert "twokey link confirm slack:THOME/UNEW" in scene.world.told("UNEW").replace("\n", "")
    assert scene.do(slash(scene.world, "UNEW", "COPS", "approvals")) == "not_linked"
    identity, credential = scene.workspace.identify("eve", "cli")
    scene.workspace.linking.confirm(identity, credential, "slack:THOME/UNEW")
    assert scene.do(slash(scene.world, "UNEW", "COPS", "approvals")) == "listed"
    scene.workspace.linking.remove(identity, credential, "slack:THOME/UNEW")
    scene.link("eve")
