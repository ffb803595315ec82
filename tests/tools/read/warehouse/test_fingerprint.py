"""Whether files changed, told without reading them."""

import os
from pathlib import Path

from twokey.tools.read.warehouse.fingerprint import UNKNOWN, Seen, look


def settled(path: Path) -> Seen:
    return look([path], settled_s=0)


def test_a_file_that_nobody_touched_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    assert settled(path) == settled(path)
    assert len(settled(path).version) == 16
    assert look([path], "b", settled_s=0) != settled(path)


def test_every_kind_of_change_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    before, status = settled(path), path.stat()
    path.write_text("a\n2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    same_size_and_time = settled(path)
    assert same_size_and_time != before, "the time of the inode cannot be set back"
    other = tmp_path / "b.csv"
    other.write_text("a\n2\n")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert settled(path) != same_size_and_time, "another file of the same name"
    path.write_text("a\n22\n")
    assert settled(path) not in {before, same_size_and_time}


def test_a_file_that_was_written_just_now_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    written = path.stat().st_ctime_ns
    assert look([path], now_ns=lambda: written + 1_999_999_999).version == ""
    assert look([path], now_ns=lambda: written + 2_000_000_000).version != ""


def test_a_missing_file_is_unknown(tmp_path: Path) -> None:
    assert look([tmp_path / "gone"]) == UNKNOWN
    assert UNKNOWN.version == ""
