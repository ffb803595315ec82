import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twokey.policies.engines import keeper

COMMAND = [sys.executable, "-I", "-c", "from twokey.policies.engines.keeper import main; main()"]


@pytest.fixture
def kept(tmp_path: Path, coverage_variables: dict[str, str]) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    """A keeper over a child that would stay for ever, and a handle on that child."""
    with subprocess.Popen(
        [*COMMAND, str(tmp_path), "/bin/sleep", "infinity"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=coverage_variables,
    ) as process:
        assert process.stdout is not None
        handle = os.pidfd_open(int(process.stdout.readline()))
        yield process, handle
        os.close(handle)


def _has_ended(handle: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def test_child_and_folder_go_when_standard_input_closes(
    kept: "tuple[subprocess.Popen[bytes], int]", tmp_path: Path
) -> None:
    process, handle = kept
    assert not _has_ended(handle, 0.05)
    assert process.stdin is not None
    process.stdin.close()
    assert _has_ended(handle, 60)
    assert process.wait(60) == 0
    assert not tmp_path.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_goes_when_the_keeper_is_killed(
    kept: "tuple[subprocess.Popen[bytes], int]", number: signal.Signals
) -> None:
    process, handle = kept
    process.send_signal(number)
    assert _has_ended(handle, 60)


def test_a_child_that_ended_stays_to_be_seen(coverage_variables: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "/nowhere", "/bin/true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=coverage_variables
    ) as process:
        assert process.stdout is not None
        handle = os.pidfd_open(int(process.stdout.readline()))
        assert _has_ended(handle, 60)
        os.close(handle)
        assert process.poll() is None


def test_the_promise_to_die_is_only_given_to_a_living_parent() -> None:
    """In this process the parent is not the one named; the promise is taken back at once."""
    import ctypes

    with pytest.raises(ProcessLookupError):
        keeper.die_with(1 if os.getppid() != 1 else 2)
    keeper.die_with(os.getppid())
    assert ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0


def test_a_kernel_that_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PR_SET_PDEATHSIG", 12345)
    with pytest.raises(OSError, match="prctl"):
        keeper.die_with(os.getppid())
