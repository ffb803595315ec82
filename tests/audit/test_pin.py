"""The pin: it only grows, survives a crash of its writer, and is believed only if it verifies."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from twokey.audit import merkle
from twokey.audit.keys import LogKey
from twokey.audit.pin import RECORD_BYTES, Pin
from twokey.core.errors import LogUnavailable
from twokey.core.values import Checkpoint

KEY = LogKey("w-000000000001", b"\x01" * 32)


def checkpoint(size: int) -> Checkpoint:
    return KEY.signer.checkpoint(size, merkle.leaf_hash(str(size).encode()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.key.pin"


def test_nothing_is_pinned_at_first_and_reading_leaves_no_file(path: Path):
    assert Pin(path, KEY.verifier).read() is None
    assert not path.exists()


def test_a_pin_only_grows(path: Path):
    pin = Pin(path, KEY.verifier)
    for size, expected in [(3, 3), (7, 7), (5, 7), (7, 7), (2**53 - 1, 2**53 - 1)]:
        pin.advance(checkpoint(size))
        assert Pin(path, KEY.verifier).read() == checkpoint(expected)
        assert pin.read() == checkpoint(expected)
    assert path.stat().st_size == RECORD_BYTES
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_processes_share_a_pin(path: Path):
    one, other = Pin(path, KEY.verifier), Pin(path, KEY.verifier)
    one.advance(checkpoint(3))
    other.advance(checkpoint(9))
    one.advance(checkpoint(5))
    assert one.read() == other.read() == checkpoint(9)


def test_a_process_that_is_held_with_the_lock_is_not_waited_for_without_end(path: Path):
    Pin(path, KEY.verifier).advance(checkpoint(3))
    with path.open("rb+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LogUnavailable, match="another process holds it"):
            Pin(path, KEY.verifier, wait_s=0.02).read()
    assert Pin(path, KEY.verifier).read() == checkpoint(3)


def test_an_empty_file_pins_nothing(path: Path):
    """What a power loss can leave of a pin that was being created."""
    path.touch(mode=0o600)
    assert Pin(path, KEY.verifier).read() is None


OTHER = LogKey("w-000000000001", b"\x02" * 32).signer.checkpoint(1, bytes(32)).note.encode()


@pytest.mark.parametrize("content", [b"garbage", bytes(512), b"\xff" * 512, OTHER])
def test_a_pin_that_does_not_verify_is_refused(path: Path, content: bytes):
    path.write_bytes(content)
    path.chmod(0o600)
    pin = Pin(path, KEY.verifier)
    for use in (pin.read, lambda: pin.advance(checkpoint(1))):
        with pytest.raises(LogUnavailable, match="does not hold a checkpoint signed by this log's key"):
            use()
    assert path.read_bytes() == content


def test_a_pin_that_others_can_write_is_refused(path: Path):
    Pin(path, KEY.verifier).advance(checkpoint(1))
    path.chmod(0o666)
    with pytest.raises(LogUnavailable, match="others can read or write it"):
        Pin(path, KEY.verifier).read()


def test_a_folder_that_does_not_exist_is_a_clear_sentence(tmp_path: Path):
    with pytest.raises(LogUnavailable, match="cannot be opened"):
        Pin(tmp_path / "none" / "pin", KEY.verifier).advance(checkpoint(1))


NO_SPACE = """
import resource, sys
from pathlib import Path
from twokey.audit.keys import LogKey
from twokey.audit.pin import Pin
from twokey.core.errors import LogUnavailable
key = LogKey("w-000000000001", bytes([1]) * 32)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
try:
    Pin(Path(sys.argv[1]), key.verifier).advance(key.signer.checkpoint(1, bytes(32)))
except LogUnavailable as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    print(error.message)
"""


def test_a_disk_that_takes_no_more_is_a_clear_sentence(path: Path):
    done = subprocess.run([sys.executable, "-c", NO_SPACE, str(path)], capture_output=True, text=True, check=True)
    assert "log.key.pin of the audit log cannot be used: it cannot be read or written" in done.stdout
    assert Pin(path, KEY.verifier).read() is None


def test_a_checkpoint_longer_than_a_sector_is_refused(path: Path):
    key = LogKey("w-" + "0" * 300, b"\x01" * 32)
    with pytest.raises(LogUnavailable, match="too long"):
        Pin(path, key.verifier).advance(key.signer.checkpoint(1, bytes(32)))
