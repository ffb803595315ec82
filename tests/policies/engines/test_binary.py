import hashlib
import os
from pathlib import Path

import pytest

from twokey.core.errors import EngineFault
from twokey.policies.engines.binary import pinned

TEXT = b"#!/bin/true\n"
PIN = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "opa"
    path.write_bytes(TEXT)
    path.chmod(0o755)
    return path


def test_the_pinned_program_is_opened(program: Path) -> None:
    with pinned(program, PIN) as handle:
        program.unlink()
        program.write_bytes(b"another")
        assert os.pread(handle, 100, 0) == TEXT


def test_another_program_is_refused(program: Path) -> None:
    with pytest.raises(EngineFault, match="SHA-256 differs") as fault, pinned(program, "0" * 64):
        pytest.fail("opened")
    assert fault.value.code == "policy_binary"


def test_a_missing_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match="cannot be opened"), pinned(tmp_path / "opa", PIN):
        pytest.fail("opened")


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o722])
def test_a_program_that_others_can_change_is_refused(program: Path, mode: int) -> None:
    program.chmod(mode)
    with pytest.raises(EngineFault, match="could be changed by other users"), pinned(program, PIN):
        pytest.fail("opened")


def test_a_device_is_refused() -> None:
    with pytest.raises(EngineFault, match="could be changed by other users"), pinned(Path("/dev/null"), PIN):
        pytest.fail("opened")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_program_of_another_user_is_refused(program: Path) -> None:
    os.chown(program, 12345, 12345)
    with pytest.raises(EngineFault, match="could be changed by other users"), pinned(program, PIN):
        pytest.fail("opened")
