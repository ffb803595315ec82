"""The disk is full at the worst moment: nothing acknowledged is lost, nothing is written without an intent, and it goes on."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from support.bench import Bench, build
from support.command import Command, account, repository
from support.full_disk import Disk, small_disk
from support.git_repo import run_git
from support.halfway import in_the_middle_of_a_scan, long_warehouse, to_its_end, told
from support.notes import KeyedNotes, effects, notes_bench, proposed_note, target

from twokey.core.errors import EnvironmentFault, LogUnavailable
from twokey.core.lifecycle import State
from twokey.tools.gate import WRITE_LEASE_S


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


def fill_behind(disk: Disk, database: Path) -> None:
    """Fill the disk so that not even the room of the write-ahead log is left."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        disk.fill()


@pytest.mark.parametrize(("step", "written"), [("render", 0), ("before", 1), ("after", 1)])
def test_a_full_disk_at_intent_or_receipt_loses_nothing_acknowledged(
    tmp_path: Path, disk: Disk, clock: FixedClock, ids: CountingIds, step: str, written: int
):
    """``render`` comes before the intent; ``before`` and ``after`` come between intent and receipt."""
    at: dict[str, Callable[[], None]] = {}
    store = disk.folder / "store.db"
    bench = notes_bench(tmp_path / "rest", f"sqlite:///{store}", clock, ids, [KeyedNotes(at)])
    record = proposed_note(bench)
    bench.gate.answer(bench.answer(record), channel="cli")
    at[step] = lambda: fill_behind(disk, store)
    with pytest.raises(LogUnavailable) as caught:
        bench.gate.execute(record.id)
    assert caught.value.exit_code == EnvironmentFault.exit_code
    assert "free space" in caught.value.next
    at.clear()
    assert effects(target(bench)) == written
    assert (bench.kinds(record.id).count("write.intended"), bench.kinds(record.id).count("write.ended")) == (written, 0)
    assert bench.kinds(record.id).count("answer.given") == 1
    disk.free()
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.execute(record.id).state is State.DONE
    assert effects(target(bench)) == 1
    assert (bench.kinds(record.id).count("write.intended"), bench.kinds(record.id).count("write.ended")) == (1, 1)
    assert bench.log.verify().ok
    bench.engine.dispose()


def test_an_answer_on_a_full_disk_is_not_acknowledged_and_counts_when_it_is_given_again(
    tmp_path: Path, disk: Disk, clock: FixedClock, ids: CountingIds
):
    store = disk.folder / "store.db"
    bench = notes_bench(tmp_path / "rest", f"sqlite:///{store}", clock, ids)
    record = proposed_note(bench)
    fill_behind(disk, store)
    with pytest.raises(LogUnavailable):
        bench.gate.answer(bench.answer(record), channel="cli")
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
    disk.free()
    assert bench.gate.answer(bench.answer(record), channel="cli").state is State.APPROVED
    assert bench.gate.execute(record.id).state is State.DONE
    assert bench.log.verify().ok
    bench.engine.dispose()


def test_a_full_disk_under_the_repository_leaves_no_half_of_a_write(
    tmp_path: Path, disk: Disk, clock: FixedClock, ids: CountingIds
):
    rest = f"sqlite:///{tmp_path / 'store.db'}"
    bench: Bench = build(disk.folder / "target", rest, clock, ids)
    record = bench.propose(content="version: 2\n" + "# words\n" * 5000)
    bench.gate.answer(bench.answer(record), channel="cli")
    disk.fill()
    result = bench.gate.execute(record.id)
    disk.free()
    assert result.state in {State.FAILED, State.UNKNOWN, State.APPROVED}, result
    assert bench.branches() == []
    run_git(bench.repository, "fsck", "--strict", "--no-dangling")
    assert bench.log.verify().ok
    again = bench.propose()
    bench.gate.answer(bench.answer(again), channel="cli")
    assert bench.gate.execute(again.id).state is State.DONE
    assert len(bench.branches()) == 1
    bench.engine.dispose()


def test_a_pin_that_cannot_be_made_stops_everything_and_goes_on_later(
    tmp_path: Path, disk: Disk, clock: FixedClock, ids: CountingIds
):
    """The pin lies beside the log key, which is on the full disk; the database is not."""
    bench = notes_bench(disk.folder / "home", f"sqlite:///{tmp_path / 'store.db'}", clock, ids)
    record = proposed_note(bench)
    (pin,) = (disk.folder / "home").rglob("*.pin")
    pin.unlink()
    disk.fill()
    with pytest.raises(LogUnavailable) as caught:
        bench.gate.answer(bench.answer(record), channel="cli")
    assert pin.name in caught.value.message
    disk.free()
    now = bench.gate.find(record.id)
    if now.state is State.AWAITING_APPROVAL:
        bench.gate.answer(bench.answer(now, "kim"), channel="cli")
    assert bench.gate.execute(record.id).state is State.DONE
    assert bench.kinds(record.id).count("write.intended") == 1
    assert bench.log.verify().ok
    bench.engine.dispose()


# -- as a person sees it ---------------------------------------------------------------------------------------------


def test_a_run_on_a_full_disk_says_so_in_one_sentence_and_is_taken_up(tmp_path: Path, disk: Disk):
    """The whole workspace lies there: state, log and the checkpoints of runs."""
    twokey: Command = account(tmp_path)
    moved = disk.folder / "w"
    assert twokey.workspace is not None
    twokey.workspace.rename(tmp_path / "away")
    shutil.copytree(tmp_path / "away", moved)
    twokey.workspace = moved
    repo = repository(tmp_path / "repo")
    source = long_warehouse(tmp_path / "a.db")
    halfway = in_the_middle_of_a_scan(twokey, source, "--repo", repo, "--as", "ana")
    disk.fill()
    ended = to_its_end(*halfway)
    assert ended.code == 3, ended.err
    assert "Traceback" not in ended.out + ended.err
    assert len(told(ended)) == 2, ended.err
    assert "free space" in ended.err
    listed = twokey("approvals", "list")
    assert listed.code in {0, 3}
    assert "Traceback" not in listed.err
    disk.free()
    (run,) = twokey.json("runs", "list")["runs"]
    resumed = twokey.json("runs", "resume", run["run"], "--as", "ana")
    identifier = resumed["proposals"][0]["id"]
    assert twokey.json("approvals", "approve", identifier, "--as", "sam")["state"] == "done"
    assert len(run_git(repo, "for-each-ref", "refs/heads/twokey/").splitlines()) == 1
    assert twokey.whole()
