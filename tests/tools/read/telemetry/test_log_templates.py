"""Templates of log lines: what counts as a value, what makes a word one, and what hostile lines can do."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import seconds

from twokey.tools.read.telemetry.log_masks import MAX_LINE, WILD, masked, parts_of
from twokey.tools.read.telemetry.log_templates import LogTemplates


def mined(lines: Sequence[str], most: int = 5_000) -> tuple[LogTemplates, list[str]]:
    templates = LogTemplates(most)
    found = [templates.add(line) for line in lines]
    return templates, [templates.text(each) for each in found]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("took 12 ms at 10.0.0.7:8080", "took <*> ms at <*>"),
        ("user=ann@corp.example from [fe80:0:0:0:1:2:3:4]", "user=<*> from [<*>]"),
        ("wrote 1,048,576 bytes (93.0 KB) to /var/lib/x/y.db", "wrote <*> bytes (<*>) to <*>"),
        ("job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 at 2026-11-30T03:00:00Z", "job <*> at <*>"),
        ("peer /10.0.0.7:500 closed", "peer /<*> closed"),
        ("fetch s3://bucket/key?x=1 failed", "fetch s3://<*> failed"),
        ("part_12_7 of part_-3", "part_<*> of part_<*>"),
        ("Tue Jul 26 05:47:42 2005 up", "<*> up"),
        ("key-1 via ssh2 and 0xFF, -5", "key-<*> via ssh2 and <*>, <*>"),
        ("ask n1 to delete a_1 a_2   a_3 a_4", "ask n1 to delete a_<*>"),
        ("digest deadbeef01 commit", "digest <*> commit"),
        ("plain words only", "plain words only"),
        ("", ""),
    ],
)
def test_values_are_told_from_words(line: str, said: str) -> None:
    assert masked(line) == said


def test_the_parts_of_a_line_give_it_back() -> None:
    text = "a (b) init() x=[1], \"q\": 'z'"
    parts = parts_of(text)
    assert "".join(parts) == text
    assert [word for word in parts[1::2] if word] == ["a", "b", "init", "x", "1", "q", "z"]
    assert "" in parts[1::2]  # the nothing between empty brackets


def test_lines_that_differ_in_values_share_a_template() -> None:
    templates, texts = mined(["sent 5 bytes to 10.0.0.1", "sent 70000 bytes to 10.0.0.2", "closed"])
    assert texts == ["sent <*> bytes to <*>", "sent <*> bytes to <*>", "closed"]
    assert len(templates) == 2


def test_a_word_of_many_forms_is_a_value() -> None:
    names = ["ann", "bob", "cyn", "dan", "eve"]
    _, texts = mined([f"login of {name} failed" for name in names])
    assert set(texts) == {"login of <*> failed"}


def test_a_word_of_few_forms_is_part_of_what_is_said() -> None:
    _, texts = mined(["state of node is up", "state of node is down", "state of node is unknown"])
    assert len(set(texts)) == 3


def test_what_a_line_begins_with_needs_more_forms() -> None:
    services = [f"{letter * 3} startup succeeded" for letter in "abcdefghijklm"]
    assert len(set(mined(services[:6])[1])) == 6
    assert set(mined(services)[1]) == {"<*> startup succeeded"}


def test_a_word_that_is_a_value_elsewhere_is_one_here() -> None:
    _, texts = mined(["connection from 10.0.0.1 (web7.corp.example) open", "connection from 10.0.0.2 () open"])
    assert set(texts) == {"connection from <*> (<*>) open"}


def test_two_words_become_values_one_after_the_other() -> None:
    lines = [f"grant {role} to {name} now" for role in ("reader", "writer", "owner", "guest") for name in "wxyz"]
    templates, texts = mined(lines)
    assert set(texts) == {"grant <*> to <*> now"}
    assert len(templates) == 1
    assert templates.text(templates.add("grant auditor to quentin now")) == "grant <*> to <*> now"


def test_an_earlier_id_leads_to_the_wider_template() -> None:
    templates = LogTemplates()
    first = templates.add("user ann left")
    for name in ("bob", "cyn", "dan"):
        templates.add(f"user {name} left")
    assert templates.resolve(first) == templates.resolve(templates.add("user eve left"))


def test_past_the_bound_the_rest_is_counted() -> None:
    templates, texts = mined([f"{letter * 4} {letter * 3} {letter * 5}" for letter in "abcdefgh"], most=4)
    assert len(set(texts)) == 5
    assert texts[-1] == WILD
    assert templates.rest == 4


def test_memory_does_not_grow_with_the_values() -> None:
    templates, _ = mined([f"session {number} of user{number} from 10.0.{number % 250}.1" for number in range(5_000)])
    assert len(templates) <= 2


def test_a_long_line_is_cut_at_a_word() -> None:
    said = masked("word " * 400)
    assert len(said) <= MAX_LINE
    assert said.endswith("word")


@pytest.mark.parametrize(
    "piece",
    ["a.", "1.", "0:", "/a", "a-", "_1", "a@", "1,", "<*>", "0x", "[(", "Jan ", " ", "f0", "://", "\u202e", "\0"],
)
def test_no_line_takes_long(piece: str) -> None:
    began = time.process_time()
    for end in ("", "!", "1", "a"):
        assert masked(piece * 20_000 + end) == masked(piece * 20_000 + end)
    assert time.process_time() - began < seconds(20)


@given(st.lists(st.text(max_size=60), max_size=20))
def test_any_lines_are_taken_and_twice_alike(lines: list[str]) -> None:
    assert mined(lines)[1] == mined(lines)[1]
