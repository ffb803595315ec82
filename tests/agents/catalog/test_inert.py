"""Outside text that can do nothing where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.agents.catalog import inert


@pytest.mark.parametrize("name", ["customers", "customer_id", "PlaylistTrack", "payment ref", "größe", "v1.2"])
def test_plain_names_stay_as_they_are(name: str):
    assert inert.prose(name) == name
    assert inert.code(name) == f"`{name}`"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a b c"),
        ("a\u202eb\u200bc\x07", "abc"),
        ("   ", "(no visible name)"),
        ("@sam #12 & <img src=x>", "＠sam ＃12 ＆ ‹img src=x›"),  # noqa: RUF001 - what stands in for the marks
        ("[x](http://evil.example)", "(x)(http: / /evil.example)"),
        ("`a` | b\\c", "'a' ¦ b/c"),
        ("{{ env_var('K') }}", "{ { env_var('K') }}"),
    ],
)
def test_marks_lose_their_meaning(text: str, shown: str):
    assert inert.prose(text) == shown


def test_a_code_span_cannot_be_left():
    assert inert.code("a` <script> `b") == "`a' \u2039script\u203a 'b`"
    assert inert.code("\u200b") == "`(no visible name)`"


@given(st.text(max_size=400), st.integers(1, 80))
def test_lines_are_bounded_and_visible(text: str, limit: int):
    line = inert.line(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert line.isprintable()
    assert not set(inert.prose(text)) & set("<>[]`@#&|\\!")
