"""A ticket is taken apart, whatever it holds."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import seconds

from twokey.agents.triage.text import MAX_HEAD, MAX_TAIL, clean, plain, take_apart

BODY = """<!-- Tell us what you did. -->
### Version

2.13.0

**Is it new?** Yes

When I press *save* the page <b>stays empty</b> &amp; grey, see https://example.org/a?b=1 and `save()`.

> you wrote this before

```python
save(page)
```

Traceback (most recent call last):
  File "save.py", line 3, in save

- [x] I looked for others
![image](https://example.org/1.png)
"""


def test_parts_are_told_apart() -> None:
    parts = take_apart("Page stays\x00 empty\u202e", BODY)
    assert parts.title == "Page stays empty"
    assert parts.fields == (("version", "2.13.0"), ("is it new", "yes"))
    assert "When I press save the page stays empty & grey, see and save() ." in parts.prose
    assert parts.pasted == ("save(page)", "Traceback (most recent call last):", 'File "save.py", line 3, in save')
    assert parts.hints == ("Tell us what you did.",)
    assert (parts.fences, parts.quotes, parts.links, parts.images, parts.boxes, parts.ticked) == (1, 1, 2, 1, 1, 1)
    assert not any("you wrote" in line for line in parts.prose)


def test_the_beginning_and_the_end_of_a_long_text_are_read() -> None:
    parts = take_apart("", "first\n" + "x" * 1_000_000 + "\nlast")
    assert (parts.prose[0], parts.prose[-1]) == ("first", "last")
    assert len(parts.raw) <= MAX_HEAD + MAX_TAIL + 1
    assert parts.characters == 1_000_011


@pytest.mark.parametrize("body", ["\x00\x01\x02\x03" * 500, "\ufffd" * 100 + "text", "\ud800" * 50])
def test_what_is_no_text_is_not_read(body: str) -> None:
    parts = take_apart("image", body)
    assert (parts.binary, parts.prose, parts.raw) == (True, (), "")


def test_an_open_comment_hides_nothing() -> None:
    assert take_apart("", "before\n<!-- not closed\nafter").prose == ("before", "not closed", "after")


def test_an_open_fence_runs_to_the_end() -> None:
    parts = take_apart("", "~~~\ncode\n```\nmore code")
    assert (parts.pasted, parts.prose) == (("code", "```", "more code"), ())


def test_indented_lines_after_a_blank_one_are_code_and_list_items_are_not() -> None:
    parts = take_apart("", "Look:\n\n    rows = 3\n    print(rows)\n\n- item\n    goes on")
    assert parts.pasted == ("rows = 3", "print(rows)")
    assert parts.prose == ("Look:", "- item", "goes on")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<script>alert(1)</script> hello", "alert(1) hello"),
        ("a < b and c > d", "a < b and c > d"),
        ("&lt;img src=x&gt;", "<img src=x>"),
        ("**bold** _kept_ ~~struck~~", "bold _kept_ struck"),
    ],
)
def test_markup_is_dropped_once(line: str, said: str) -> None:
    assert plain(line) == said


def test_letters_that_look_alike_are_read_alike() -> None:
    assert clean("\ufb01le\u200b \uff45rror\r\n\u202eabc\u202c\tx") == "file error\nabc    x"


@pytest.mark.parametrize(
    "body",
    [
        "<" * 300_000,
        "<a " * 100_000,
        "<!--" * 100_000,
        "**a" * 100_000,
        "a." * 200_000,
        "[![" * 100_000,
        "`" * 300_000,
        "at " + "a." * 100_000,
        "\n".join(["&" * 50] * 5_000),
        "\n".join(["A." * 200 + "Error"] * 1_000),
        "\ufdfa" * 200_000,
        "a: " * 100_000,
    ],
)
def test_no_text_takes_long(body: str) -> None:
    started = time.process_time()
    take_apart(body, body)
    assert time.process_time() - started < seconds(1)


@given(st.text(max_size=400), st.text(max_size=2_000))
def test_every_text_is_accepted(title: str, body: str) -> None:
    parts = take_apart(title, body)
    assert not any(mark < " " for line in (parts.title, *parts.prose, *parts.pasted) for mark in line)
    assert parts == take_apart(title, body)
