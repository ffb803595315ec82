import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dulwich.objects import Blob
from hypothesis import given
from hypothesis import strategies as st
from support.effort import seconds

from twokey.tools.write.git_diff import count, lines_of, matching, unified
from twokey.tools.write.git_tree import Changed


def changed(path: str, before: bytes | None, after: bytes | None) -> Changed:
    ids = [None if content is None else Blob.from_string(content).id.decode() for content in (before, after)]
    return Changed(path, before, ids[0], after, ids[1])


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("models/a.yml", b"a\nb\nc\n", b"a\nB\nc\n"),
        ("a b.yml", b"a\n", b"a\nb\n"),
        ("größe.md", b"x\n", b"x"),
        ("größe der tabelle.md", b"x", b"x\n"),
        ("new.md", None, b"one\ntwo\n"),
        ("new.md", None, b"one"),
        ("new.md", None, b""),
        ("old.md", b"one\ntwo", None),
        ("old.md", b"", None),
        ("empty.md", b"", b"x\n"),
        ("empty.md", b"x\n", b""),
        ("crlf.md", b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (
            "far.md",
            b"".join(b"%d\n" % n for n in range(40)),
            b"".join(b"%d\n" % n for n in range(40) if n not in {3, 30}),
        ),
        (
            "near.md",
            b"".join(b"%d\n" % n for n in range(40)),
            b"".join(b"%d\n" % n for n in range(40) if n not in {3, 10}),
        ),
        ("odd.md", b"a\x0cb\nx\xe2\x80\xa8y\n", b"a\x0cc\nx\xe2\x80\xa8y\n"),
    ],
)
def test_a_diff_is_the_one_that_git_shows(
    git: Callable[..., str], tmp_path: Path, path: str, before: bytes | None, after: bytes | None
) -> None:
    git(tmp_path, "init", "--quiet")
    trees: list[str] = []
    for content in (before, after):
        index = {"GIT_INDEX_FILE": str(tmp_path / f"index{len(trees)}")}
        if content is not None:
            blob = git(tmp_path, "hash-object", "-w", "--stdin", stdin=content).strip()
            git(tmp_path, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
        trees.append(git(tmp_path, "write-tree", **index).strip())
    theirs = git(tmp_path, "diff", "--full-index", *trees)
    assert unified(changed(path, before, after)) == re.sub(r"^(@@ [^@]+ @@).*$", r"\1", theirs, flags=re.MULTILINE)


LINES = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"--- a/x\n", b"+++ b/x\n", b"@@ -1 +1 @@\n", b"a\r\n", b"\x0c\n"])
    | st.binary(max_size=2).map(lambda some: some.replace(b"\n", b"").hex().encode() + b"\n"),
    max_size=30,
)
TAIL = st.sampled_from([b"", b"a", b"\\ No newline at end of file", b"\r"])


@given(LINES, LINES)
def test_equal_runs_are_equal_in_order_and_apart(old: list[bytes], new: list[bytes]) -> None:
    at = new_at = 0
    for start, new_start, length in matching(old, new):
        assert start >= at
        assert new_start >= new_at
        assert length > 0
        assert old[start : start + length] == new[new_start : new_start + length]
        at, new_at = start + length, new_start + length
    assert at <= len(old)
    assert new_at <= len(new)


@given(LINES, TAIL)
def test_lines_put_together_are_the_content(lines: list[bytes], tail: bytes) -> None:
    content = b"".join(lines) + tail
    assert b"".join(lines_of(content)) == content


def test_far_apart_edits_in_a_long_file_stay_small() -> None:
    old = [b"line %d\n" % number for number in range(20_000)]
    new = [*old[:5], b"new\n", *old[5:19_990], *old[19_995:]]
    new[10_000:10_000] = [b"middle\n"] * 3
    assert count(changed("x", b"".join(old), b"".join(new))) == (4, 5)


@pytest.mark.parametrize("shape", ["reversed", "shuffled", "two words", "same line", "many small gaps"])
def test_hostile_files_cost_bounded_time(shape: str) -> None:
    chance = random.Random(7)  # noqa: S311 - a fixed sequence, not a secret
    old = [b"%d\n" % number for number in range(60_000)]
    new = old[::-1]
    if shape == "shuffled":
        chance.shuffle(new)
    elif shape == "two words":
        old, new = ([chance.choice([b"a\n", b"b\n"]) for _ in range(400_000)] for _ in range(2))
    elif shape == "same line":
        old, new = [b"a\n"] * 500_000, [b"a\n"] * 400_000
    elif shape == "many small gaps":
        old, new = (
            [line for part in range(400) for line in (b"%d\n" % part, *chance.choices([b"a\n", b"b\n"], k=400))]
            for _ in range(2)
        )
    started = time.process_time()
    text = unified(changed("x", b"".join(old), b"".join(new)))
    assert text.startswith("diff --git a/x b/x\n")
    assert time.process_time() - started < seconds(20)
