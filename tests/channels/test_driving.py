"""Who drives a run: alive while the process lives, dead when the system took its lock back, else unknown."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.bench import Bench, CountingIds, FixedClock, build

from twokey.channels.driving import NOBODY, Drivers, Heart, Holding, holder_name
from twokey.core.errors import LeaseLost, LogUnavailable
from twokey.store import database, runs

ONE, OTHER = "x-000000000001", "x-000000000002"

HOLDS = """
import sys
from pathlib import Path
from twokey.channels.driving import Drivers
from twokey.core.errors import LogUnavailable
with Drivers(Path(sys.argv[1])).alive(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_holder_is_alive_as_long_as_it_holds(tmp_path: Path):
    drivers = Drivers(tmp_path / "drivers")
    assert drivers.life(ONE) == "unknown", "there is not even a folder"
    with drivers.alive(ONE), drivers.alive(OTHER):
        assert (drivers.life(ONE), drivers.life(OTHER)) == ("alive", "alive")
        drivers.forget(ONE)
        assert drivers.life(ONE) == "alive", "who lives is not forgotten"
    assert (drivers.life(ONE), drivers.life(OTHER)) == ("unknown", "unknown")
    assert not list((tmp_path / "drivers").iterdir())


def test_a_holder_that_was_killed_is_dead_until_forgotten(tmp_path: Path):
    drivers = Drivers(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path), ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert drivers.life(ONE) == "alive"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert drivers.life(ONE) == "dead"
    drivers.forget(ONE)
    drivers.forget(ONE)
    assert drivers.life(ONE) == "unknown"


def test_an_id_is_held_once(tmp_path: Path):
    drivers = Drivers(tmp_path)
    with drivers.alive(ONE), pytest.raises(FileExistsError), drivers.alive(ONE):
        pass


@pytest.mark.parametrize(
    "name", ["", "../x-000000000001", "x-000000000001/..", "/etc/passwd", "x-00000000000\n", "X-1"]
)
def test_what_a_row_says_is_a_name_and_no_path(tmp_path: Path, name: str):
    drivers = Drivers(tmp_path / "drivers")
    (tmp_path / "x-000000000001").write_text("kept", encoding="utf-8")
    (tmp_path / "drivers").mkdir()
    assert drivers.life(name) == "unknown"
    drivers.forget(name)
    assert (tmp_path / "x-000000000001").read_text(encoding="utf-8") == "kept"


def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path):
    (tmp_path / "precious").write_text("kept", encoding="utf-8")
    (tmp_path / ONE).symlink_to(tmp_path / "precious")
    assert Drivers(tmp_path).life(ONE) == "unknown"
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "kept"


def test_who_could_not_give_the_lease_back_is_dead_and_not_unknown(tmp_path: Path):
    """The database failed, so that its row still names the holder; whoever comes next must see that nobody drives."""
    drivers = Drivers(tmp_path)
    with pytest.raises(LogUnavailable), drivers.alive(ONE):
        raise LogUnavailable("It is full.", next="Wait.")
    assert drivers.life(ONE) == "dead"
    drivers.forget(ONE)
    assert drivers.life(ONE) == "unknown"


# -- leases ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


def taken(bench: Bench, heart: Heart, holder: str = ONE, run: str | None = None) -> Holding:
    """A lease on a run that has been taken."""
    holding = heart.holding(run or bench.desk().run, holder)
    with bench.ledger.change() as unit:
        now, until = bench.clock.now_us(), holding.until_us()
        assert runs.take_run(unit.connection, holding.run, holder=holder, now=now, until=until)
    return holding


def until_of(bench: Bench, run: str) -> int:
    with bench.ledger.look() as connection:
        return connection.exec_driver_sql(f"SELECT lease_until_us FROM runs WHERE id = '{run}'").scalar_one()


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lease_is_renewed_while_its_process_works(bench: Bench):
    heart = Heart(bench.ledger, bench.clock, lease_s=10, beat_s=0.02)
    holding = taken(bench, heart)
    before = until_of(bench, holding.run)
    with heart.beats(holding):
        bench.clock.advance(7)
        eventually(lambda: until_of(bench, holding.run) == before + 7_000_000)
    other = taken(bench, heart, OTHER)
    with heart.beats(other):
        bench.clock.advance(1)
        eventually(lambda: until_of(bench, other.run) > before + 7_000_000)
    assert until_of(bench, holding.run) == before + 7_000_000, "what was left is left alone"


def test_a_lease_that_was_lost_is_noticed_by_the_heart(bench: Bench):
    heart = Heart(bench.ledger, bench.clock, beat_s=0.02)
    holding = taken(bench, heart)
    holding.check()
    with heart.beats(holding):
        bench.clock.advance(60)
        with bench.ledger.change() as unit:
            runs.leave_run(unit.connection, holding.run, holder=ONE)
        taken(bench, heart, OTHER, holding.run)
        eventually(lambda: holding.lost)
    with pytest.raises(LeaseLost):
        holding.check()


def test_a_process_that_stood_still_asks_before_it_goes_on(bench: Bench):
    """With a lease shorter than the margin every look at it comes too late, as after a SIGSTOP."""
    heart = Heart(bench.ledger, bench.clock, lease_s=0.5)
    holding = taken(bench, heart)
    bench.clock.advance(1)
    holding.check()
    assert not holding.lost, "nobody had taken it, so it was renewed"
    bench.clock.advance(1)
    taken(bench, heart, OTHER, holding.run)
    with pytest.raises(LeaseLost):
        holding.check()


def test_a_database_that_is_away_does_not_stop_the_heart(bench: Bench, tmp_path: Path):
    away = build(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}", bench.clock, bench.ids)
    heart = Heart(away.ledger, bench.clock, lease_s=0.5, beat_s=0.02)
    holding = taken(away, heart)
    away.engine.dispose()
    away.ledger.engine = database.open_engine(f"sqlite:///{tmp_path / 'nothing.db'}")
    with heart.beats(holding):
        with pytest.raises(LogUnavailable):
            holding.check()
        away.ledger.engine.dispose()
        away.ledger.engine = away.engine
        before = until_of(away, holding.run)
        bench.clock.advance(3)
        eventually(lambda: until_of(away, holding.run) > before)
    away.engine.dispose()


def test_a_name_in_a_row_that_is_no_name_does_not_reach_the_log():
    assert holder_name(ONE) == ONE
    assert holder_name("/etc/passwd") == NOBODY
