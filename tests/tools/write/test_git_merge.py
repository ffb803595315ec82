"""Merging one change into a text that went on, beside what git itself makes of it."""

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.tools.write import git_merge
from twokey.tools.write.git_merge import merged

OLD = b"".join(b"line %d\n" % at for at in range(12))


def git_merges(folder: Path, old: bytes, one: bytes, other: bytes) -> bytes | None:
    for name, text in (("old", old), ("one", one), ("other", other)):
        (folder / name).write_bytes(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "one", "old", "other"], cwd=folder, capture_output=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


Lines = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["drop", "change", "add"])), max_size=4)


def changed(lines: list[tuple[int, str]], word: bytes) -> bytes:
    made = [b"line %d\n" % at for at in range(12)]
    for at, what in lines:
        made[at] = {"drop": b"", "change": b"%s %d\n" % (word, at), "add": b"%s before %d\nline %d\n" % (word, at, at)}[
            what
        ]
    return b"".join(made)


def test_it_never_merges_what_git_does_not_and_never_otherwise(tmp_path: Path):
    compared: list[bool] = []

    @given(Lines, Lines)
    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    def holds(one: list[tuple[int, str]], other: list[tuple[int, str]]) -> None:
        mine, theirs = changed(one, b"mine"), changed(other, b"theirs")
        found, git = merged(OLD, mine, theirs), git_merges(tmp_path, OLD, mine, theirs)
        compared.append(found is not None)
        assert found in {None, git}

    holds()
    assert compared.count(True) > 10


def test_the_same_change_on_both_sides_is_one():
    text = changed([(3, "change"), (7, "drop")], b"same")
    assert merged(OLD, text, text) == text
    assert merged(OLD, text, changed([(3, "change")], b"same")) == text


def test_neighbours_clash():
    assert merged(OLD, changed([(3, "change")], b"mine"), changed([(4, "change")], b"theirs")) is None
    assert merged(OLD, changed([(3, "change")], b"mine"), changed([(5, "change")], b"theirs")) is not None


def test_texts_without_a_last_line_end_and_empty_ones():
    assert merged(b"a\nb\nc", b"A\nb\nc", b"a\nb\nC") == b"A\nb\nC"
    assert merged(b"", b"x\n", b"") == b"x\n"
    assert merged(b"x\n", b"", b"x\n") == b""


def test_texts_in_which_no_line_can_be_told_from_another_are_not_merged():
    many = b"\n" * (git_merge.MAX_PAIRS // 100)
    assert merged(b"a\n" + many + b"b\n", b"b\n" + many + many + b"a\n", b"a\n" + many + b"b\n") is None
