"""Text from outside: what is shown is what is there, and none of it acts."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from twokey.channels import plain

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


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
    assert plain.line("\x1b" * 5, 5) == "\\u{1b…"


@given(st.text(st.characters()), st.integers(1, 50))
def test_a_line_is_one_harmless_line(text: str, limit: int):
    shown = plain.line(text, limit)
    assert len(shown) <= limit + 1
    assert not [character for character in shown if unicodedata.category(character) in HIDDEN]


@given(st.text(st.characters()))
def test_a_block_is_harmless_and_making_it_so_again_changes_nothing(text: str):
    shown = plain.block(text)
    assert not [item for item in shown if unicodedata.category(item) in HIDDEN and item not in "\n\t"]
    assert plain.block(shown) == shown
    if all(unicodedata.category(item) not in HIDDEN for item in text):
        assert shown == text
