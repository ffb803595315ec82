"""What each document says, and that its buttons carry what they were rendered for."""

import dataclasses
import json
import os
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from support import cards

from twokey.agents.state import Progress
from twokey.channels import plain
from twokey.channels.card import Around, Emergency
from twokey.channels.cli import session
from twokey.channels.rendering import html, markdown, slack, terminal
from twokey.channels.rendering.buttons import Pressed
from twokey.channels.rendering.cards import asks_twice, card_document
from twokey.channels.rendering.changes import (
    Page,
    PullRequestText,
    diff_document,
    pages,
    pull_request_document,
    refuse_document,
)
from twokey.channels.rendering.documents import (
    Command,
    Desk,
    RunView,
    help_document,
    home_document,
    refusal_document,
    reminder_document,
    run_document,
    waiting_document,
)
from twokey.channels.rendering.model import Button, Document, Foreign, Link, Name, Passage, Words, command, line, named
from twokey.core.errors import BadInput, EnvironmentFault, Refused, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import ApprovalsNeeded, EvidenceRef, GroupQuorum, Plan, Step

CARRIED = f"{cards.ID}.{'1' * 32}.{'2' * 32}"


def text(document: Document) -> str:
    return "\n".join(terminal.lines(document))


def pressed(document: Document) -> list[tuple[str, str]]:
    """Action and value of every button that Slack shows."""
    return [
        (element["action_id"], element["value"])
        for block in slack.blocks(document)
        if block["type"] == "actions"
        for element in block["elements"]
    ]


# -- the card ---------------------------------------------------------------------------------------------------


def test_a_card_that_waits_has_three_buttons_that_carry_what_was_rendered():
    assert pressed(card_document(cards.card())) == [
        ("twokey.approve", CARRIED),
        ("twokey.refuse", CARRIED),
        ("twokey.diff", CARRIED),
    ]
    assert Pressed.parse(CARRIED).still(cards.record())
    assert not Pressed.parse(CARRIED).still(dataclasses.replace(cards.record(), digest="3" * 64))
    assert not Pressed.parse(CARRIED).still(dataclasses.replace(cards.record(), decision_digest="3" * 64))


@pytest.mark.parametrize("state", [state for state in State if state is not State.AWAITING_APPROVAL])
def test_a_card_that_does_not_wait_has_no_buttons(state: State):
    made = cards.card(cards.record(state=state), answers=(cards.answer(),))
    assert pressed(card_document(made)) == []
    assert "sam approved 2026-01-01T00:01:00Z" in text(card_document(made))


def test_a_card_has_no_buttons_while_writes_are_stopped():
    stopped = dataclasses.replace(cards.card(), around=Around(stopped="frozen"))
    assert pressed(card_document(stopped)) == []
    assert "⚠ STOPPED" in json.dumps(slack.blocks(card_document(stopped)), ensure_ascii=False)


def test_where_only_a_key_may_approve_the_card_says_how_and_has_no_button_for_it():
    document = card_document(cards.card(), answering="key")
    assert [action for action, _ in pressed(document)] == ["twokey.refuse", "twokey.diff"]
    assert "with your own key: twokey approvals approve p-000000000001" in text(document)


def test_a_card_links_to_the_console_where_there_is_one():
    document = card_document(cards.card(), console="http://127.0.0.1:8642/p/1")
    assert "http://127.0.0.1:8642/p/1" in text(document)
    assert '<a href="http://127.0.0.1:8642/p/1" rel="noopener noreferrer nofollow">the whole card</a>' in html.render(
        document
    )
    assert "[the whole card](<http://127.0.0.1:8642/p/1>)" in markdown.render(document)


def test_an_ordinary_approval_is_not_asked_twice():
    assert asks_twice(cards.card()) == ()
    assert "confirm" not in slack.blocks(card_document(cards.card()))[-1]["elements"][0]


def test_an_approval_out_of_the_ordinary_is_asked_twice_and_says_why():
    decided = cards.decision(
        approvals=ApprovalsNeeded(all_of=(GroupQuorum(group="a", n=1), GroupQuorum(group="b", n=1))),
        warnings=("break_glass",),
    )
    made = cards.card(cards.record(decided=decided), answers=(cards.answer(),))
    held = Around(emergency=Emergency("g-000000000001", "rita", "INC-1", cards.NOW))
    document = card_document(dataclasses.replace(made, around=held))
    asked = slack.blocks(document)[-1]["elements"][0]["confirm"]
    assert asked["title"]["text"] == "Approve this?"
    assert asked["text"]["text"] == snapshot("""\
open_pull_request, proposal p-000000000001.
Policy wants more than one person for it.
Policy names break_glass.
An emergency shortens who has to agree.\
""")
    assert "so far 1 of 2" in text(document)
    assert "<details><summary>Approve</summary>" in html.render(document)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "p-1",
        f"{CARRIED} ",
        f"{CARRIED}\n",
        CARRIED.upper(),
        f"{CARRIED}.1",
        CARRIED.replace(".1", ".g", 1),
        "x" * 2000,
    ],
)
def test_a_value_that_is_none_of_ours_is_refused(value: str):
    with pytest.raises(BadInput, match="none of ours"):
        Pressed.parse(value)
    with pytest.raises(BadInput, match="none of ours"):
        Page.parse(f"{value}x")


# -- the pages of a change --------------------------------------------------------------------------------------


@given(
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\n<&\u0301")), max_size=300), st.integers(1, 60)
)
def test_the_pages_of_a_change_hold_all_of_it(part: str, times: int):
    preview = part * times
    found = pages(preview)
    assert "".join("".join(page) for page in found) == plain.block(preview).rstrip("\n")


@pytest.mark.parametrize(
    "body", ["+x\n" * 20_000, "<&>" * 20_000, "\U0001f600" * 9_000, "\u202e" * 9_000, "\u0903" * 9000]
)
def test_no_page_of_a_change_is_cut(body: str):
    made = cards.record(cards.proposal(preview=body))
    count = len(pages(body))
    assert count >= 3
    for number in (1, 2, count):
        shown = slack.blocks(diff_document(made, number), slack.VIEW)
        parts = [
            element["elements"][0]["text"]
            for block in shown
            if block["type"] == "rich_text"
            for element in block["elements"]
            if element["type"] == "rich_text_preformatted"
        ]
        assert tuple(parts) == pages(body)[number - 1]


def test_pages_are_turned_with_buttons_that_name_the_next():
    made = cards.record(cards.proposal(preview="+x\n" * 20_000))
    assert pressed(diff_document(made)) == [("twokey.page.on", f"{CARRIED}.2")]
    assert pressed(diff_document(made, 2)) == [("twokey.page.back", f"{CARRIED}.1"), ("twokey.page.on", f"{CARRIED}.3")]
    last = len(pages(made.proposal.preview))
    assert pressed(diff_document(made, 10_000)) == [("twokey.page.back", f"{CARRIED}.{last - 1}")]
    assert Page.parse(f"{CARRIED}.2") == Page(Pressed.of(made), 2)
    assert Page(Pressed.of(made), 2).value == f"{CARRIED}.2"
    assert pressed(diff_document(cards.record())) == []


# -- the others -------------------------------------------------------------------------------------------------


def test_a_run_says_what_was_understood_the_plan_and_how_far_it_is():
    plan = Plan(
        understood="document app",
        steps=(
            Step(number=1, agent="catalog", action="scan", title="scan 5 tables"),
            Step(number=2, agent="reviewer", action="review"),
        ),
    )
    told = (Progress(0, "2 steps"), Progress(1, "profiled", 3, 5))
    asked = dataclasses.replace(cards.run(), request=cards.run().request.model_copy(update={"text": "document @app"}))
    document = run_document(RunView(asked, plan, told, (cards.record(),)))
    assert text(document) == snapshot("""\
r-000000000001  asked by ana, 2026-01-01T00:00:00Z
request         document @app
understood      document app
plan            1 catalog scan 5 tables
                2 reviewer
steps           plan 2 steps
                1 (3 of 5) profiled
proposals       p-000000000001 · Waits for approval · open_pull_request → /dbt · 1 file, +1 -1: models/schema.yml · asked by ana
                [Open card]
result          waits_for_people\
""")
    assert pressed(document) == [("twokey.show", CARRIED)]


def test_a_run_that_proposes_nothing_says_what_it_found_and_one_that_is_unclear_asks():
    found = run_document(RunView(cards.run("done", "nothing_to_propose"), findings=cards.proposal().findings))
    assert "! 90 % e-000000000001: b.mail is personal." in text(found)
    unclear = dataclasses.replace(cards.run("failed", "unclear"), message="Not clear.")
    asked = run_document(RunView(unclear, question={"question": "Which table?", "suggestions": ["a", "b"]}))
    assert text(asked) == snapshot("""\
r-000000000001  asked by ana, 2026-01-01T00:00:00Z
question        Which table?
try             a
                b
result          unclear: Not clear.\
""")


def test_what_waits_is_listed_with_who_has_to_approve():
    assert text(waiting_document([cards.record()], "frozen")) == snapshot("""\
Waits for approval
                1 proposal waits
STOPPED         writes are stopped (frozen)
                p-000000000001 · Waits for approval · open_pull_request → /dbt · 1 file, +1 -1: models/schema.yml · asked by ana
                needs 1 of platform-owners, not ana · expires 2026-01-02T00:00:00Z
                [Open card]\
""")
    assert "Nothing waits." in text(waiting_document([]))
    many = [dataclasses.replace(cards.record(), id=f"p-{number:012}") for number in range(30)]
    assert "… 20 more" in text(waiting_document(many))


def test_the_home_screen_shows_what_waits_and_tells_strangers_how_to_link():
    waits = cards.record()
    asked = dataclasses.replace(cards.run(), request=cards.run().request.model_copy(update={"text": "document app"}))
    assert text(home_document(Desk("sam", (waits,), (waits,), (asked,)))) == snapshot("""\
Twokey          you are sam here · 1 proposal waits

Waits for you
                p-000000000001 · Waits for approval · open_pull_request → /dbt · 1 file, +1 -1: models/schema.yml · asked by ana
                needs 1 of platform-owners, not ana · expires 2026-01-02T00:00:00Z
                [Open card]

You asked for
                p-000000000001 · Waits for approval · open_pull_request → /dbt · 1 file, +1 -1: models/schema.yml · asked by ana

Your runs
                r-000000000001 · Waits for people · 2026-01-01T00:00:00Z · document app\
""")
    assert "Nothing is on its way." in text(home_document(Desk("sam")))
    assert text(home_document(Desk(None, (waits,)))) == snapshot("""\
Twokey          your account is not linked to a principal yet
                Link it with /twokey link NAME and confirm that with your own key.\
""")
    assert slack.home(home_document(Desk(None)))["type"] == "home"


def test_help_lists_what_is_offered():
    offered = (Command(command("/twokey ask"), Words("say what you want")),)
    assert text(help_document(offered)) == snapshot("""\
What you can ask for
                Twokey reads, thinks and proposes. Nothing is written until policy and a person agree.
                /twokey ask: say what you want\
""")


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (Refused("No.", next="Ask."), "Refused"),
        (BadInput("What?", next="Ask."), "Not understood"),
        (EnvironmentFault("Gone.", next="Wait."), "Not possible now"),
    ],
)
def test_a_refusal_says_why_and_what_to_do_next(error: TwokeyError, title: str):
    document = refusal_document(error)
    assert document.title.text == title
    assert f"why             {error.message}\nnext            {error.next}\n                code {error.code}" in text(
        document
    )


def test_a_reminder_says_how_long_there_is():
    now = cards.record().expires_us - 90 * 60_000_000
    assert text(reminder_document(cards.record(), now)) == snapshot("""\
p-000000000001  in 90 minutes, at 2026-01-02T00:00:00Z · it is not decided yet
what            open_pull_request → /dbt · 1 file, +1 -1: models/schema.yml · asked by ana
policy          needs 1 of platform-owners, not ana
                [Open card]\
""")
    assert "in 24 hours" in text(reminder_document(cards.record(), cards.NOW))
    assert "in 0 minutes" in text(reminder_document(cards.record(), cards.record().expires_us + 1, escalated=True))
    assert "brought before you" in text(reminder_document(cards.record(), now, escalated=True))


def test_a_refusal_is_asked_for_its_reason():
    view = slack.modal(refuse_document(cards.record()), callback_id="twokey.refuse", submit=Words("Refuse"))
    asked: dict[str, Any] = view["blocks"][2]
    assert (asked["type"], asked["block_id"], asked["element"]["action_id"]) == ("input", "reason", "reason")
    assert view["submit"]["text"] == "Refuse"
    assert '<textarea name="reason" maxlength="1000">' in html.render(refuse_document(cards.record()))


def test_a_dialog_remembers_no_more_than_slack_keeps():
    with pytest.raises(BadInput, match="cannot remember"):
        slack.modal(refuse_document(cards.record()), callback_id="x", private_metadata="x" * 3001)


def test_the_text_of_a_pull_request_is_the_same_each_time():
    said = PullRequestText(
        "ana",
        cards.RUN,
        "Documents `b`.\n```\n# not a heading",
        "Close it.",
        (EvidenceRef(id=cards.SEEN, sha256="c" * 64),),
        cards.proposal().findings,
        cards.ID,
        (Link(Words("the whole card"), "https://console.example/p/1"),),
    )
    assert markdown.render(pull_request_document(said)) == snapshot("""\
### Proposed by Twokey · `p-000000000001`

asked by `ana`, run `r-000000000001`

**text**

````text
Documents `b`.
```
# not a heading
````

**findings**

- ! 90 % `e-000000000001`: `b.mail is personal.`
- 90 % `e-000000000001`: `b has one row per person.`

**evidence** `e-000000000001` (sha256 `cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc`)

**rollback**

```text
Close it.
```

**links** [the whole card](<https://console.example/p/1>)

<sub>A merge is up to the people who own the branch. Comments are requests, never approvals.</sub>
""")


# -- spans ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ours", ["@ana", "#1", "https://x", "a\nb", "*x*", "`x`", "<x>", "[x]", "x\u202e", "a_b", "&lt;", "$x"]
)
def test_our_words_hold_nothing_that_could_act(ours: Any):
    with pytest.raises(ValueError, match="our words"):
        Words(ours)


@pytest.mark.parametrize("name", ["", "two words", "a\nb", "http://x", "@ana", "a#1", "<x>", "x" * 121, "ä", "a`b"])
def test_a_name_is_one_token(name: str):
    with pytest.raises(ValueError, match="one token"):
        Name(name)
    assert named(name) == Foreign(name)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://evil.example",
        "https://a b",
        "https://x/?q=<",
        "https://u:p@x/",
        "//x",
        "https://" + "x" * 2000,
    ],
)
def test_a_link_leads_to_a_plain_address(address: str):
    with pytest.raises(ValueError, match="plain https"):
        Link(Words("x"), address)


def test_a_cut_says_how_much_is_missing():
    many = Document(Words("Twokey"), (Passage("diff", "+x\n" * 5000, "diff", where=line(command("twokey x"))),))
    assert "not shown: `twokey x`" in markdown.render(
        dataclasses.replace(many, blocks=(Passage("diff", "+x\n" * 50_000, where=line(command("twokey x"))),))
    )
    shown = json.dumps(slack.blocks(many), ensure_ascii=False)
    assert " not shown: " in shown
    lines = Document(
        Words("Twokey"), (card_document(cards.card()).blocks[0], *(Passage("why", "x" * 3000) for _ in range(45)))
    )
    assert "more parts do not fit here" in json.dumps(slack.blocks(lines), ensure_ascii=False)


def test_a_row_that_is_too_wide_is_broken_under_its_label_and_says_so():
    document = Document(
        Words("Twokey"), (Passage("why", "x" * 60 + " policy          allow and 字字字字字字字字字字"),)
    )
    shown = list(terminal.lines(document, 60))
    assert shown[1:] == snapshot(
        [
            "why             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "                ↳ xxxxxxxxxxxxxxxx policy          allow",
            "                ↳ and 字字字字字字字字字字",
        ]
    )


def test_text_from_outside_before_our_words_stands_in_quotes_of_its_own():
    assert terminal.as_text(line(Foreign("x” (log 1) “"), " (log 2)")) == "“x\\u{201d} (log 1) \\u{201c}” (log 2)"


def test_the_width_is_that_of_the_terminal_that_somebody_looks_at(monkeypatch: pytest.MonkeyPatch):
    pager, terminal_end = os.openpty()
    try:
        termios.tcsetwinsize(terminal_end, (24, 61))
        with os.fdopen(terminal_end, "wb", closefd=False) as screen, Path(os.devnull).open("wb") as nobody:
            monkeypatch.setattr(sys, "__stdout__", nobody)
            monkeypatch.setattr(sys, "__stderr__", screen)
            assert session.columns() == 61
            monkeypatch.setattr(sys, "__stderr__", nobody)
            monkeypatch.setattr(sys, "__stdin__", nobody)
            assert session.columns() is None
            monkeypatch.setattr(sys, "__stdout__", None)
            assert session.columns() is None
    finally:
        os.close(pager)
        os.close(terminal_end)


def test_a_button_is_plain_unless_it_says_otherwise():
    assert Button("x", Words("X"), "v").tone == "plain"
