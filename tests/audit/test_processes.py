"""Several processes on one log, and processes that die."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import text
from support import log_writer
from support.command import warm
from support.log_world import World
from support.warm import Started

from twokey.audit.log import Log
from twokey.core.events import StepEnded

WRITER = Path(log_writer.__file__)
EACH = 15


@pytest.fixture
def url(world: World) -> str:
    """The log's database, with a row of state that the processes fight over."""
    with world.engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return world.engine.url.render_as_string(hide_password=False)


def _counter(world: World) -> int:
    with world.engine.connect() as connection:
        return connection.execute(text("SELECT value FROM counter")).scalar_one()


def _writers(processes: int, url: str, key: Path, role: str) -> list[Started]:
    return [warm().start(WRITER, url, key, role, EACH, number) for number in range(processes)]


def _exit_codes(writers: list[Started]) -> list[int | None]:
    for writer in writers:
        writer.finish()
    return [writer.returncode for writer in writers]


def _steps(log: Log) -> list[StepEnded]:
    events = [recorded.entry.event for recorded in log.entries()]
    return [event for event in events if isinstance(event, StepEnded)]


@pytest.mark.parametrize("processes", [4])
def test_processes_with_the_log_key_lose_nothing_and_keep_the_order_of_causes(
    world: World, url: str, log: Log, processes: int
):
    writers = _writers(processes, url, world.folder / "log.key", "gate")
    assert _exit_codes(writers) == [0] * processes
    # Each one saw the value that the one before it had committed, so the log must show the values in their order.
    assert [event.step for event in _steps(log)] == list(range(1, processes * EACH + 1))
    assert sorted({event.run for event in _steps(log)}) == [f"r-00000000000{number}" for number in range(processes)]
    report = log.verify()
    assert (report.ok, report.size) == (True, processes * EACH)
    assert log.rejected() == 0


@pytest.mark.parametrize("processes", [4])
def test_processes_without_the_log_key_are_covered_by_one_that_has_it(world: World, url: str, log: Log, processes: int):
    key = world.folder / "agent.key"
    world.key.writer("agent").save(key)
    writers = _writers(processes, url, key, "agent")
    while not all(writer.ended() for writer in writers):
        with world.engine.begin() as connection:
            log.settle(connection)
        writers[0].ended(0.005)
    assert _exit_codes(writers) == [0] * processes
    assert [event.step for event in _steps(log)] == list(range(1, processes * EACH + 1))
    assert log.verify().ok


@pytest.mark.parametrize("moment", ["open", "kept"])
def test_what_was_promised_before_a_kill_is_in_the_log(world: World, url: str, moment: str):
    """Killed between append and commit, and right after the promise, at another step each time."""
    key = world.folder / "log.key"
    promised: dict[int, str] = {}
    for round_number in range(1, 4):
        process = warm().start(WRITER, url, key, "gate", 50)
        seen = 0
        for line in process.stdout:
            word, value, *entry = line.split()
            if word == "kept":
                promised[int(value)] = entry[0]
            seen += word == moment
            if seen == round_number:
                process.send_signal(signal.SIGKILL)
                break
        for line in process.finish().splitlines():  # what it managed to say before it died
            word, value, *entry = line.split()
            if word == "kept":
                promised[int(value)] = entry[0]
        assert process.returncode == -signal.SIGKILL
        log = world.open()
        for value, entry_id in promised.items():
            event = log.proven(entry_id).event
            assert isinstance(event, StepEnded)
            assert event.step == value
        # State and log agree, whether or not the last commit got through.
        assert [event.step for event in _steps(log)] == list(range(1, _counter(world) + 1))
        assert log.verify().ok is (_counter(world) > 0)  # an empty log proves nothing
    assert len(promised) >= 3
