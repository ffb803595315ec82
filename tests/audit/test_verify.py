"""The stand-alone verifier on a database file, as somebody with write access to the file attacks it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import log_vectors
from support.log_world import WORKSPACE, World, step

from twokey.audit import merkle, storage, verify
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.audit.verify import BadArgument, CheckpointRow, EntryRow, Key, Report, SqliteSource, Stream
from twokey.core import canonical
from twokey.core.events import EVENT, PassGiven, SessionClosed, SessionOpened
from twokey.core.values import GivenOrder, Order

Edit = Callable[[sqlite3.Connection], object]


@pytest.fixture
def log(sqlite_world: World) -> Log:
    """Ten entries, a checkpoint each."""
    log = sqlite_world.open()
    for number in range(10):
        sqlite_world.record(log, step(number))
    return log


def _check(world: World, old: str | None = None) -> Report:
    with closing(SqliteSource(world.database)) as source:
        return verify.verify(source, key=world.key.verifier.vkey, old=old)


def _edit(world: World, change: Edit) -> None:
    """Change the file from outside: triggers first, then whatever is wanted."""
    with closing(sqlite3.connect(world.database)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        change(file)
        file.commit()


def _body(file: sqlite3.Connection, seq: int) -> bytes:
    return file.execute("SELECT body FROM log_entries WHERE seq = ?", (seq,)).fetchone()[0]


def _set_body(file: sqlite3.Connection, seq: int, body: bytes, *, rehash: bool = False) -> None:
    file.execute("UPDATE log_entries SET body = ? WHERE seq = ?", (body, seq))
    if rehash:
        file.execute("UPDATE log_entries SET leaf_hash = ? WHERE seq = ?", (merkle.leaf_hash(body), seq))


def _step(seq: int) -> tuple[bytes, bytes]:
    return f'"step":{seq}'.encode(), b'"step":99'


def _change_byte(file: sqlite3.Connection) -> None:
    _set_body(file, 6, _body(file, 6).replace(*_step(6)))


def _change_and_rehash(file: sqlite3.Connection) -> None:
    _set_body(file, 6, _body(file, 6).replace(*_step(6)), rehash=True)


def _rehash_everything(file: sqlite3.Connection) -> None:
    """All that can be made to fit without the key: leaf, nodes and the roots beside the notes."""
    _change_and_rehash(file)
    growing, nodes, roots = merkle.Frontier(), [], {}
    for (leaf,) in file.execute("SELECT leaf_hash FROM log_entries ORDER BY seq").fetchall():
        nodes += growing.append(leaf)
        roots[growing.size] = growing.root()
    file.executemany("UPDATE log_nodes SET hash = ? WHERE pos = ?", [(node, pos) for pos, node in enumerate(nodes)])
    file.executemany(
        "UPDATE log_checkpoints SET root = ? WHERE size = ?", [(root, size) for size, root in roots.items()]
    )


def _swap(file: sqlite3.Connection) -> None:
    file.execute("UPDATE log_entries SET seq = -1 WHERE seq = 3")
    file.execute("UPDATE log_entries SET seq = 3 WHERE seq = 7")
    file.execute("UPDATE log_entries SET seq = 7 WHERE seq = -1")


def _swap_bodies(file: sqlite3.Connection) -> None:
    one, other = _body(file, 3), _body(file, 7)
    _set_body(file, 3, other, rehash=True)
    _set_body(file, 7, one, rehash=True)


def _run(*statements: str) -> Edit:
    def run(file: sqlite3.Connection) -> None:
        for statement in statements:
            file.execute(statement)

    return run


CLOSED_GAP = ("DELETE FROM log_entries WHERE seq = 4", "UPDATE log_entries SET seq = seq - 1 WHERE seq > 4")


@pytest.mark.parametrize(
    ("change", "first_bad", "reason"),
    [
        (_change_byte, 6, "entry 6 is not what its stored hash stands for"),
        (_change_and_rehash, 6, "not those that the checkpoint of size 7 was signed for"),
        (_rehash_everything, 6, "says something else than its signed note"),
        (_swap, 3, "the entries 3 to 3 are not those"),
        (_swap_bodies, 3, "another id than it is stored under"),
        (_run("DELETE FROM log_entries WHERE seq = 9"), 9, "a checkpoint covers 10, and there are 9"),
        (_run("DELETE FROM log_entries WHERE seq = 4"), 4, "entry 4 is missing"),
        (_run("DELETE FROM log_entries WHERE seq = 0"), 0, "entry 0 is missing"),
        (_run("DELETE FROM log_entries"), 0, "a checkpoint covers 1, and there are 0"),
        (
            _run("DELETE FROM log_entries WHERE seq = 4", "UPDATE log_entries SET seq = seq - 1 WHERE seq > 4"),
            4,
            "4 to 4",
        ),
        (_run("DELETE FROM log_checkpoints WHERE size = 10"), 9, "entries from 9 on that no checkpoint covers"),
        (_run("DELETE FROM log_checkpoints"), 0, "there is no checkpoint"),
        (_run("UPDATE log_checkpoints SET note = 'x' WHERE size = 5"), 4, "three lines, a blank line"),
        (_run("UPDATE log_checkpoints SET note = x'00' WHERE size = 5"), 4, "malformed or out of order"),
        (_run("UPDATE log_checkpoints SET size = -3 WHERE size = 5"), 0, "malformed or out of order"),
        (_run("UPDATE log_entries SET id = 'l-zzzzzzzzzzzz' WHERE seq = 5"), 5, "another id"),
        (_run("UPDATE log_entries SET subject = 'r-zzzzzzzzzzzz' WHERE seq = 5"), 5, "indexed as something else"),
        (_run("UPDATE log_entries SET kind = 'run.ended' WHERE seq = 5"), 5, "indexed as something else"),
        (_run("UPDATE log_nodes SET hash = zeroblob(32) WHERE pos = 2"), None, "the stored tree was changed"),
        (_run("DELETE FROM log_nodes WHERE pos = 7"), None, "the stored tree was changed"),
        (_run("INSERT INTO log_nodes VALUES (8, zeroblob(32))"), None, "the stored tree was changed"),
    ],
)
def test_an_edit_of_the_file_is_found(sqlite_world: World, log: Log, change: Edit, first_bad: int | None, reason: str):
    assert log.verify().ok
    _edit(sqlite_world, change)
    report = _check(sqlite_world)
    assert not report.ok
    assert reason in report.reason
    assert report.first_bad == first_bad
    assert log.verify().first_bad == first_bad


def test_an_older_snapshot_shows_only_against_a_checkpoint_held_elsewhere(
    sqlite_world: World, log: Log, tmp_path: Path
):
    sqlite_world.engine.dispose()
    shutil.copy(sqlite_world.database, tmp_path / "snapshot.db")
    for number in range(10, 13):
        sqlite_world.record(log, step(number))
    held = log.latest()
    assert held is not None
    sqlite_world.engine.dispose()
    for suffix in ("-wal", "-shm"):
        Path(f"{sqlite_world.database}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "snapshot.db", sqlite_world.database)
    alone = _check(sqlite_world)
    assert (alone.ok, alone.size, alone.rollback_checked) == (True, 10, False)
    assert "rollback was not checked: give a checkpoint that was held elsewhere" in alone.remarks
    against = _check(sqlite_world, held.note)
    assert (against.ok, against.first_bad, against.rollback_checked) == (False, 10, True)
    assert "rolled back: it ends at 10" in against.reason


def test_an_old_checkpoint_of_any_size_is_a_prefix(sqlite_world: World, log: Log):
    """Also of a size at which this log never signed."""
    with sqlite_world.engine.begin() as connection:
        log.append(connection, step(10), step(11), step(12))
        log.settle(connection)
    bodies = [recorded.entry.encode() for recorded in log.entries()]
    stored = log_vectors.Leaves(bodies)
    for size in range(1, 14):
        held = sqlite_world.key.signer.checkpoint(size, merkle.root(size, stored))
        assert _check(sqlite_world, held.note).ok
        wrong = sqlite_world.key.signer.checkpoint(size, bytes(32))
        report = _check(sqlite_world, wrong.note)
        assert (report.ok, report.first_bad) == (False, None)
        assert "rewritten" in report.reason


def test_a_change_of_an_entry_is_not_mistaken_for_a_rewritten_history(sqlite_world: World, log: Log):
    with sqlite_world.engine.begin() as connection:
        log.append(connection, *(step(number) for number in range(10, 16)))
        log.settle(connection)
    bodies = [recorded.entry.encode() for recorded in log.entries()]
    held = sqlite_world.key.signer.checkpoint(14, merkle.root(14, log_vectors.Leaves(bodies)))
    _edit(sqlite_world, lambda file: _set_body(file, 12, _body(file, 12).replace(*_step(12)), rehash=True))
    report = _check(sqlite_world, held.note)
    assert report.first_bad == 12
    assert "the entries 10 to 15 are not those" in report.reason


@pytest.mark.usefixtures("log")
def test_pending_and_refused_rows_are_told(sqlite_world: World):
    with sqlite_world.engine.begin() as connection:
        sqlite_world.open(key=sqlite_world.key.writer("agent")).append(connection, step(1))
    report = _check(sqlite_world)
    assert report.ok
    assert "1 entries are pending: no checkpoint covers them yet, so they do not count" in report.remarks


# Entries that the key holder signed and that are no entries: what a broken or hostile writer could make


class Bodies:
    """A log with these bodies, properly hashed and signed at the end."""

    def __init__(self, *bodies: bytes, ids: tuple[str, ...] | None = None) -> None:
        self._bodies = bodies
        self._ids = ids

    def entries(self) -> Stream[EntryRow]:
        for seq, body in enumerate(self._bodies):
            try:
                entry: Any = json.loads(body)
                entry_id, event = entry["id"], entry["event"]
                subject = event.get("run") or event.get("proposal") if isinstance(event, dict) else ""
                kind = event["kind"] if isinstance(event, dict) else ""
            except (ValueError, TypeError, KeyError):
                entry_id, subject, kind = "", "", ""
            yield seq, self._ids[seq] if self._ids else entry_id, subject, kind, body, merkle.leaf_hash(body)

    def nodes(self) -> Stream[tuple[object, object]]:
        yield from enumerate(log_vectors.Leaves(self._bodies).nodes)

    def checkpoints(self) -> Stream[CheckpointRow]:
        root = merkle.root(len(self._bodies), log_vectors.Leaves(self._bodies))
        yield len(self._bodies), root, log_vectors.KEY.signer.checkpoint(len(self._bodies), root).note

    def counts(self) -> tuple[int, int]:
        return 0, 0


GOOD: dict[str, Any] = {
    "v": "twokey/entry/v1",
    "id": "l-000000000001",
    "time_us": 1,
    "workspace": WORKSPACE,
    "event": {"kind": "run.ended", "run": "r-000000000001", "state": "done", "code": "ok"},
}


def test_entries_about_the_console_are_indexed_as_the_verifier_expects(sqlite_world: World, log: Log):
    order = Order(workspace=WORKSPACE, order="console_pass", principal="ana", at_us=1)
    given = GivenOrder(statement=order, auth="asserted")
    worded = GivenOrder(statement=order.model_copy(update={"words": "a" * 64}), auth="asserted")
    session: dict[str, Any] = {"principal": "ana", "session": "0" * 16}
    opened = SessionOpened(auth="asserted", secret="b" * 64, at_us=1, until_us=2, **session)
    sqlite_world.record(
        log,
        PassGiven(principal="ana", order=given),
        PassGiven(principal="ana", order=worded),
        opened,
        SessionClosed(code="left", **session),
    )
    assert _check(sqlite_world).ok


def test_a_kind_that_this_verifier_does_not_know_is_no_fault():
    event = {"kind": "run.paused", "run": "r-000000000001"}
    assert verify.verify(Bodies(canonical.encode(GOOD | {"event": event})), key=log_vectors.KEY.verifier.vkey).ok


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"v": "twokey/entry/v2"}, "version unknown"),
        ({"extra": 1}, "has not the fields"),
        ({"id": "l-1"}, "has no id"),
        ({"id": "l-00000000000i"}, "has no id"),
        ({"id": 7}, "has no id"),
        ({"workspace": "w-000000000002"}, "another workspace"),
        ({"workspace": None}, "another workspace"),
        ({"time_us": -1}, "no time"),
        ({"time_us": True}, "no time"),
        ({"time_us": "1"}, "no time"),
        ({"event": "x"}, "no event"),
        ({"event": {"run": "x", "kind": 5}}, "no event"),
        ({"event": {"kind": "answer.given", "answer": 5}}, None),
        ({"event": {"kind": "answer.given", "answer": {"statement": 5}}}, None),
        ({"event": {"kind": "nothing"}}, None),
    ],
)
def test_what_is_no_entry_is_named_even_if_it_is_signed(change: dict[str, Any], why: str | None):
    source = Bodies(canonical.encode(GOOD), canonical.encode(GOOD | {"id": "l-000000000002"} | change))
    report = verify.verify(source, key=log_vectors.KEY.verifier.vkey)
    if why is None:
        assert report.ok
    else:
        assert (report.ok, report.first_bad) == (False, 1)
        assert why in report.reason


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (canonical.encode(GOOD) + b" ", "not canonical"),
        (b"[]", "not the fields"),
        (canonical.encode(GOOD | {"event": {"kind": "x" * 70_000}}), "more than 65535 bytes"),
        (b"\xff", "not canonical"),
    ],
)
def test_bytes_that_are_no_entry_are_named(body: bytes, why: str):
    report = verify.verify(Bodies(body), key=log_vectors.KEY.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 0)
    assert why in report.reason


def test_an_id_that_occurs_twice_is_named_even_if_it_is_signed():
    first, second = canonical.encode(GOOD), canonical.encode(GOOD | {"time_us": 2})
    other, third = canonical.encode(GOOD | {"id": "l-zzzzzzzzzzzz"}), canonical.encode(GOOD | {"time_us": 3})
    again = canonical.encode(GOOD | {"id": "l-zzzzzzzzzzzz", "time_us": 9})
    report = verify.verify(Bodies(first, other, second, third, again), key=log_vectors.KEY.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 2)
    report = verify.verify(Bodies(first, other, again, third), key=log_vectors.KEY.verifier.vkey)
    assert (report.ok, report.first_bad) == (False, 2)
    assert report.reason == "entry 2 has the id of an earlier entry"


@pytest.mark.usefixtures("log")
def test_an_answer_repeats_nothing_of_a_hostile_log(sqlite_world: World):
    planted = "<script>alice@example.com</script>"
    for column in ("id", "subject", "kind"):
        _edit(sqlite_world, _run(f"UPDATE log_entries SET {column} = '{planted}' WHERE seq = 3"))
        assert planted not in json.dumps(_check(sqlite_world).as_json())
    _edit(sqlite_world, _run(f"UPDATE log_checkpoints SET note = '{planted}' WHERE size = 2"))
    assert planted not in json.dumps(_check(sqlite_world).as_json())


STATEMENT: dict[str, Any] = {
    "workspace": WORKSPACE,
    "action": "approve",
    "proposal": "p-000000000002",
    "proposal_digest": "a" * 64,
    "decision_digest": "b" * 64,
    "principal": "sam",
    "at_us": 1,
}
ANSWERED: dict[str, Any] = {
    "kind": "answer.given",
    "answer": {"statement": STATEMENT, "auth": "system"},
    "groups": [],
    "channel": "slack",
}
DECIDED: dict[str, Any] = {
    "kind": "policy.decided",
    "run": "r-000000000001",
    "tool": "open_pull_request",
    "effect": "write",
    "occasion": "propose",
    "decision": "deny",
    "decision_digest": "a" * 64,
    "reasons": [],
    "rules": [],
    "policy_revision": "b" * 64,
    "data_revision": "b" * 64,
    "engine": "opa 1.20.2",
    "input": "c" * 64,
}
CLICK: dict[str, Any] = {
    "kind": "click.rejected",
    "action": "approve",
    "principal": "sam",
    "auth": "system",
    "channel": "slack",
    "proposal": None,
    "code": "unknown_proposal",
}


@pytest.mark.parametrize(
    "event",
    [
        *log_vectors.EVENTS,
        {
            "kind": "answer.given",
            "answer": {"statement": STATEMENT, "auth": "system"},
            "groups": [],
            "channel": "slack",
        },
        DECIDED,
        DECIDED | {"proposal": "p-000000000003"},
        CLICK,
        CLICK | {"proposal": "p-000000000004"},
        {"kind": "credential.created", "principal": "sam", "key": "0" * 16},
    ],
    ids=lambda event: str(event["kind"]),
)
def test_an_entry_is_indexed_by_what_the_writer_indexes_it_by(sqlite_world: World, event: dict[str, Any]):
    """Otherwise a changed index could hide an entry from whoever looks at one proposal."""
    log = sqlite_world.open()
    sqlite_world.record(log, EVENT.validate_python(event))
    assert _check(sqlite_world).ok
    _edit(sqlite_world, _run("UPDATE log_entries SET subject = 'p-zzzzzzzzzzzz'"))
    assert _check(sqlite_world).reason == "entry 0 is indexed as something else than it is"


# Hostile files


def test_a_file_that_is_no_log_is_bad_input(tmp_path: Path):
    (tmp_path / "text.db").write_text("no database" * 1000)
    with closing(sqlite3.connect(tmp_path / "other.db")) as file:
        file.execute("CREATE TABLE x (y)")
        file.commit()
    for name, why in [
        ("text.db", "cannot be opened"),
        ("none.db", "cannot be opened"),
        ("other.db", "holds no audit log"),
    ]:
        with pytest.raises(BadArgument, match=why):
            SqliteSource(tmp_path / name)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.usefixtures("log")
def test_a_view_in_place_of_a_table_is_refused(sqlite_world: World):
    """A view could run for ever, or show the verifier something else than it shows the product."""
    sqlite_world.engine.dispose()
    endless = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i AS pos, x'00' AS hash FROM n"
    _edit(sqlite_world, _run("DROP TABLE log_nodes", f"CREATE VIEW log_nodes AS {endless}"))
    with pytest.raises(BadArgument, match="holds no audit log"):
        SqliteSource(sqlite_world.database)


@pytest.mark.parametrize(
    ("column", "value"), [("body", "'text'"), ("body", "NULL"), ("body", "7"), ("leaf_hash", "'x'"), ("seq", "4")]
)
@pytest.mark.usefixtures("log")
def test_columns_of_another_type_are_found(sqlite_world: World, column: str, value: str):
    def loosen(file: sqlite3.Connection) -> None:
        file.execute("CREATE TABLE copy AS SELECT * FROM log_entries")
        file.execute("DROP TABLE log_entries")
        file.execute("ALTER TABLE copy RENAME TO log_entries")
        file.execute(f"UPDATE log_entries SET {column} = {value} WHERE seq = 3")

    _edit(sqlite_world, loosen)
    report = _check(sqlite_world)
    assert (report.ok, report.first_bad) == (False, 3)


@pytest.mark.usefixtures("log")
def test_a_value_that_is_too_large_to_read_is_a_damaged_database(sqlite_world: World):
    huge = "UPDATE log_entries SET body = zeroblob(2000000) WHERE seq = 3"
    _edit(sqlite_world, _run("PRAGMA ignore_check_constraints=ON", huge))
    report = _check(sqlite_world)
    assert (report.ok, report.reason) == (False, "the database is damaged and cannot be read to its end")
    assert report.first_bad in {2, 3}  # sqlite3 reads one row ahead


@pytest.mark.usefixtures("log")
def test_pages_that_were_overwritten_are_found(sqlite_world: World):
    sqlite_world.engine.dispose()
    content = bytearray(sqlite_world.database.read_bytes())
    place = content.index(b'"step":7')
    content[place - 3000 : place + 500] = os.urandom(3500)
    sqlite_world.database.write_bytes(content)
    assert not _check(sqlite_world).ok


@pytest.mark.postgresql
def test_a_database_that_goes_away_is_a_damaged_one(postgresql_world: World):
    log = postgresql_world.open()
    postgresql_world.record(log, step(1))
    with postgresql_world.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE log_nodes")
    with storage.looking(postgresql_world.engine) as connection:
        report = verify.verify(storage.DatabaseSource(connection), key=postgresql_world.key.verifier.vkey)
    assert (report.ok, report.reason) == (False, "the database is damaged and cannot be read to its end")


# Keys and checkpoints from outside

VKEY = log_vectors.KEY.verifier.vkey
NAMELESS = "+" + VKEY.split("+", 1)[1]


@pytest.mark.parametrize(
    "key", ["", "x", "a+b+c", VKEY[:-8], VKEY.replace("twokey", "twøkey"), VKEY.replace("+", "+0", 1), NAMELESS]
)
def test_a_malformed_key_is_bad_input(key: str):
    with pytest.raises(BadArgument, match="key"):
        Key.parse(key)


NOTE = log_vectors.KEY.signer.checkpoint(3, bytes(32)).note


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "three lines"),
        ("x" * 70_000, "too long"),
        (NOTE + "\x00", "control characters"),
        (NOTE + "\ud800", "control characters"),
        (NOTE[:-1], "three lines"),
        (NOTE.replace("\n3\n", "\n4\n"), "does not fit"),
        (NOTE.replace("\u2014", "-"), "malformed signature line"),
        (NOTE + "\n", "malformed signature line|three lines"),
        (LogKey(WORKSPACE, bytes(32)).signer.checkpoint(3, bytes(32)).note, "not signed by this log's key"),
        (log_vectors.KEY.signer.sign(f"twokey/{WORKSPACE}\n03\n{'A' * 43}=\n"), "no checkpoint of this log"),
        (log_vectors.KEY.signer.sign(f"twokey/{WORKSPACE}\n3\nAAAA\n"), "no checkpoint of this log"),
        (log_vectors.KEY.signer.sign(f"twokey/other\n3\n{'A' * 43}=\n"), "no checkpoint of this log"),
    ],
)
def test_a_checkpoint_from_outside_that_is_none_is_bad_input(note: str, why: str):
    with pytest.raises(BadArgument, match=f"The checkpoint held elsewhere .*({why})"):
        verify.verify(Bodies(), key=VKEY, old=note)


def test_a_witness_may_have_signed_too():
    witness = LogKey("w-000000000009", bytes(32)).signer
    line = witness.sign(NOTE.split("\n\n")[0] + "\n").split("\n\n")[1]
    assert Key.parse(VKEY).checkpoint(NOTE + line) == (3, bytes(32))


# The command


@pytest.fixture
def files(sqlite_world: World, log: Log, tmp_path: Path) -> dict[str, str]:
    latest = log.latest()
    assert latest is not None
    key, old, bad = tmp_path / "log.pub", tmp_path / "old", tmp_path / "bad"
    key.write_text(sqlite_world.key.verifier.vkey + "\n")
    old.write_text(latest.note)
    bad.write_bytes(b"\xff")
    sqlite_world.engine.dispose()
    return {"db": str(sqlite_world.database), "key": str(key), "old": str(old), "bad": str(bad)}


def test_the_command_says_ok_with_nothing_but_the_file_and_the_key(files: dict[str, str], sqlite_world: World):
    command = [sys.executable, "-m", "twokey.audit.verify", files["db"], "--key", sqlite_world.key.verifier.vkey]
    done = subprocess.run([*command, "--checkpoint", files["old"]], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert answer | {"root": ""} == {
        "ok": True,
        "size": 10,
        "root": "",
        "first_bad": None,
        "reason": "every entry is covered by a checkpoint that verifies",
        "rollback_checked": True,
        "remarks": [],
    }


def test_the_command_loads_nothing_but_what_it_may(files: dict[str, str]):
    program = (
        "import sys; from twokey.audit import verify; verify.main(sys.argv[1:]); "
        "heavy = {'sqlalchemy', 'pydantic', 'alembic', 'langgraph'}; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy),"
        "sorted(name for name in sys.modules if name.startswith('twokey')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, files["db"], "--key", files["key"]], capture_output=True, text=True, check=True
    )
    loaded = "[] ['twokey', 'twokey.audit', 'twokey.audit.verify', 'twokey.core', 'twokey.core.canonical']"
    assert done.stdout.splitlines()[-1] == loaded


def test_the_command_ends_with_1_for_a_bad_log_and_2_for_bad_input(
    files: dict[str, str], sqlite_world: World, capsys: pytest.CaptureFixture[str]
):
    assert verify.main([files["db"], "--key", files["key"]]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    _edit(sqlite_world, _change_byte)
    assert verify.main([files["db"], "--key", files["key"]]) == 1
    assert json.loads(capsys.readouterr().out)["first_bad"] == 6
    for arguments in (
        ["none.db", "--key", files["key"]],
        [files["db"], "--key", "none.pub"],
        [files["db"], "--key", "x+y+z"],
        [files["db"], "--key", files["key"], "--checkpoint", files["bad"]],
        [files["db"], "--key", files["key"], "--checkpoint", files["key"]],
    ):
        assert verify.main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
