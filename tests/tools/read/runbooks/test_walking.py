"""The files of a folder, and nothing beyond."""

import os
from pathlib import Path

import pytest

from twokey.core.errors import EnvironmentFault, NotFound
from twokey.tools.read.runbooks import walking
from twokey.tools.read.runbooks.walking import MAX_DEPTH, MAX_FILE, Folder, Unreadable, text_of


def listed(folder: Path) -> dict[str, str | None]:
    return {seen.path: seen.fault for seen in Folder(folder).look()}


def test_markdown_is_listed_in_folders_below_and_hidden_things_are_not(tmp_path: Path) -> None:
    for name in ("a.md", "deep/er/b.MARKDOWN", ".hidden.md", ".git/c.md", "notes.txt", "deep/d.mdown"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# x\n")
    assert listed(tmp_path) == {"a.md": None, "deep/d.mdown": None, "deep/er/b.MARKDOWN": None}


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("# secret\n")
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "file.md").symlink_to(outside / "secret.md")
    (folder / "folder").symlink_to(outside)
    (folder / "dangling.md").symlink_to("nowhere")
    assert listed(folder) == {"dangling.md": "symlink", "file.md": "symlink", "folder": "symlink"}
    for path in ("file.md", "folder/secret.md", "../outside/secret.md/x", "gone.md"):
        with pytest.raises(Unreadable):
            Folder(folder).read(path)


def test_what_is_no_regular_file_or_too_large_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "large.md").write_bytes(b"x" * (MAX_FILE + 1))
    (tmp_path / "folder.md").mkdir()
    assert listed(tmp_path) == {"large.md": "too_large", "pipe.md": "no_file"}
    for path, reason in (("pipe.md", "no_file"), ("large.md", "too_large")):
        with pytest.raises(Unreadable) as error:
            Folder(tmp_path).read(path)
        assert error.value.reason == reason


def test_folders_that_are_too_deep_are_named(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    (deep / "x.md").write_text("x")
    assert list(listed(tmp_path).values()) == ["too_deep"]


def test_names_that_cannot_be_shown_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "a\u202eb.md").write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md")).write_text("x")
    assert listed(tmp_path) == {"a\\u202eb.md": "bad_name", "\\udcff.md": "bad_name"}


def test_too_many_files_or_names_end_the_walk_and_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        (tmp_path / f"{number}.md").write_text("x")
    monkeypatch.setattr(walking, "MAX_FILES", 3)
    assert list(listed(tmp_path).items()) == [("0.md", None), ("1.md", None), ("2.md", None), ("3.md", "too_many")]
    monkeypatch.setattr(walking, "MAX_ENTRIES", 4)
    assert "too_many" in listed(tmp_path).values()


def test_a_folder_that_is_not_there_or_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        listed(tmp_path / "gone")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotFound):
        listed(tmp_path / "file")
    with pytest.raises(EnvironmentFault):
        listed(tmp_path / ("n" * 300))


def test_a_text_has_line_feeds_and_no_mark_at_its_front() -> None:
    assert text_of(b"\xef\xbb\xbfa\r\nb\rc") == "a\nb\nc"
    for content, reason in ((b"a\0b", "binary"), (b"\xff\xfe", "not_text"), (b"\n" * 30_000, "too_large")):
        with pytest.raises(Unreadable) as error:
            text_of(content)
        assert error.value.reason == reason
