"""Text from outside: what is shown is what is there, and none of it acts."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from twokey.channels import plain

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
EMPTY = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\ufe00\ufe0f\uffa0\U000e0100\U000e01ef")
MARKS = {"Mn", "Mc", "Me"}


def test_what_would_act_is_written_out():
    assert plain.line("a\x1b[31mb\r\n\u202ec\x9b1m\u200b\u2028\ud800\ue000é😀") == snapshot(
        "a\\u{1b}[31mb\\u{d}\\u{a}\\u{202e}c\\u{9b}1m\\u{200b}\\u{2028}\\u{d800}\\u{e000}é😀"
    )
    assert plain.block("one\n\ttwo\r\x1b]0;x\x07") == snapshot("""\
one
	two\\u{d}\\u{1b}]0;x\\u{7}\
""")


def test_a_line_that_is_too_long_says_so():
    assert plain.line("x" * 400) == "x" * 400
    assert plain.line("x" * 401) == "x" * 400 + "…"
    assert plain.line("\x1b" * 5, 11) == "\\u{1b}…"


@given(st.text(st.characters()), st.integers(1, 50))
def test_a_line_is_one_harmless_line(text: str, limit: int):
    shown = plain.line(text, limit)
    assert len(shown) <= limit + 1
    assert not EMPTY & set(shown)
    assert not [character for character in shown if unicodedata.category(character) in HIDDEN]


@given(st.text(st.characters()))
def test_a_block_is_harmless_and_making_it_so_again_changes_nothing(text: str):
    shown = plain.block(text)
    assert not [item for item in shown if unicodedata.category(item) in HIDDEN and item not in "\n\t"]
    assert plain.block(shown) == shown
    if all(unicodedata.category(item) not in HIDDEN | MARKS and item not in EMPTY for item in text):
        assert shown == text


def test_characters_that_show_nothing_are_written_out():
    assert plain.line("a\u3164b\ufe0fc\u2800d") == "a\\u{3164}b\\u{fe0f}c\\u{2800}d"


def test_marks_that_would_paint_over_the_lines_around_are_written_out():
    assert plain.line("e" + "\u0301" * 8) == "e" + "\u0301" * 6 + "\\u{301}" * 2


@given(st.text(st.sampled_from("ab\u0301\u0903\x1b\\u{}1")), st.integers(0, 40))
def test_a_cut_never_falls_into_an_escape_or_between_a_character_and_its_marks(text: str, position: int):
    shown = plain.block(text)
    at = plain.cut_at(shown, position)
    assert at <= max(position, 0)
    assert at == len(shown) or unicodedata.category(shown[at]) not in MARKS or at == 0
    escapes = [found.span() for found in re.finditer(r"\\u\{[0-9a-f]{1,6}\}", shown)]
    assert not [(begin, end) for begin, end in escapes if begin < at < end]
