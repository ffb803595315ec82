"""Private files: whole or not at all, this account's alone, and no link is followed."""

import os
import stat
from pathlib import Path

import pytest

from twokey.core.private_files import UnusableFileError, read_private, write_private


def test_what_is_written_is_read_and_nobody_else_reads_it(tmp_path: Path):
    write_private(tmp_path / "a.key", "secret\n")
    assert read_private(tmp_path / "a.key") == "secret\n"
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a.key"]


def test_only_so_much_is_read(tmp_path: Path):
    write_private(tmp_path / "a.key", "x" * 50)
    assert read_private(tmp_path / "a.key", 7) == "x" * 7


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path):
    path = tmp_path / "a.key"
    write_private(path, "one")
    with pytest.raises(FileExistsError):
        write_private(path, "two")
    assert read_private(path) == "one"
    write_private(path, "two", replace=True)
    assert read_private(path) == "two"
    assert [each.name for each in tmp_path.iterdir()] == ["a.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_what_others_can_read_or_write_is_not_used(tmp_path: Path, mode: int):
    write_private(tmp_path / "a.key", "one")
    (tmp_path / "a.key").chmod(mode)
    with pytest.raises(UnusableFileError, match="others can read or write it"):
        read_private(tmp_path / "a.key")


def test_a_link_a_pipe_a_folder_and_nothing_are_not_used(tmp_path: Path):
    write_private(tmp_path / "a.key", "one")
    (tmp_path / "link").symlink_to(tmp_path / "a.key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name, why in (("link", "a link"), ("pipe", "no plain file"), ("folder", "no plain file"), ("none", "opened")):
        with pytest.raises(UnusableFileError, match=why):
            read_private(tmp_path / name)


def test_another_users_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_private(tmp_path / "a.key", "one")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnusableFileError, match="another user"):
        read_private(tmp_path / "a.key")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path):
    with pytest.raises(UnusableFileError, match="cannot be written"):
        write_private(tmp_path / "none" / "a.key", "one")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnusableFileError, match="cannot be written"):
        write_private(tmp_path / "folder", "one", replace=True)
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
