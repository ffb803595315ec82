"""Who drives a run: alive while the process lives, dead when the system took its lock back, else unknown."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from twokey.channels.driving import Drivers
from twokey.core.errors import LogUnavailable

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
