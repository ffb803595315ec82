"""Key files: created once and whole, readable by their owner only; writers have roles."""

import hmac
import os
import re
import stat
from pathlib import Path

import pytest

from twokey.audit import keys
from twokey.audit.keys import LogKey, WriterKey
from twokey.audit.note import Signer
from twokey.core.errors import BadInput, LogUnavailable
from twokey.core.events import CardShown, PolicyDecided, StepEnded

WORKSPACE = "w-000000000001"


def test_a_key_survives_its_file(tmp_path: Path):
    made = LogKey.create(tmp_path / "log.key", WORKSPACE)
    again = LogKey.load(tmp_path / "log.key")
    assert again.verifier == made.verifier
    assert again.writer("agent").mac(b"x") == made.writer("agent").mac(b"x")
    assert again.verifier.name == "twokey/w-000000000001"
    assert again.path == tmp_path / "log.key"
    assert stat.S_IMODE((tmp_path / "log.key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["log.key"]


def hkdf(seed: bytes, info: str) -> bytes:
    """HKDF-SHA256 without salt, one block (RFC 5869), from nothing but HMAC."""
    extracted = hmac.digest(bytes(32), seed, "sha256")
    return hmac.digest(extracted, info.encode() + b"\x01", "sha256")


def test_the_keys_are_derived_from_the_seed_as_specified(tmp_path: Path):
    """Another derivation would lock everybody out of their logs."""
    path = tmp_path / "log.key"
    path.write_text(f"twokey/log-key/v1 twokey/{WORKSPACE} {'07' * 32}\n")
    path.chmod(0o600)
    key = LogKey.load(path)
    assert key.verifier.vkey == "twokey/w-000000000001+2dc72c72+AR9eQ7NmEScFN8q1sauPmhPUJlhA9g7eEV8IFWwkklsj"
    assert key.verifier == Signer(f"twokey/{WORKSPACE}", hkdf(b"\x07" * 32, "twokey/log-key/v1/signing")).verifier
    agent = hkdf(b"\x07" * 32, "twokey/log-key/v1/writer/agent")
    assert key.writer("agent").mac(b"body") == hmac.digest(agent, b"twokey/pending/v1\nagent\nbody", "sha256")
    assert key.checkpoint_key() == hkdf(b"\x07" * 32, "twokey/log-key/v1/checkpoints")


def test_roles_have_different_keys():
    key = LogKey(WORKSPACE, b"\x01" * 32)
    assert key.writer("gate").mac(b"x") != key.writer("agent").mac(b"x")
    assert LogKey(WORKSPACE, b"\x02" * 32).writer("gate").mac(b"x") != key.writer("gate").mac(b"x")


def test_an_existing_file_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "log.key"
    LogKey.create(path, WORKSPACE)
    before = path.read_bytes()
    with pytest.raises(BadInput, match=r"There is a key file already: log\.key"):
        LogKey.create(path, WORKSPACE)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["log.key"]


def test_a_dangling_link_is_not_followed_when_a_key_is_made(tmp_path: Path):
    (tmp_path / "log.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput):
        LogKey.create(tmp_path / "log.key", WORKSPACE)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(LogUnavailable, match="cannot be written"):
        LogKey.create(tmp_path / "none" / "log.key", WORKSPACE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_key_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "log.key"
    LogKey.create(path, WORKSPACE)
    path.chmod(mode)
    with pytest.raises(LogUnavailable, match="others can read or write it"):
        LogKey.load(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(tmp_path: Path):
    path = tmp_path / "log.key"
    LogKey.create(path, WORKSPACE)
    os.chown(path, 12345, 12345)
    with pytest.raises(LogUnavailable, match="belongs to another user"):
        LogKey.load(path)


def test_a_link_a_pipe_and_a_missing_file_are_refused(tmp_path: Path):
    LogKey.create(tmp_path / "log.key", WORKSPACE)
    (tmp_path / "link").symlink_to(tmp_path / "log.key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, why in [("link", "it is a link"), ("pipe", "no plain file"), ("none", "cannot be opened")]:
        with pytest.raises(LogUnavailable, match=why):
            LogKey.load(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    ["", "x", f"twokey/log-key/v1 twokey/{WORKSPACE} {'0' * 63}\n", f"twokey/log-key/v1 twokey/{WORKSPACE} {'0' * 64}"],
)
def test_a_malformed_file_is_refused_and_not_shown(tmp_path: Path, text: str):
    path = tmp_path / "log.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(LogUnavailable, match="not a log key file"):
        LogKey.load(path)
    with pytest.raises(LogUnavailable, match="not a writer key file"):
        WriterKey.load(path)


@pytest.mark.parametrize("role", ["gate", "agent"])
def test_a_writer_key_survives_its_file(tmp_path: Path, role: keys.Role):
    writer = LogKey(WORKSPACE, b"\x01" * 32).writer(role)
    writer.save(tmp_path / "writer.key")
    again = WriterKey.load(tmp_path / "writer.key")
    assert (again.role, again.verifier, again.mac(b"x")) == (role, writer.verifier, writer.mac(b"x"))


def test_no_key_shows_itself():
    key = LogKey(WORKSPACE, b"\xab" * 32)
    for shown in (repr(key), str(key), repr(key.writer("gate")), repr(key.signer)):
        assert not re.search("abab|xab", shown)


def test_a_verifier_key_is_read_from_its_line_or_its_file(tmp_path: Path):
    verifier = LogKey(WORKSPACE, b"\x01" * 32).verifier
    (tmp_path / "log.pub").write_text(verifier.vkey + "\n")
    assert keys.load_verifier(verifier.vkey) == verifier
    assert keys.load_verifier(str(tmp_path / "log.pub")) == verifier
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    for bad in (str(tmp_path / "none"), str(tmp_path / "bad"), "x"):
        with pytest.raises(BadInput):
            keys.load_verifier(bad)


def test_an_agents_process_records_what_agents_do_and_nothing_else():
    step = StepEnded(run="r-000000000001", step=1, agent="catalog", code="ok", findings=0)
    card = CardShown(proposal="p-000000000001", digest="a" * 64, decision_digest=None, channel="console", viewer=None)
    fields = {"run": "r-000000000001", "tool": "x", "decision": "allow", "decision_digest": "a" * 64, "reasons": ()}
    fields |= {"rules": (), "policy_revision": "b" * 64, "data_revision": "b" * 64, "engine": "opa", "input": "c" * 64}
    read = PolicyDecided.model_validate(fields | {"effect": "read", "occasion": "read"})
    write = PolicyDecided.model_validate(fields | {"effect": "write", "occasion": "execute"})
    assert keys.may_write("agent", step)
    assert keys.may_write("agent", read)
    assert not keys.may_write("agent", write)
    assert not keys.may_write("agent", card)
    assert all(keys.may_write("gate", event) for event in (step, read, write, card))
