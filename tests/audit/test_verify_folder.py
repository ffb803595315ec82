"""The verifier of an exported log names whatever was changed in it, whoever changed it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import log_vectors, witness_vectors
from support.exported import checked, export_to, files, grow
from support.log_world import World

from twokey.audit import merkle, tiles, verify_folder
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.audit.note import Signer
from twokey.audit.verify import BadArgument
from twokey.core.values import Checkpoint

SIZE = 600


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published exported log, as files."""
    folder = tmp_path_factory.mktemp("vectors")
    shutil.copytree(witness_vectors.EXPORT, folder / "good")
    return folder / "good"


@pytest.fixture
def log(sqlite_world: World) -> Log:
    log = sqlite_world.open()
    grow(sqlite_world, log, SIZE)
    return log


@pytest.fixture
def out(sqlite_world: World, log: Log, tmp_path: Path) -> Path:
    export_to(sqlite_world, log, tmp_path / "out")
    return tmp_path / "out"


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _bodies(out: Path, index: str) -> list[bytes]:
    bodies = tiles.entries_of((out / f"tile/entries/{index}").read_bytes())
    assert bodies is not None
    return bodies


def _entry_changed(out: Path) -> None:
    bodies = _bodies(out, "001")
    bodies[10] = bodies[10].replace(b'"findings":0', b'"findings":1')
    (out / "tile/entries/001").write_bytes(tiles.bundle(bodies))


def _entry_and_tile_changed(out: Path) -> None:
    _entry_changed(out)
    leaves = [merkle.leaf_hash(body) for body in _bodies(out, "001")]
    (out / "tile/0/001").write_bytes(b"".join(leaves))


def _all_hashes_changed(out: Path) -> None:
    _entry_and_tile_changed(out)
    path = out / "tile/1/000.p/2"
    hashes = tiles.hashes_of(path.read_bytes())
    hashes[1] = tiles.subtree(tiles.hashes_of((out / "tile/0/001").read_bytes()))
    path.write_bytes(b"".join(hashes))


def _swapped(out: Path) -> None:
    bodies = _bodies(out, "000")
    bodies[3], bodies[7] = bodies[7], bodies[3]
    (out / "tile/entries/000").write_bytes(tiles.bundle(bodies))


def _files_swapped(out: Path) -> None:
    for kind in ("0", "entries"):
        (out / f"tile/{kind}/000").rename(out / "aside")
        (out / f"tile/{kind}/001").rename(out / f"tile/{kind}/000")
        (out / "aside").rename(out / f"tile/{kind}/001")


def _bundle_cut(out: Path) -> None:
    path = out / "tile/entries/002.p/88"
    path.write_bytes(path.read_bytes()[:-1])


def _bundle_ends_in_a_length(out: Path) -> None:
    path = out / "tile/entries/002.p/88"
    path.write_bytes(tiles.bundle(_bodies(out, "002.p/88")[:5]) + b"\x01")


def _entry_added(out: Path) -> None:
    bodies = _bodies(out, "000")
    (out / "tile/entries/000").write_bytes(tiles.bundle([*bodies, bodies[0]]))


def _entry_repeated(out: Path) -> None:
    bodies = _bodies(out, "000")
    bodies[9] = bodies[8]
    (out / "tile/entries/000").write_bytes(tiles.bundle(bodies))


def _no_entry(out: Path) -> None:
    bodies = _bodies(out, "000")
    bodies[4] = b"{}"
    (out / "tile/entries/000").write_bytes(tiles.bundle(bodies))


def _narrower_contradicts(out: Path) -> None:
    (out / "tile/entries/002.p/87").write_bytes(tiles.bundle(_bodies(out, "002.p/88")[1:]))


def _narrower_tile_contradicts(out: Path) -> None:
    (out / "tile/1/000.p/1").write_bytes(bytes(32))


def _wider_contradicts(out: Path) -> None:
    (out / "tile/0/002").write_bytes(bytes(8192))


def _narrower_is_cut(out: Path) -> None:
    content = (out / "tile/entries/002.p/88").read_bytes()
    (out / "tile/entries/002.p/5").write_bytes(content[:100])


def _linked(out: Path) -> None:
    (out / "tile/0/001").rename(out.parent / "elsewhere")
    (out / "tile/0/001").symlink_to(out.parent / "elsewhere")


def _entries_linked(out: Path) -> None:
    (out / "tile/entries").rename(out.parent / "elsewhere")
    (out / "tile/entries").symlink_to(out.parent / "elsewhere")


def _pipe(out: Path) -> None:
    (out / "tile/entries/001").unlink()
    os.mkfifo(out / "tile/entries/001")


TAMPERED: dict[str, tuple[Callable[[Path], object], int | None, str]] = {
    "an entry": (_entry_changed, 266, "are not those that the checkpoint was signed for"),
    "an entry and its tile": (_entry_and_tile_changed, 256, "are not those"),
    "an entry and every hash": (_all_hashes_changed, 0, "are not those"),
    "two entries swapped": (_swapped, 3, "are not those"),
    "two files swapped": (_files_swapped, 0, "are not those"),
    "an entry twice": (_entry_repeated, 9, "are not those"),
    "what is no entry": (_no_entry, 4, "entry 4 has not the fields of an entry"),
    "a bundle gone": (lambda out: (out / "tile/entries/001").unlink(), 256, "tile/entries/001 is missing"),
    "the last bundle gone": (lambda out: (out / "tile/entries/002.p/88").unlink(), 512, r"002\.p/88 is missing"),
    "a bundle cut": (_bundle_cut, 599, "ends before entry 599"),
    "a bundle cut in a length": (_bundle_ends_in_a_length, 517, "ends before entry 517"),
    "a bundle with one entry more": (_entry_added, 256, "holds more than its 256 entries"),
    "a hash of a tile": (lambda out: _flip(out / "tile/0/001", 32 * 20), 276, "but the file tile/0/001 holds other"),
    "a hash of an upper tile": (lambda out: _flip(out / "tile/1/000.p/2", 40), 256, r"tile/1/000\.p/2 holds other"),
    "a tile gone": (lambda out: (out / "tile/0/000").unlink(), 0, "tile/0/000 is missing"),
    "a tile cut": (lambda out: os.truncate(out / "tile/0/001", 8000), 256 + 250, "tile/0/001 holds other"),
    "a tile longer": (lambda out: os.truncate(out / "tile/0/001", 9000), 256, "tile/0/001 holds other"),
    "a tile linked": (_linked, 256, "tile/0/001 is missing"),
    "entries linked": (_entries_linked, 0, "tile/entries/000 is missing"),
    "a pipe": (_pipe, 256, "tile/entries/001 is missing"),
    "a narrower bundle": (_narrower_contradicts, 512, r"tile/entries/002\.p/87 contradicts"),
    "a narrower tile": (_narrower_tile_contradicts, 0, r"tile/1/000\.p/1 contradicts"),
    "a wider tile": (_wider_contradicts, 512, "tile/0/002 contradicts"),
    "a narrower bundle, cut": (_narrower_is_cut, 512, r"tile/entries/002\.p/5 contradicts"),
    "no checkpoint": (lambda out: (out / "checkpoint").unlink(), 0, "there is no checkpoint"),
    "another checkpoint": (lambda out: _flip(out / "checkpoint", 25), 0, "the checkpoint"),
    "no key": (lambda out: (out / "log.vkey").unlink(), None, "log.vkey is not the one"),
    "another key": (lambda out: (out / "log.vkey").write_text(log_vectors.KEY.verifier.vkey), None, "log.vkey is not"),
    "no key in the key's file": (lambda out: (out / "log.vkey").write_bytes(b"\xff"), None, "log.vkey is not"),
    "a strange file": (lambda out: (out / "tile/0/index.html").write_text(""), None, "no part of an exported log"),
    "a strange width": (lambda out: (out / "tile/0/001.p").mkdir() or (out / "tile/0/001.p/256").write_text(""), None,
                        "no part of"),
    "a strange level": (lambda out: (out / "tile/64").mkdir() or (out / "tile/64/000").write_text(""), None, "no part"),
    "a strange number": (lambda out: (out / "tile/0/x000").mkdir() or (out / "tile/0/x000/001").write_text(""), None,
                         "no part of"),
    "folders without end": (lambda out: (out / "tile/0" / "/".join(["x001"] * 40)).mkdir(parents=True), None, "no part"),
    "a link to a folder": (lambda out: (out / "tile/7").symlink_to("/etc"), None, "no part of an exported log"),
    "a link to a file": (lambda out: (out / "tile/0/003").symlink_to("/etc/passwd"), None, "no part of"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "first_bad", "reason"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_changed_is_named(
    sqlite_world: World, out: Path, change: Callable[[Path], object], first_bad: int | None, reason: str
):
    assert checked(sqlite_world, out).ok
    change(out)
    report = checked(sqlite_world, out)
    assert not report.ok
    assert report.first_bad == first_bad
    assert re.search(reason, report.reason), report.reason


def test_what_lies_beyond_the_checkpoint_counts_for_nothing(sqlite_world: World, log: Log, out: Path):
    """As an interrupted export leaves it: tiles of a larger log, under the checkpoint of the smaller one."""
    old = (out / "checkpoint").read_bytes()
    grow(sqlite_world, log, 800)
    export_to(sqlite_world, log, out)
    (out / "checkpoint").write_bytes(old)
    report = checked(sqlite_world, out)
    assert (report.ok, report.size) == (True, SIZE)
    assert report.remarks[0] == (
        "5 files lie beyond the checkpoint and count for nothing, the first of them tile/0/002"
    )
    (out / "tile/0/x001").mkdir()
    (out / "tile/0/x001/002").write_bytes(b"")
    assert checked(sqlite_world, out).remarks[0].startswith("6 files lie beyond")
    (out / "tile/0/002").unlink()
    assert checked(sqlite_world, out).reason.endswith("tile/0/002.p/88 is missing")
    (out / "tile/entries/002").write_bytes(b"\x00" * 100)
    assert not checked(sqlite_world, out).ok


def test_a_rollback_and_a_rewritten_history_show_against_a_checkpoint_held_elsewhere(
    sqlite_world: World, log: Log, out: Path
):
    signer = sqlite_world.key.signer
    held = log.latest()
    assert held is not None
    assert checked(sqlite_world, out, held.note).rollback_checked
    assert "rollback was not checked: give a checkpoint that was held elsewhere" in checked(sqlite_world, out).remarks
    later = checked(sqlite_world, out, signer.checkpoint(SIZE + 1, bytes(32)).note)
    assert (later.ok, later.first_bad, later.reason[:27]) == (False, SIZE, "the log was rolled back: it")
    other = checked(sqlite_world, out, signer.checkpoint(300, bytes(32)).note)
    assert (other.ok, other.first_bad) == (False, None)
    assert "its signed history was rewritten" in other.reason


def test_up_to_a_checkpoint_held_elsewhere_the_entries_are_known_to_be_right(sqlite_world: World, tmp_path: Path):
    log, out, notes = sqlite_world.open(), tmp_path / "out", list[Checkpoint]()
    for size in (200, SIZE):
        grow(sqlite_world, log, size)
        latest = log.latest()
        assert latest is not None
        notes.append(latest)
    export_to(sqlite_world, log, out)
    _all_hashes_changed(out)
    report = checked(sqlite_world, out, notes[0].note)
    assert (report.ok, report.first_bad, report.size, report.root) == (False, 200, 200, notes[0].root)


def test_an_empty_tree_and_an_id_that_occurs_twice_prove_nothing(tmp_path: Path):
    key = log_vectors.KEY
    bodies = [log_vectors.bodies()[0], log_vectors.bodies()[0]]
    leaves = [merkle.leaf_hash(body) for body in bodies]
    for name, content in {
        "checkpoint": key.signer.checkpoint(2, merkle.node_hash(*leaves)).note.encode(),
        "log.vkey": key.verifier.vkey.encode(),
        "tile/0/000.p/2": b"".join(leaves),
        "tile/entries/000.p/2": tiles.bundle(bodies),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    report = verify_folder.verify_folder(tmp_path, key=key.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 1)
    (tmp_path / "checkpoint").write_text(key.signer.checkpoint(0, merkle.EMPTY_ROOT).note)
    report = verify_folder.verify_folder(tmp_path, key=key.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 0)


def test_a_forged_key_does_not_verify_the_log(out: Path, sqlite_world: World):
    forged = Signer(sqlite_world.key.verifier.name, bytes(32))
    report = verify_folder.verify_folder(out, key=forged.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 0)
    assert "is not signed by this log's key" in report.reason


def test_bad_input_is_told_from_a_bad_log(out: Path, sqlite_world: World, tmp_path: Path):
    key = sqlite_world.key.verifier.vkey
    with pytest.raises(BadArgument, match="no folder there"):
        verify_folder.verify_folder(tmp_path / "none", key=key)
    with pytest.raises(BadArgument, match="held elsewhere is not three lines"):
        verify_folder.verify_folder(out, key=key, old="x")
    with pytest.raises(BadArgument, match="not an Ed25519 verifier key"):
        verify_folder.verify_folder(out, key="x")
    with pytest.raises(BadArgument, match="not an Ed25519 cosigner's"):
        verify_folder.verify_folder(out, key=key, witnesses=[key])


def test_a_disk_that_cannot_be_read_is_no_good_log(out: Path, sqlite_world: World, monkeypatch: pytest.MonkeyPatch):
    def gone(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", gone)
        report = checked(sqlite_world, out)
    assert (report.ok, report.reason) == (False, "the folder is damaged and cannot be read to its end")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_file_can_be_changed_unseen(
    vectors: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("changed") / "out"
    shutil.copytree(vectors, folder)
    path = folder / data.draw(st.sampled_from(sorted(files(vectors))))
    content = bytearray(path.read_bytes())
    place, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    content[place] ^= 1 << bit
    path.write_bytes(content)
    report = verify_folder.verify_folder(
        folder, key=log_vectors.KEY.verifier.vkey, witnesses=[witness_vectors.WITNESS.vkey]
    )
    # What is not there but white space around the key says the same.
    assert not report.ok or (
        path.name == "log.vkey" and path.read_bytes().strip().decode() == log_vectors.KEY.verifier.vkey
    )


def test_the_program_stands_alone(vectors: Path, tmp_path: Path):
    command = [sys.executable, "-W", "error", "-m", "twokey.audit.verify_folder", str(vectors), "--key"]
    (tmp_path / "key").write_text(log_vectors.KEY.verifier.vkey)
    witness = witness_vectors.WITNESS.vkey
    good = _run([*command, str(tmp_path / "key"), "--witness", witness])
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["ok"]
    other = _run([*command, LogKey("w-000000000001", bytes(32)).verifier.vkey])
    assert (other.returncode, json.loads(other.stdout)["ok"]) == (1, False)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_takes_what_is_given(vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    key = log_vectors.KEY.verifier.vkey
    (tmp_path / "old").write_bytes((vectors / "checkpoint").read_bytes())
    assert verify_folder.main([str(vectors), "--key", key, "--checkpoint", str(tmp_path / "old")]) == 0
    assert json.loads(capsys.readouterr().out)["rollback_checked"]
    assert verify_folder.main([str(vectors), "--key", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == "A file that was named cannot be read.\n"
    assert verify_folder.main([str(vectors), "--key", "a+b"]) == 2
    assert capsys.readouterr().err == "The key is not an Ed25519 verifier key (NAME+ID+KEY).\n"
