"""Text from outside, in every place of every document and in every form: nothing of it acts, and no limit is passed."""

import dataclasses
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from support import alive, block_kit, hostile

from twokey.channels import plain
from twokey.channels.rendering import html, markdown, slack, terminal
from twokey.channels.rendering.cards import card_document
from twokey.channels.rendering.model import (
    Context,
    Document,
    Field,
    Foreign,
    Items,
    Name,
    Paragraph,
    Passage,
    Words,
    line,
)

SAMPLE = 24
"""Proposals of the ordinary run, each with all its documents: 11 of them."""
PARTS, OF_PART = 20, 5_000
"""The long run: so many parts, of so many proposals each."""
EVERY = 25
"""Of so many proposals of the long run, one is rendered with all its documents, and the others with their cards."""


def problems(document: Document) -> Iterator[str]:
    """Everything that is wrong with a document in any of its forms."""
    message = slack.message(document)
    yield from block_kit.message_problems(message)
    yield from alive.in_slack(message["blocks"])
    if hostile.CANARY in message["text"]:
        yield "text from outside in the notification"
    view = slack.modal(document, callback_id="x")
    yield from block_kit.view_problems(view)
    yield from alive.in_slack(view["blocks"])
    text = markdown.render(document)
    yield from alive.in_markdown(text)
    if len(text) > 60_000:
        yield "a text longer than GitHub takes"
    yield from alive.in_html(html.render(document))
    yield from alive.in_terminal(terminal.lines(document), terminal.LABEL)
    yield from alive.in_terminal(terminal.lines(document, 80), terminal.LABEL, 80)


def chance(seed: int) -> random.Random:
    """Chance that a failure can be played again with."""
    return random.Random(seed)  # noqa: S311 - makes test data


def check(seed: int, given_text: str | None = None) -> int:
    """Render every document of one seed; gives how many."""
    count = 0
    for document in hostile.documents(chance(seed), given_text):
        assert list(problems(document)) == [], (seed, document.title)
        count += 1
    return count


def small(attack: str) -> Document:
    """A document with the attack in each kind of place, at the beginning of a line and inside one."""
    inside = f"{hostile.CANARY}{attack}"
    return Document(
        Words("Twokey"),
        (
            Paragraph(line(Foreign(attack), " log")),
            Field("policy", (line("R07 ", Foreign(inside)), line(Foreign(attack)))),
            Items((line(Foreign(attack, 20)), line(Foreign(inside, 40), ": ", Foreign(attack)))),
            Passage("why", attack),
            Passage("diff", f"{attack}\n{inside}", "diff", hidden=7, where=line("elsewhere")),
            Context(line(Foreign(inside))),
        ),
        lead=line(Foreign(inside), " · asked by ", Name("ana")),
    )


def vectors(data: Path) -> list[str]:
    """The public attack strings."""
    with (data / "attacks" / "xss_vectors.jsonl").open(encoding="utf-8") as file:
        return [json.loads(row)["payload"] for row in file]


@pytest.mark.parametrize("attack", hostile.ATTACKS, ids=lambda attack: ascii(attack)[:30])
def test_an_attack_comes_alive_nowhere(attack: str):
    assert list(problems(small(attack))) == []


@pytest.mark.parametrize("at", range(0, len(hostile.ATTACKS), 8))
def test_attacks_come_alive_in_no_place_of_any_document(at: int):
    check(at, "\n".join(hostile.ATTACKS[at : at + 8]))


def test_the_public_attack_strings_come_alive_nowhere(data: Path):
    found = vectors(data)
    assert len(found) > 1000
    # Several at a time, each on a line of its own; by themselves in the long run below.
    for at in range(0, len(found), 16):
        assert list(problems(small("\n".join(found[at : at + 16])))) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_each_attack_by_itself_comes_alive_in_no_place_of_any_document(data: Path):
    for number, attack in enumerate([*hostile.ATTACKS, *vectors(data)]):
        assert list(problems(small(attack))) == []
        check(number, attack)


@pytest.mark.parametrize("part", range(4))
def test_made_up_proposals_pass_no_limit(part: int):
    assert sum(check(seed) for seed in range(part, SAMPLE, 4)) > 60


def sweep(part: int) -> Iterator[int]:
    """Render the proposals of one part of the long run; gives how many documents each made."""
    for seed in range(part * OF_PART, (part + 1) * OF_PART):
        if seed % EVERY == 0:
            yield check(seed)
        else:
            assert list(problems(card_document(hostile.card(chance(seed))))) == [], seed
            yield 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_made_up_proposals_pass_no_limit(part: int):
    """Each part stands by itself, so that a run that was cut off goes on with the next (``-k``)."""
    made = list(sweep(part))
    assert (len(made), sum(made) > OF_PART) == (OF_PART, True)


def test_slacks_own_validators_accept_what_is_sent():
    for seed in range(4):
        for document in hostile.documents(chance(seed)):
            for block in slack.blocks(document):
                parsed = Block.parse(block)
                assert parsed is not None
                parsed.validate_json()


SOME_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("`<>&@#*_~|[]()!\\\n\x1b\u202e\u0301"))).map(
    lambda text: f"{hostile.CANARY}{text}"
)


@given(SOME_TEXT, SOME_TEXT)
def test_no_text_at_all_comes_alive(inline: str, lines: str):
    document = Document(
        Words("Twokey"), (Passage("text", lines), Passage("diff", lines, "diff")), lead=line(Foreign(inline), " log")
    )
    assert list(problems(document)) == []


@given(SOME_TEXT)
def test_a_page_shows_the_text_as_it_is(lines: str):
    page = alive.Page()
    page.feed(html.render(Document(Words("Twokey"), (Passage("text", lines),))))
    shown = page.passages[0].removeprefix("\n")
    assert shown == plain.block(lines)


@given(st.integers(0, 40), st.integers(900, 9000), st.integers(100, 3000))
@settings(max_examples=30)
def test_what_comes_out_is_never_larger_than_the_room(seed: int, total: int, block: int):
    room = dataclasses.replace(slack.MESSAGE, total=total, block=block, blocks=8)
    document = card_document(hostile.card(chance(seed)))
    shown = slack.blocks(document, room)
    # The sign of an alarm and the blanks after labels are Slack's own, and small.
    assert sum(map(block_kit.length, block_kit.texts(shown))) <= total + 10 * len(document.blocks) + slack.HEADER
    assert len(shown) <= room.blocks + 2
