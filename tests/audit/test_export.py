"""An exported log is whole at every moment, grows without changing a file, and is never another log's."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from support.dying_disk import in_a_child
from support.exported import Faulty, broken, checked, export_to, files, full, grow
from support.log_world import WORKSPACE, World

from twokey.audit import disk, export, merkle, storage, tiles
from twokey.audit.disk import Folder, Steps
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.audit.merkle import BadProof, Frontier
from twokey.audit.note import Signer
from twokey.audit.tiles import ENTRIES, Tile
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, LogUnavailable


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_names_are_those_of_the_specification():
    assert Tile(0, 1_234_067, 256).path == "tile/0/x001/x234/067"
    assert Tile(3, 0, 7).path == "tile/3/000.p/7"
    assert Tile(ENTRIES, 1000, 255).path == "tile/entries/x001/000.p/255"
    assert [tile.path for level in (0, 1, 2) for tile in tiles.tiles(level, 70_000)][-4:] == [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [tiles.levels(size) for size in (1, 255, 256, 65_535, 65_536)] == [1, 1, 2, 2, 3]
    assert [tile.path for tile in tiles.tiles(1, 256)] == ["tile/1/000.p/1"]
    assert (Tile(1, 2, 256).first, Tile(ENTRIES, 2, 256).first) == (2 * 65_536, 512)


def test_tiles_hold_every_subtree_of_the_tree():
    leaves = [merkle.leaf_hash(bytes([number % 256, number // 256])) for number in range(600)]
    growing, hashes = Frontier(), {0: leaves, 1: [tiles.subtree(leaves[:256]), tiles.subtree(leaves[256:512])]}
    for leaf in leaves:
        growing.append(leaf)

    def read(tile: Tile) -> bytes:
        first = tile.index * 256
        return b"".join(hashes[tile.level][first : first + tile.width])

    fetch = tiles.fetch(600, read)
    assert merkle.root(600, fetch) == growing.root()
    proof = merkle.consistency_proof(300, 600, fetch)
    old = Frontier()
    for leaf in leaves[:300]:
        old.append(leaf)
    merkle.check_consistency(old=300, old_root=old.root(), size=600, root=growing.root(), proof=proof)
    with pytest.raises(BadProof, match="does not hold 88 hashes"):
        merkle.root(600, tiles.fetch(600, lambda tile: read(tile)[1:] if tile.level == 0 else read(tile)))


def test_bundles_are_taken_apart_only_where_they_add_up():
    assert tiles.entries_of(tiles.bundle([b"", b"one", b"x" * 65_535])) == [b"", b"one", b"x" * 65_535]
    for cut in (b"\x00", b"\x00\x02a", tiles.bundle([b"one"])[:-1]):
        assert tiles.entries_of(cut) is None


def test_an_exported_log_is_whole(world: World, log: Log, tmp_path: Path):
    grow(world, log, 300)
    done = export_to(world, log, tmp_path / "out")
    assert (done.entries, done.checkpoint) == (300, log.latest())
    assert set(files(tmp_path / "out")) == {
        "checkpoint", "log.vkey", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
        "tile/entries/000", "tile/entries/001.p/44",
    }  # fmt: skip
    assert done.written == 7
    report = checked(world, tmp_path / "out", done.checkpoint.note)
    assert (report.ok, report.size, report.root) == (True, 300, done.checkpoint.root)
    assert (tmp_path / "out/log.vkey").read_text() == world.key.verifier.vkey + "\n"


def test_a_view_that_is_exported_from_outlasts_long_comparisons(postgresql_world: World, tmp_path: Path):
    log = postgresql_world.open()
    grow(postgresql_world, log, 3)
    with log.view() as (connection, checkpoint):
        assert checkpoint is not None
        export.export(connection, checkpoint, postgresql_world.key.verifier, tmp_path / "out")
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "0"
    with log.view() as (connection, _):
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "10s"


def test_a_second_export_writes_only_what_is_new(sqlite_world: World, tmp_path: Path):
    world, out, told = sqlite_world, tmp_path / "out", list[tuple[int, int]]()
    log = world.open()
    grow(world, log, 300)
    export_to(world, log, out)
    first = files(out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    again = export_to(world, log, out)
    assert (again.written, again.entries) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before

    grow(world, log, 520)
    with log.view() as (connection, checkpoint):
        assert checkpoint is not None
        done = export.export(
            connection, checkpoint, world.key.verifier, out, progress=lambda done, of: told.append((done, of))
        )
    assert done.entries == 220
    assert told == [(256, 520), (512, 520), (520, 520)]
    second = files(out)
    kept = set(first) & set(second) - {"checkpoint"}
    assert {name: first[name] for name in kept} == {name: second[name] for name in kept}
    assert "tile/0/000" in kept
    assert "tile/1/000.p/1" in kept, "a narrower tile stays until the whole one is there"
    assert not [name for name in second if name.startswith(("tile/0/001.p", "tile/entries/001.p"))]
    assert done.written == len(set(second) - set(first)) + 1
    assert checked(world, out).ok


def test_narrower_tiles_go_when_the_checkpoint_covers_the_whole_one(sqlite_world: World, tmp_path: Path):
    """The names of large indexes are put in place by hand, as a log of that size takes long."""
    out, log = tmp_path / "out", sqlite_world.open()
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    put = ("tile/0/x001/002", "tile/0/x001/002.p/7", "tile/0/x001/002.p/9", "tile/0/x001/003.p/7", "tile/entries/000",
           "tile/entries/x001/003", "tile/entries/x001/003.p/7", "tile/1/003", "tile/1/003.p/9", "tile/2/odd",
           "tile/2/odd.p/9")  # fmt: skip
    for path in put:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(b"")
    export_to(sqlite_world, log, out)
    assert set(put) <= set(files(out)), "what lies beyond the checkpoint takes nothing away from what it covers"
    assert "tile/entries/000.p/3" in files(out)
    with sqlite_world.engine.connect() as connection, Folder(out) as folder:
        signed = sqlite_world.key.signer.checkpoint(1_003 * 256, bytes(32))
        writer = export._Writer(connection, signed, sqlite_world.key.verifier, folder, lambda _done, _of: None)  # pyright: ignore[reportPrivateUsage]
        writer._sweep()  # pyright: ignore[reportPrivateUsage]
    gone = {"tile/0/x001/002.p/7", "tile/0/x001/002.p/9"}
    assert set(put) - set(files(out)) == gone
    assert "tile/entries/000.p/3" not in files(out)


def test_a_file_that_is_missing_is_written_again(sqlite_world: World, tmp_path: Path):
    world, out, log = sqlite_world, tmp_path / "out", sqlite_world.open()
    grow(world, log, 300)
    export_to(world, log, out)
    whole = files(out)
    for name in ("tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/entries/001.p/44"):
        (out / name).unlink()
        assert export_to(world, log, out).written == 1
    assert files(out) == whole


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
                                  "tile/entries/001.p/44"])  # fmt: skip
@pytest.mark.parametrize("how", ["a byte", "a cut", "longer", "a link"])
def test_a_file_that_differs_is_never_written_over(sqlite_world: World, tmp_path: Path, name: str, how: str):
    world, out, log = sqlite_world, tmp_path / "out", sqlite_world.open()
    grow(world, log, 300)
    export_to(world, log, out)
    path, content = out / name, (out / name).read_bytes()
    if how == "a byte":
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:] if len(content) > 40 else b"x" * 32)
    elif how == "a cut":
        path.write_bytes(content[:-1])
    elif how == "longer":
        path.write_bytes(content + b"x" * 32)
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    grow(world, log, 310)
    before = (out / "checkpoint").read_bytes(), path.read_bytes()
    if name in {"tile/0/001.p/44", "tile/entries/001.p/44"}:  # not asked for at the new size
        export_to(world, log, out)
        assert not checked(world, out).ok
        return
    with pytest.raises(CheckFailed):
        export_to(world, log, out)
    assert ((out / "checkpoint").read_bytes(), path.read_bytes()) == before


def test_of_two_files_one_missing_the_other_is_compared(sqlite_world: World, tmp_path: Path):
    out, log = tmp_path / "out", sqlite_world.open()
    grow(sqlite_world, log, 300)
    export_to(sqlite_world, log, out)
    (out / "tile/0/000").unlink()
    (out / "tile/entries/000").write_bytes(b"\x00\x00" * 256)
    with pytest.raises(CheckFailed, match="tile/entries/000 differs"):
        export_to(sqlite_world, log, out)


def test_the_folder_of_another_log_is_refused(sqlite_world: World, tmp_path: Path):
    out, log = tmp_path / "out", sqlite_world.open()
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    other = LogKey("w-000000000002", bytes(32)).verifier
    with log.view() as (connection, checkpoint):
        assert checkpoint is not None
        with pytest.raises(CheckFailed, match="holds the log of another key"):
            export.export(connection, checkpoint, other, out)
    (out / "checkpoint").write_text(Signer(f"twokey/{WORKSPACE}", bytes(32)).checkpoint(3, bytes(32)).note)
    with pytest.raises(CheckFailed, match="carries no signature"):
        export_to(sqlite_world, log, out)
    (out / "checkpoint").write_bytes(b"\xff\xfe\n\n")
    with pytest.raises(CheckFailed):
        export_to(sqlite_world, log, out)


def test_a_log_that_was_rolled_back_or_rewritten_is_not_written_over_the_folder(sqlite_world: World, tmp_path: Path):
    out, log, signer = tmp_path / "out", sqlite_world.open(), sqlite_world.key.signer
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    (out / "checkpoint").write_text(signer.checkpoint(4, bytes(32)).note)
    with pytest.raises(CheckFailed, match=r"holds 4 entries, and the log has 3: the log was rolled back"):
        export_to(sqlite_world, log, out)
    for size in (2, 3):
        (out / "checkpoint").write_text(signer.checkpoint(size, bytes(32)).note)
        with pytest.raises(CheckFailed, match="its signed history was rewritten"):
            export_to(sqlite_world, log, out)


def test_a_folder_with_other_things_in_it_is_left_alone(sqlite_world: World, tmp_path: Path):
    log = sqlite_world.open()
    grow(sqlite_world, log, 3)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    with pytest.raises(BadInput, match="is not empty and holds no exported log"):
        export_to(sqlite_world, log, tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]
    for place in (tmp_path / "home/letter.txt", tmp_path / "no/such", tmp_path / "home/letter.txt/in"):
        with pytest.raises(BadInput, match="There can be no folder"):
            export_to(sqlite_world, log, place)


@pytest.mark.parametrize("link", [".twokey-drafts", "tile", "tile/0", "checkpoint", "log.vkey"])
def test_a_link_in_the_folder_leads_nowhere(sqlite_world: World, tmp_path: Path, link: str):
    out, log, elsewhere = tmp_path / "out", sqlite_world.open(), tmp_path / "elsewhere"
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    (out / link).rename(elsewhere)
    (out / link).symlink_to(elsewhere)
    held = {path: path.stat().st_mtime_ns for path in [elsewhere, *elsewhere.rglob("*")]}
    grow(sqlite_world, log, 5)
    with pytest.raises((CheckFailed, EnvironmentFault)):
        export_to(sqlite_world, log, out)
    assert {path: path.stat().st_mtime_ns for path in [elsewhere, *elsewhere.rglob("*")]} == held


def test_what_is_no_plain_file_is_not_read(sqlite_world: World, tmp_path: Path):
    out, log = tmp_path / "out", sqlite_world.open()
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    (out / "tile/0/000.p/3").unlink()
    os.mkfifo(out / "tile/0/000.p/3")
    with pytest.raises(CheckFailed, match="no plain file"):
        export_to(sqlite_world, log, out)
    (out / "tile/0/000.p/3").unlink()
    (out / "tile/0/000.p/3").mkdir()
    with pytest.raises(CheckFailed, match="no plain file"):
        export_to(sqlite_world, log, out)
    (out / "checkpoint").write_bytes(b"x" * 100_000)
    with pytest.raises(CheckFailed, match="longer than it can be"):
        export_to(sqlite_world, log, out)


TAMPERINGS = {
    "an entry": "UPDATE log_entries SET body = CAST(replace(body, 'catalog', 'catalo9') AS BLOB) WHERE seq = 1",
    "an early entry with its hash": "UPDATE log_entries SET body = CAST('{}' AS BLOB), leaf_hash = "
    f"X'{'00' * 32}' WHERE seq = 260",
    "an entry is gone": "DELETE FROM log_entries WHERE seq = 5",
    "the last entry is gone": "DELETE FROM log_entries WHERE seq = 519",
    "a node of the tiles": f"UPDATE log_nodes SET hash = X'{'00' * 32}' WHERE pos = {merkle.position((8, 0))}",
    "a node is gone": f"DELETE FROM log_nodes WHERE pos = {merkle.position((8, 1))}",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_log_that_was_changed_underneath_is_not_exported(sqlite_world: World, tmp_path: Path, statement: str):
    log = sqlite_world.open()
    grow(sqlite_world, log, 520)
    with sqlite_world.engine.begin() as connection:
        for table in ("log_entries", "log_nodes"):
            for (name,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"), {"table": table}
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        assert connection.exec_driver_sql(statement).rowcount == 1
    with pytest.raises(CheckFailed, match="not what its checkpoint was signed for"):
        export_to(sqlite_world, sqlite_world.open(), tmp_path / "out")
    assert not (tmp_path / "out/checkpoint").exists()


def test_a_log_whose_stored_tree_has_gaps_is_not_held_to_the_folder(sqlite_world: World, tmp_path: Path):
    log = sqlite_world.open()
    grow(sqlite_world, log, 300)
    export_to(sqlite_world, log, tmp_path / "out")
    with sqlite_world.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER log_nodes_delete")
        connection.exec_driver_sql(f"DELETE FROM log_nodes WHERE pos = {merkle.position((5, 8))}")
    with pytest.raises(CheckFailed, match="not what its checkpoint was signed for"):
        export_to(sqlite_world, log, tmp_path / "out")


def test_a_node_above_whole_tiles_is_checked_against_them(sqlite_world: World, tmp_path: Path):
    """A tree of three levels takes 65,536 entries, so its hashes alone are put in place of the stored ones."""
    log = sqlite_world.open()
    grow(sqlite_world, log, 1)
    leaves = [merkle.leaf_hash(number.to_bytes(3, "big")) for number in range(65_536)]
    below = [tiles.subtree(leaves[place : place + 256]) for place in range(0, 65_536, 256)]
    stored = {(8, place): value for place, value in enumerate(below)} | {(16, 0): tiles.subtree(below)}
    root = stored[16, 0]

    class Writer(export._Writer):  # pyright: ignore[reportPrivateUsage] - what a large log would have it read
        @property
        def _stored(self) -> merkle.Fetch:
            return lambda nodes: {node: stored[node] for node in nodes}

    (tmp_path / "out").mkdir()
    with sqlite_world.engine.connect() as connection, Folder(tmp_path / "out") as folder:
        signed = sqlite_world.key.signer.checkpoint(65_536, root)
        writer = Writer(connection, signed, sqlite_world.key.verifier, folder, lambda _done, _of: None)
        assert writer._hashes() == [[], below, [root]]  # pyright: ignore[reportPrivateUsage]
        stored[8, 7] = bytes(32)
        with pytest.raises(CheckFailed, match="not what its checkpoint was signed for"):
            writer._hashes()  # pyright: ignore[reportPrivateUsage]


def test_a_process_that_is_killed_between_any_two_steps_leaves_a_whole_log(sqlite_world: World, tmp_path: Path):
    """Once for the first export, once for one that fills a tile and sweeps what is narrower."""
    world, log = sqlite_world, sqlite_world.open()
    for size, kept in ((250, 0), (270, 250)):
        grow(world, log, size)
        wanted, moment = None, 0
        while True:
            moment += 1
            out = tmp_path / f"{size}-{moment}"
            if kept:
                _copy(tmp_path / "before", out)

            def work(out: Path = out, moment: int = moment) -> str:
                export_to(world, log, out, Faulty(moment, kill))
                return "done"

            status, said = in_a_child(work)
            killed = os.WIFSIGNALED(status)
            assert killed or said == "done"
            held = (out / "checkpoint").exists()
            if held or kept:
                report = checked(world, out)
                assert report.ok, (moment, report)
                assert report.size in ({kept, size} if killed else {size})
            export_to(world, log, out)
            assert checked(world, out).ok
            wanted = wanted or files(out)
            assert files(out) == wanted
            if not killed:
                break
        assert moment > 10
        if not kept:
            out.rename(tmp_path / "before")


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for name, content in files(source).items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)


class Recorded(Steps):
    """Carries out every step, and knows which folders hold names that are not on the disk yet."""

    def __init__(self) -> None:
        self.loose: set[str] = set()
        self.at_the_checkpoint: list[set[str]] = []

    def rename(self, source: int, draft: str, folder: int, name: str) -> None:
        if name == "checkpoint":
            self.at_the_checkpoint.append(set(self.loose))
        super().rename(source, draft, folder, name)
        self._changed(folder)

    def make_folder(self, folder: int, name: str) -> None:
        super().make_folder(folder, name)
        self._changed(folder)

    def settle(self, folder: int) -> None:
        super().settle(folder)
        self.loose.discard(str(Path(f"/proc/self/fd/{folder}").readlink()))

    def _changed(self, folder: int) -> None:
        self.loose.add(str(Path(f"/proc/self/fd/{folder}").readlink()))


def test_the_checkpoint_comes_when_every_name_under_it_is_on_the_disk(sqlite_world: World, tmp_path: Path):
    """Also the names that a killed process left: nobody knows whether the system wrote them since."""
    world, log, out = sqlite_world, sqlite_world.open(), tmp_path / "out"
    grow(world, log, 300)
    left = Recorded()

    def dies(folder: int, name: str, content: bytes, mode: int) -> None:
        if len(content) > 8192 and (out / "tile/entries/000").exists():
            raise ZeroDivisionError
        Steps.write(left, folder, name, content, mode)

    left.write = dies  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        export_to(world, log, out, left)
    assert left.loose, "the first one left names that are not on the disk"
    steps = Recorded()
    steps.loose = set(left.loose)
    export_to(world, log, out, steps)
    drafts = str(out / disk.DRAFTS)
    assert [loose - {drafts, str(out)} for loose in steps.at_the_checkpoint] == [set()]
    assert steps.loose - {drafts} == set()


@pytest.mark.parametrize("fail", [broken, full])
def test_a_disk_that_fails_at_any_step_is_told_of_and_not_tried_again(
    sqlite_world: World, tmp_path: Path, fail: Callable[[], None]
):
    world, log, moment = sqlite_world, sqlite_world.open(), 0
    grow(world, log, 3)
    export_to(world, log, tmp_path / "before")
    grow(world, log, 260)
    while True:
        moment += 1
        out = tmp_path / str(moment)
        _copy(tmp_path / "before", out)
        steps, code = Faulty(moment, fail), "done"
        try:
            export_to(world, log, out, steps)
        except EnvironmentFault as error:
            code = error.code
        assert checked(world, out).ok
        if code == "done":
            break
        assert (code, steps.count) == ("disk", moment), "nothing was tried after the fault"
    assert moment > 10


def test_two_exports_at_once_do_not_meet(sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log, out = sqlite_world.open(), tmp_path / "out"
    grow(sqlite_world, log, 3)
    out.mkdir()
    monkeypatch.setattr(export, "WAIT_S", 0.05)
    with Folder(out) as held:
        held.lock(1, EnvironmentFault("busy", next=""))
        with pytest.raises(EnvironmentFault, match="Another process is writing"):
            export_to(sqlite_world, log, out)


def test_cosignatures_are_kept_until_the_checkpoint_moves_on(sqlite_world: World, tmp_path: Path):
    log, out, verifier = sqlite_world.open(), tmp_path / "out", sqlite_world.key.verifier
    grow(sqlite_world, log, 3)
    note = export_to(sqlite_world, log, out).checkpoint.note
    cosigned = note + "\u2014 witness.example/w AAAAAAAA\n"
    export.add_cosignatures(out, cosigned, verifier)
    assert (out / "checkpoint").read_text("utf-8") == cosigned
    again = export_to(sqlite_world, log, out)
    assert (again.written, again.checkpoint.note) == (0, cosigned)
    grow(sqlite_world, log, 4)
    export_to(sqlite_world, log, out)
    assert (out / "checkpoint").read_text("utf-8") == log.latest().note  # type: ignore[union-attr]
    with pytest.raises(CheckFailed, match="another checkpoint by now"):
        export.add_cosignatures(out, cosigned, verifier)
    (out / "checkpoint").unlink()
    with pytest.raises(CheckFailed, match="another checkpoint by now"):
        export.add_cosignatures(out, cosigned, verifier)
    with pytest.raises(EnvironmentFault):
        export.add_cosignatures(tmp_path / "none", cosigned, verifier)


def test_a_reader_of_tiles_takes_the_whole_one_where_the_narrower_has_gone(sqlite_world: World, tmp_path: Path):
    log, out = sqlite_world.open(), tmp_path / "out"
    grow(sqlite_world, log, 3)
    export_to(sqlite_world, log, out)
    with Folder(out) as folder:
        read = export.reader(folder)
        narrow = read(Tile(0, 0, 3))
        assert narrow == (out / "tile/0/000.p/3").read_bytes()
        (out / "tile/0/000.p/3").unlink()
        with pytest.raises(BadProof, match=r"tile/0/000\.p/3 is missing"):
            read(Tile(0, 0, 3))
        (out / "tile/0/000").write_bytes(narrow + bytes(32))
        assert read(Tile(0, 0, 3)) == narrow


def test_what_cannot_be_listed_is_told_of(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with Folder(tmp_path) as folder:
        with pytest.raises(CheckFailed, match="links are not followed"):
            folder.names("file")
        assert folder.names("none") == []
    assert disk.disk_fault(OSError()).message == "The folder cannot be read or written (OSError)."


def test_a_disk_that_cannot_be_read_is_told_of(tmp_path: Path):
    with Folder(tmp_path, Steps()) as folder, pytest.raises(EnvironmentFault):
        folder.read("x" * 300, 1)


def test_a_log_without_a_checkpoint_is_not_exported(sqlite_world: World):
    with sqlite_world.open().view() as (connection, checkpoint):
        assert checkpoint is None
        assert storage.latest_note(connection) is None
    with pytest.raises(LogUnavailable):
        sqlite_world.open().wait_covered(["l-000000000000"], timeout=0.0)
