"""What people get wrong, from outside: one clear sentence each, the right exit code, and nothing half-written."""

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from inline_snapshot import snapshot
from support.command import Command, account, everything_in, repository, unwritable, warehouse
from support.git_repo import run_git


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A workspace and a repository; whatever the tests do to them, the log stays whole."""
    folder = tmp_path_factory.mktemp("bad")
    command = account(folder)
    repository(folder / "repo")
    warehouse(folder / "small.db")
    yield command
    assert command.whole()


@pytest.fixture
def twokey(shared: Command) -> Iterator[Command]:
    """The workspace, for a test that must leave neither a proposal nor a trace in the repository."""
    before = (everything_in(shared.folder / "repo"), shared.rows("SELECT id FROM proposals"))
    yield shared
    assert (everything_in(shared.folder / "repo"), shared.rows("SELECT id FROM proposals")) == before
    assert shared.rows("SELECT id FROM runs WHERE state NOT IN ('failed', 'done', 'waiting') OR holder <> ''") == []


def propose(place: object, repo: object = "repo") -> tuple[object, ...]:
    """The arguments of a request for the documentation of a warehouse."""
    return ("catalog", "propose", place, "--repo", repo, "--as", "ana")


# -- warehouses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "code", "sentence"),
    [
        ("", 2, snapshot("No warehouse is named.")),
        ("nothing.db", 2, snapshot("There is no file or folder FOLDER/nothing.db.")),
        ("sqlite:////nothing/there.db", 2, snapshot("There is no file or folder /nothing/there.db.")),
        ("empty.db", 2, snapshot("FOLDER/empty.db is empty: it holds no database.")),
        ("no-tables.db", 2, snapshot("FOLDER/no-tables.db holds no tables.")),
        ("noise.db", 2, snapshot("FOLDER/noise.db is not a database.")),
        ("folder", 2, snapshot("FOLDER/folder holds no CSV or Parquet files.")),
        ("nonsense://here", 2, snapshot("Nothing installed here reads a database of the kind 'nonsense'.")),
        (
            "postgresql://ana:planted-password@127.0.0.1:1/db",
            3,
            snapshot("postgresql+psycopg://ana@127.0.0.1:1/db cannot be reached."),
        ),
    ],
)
def test_a_warehouse_that_cannot_be_read_is_one_sentence(twokey: Command, place: str, code: int, sentence: str):
    folder = twokey.folder
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "empty.db").write_bytes(b"")
    (folder / "noise.db").write_bytes(bytes(range(256)) * 20)
    if not (folder / "no-tables.db").exists():
        warehouse(folder / "no-tables.db", "CREATE TABLE t (a)", "DROP TABLE t")
    done = twokey(*propose(place))
    assert done.code == code, done
    assert done.sentence.replace(str(folder), "FOLDER") == sentence
    assert "planted-password" not in done.out + done.err


def test_with_json_an_error_is_one_object_and_nothing_else(twokey: Command):
    done = twokey(*propose("nothing.db"), "--json")
    assert (done.code, done.err) == (2, "")
    assert set(done.json) == {"error"}
    assert set(done.json["error"]) == {"code", "message", "next"}
    done = twokey(*propose("postgresql://127.0.0.1:1/db"), "--json")
    assert (done.code, done.json["error"]["code"]) == (3, "warehouse_unreachable")
    assert "Traceback" not in done.err


def test_a_view_that_fails_is_reported_and_the_rest_is_done(shared: Command):
    place = warehouse(
        shared.folder / "view.db",
        "CREATE TABLE kept (id INTEGER PRIMARY KEY)",
        "CREATE TABLE gone (x INTEGER)",
        "CREATE VIEW broken AS SELECT x FROM gone",
        "DROP TABLE gone",
    )
    done = shared.json(*propose(place))
    shown = shared.ok("approvals", "show", done["proposals"][0]["id"]).out
    assert "broken" in shown
    assert "kept" in shown
    assert any("broken" in line and "! " in line for line in shown.splitlines())


TABLES = ('quo"te', "new\nline", "esc\x1b[2Jape", "\u202egnp.exe", "semi; DROP TABLE t; --")
COLUMNS = ("id", 'mail"address', "next\nline", "\x1b]0;title\x07", "\u2066note", "'; --", "😀", "{{ x }}")


def test_hostile_names_reach_neither_the_terminal_nor_the_meaning_of_a_file(shared: Command):
    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    repo = repository(shared.folder / "repo\x1b[31m\u202e")
    columns = ", ".join(f"{quoted(name)} TEXT" for name in COLUMNS)
    place = warehouse(
        shared.folder / "hostile.db",
        *(f"CREATE TABLE {quoted(name)} (id INTEGER PRIMARY KEY)" for name in TABLES),
        f"CREATE TABLE plain ({columns})",
    )
    control = warehouse(shared.folder / "control.db", "CREATE TABLE t (id INTEGER, 'c1\x9b31m' TEXT)")
    asked = shared.ok(*propose(place, repo))
    identifier = "p-" + asked.out.split("proposal p-")[1][:12]
    outputs = [
        asked,
        shared.ok("approvals", "show", identifier, "--diff"),
        shared.ok("approvals", "show", identifier, "--json"),
        shared.ok("approvals", "list"),
        shared.ok("approvals", "approve", identifier, "--as", "sam"),
        shared(*propose("missing\x1b[2J\u202e.db", repo)),
        shared(*propose(control)),
    ]
    for done in outputs:
        raw = {character for character in done.out + done.err if unicodedata.category(character) in {"Cc", "Cf"}}
        assert raw <= {"\n", "\t"}
    branch = run_git(repo, "for-each-ref", "--format=%(refname)", "refs/heads/twokey/").strip()
    (name,) = [file for file in run_git(repo, "diff", "--name-only", f"main..{branch}").split() if file.endswith("yml")]
    (source,) = yaml.safe_load(run_git(repo, "show", f"{branch}:{name}"))["sources"]
    found = {table["name"]: [column["name"] for column in table["columns"]] for table in source["tables"]}
    assert set(found) == {"plain", *TABLES}, "a name is documented as it is"
    assert set(found["plain"]) <= set(COLUMNS)
    assert {"id", 'mail"address', "next\nline"} <= set(found["plain"])


def test_a_table_of_two_thousand_columns_is_one_change_like_any_other(shared: Command):
    columns = ", ".join(f"c{number} INTEGER" for number in range(2000))
    place = warehouse(shared.folder / "wide.db", f"CREATE TABLE wide ({columns})", "INSERT INTO wide DEFAULT VALUES")
    before = everything_in(shared.folder / "repo")
    done = shared(*propose(place), "--json")
    assert done.code == 0
    (proposal,) = done.json["proposals"]
    assert proposal["state"] == "awaiting_approval"
    assert "2,000 columns" in done.err
    assert "Traceback" not in done.err
    assert everything_in(shared.folder / "repo") == before


# -- repositories ---------------------------------------------------------------------------------------------------


def test_a_repository_that_is_none_is_one_sentence(twokey: Command):
    folder = twokey.folder
    (folder / "plain").mkdir()
    (folder / "new").mkdir()
    run_git(folder / "new", "init", "--quiet", "--initial-branch=main")
    told = {
        place: twokey.refused(*propose("small.db", place), code=code).replace(str(folder), "FOLDER")
        for place, code in (("plain", 2), ("new", 3), ("absent", 2), ("small.db", 2), ("~nobody-there/x", 2))
    }
    assert told == snapshot(
        {
            "plain": "The folder is no git repository.",
            "new": "The repository has no commits yet.",
            "absent": "There is no folder FOLDER/absent.",
            "small.db": "There is no folder FOLDER/small.db.",
            "~nobody-there/x": "There is no folder ~nobody-there/x.",
        }
    )
    assert not list((folder / "plain").iterdir())
    told = twokey.refused(*propose("small.db", "https://example.org/x.git"), code=2)
    assert told.replace(str(folder), "FOLDER") == snapshot("That is no address of a repository.")


def test_a_bare_and_a_shallow_repository_work_like_any_other_and_without_git(shared: Command, tmp_path: Path):
    origin = repository(tmp_path / "origin")
    run_git(tmp_path, "clone", "--quiet", "--bare", str(origin), "bare")
    run_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{origin}", "shallow")
    (tmp_path / "nothing").mkdir()
    for name, path in (("bare", None), ("shallow", str(tmp_path / "nothing"))):
        variables = {} if path is None else {"PATH": path}
        asked = shared.json(*propose("small.db", tmp_path / name), **variables)
        (proposal,) = asked["proposals"]
        done = shared.json("approvals", "approve", proposal["id"], "--as", "sam", **variables)
        assert done["state"] == "done"
        assert run_git(tmp_path / name, "for-each-ref", "refs/heads/twokey/")
        run_git(tmp_path / name, "fsck", "--strict")


def test_a_repository_that_cannot_be_written_fails_and_keeps_its_refs(shared: Command, tmp_path: Path):
    repo = repository(tmp_path / "locked")
    (proposal,) = shared.json(*propose("small.db", repo))["proposals"]
    before = everything_in(repo)
    with unwritable(repo / ".git"):
        done = shared("approvals", "approve", proposal["id"], "--as", "sam")
        assert done.code == snapshot(1), done
        assert "Traceback" not in done.err
    assert everything_in(repo) == before
    assert shared.state(proposal["id"]) == snapshot("failed")
    assert shared.whole()


# -- workspaces -----------------------------------------------------------------------------------------------------


def test_settings_that_do_not_fit_are_one_sentence(twokey: Command):
    assert twokey.workspace is not None
    path = twokey.workspace / "twokey.toml"
    text = path.read_text(encoding="utf-8")
    damaged = {
        "broken": text.replace("[workspace]", "[workspace"),
        "unknown": text + "\n[polciy]\nengine = 'opa'\n",
        "nested": text.replace("[workspace]\n", "[workspace]\ncolour = 'red'\n"),
        "binary": "\x00\x1b[2J",
        "empty": "",
    }
    told: dict[str, str] = {}
    try:
        for name, content in damaged.items():
            path.write_text(content, encoding="utf-8")
            told[name] = twokey.refused("approvals", "list", code=2).replace(str(path), "FILE")
        doctor = twokey("doctor", "--json")
        assert (doctor.code, doctor.json["ok"]) == (1, False)
    finally:
        path.write_text(text, encoding="utf-8")
    assert told == snapshot(
        {
            "broken": "FILE is damaged: Expected ']' at the end of a table declaration (at line 3, column 11).",
            "unknown": "twokey.toml has an unknown key 'polciy'. Did you mean 'policy'?",
            "nested": "twokey.toml has an unknown key 'workspace.colour'. Known here: demo, id.",
            "binary": "FILE is damaged: Invalid statement (at line 1, column 1).",
            "empty": "twokey.toml lacks 'workspace'.",
        }
    )


def test_a_folder_without_a_workspace_is_one_sentence(twokey: Command, tmp_path: Path):
    elsewhere = Command(home=twokey.home, folder=tmp_path)
    for arguments in (("approvals", "list"), ("ask", "document it"), ("audit", "verify"), ("runs", "list")):
        told = elsewhere.refused(*arguments, code=2).replace(str(tmp_path), "FOLDER")
        assert told == snapshot("There is no workspace at FOLDER: twokey.toml is missing.")
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_none_is_one_sentence_and_stays_as_it_is(shared: Command, tmp_path: Path):
    other = account(tmp_path)
    for suffix in ("-wal", "-shm"):
        Path(f"{other.database}{suffix}").unlink(missing_ok=True)
    other.database.write_bytes(b"this is no database" * 100)
    for arguments in (("approvals", "list"), ("catalog", "scan", shared.folder / "small.db", "--as", "ana")):
        assert other.refused(*arguments, code=3).startswith("The workspace's database cannot be used:")
    assert other.database.read_bytes() == b"this is no database" * 100


@pytest.mark.parametrize("place", ["/proc/w", "file/w", "file", "full"])
def test_a_workspace_that_cannot_be_made_leaves_nothing(tmp_path: Path, place: str):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "full" / "policies").mkdir(parents=True)
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    done = twokey("init", place, "--principal", "ana:analysts,sam:platform-owners")
    assert (done.code, done.out) == (3 if "/w" in place else 2, "")
    assert done.sentence
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left in (["file", "full", "full/policies"], ["file", "full", "full/policies", "home"])
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    (tmp_path / "locked").mkdir()
    with unwritable(tmp_path / "locked"):
        told = twokey.refused("init", "locked/new/w", "--principal", "ana:a,sam:b", code=3)
        assert told.startswith("The workspace cannot be written:")
        assert not list((tmp_path / "locked").iterdir())
    assert not list((tmp_path / "home").glob("*"))


def test_a_workspace_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    twokey = account(tmp_path)
    place = warehouse(tmp_path / "small.db")
    with closing(sqlite3.connect(twokey.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = twokey.database.read_bytes()
    with unwritable(tmp_path / "w"):
        assert twokey.refused("catalog", "scan", place, "--as", "ana", code=3)
        assert twokey.database.read_bytes() == before
    assert twokey.ok("audit", "verify")


def test_a_workspace_is_never_made_twice(twokey: Command):
    before = twokey.workspace and (twokey.workspace / "twokey.toml").read_bytes()
    outside = Command(home=twokey.home, folder=twokey.folder)
    told = outside.refused("init", "w", "--principal", "eve:guests,sam:platform-owners", code=2)
    assert told == snapshot("w is a workspace already.")
    assert twokey.workspace
    assert (twokey.workspace / "twokey.toml").read_bytes() == before
    assert len(list(twokey.home.iterdir())) == 1
