"""What a command leaves that is stopped in the middle: nothing acknowledged is lost, and the run can be taken up."""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.command import PATIENCE_S, Command, Done, account, everything_in, repository, warehouse
from support.git_repo import run_git
from support.halfway import in_the_middle_of_a_scan, long_warehouse, to_its_end

ASKS = ("--repo", "repo", "--as", "ana")


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A workspace, and a warehouse whose scan prints more than a small pipe holds."""
    folder = tmp_path_factory.mktemp("interrupted")
    command = account(folder)
    repository(folder / "repo")
    long_warehouse(folder / "long.db")
    yield command
    assert command.whole()


def halfway(twokey: Command) -> tuple[subprocess.Popen[bytes], int]:
    return in_the_middle_of_a_scan(twokey, twokey.folder / "long.db", *ASKS)


def stopped(process: subprocess.Popen[bytes], reading: int, number: signal.Signals) -> Done:
    """Send a signal, read on, and give what was left."""
    process.send_signal(number)
    return to_its_end(process, reading)


def latest(twokey: Command) -> str:
    """The run that was begun last."""
    return str(twokey.rows("SELECT id FROM runs ORDER BY created_us DESC LIMIT 1")[0][0])


def taken_up(twokey: Command, run: str) -> dict[str, Any]:
    """Take a run up again; it has to end with one proposal, and nothing in the repository."""
    before = everything_in(twokey.folder / "repo")
    assert twokey.rows("SELECT state FROM runs WHERE id = ?", run) == [("running",)]
    assert twokey.rows("SELECT id FROM proposals WHERE run = ?", run) == []
    outcome = twokey.json("runs", "resume", run, "--as", "ana")
    assert (outcome["run"], outcome["state"]) == (run, "waiting")
    assert len(twokey.rows("SELECT id FROM proposals WHERE run = ?", run)) == 1
    assert everything_in(twokey.folder / "repo") == before
    return dict(outcome["proposals"][0])


def test_a_person_who_interrupts_a_scan_can_take_it_up_again(twokey: Command):
    process, reading = halfway(twokey)
    left = stopped(process, reading, signal.SIGINT)
    assert left.code == 130
    assert left.sentence == "Interrupted. What was acknowledged is kept."
    run = latest(twokey)
    proposal = taken_up(twokey, run)
    again = twokey.json("runs", "resume", run, "--as", "ana")
    assert again["proposals"] == [proposal], "taking up what waits makes nothing new"


def test_a_scan_that_was_killed_is_taken_up_at_once_and_proposes_once(twokey: Command):
    process, reading = halfway(twokey)
    run = latest(twokey)
    told = twokey.refused("runs", "resume", run, "--as", "ana", code=1)
    assert told == f"Another process is driving run {run}."
    assert stopped(process, reading, signal.SIGKILL).code == -signal.SIGKILL
    proposal = taken_up(twokey, run)
    assert twokey.json("approvals", "approve", proposal["id"], "--as", "sam")["state"] == "done"
    assert twokey.rows("SELECT state, code FROM runs WHERE id = ?", run) == [("done", "done")]
    told = twokey.refused("runs", "resume", run, "--as", "ana", code=1)
    assert told == f"Run {run} is done already (done)."
    assert list((twokey.folder / "w" / ".twokey" / "drivers").iterdir()) == []


def test_a_run_that_is_not_here_cannot_be_taken_up(twokey: Command):
    assert twokey.refused("runs", "resume", "r-000000000000", "--as", "ana", code=2) == "There is no such run here."


@pytest.mark.parametrize("arguments", [("audit", "show"), ("audit", "show", "--json"), ("approvals", "list", "--all")])
def test_a_reader_that_goes_away_is_no_fault(twokey: Command, arguments: tuple[str, ...]):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        twokey.arguments(*arguments),
        cwd=twokey.folder,
        env=twokey.environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=PATIENCE_S,
    )
    os.close(writing)
    assert done.returncode == 0, done
    assert b"rror" not in done.stderr


def test_a_reader_that_goes_away_does_not_stop_the_work(twokey: Command):
    before = len(twokey.rows("SELECT id FROM proposals"))
    process, reading = halfway(twokey)
    os.close(reading)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, b"")
    assert len(twokey.rows("SELECT id FROM proposals")) == before + 1


def test_one_process_proposes_while_another_approves(twokey: Command):
    made: list[str] = []
    failures: list[BaseException] = []
    first = threading.Event()

    def propose() -> None:
        try:
            for number in range(4):
                place = warehouse(twokey.folder / f"both{number}.db")
                asked = twokey.json("catalog", "propose", place, "--repo", "repo", "--as", "ana")
                made.append(asked["proposals"][0]["id"])
                first.set()
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            failures.append(error)
            first.set()

    thread = threading.Thread(target=propose)
    thread.start()
    assert first.wait(PATIENCE_S)
    answered = 0
    while thread.is_alive() or answered < len(made):
        if answered < len(made):
            assert twokey.json("approvals", "approve", made[answered], "--as", "sam")["state"] == "done"
            answered += 1
        else:
            thread.join(0.05)
    assert failures == []
    assert answered == 4
    assert twokey.whole()
    branches = run_git(twokey.folder / "repo", "for-each-ref", "--format=%(refname)", "refs/heads/twokey/").split()
    assert len(branches) >= 4
    run_git(twokey.folder / "repo", "fsck", "--strict")


def test_the_folder_of_locks_is_not_a_way_to_any_other_file(twokey: Command, tmp_path: Path):
    """A row that names a path instead of a process is taken for a stranger: only its lease counts."""
    (tmp_path / "precious").write_text("kept", encoding="utf-8")
    process, reading = halfway(twokey)
    run = latest(twokey)
    assert stopped(process, reading, signal.SIGKILL).code == -signal.SIGKILL
    later = time.time_ns() // 1000 + 600_000_000
    with closing(sqlite3.connect(twokey.database)) as connection:
        connection.execute(
            "UPDATE runs SET holder = ?, lease_until_us = ? WHERE id = ?", (str(tmp_path / "precious"), later, run)
        )
        connection.commit()
    assert twokey("runs", "resume", run, "--as", "ana").code == 1
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "kept"
