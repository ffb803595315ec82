"""The log from outside: nothing private is in it, the database refuses to change it, and a change underneath is named."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from support.command import Command, account, repository, warehouse
from support.git_repo import make_commit

from twokey.audit.keys import LogKey

SECRET = "sk-planted-4f9a1c7e2b"
ADDRESS = "margarethe.unmistakable@example.org"


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A workspace that met a secret and an address wherever outside text comes in."""
    folder = tmp_path_factory.mktemp("log")
    command = account(folder)
    name = f"{SECRET}-{ADDRESS}"
    repo = repository(folder / f"repo-{name}")
    make_commit(repo, {f"models/{name}.yml": f"models:\n  - name: {SECRET}\n    description: {ADDRESS}\n".encode()})
    place = warehouse(
        folder / f"{name}.db",
        f'CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, "{SECRET}" TEXT)',
        *(f"INSERT INTO people VALUES ({number}, '{number}{ADDRESS}', '{SECRET}')" for number in range(50)),
        f'CREATE TABLE "{SECRET}" (id INTEGER PRIMARY KEY)',
    )
    for tables in ((), ("--table", SECRET), ("--table", ADDRESS)):
        command("catalog", "propose", place, "--repo", repo, "--as", "ana", *tables)
    command("ask", f"document the table {SECRET} for {ADDRESS}", "--as", "ana")
    command("catalog", "scan", f"postgresql://{SECRET}:{SECRET}@127.0.0.1:1/{SECRET}", "--as", "ana")
    command("approvals", "show", f"{SECRET}{ADDRESS}", "--as", "sam")
    command("approvals", "approve", f"{SECRET}{ADDRESS}", "--as", "sam")
    command("approvals", "approve", "p-000000000000", "--as", SECRET)
    waiting = [row[0] for row in command.rows("SELECT id FROM proposals WHERE state = 'awaiting_approval'")]
    assert waiting, "there was something to propose"
    command.ok("approvals", "refuse", waiting[0], "--as", "sam", "--reason", f"{SECRET} {ADDRESS}")
    yield command
    assert command.whole()


@pytest.fixture
def copy(twokey: Command, tmp_path: Path) -> Command:
    """The same workspace once more, on an account of its own, to be damaged."""
    assert twokey.workspace is not None
    shutil.copytree(twokey.workspace, tmp_path / "w")
    shutil.copytree(twokey.home, tmp_path / "home")
    return replace(twokey, workspace=tmp_path / "w", home=tmp_path / "home", folder=tmp_path)


def test_no_secret_and_no_address_is_in_the_logs_bytes(twokey: Command):
    stored = twokey.log_bytes()
    assert len(twokey.log("tool.returned")) > 3, "tools were called"
    assert len(twokey.log("answer.given")) == 1
    assert SECRET.encode() not in stored
    assert ADDRESS.encode() not in stored
    assert b"unmistakable" not in stored
    assert b"planted" not in stored
    shown = twokey.ok("audit", "show")
    assert SECRET not in shown.out + shown.err
    assert re.search(r"answer\.given +answer=\{", shown.out)


def test_what_outsiders_get_holds_no_secret_and_no_address(twokey: Command, tmp_path: Path):
    """Not only the bytes of the entries: no name of a file, and no byte of it."""
    twokey.ok("audit", "export", tmp_path / "out")
    for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        held = str(path.relative_to(tmp_path)).encode() + (path.read_bytes() if path.is_file() else b"")
        assert SECRET.encode() not in held
        assert b"unmistakable" not in held
        assert b"planted" not in held
    assert twokey.json("audit", "verify", "--export", tmp_path / "out")["ok"]


def test_a_warehouses_password_is_written_nowhere(twokey: Command):
    assert twokey.workspace is not None
    place = "postgresql://ana:only-in-this-process@127.0.0.1:1/db"
    assert twokey.refused("catalog", "scan", place, "--as", "ana", code=3)
    stored = [path.read_bytes() for path in (twokey.workspace / ".twokey").rglob("*") if path.is_file()]
    assert not any(b"only-in-this-process" in content for content in stored)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
        "REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    ],
)
@pytest.mark.parametrize(
    ("table", "column"), [("log_entries", "body"), ("log_nodes", "hash"), ("log_checkpoints", "note")]
)
def test_the_database_refuses_to_change_the_log(copy: Command, statement: str, table: str, column: str):
    before = copy.log_bytes()
    with (
        closing(sqlite3.connect(copy.database)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement.format(table=table, column=column))
    assert copy.log_bytes() == before


def test_a_byte_changed_in_the_file_is_named_by_the_first_entry_that_is_wrong(copy: Command):
    with closing(sqlite3.connect(copy.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (seq, body) = copy.rows("SELECT seq, body FROM log_entries WHERE kind = 'answer.given'")[0]
    content = copy.database.read_bytes()
    assert content.count(body) == 1
    copy.database.write_bytes(content.replace(body, body.replace(b'"refuse"', b'"refusE"')))
    done = copy("audit", "verify", "--json")
    assert done.code == 1
    assert (done.json["ok"], done.json["first_bad"]) == (False, seq)
    assert done.json["reason"]
    told = copy("audit", "verify")
    assert told.code == 1
    assert told.out.startswith(f"NOT ok at entry {seq}: ")


def test_a_log_that_lost_its_end_is_found_with_a_checkpoint_kept_elsewhere(twokey: Command, copy: Command):
    assert twokey.workspace is not None
    kept = copy.folder / "kept"
    earlier = copy.ok("audit", "checkpoint").out
    shutil.copytree(copy.workspace or kept, copy.folder / "earlier")
    assert copy.refused("approvals", "approve", "p-000000000000", "--as", "sam", code=2)
    kept.write_text(copy.ok("audit", "checkpoint").out, encoding="utf-8")
    assert kept.read_text(encoding="utf-8") != earlier
    good = copy.json("audit", "verify", "--checkpoint", kept)
    assert (good["ok"], good["rollback_checked"]) == (True, True)
    back = replace(copy, workspace=copy.folder / "earlier")
    done = back("audit", "verify", "--checkpoint", kept, "--json")
    assert (done.code, done.json["ok"], done.json["rollback_checked"]) == (1, False, True)
    assert back("approvals", "list").code == 3, "this account remembers what it saw"


def test_a_key_that_is_not_the_logs_proves_nothing(twokey: Command, tmp_path: Path):
    other = account(tmp_path)
    note = other.ok("audit", "checkpoint").out
    (path,) = other.home.glob("*/log.key")
    done = twokey("audit", "verify", "--key", LogKey.load(path).verifier.vkey, "--json")
    assert done.code == 1
    assert done.json["ok"] is False
    (path,) = twokey.home.glob("*/log.key")
    assert twokey.json("audit", "verify", "--key", LogKey.load(path).verifier.vkey)["ok"]
    (tmp_path / "note").write_text(note, encoding="utf-8")
    for arguments in (("--key", "nonsense"), ("--checkpoint", tmp_path / "absent"), ("--checkpoint", tmp_path / "w")):
        assert twokey.refused("audit", "verify", *arguments, code=2)
    told = twokey.refused("audit", "verify", "--checkpoint", tmp_path / "note", code=2)
    assert told == snapshot("The checkpoint held elsewhere is not signed by this log's key.")


def test_a_change_is_shown_from_its_request_to_its_end(twokey: Command):
    ((proposal, run),) = twokey.rows("SELECT id, run FROM proposals WHERE state = 'refused'")
    entries = twokey.json("audit", "show", proposal)["entries"]
    assert [entry["seq"] for entry in entries] == sorted(entry["seq"] for entry in entries)
    assert [entry["kind"] for entry in entries][:2] == ["run.requested", "run.planned"]
    assert [entry["kind"] for entry in entries if entry["event"].get("proposal") == proposal] == snapshot(
        ["proposal.moved", "policy.decided", "proposal.moved", "policy.decided", "proposal.moved"]
    )
    assert {entry["event"].get("run", run) for entry in entries} == {run}
    assert "answer.given" in {entry["kind"] for entry in entries}
    assert twokey.json("audit", "show", run)["entries"] == entries
    assert twokey.json("audit", "show", proposal[:9])["entries"] == entries
    assert twokey.json("audit", "show", proposal, "--after", str(entries[2]["seq"]), "--limit", "2") == {
        "entries": entries[3:5]
    }
    assert twokey.json("audit", "show", "--limit", "2", "--after", "3")["entries"][0]["seq"] == 4


def test_what_the_log_holds_of_a_proposal_is_shown_after_its_row_is_gone(copy: Command):
    ((proposal,),) = copy.rows("SELECT id FROM proposals WHERE state = 'refused'")
    before = copy.json("audit", "show", proposal)
    with closing(sqlite3.connect(copy.database)) as connection, connection:
        connection.execute("DELETE FROM proposals WHERE id = ?", (proposal,))
    assert copy.json("audit", "show", proposal) == before


def test_one_entry_is_shown_by_its_number_and_by_its_id(twokey: Command):
    (first,) = twokey.json("audit", "show", "--limit", "1")["entries"]
    assert twokey.json("audit", "show", "0") == {"entries": [first]}
    assert twokey.json("audit", "show", first["id"]) == {"entries": [first]}


@pytest.mark.parametrize("name", ["999999", "9" * 16, "l-000000000000", "p-000000000000", "r-000000000000", "nonsense"])
def test_what_the_log_does_not_hold_is_said_and_not_shown_as_nothing(twokey: Command, name: str):
    assert twokey.refused("audit", "show", name, code=2)


def test_an_entry_is_proven_to_somebody_who_holds_the_key_alone(twokey: Command, tmp_path: Path):
    number, name = twokey.rows("SELECT seq, id FROM log_entries WHERE kind = 'answer.given'")[0]
    file = tmp_path / "proof.json"
    file.write_text(twokey.ok("audit", "prove", str(number), "--json").out, encoding="utf-8")
    assert twokey.json("audit", "prove", name) == twokey.json("audit", "prove", str(number))
    assert f"entry {number} is in the log" in twokey.ok("audit", "prove", name).out
    (path,) = twokey.home.glob("*/log.key")
    key = LogKey.load(path).verifier.vkey
    (tmp_path / "stranger").mkdir()
    stranger = account(tmp_path / "stranger")
    checked = replace(stranger, workspace=None).json("audit", "prove", "--check", file, "--key", key)
    assert checked == {"ok": True, "index": number, "id": name, "kind": "answer.given"}
    assert twokey.ok("audit", "prove", "--check", file).out.startswith(f"ok: entry {number} ({name}, answer.given)")
    assert stranger.refused("audit", "prove", "--check", file, code=1), "the key in the file is not trusted"
    for old, new in (("refuse", "approve"), (f"index {number}", f"index {number + 1}")):
        text = file.read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "forged.json").write_text(text.replace(old, new), encoding="utf-8")
        assert twokey.refused("audit", "prove", "--check", tmp_path / "forged.json", code=1)
    for content in (
        b"",
        b"[]",
        b"{}",
        b'{"proof": 1, "entry": ""}',
        b'{"proof": "", "entry": 1}',
        b"\xff",
        b"[" * 9999,
    ):
        (tmp_path / "broken.json").write_bytes(content)
        assert twokey.refused("audit", "prove", "--check", tmp_path / "broken.json", code=2)
    assert twokey.refused("audit", "prove", "--check", tmp_path / "absent", code=2)


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("-1",), ("999999",), ("0", "--check", "x"), ("0", "--key", "x"), ("--key", "x")]
)
def test_no_proof_is_made_of_what_is_no_entry(twokey: Command, arguments: tuple[str, ...]):
    assert twokey.refused("audit", "prove", *arguments, code=2)


def test_an_entry_that_was_changed_underneath_is_neither_shown_nor_proven(copy: Command):
    with closing(sqlite3.connect(copy.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ((seq, body),) = copy.rows("SELECT seq, body FROM log_entries WHERE kind = 'answer.given'")
    content = copy.database.read_bytes()
    copy.database.write_bytes(content.replace(body, body.replace(b'"refuse"', b'"refusE"')))
    assert copy.refused("audit", "show", str(seq), code=1)
    assert copy.refused("audit", "prove", str(seq), code=1)


def test_a_decision_is_taken_again_by_the_number_that_the_log_shows(twokey: Command):
    number, name = twokey.rows("SELECT seq, id FROM log_entries WHERE kind = 'policy.decided' ORDER BY seq LIMIT 1")[0]
    assert twokey.json("policy", "eval", str(number)) == twokey.json("policy", "eval", name)
    assert twokey.refused("policy", "eval", "0", code=2), "that entry is no decision"
    assert twokey.refused("policy", "eval", "999999", code=2)


def test_a_run_that_has_come_to_rest_is_told_whole_and_not_waited_for(twokey: Command):
    ((run,),) = twokey.rows("SELECT run FROM proposals WHERE state = 'refused'")
    done = twokey.ok("runs", "watch", run)
    told = done.out.splitlines()
    assert len(twokey.json("audit", "show", run)["entries"]) == sum(line.startswith("20") for line in told)
    assert told[-1].startswith(f"run      {run} is ")
    assert twokey.json("runs", "watch", run)["run"] == run
    assert twokey.refused("runs", "watch", "r-000000000000", code=2)
