"""The disk says that it could not keep what it was told to keep (EIO on a flush): nothing is taken for done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CountingIds, FixedClock
from support.notes import approved_note, effects, notes_bench, target

from twokey.core.lifecycle import State
from twokey.tools.gate import WRITE_LEASE_S

TESTS = Path(__file__).resolve().parent.parent
STRACE = shutil.which("strace")


def failing_flush(number: int, *command: object) -> "subprocess.CompletedProcess[str]":
    """Run a command whose flush of this number fails, and no other; skips where a process cannot be traced."""
    if STRACE is None:
        pytest.skip("strace is not here")
    flush = "fsync,fdatasync"
    trace = [
        STRACE,
        "-f",
        "-qq",
        "--seccomp-bpf",  # what is not looked at costs nothing
        "-o",
        os.devnull,
        "-e",
        f"trace={flush}",
        "-e",
        f"inject={flush}:error=EIO:when={number}",
    ]
    done = subprocess.run(
        [*trace, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        | {"PYTHONPATH": str(TESTS)},
    )
    if "ptrace" in done.stderr:
        pytest.skip("a process cannot be traced here")
    return done


def test_a_write_of_which_a_flush_fails_is_done_once_or_not_at_all(
    tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds
):
    bench = notes_bench(tmp_path, sqlite_url, clock, ids)
    failed_with: list[int] = []
    for number in range(1, 7):
        before = effects(target(bench))
        record = approved_note(bench, name=f"n{chr(96 + number)}")
        arguments = (tmp_path, sqlite_url, record.id, clock.now_us())
        done = failing_flush(number, sys.executable, "-m", "support.note_process", *arguments)
        written = effects(target(bench)) - before
        intents = bench.kinds(record.id).count("write.intended")
        assert written <= intents <= 1, "no write without its intent"
        if done.returncode:
            assert "LogUnavailable" in done.stderr, done.stderr
            failed_with.append(written)
        else:
            assert done.stdout.strip() == "done written"
            assert bench.gate.find(record.id).state is State.DONE
        clock.advance(WRITE_LEASE_S + 1)
        assert bench.gate.execute(record.id).state is State.DONE
        assert effects(target(bench)) - before == 1
        assert bench.kinds(record.id).count("write.intended") == 1
        assert bench.log.verify().ok
    assert 0 in failed_with, "a flush of the intent failed, and nothing was written"
    assert 1 in failed_with, "a flush of the receipt failed, and the write was found again"
    bench.engine.dispose()
