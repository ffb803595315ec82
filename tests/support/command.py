"""The installed command ``twokey`` in processes of its own, as a person or a script runs it."""

import atexit
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.git_repo import drop_samples, make_commit, run_git
from support.templates import templates
from support.warm import Started, Warm
from twokey.audit.keys import LogKey
from twokey.audit.verify import SqliteSource, verify

PROGRAM = Path(sys.executable).with_name("twokey")
_AT_START = ("PYTHON", "LC_", "LANG")
"""Variables that count when a process starts: a command that is given one is started as the program."""
PATIENCE_S = 600
"""How long one command may take on a busy machine; none of them should take a tenth of it."""


@cache
def warm() -> Warm:
    """The process of this worker of the tests that commands are forked from."""
    made = Warm()
    atexit.register(made.close)
    return made


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, and both of its streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """What a person is told about an error: one sentence, and what to do next."""
        assert "Traceback" not in self.out + self.err, self.err
        first, _, rest = self.err.rstrip("\n").partition("\n  next: ")
        assert first, self
        assert "\n" not in first, self.err
        assert rest, self.err
        return first


@dataclass
class Command:
    """One account: a home for its keys, the folder it works in, and the workspace it names with ``-C``."""

    home: Path
    folder: Path
    workspace: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a process: this machine's, without what concerns another Twokey."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TWOKEY_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        return kept | {"TWOKEY_HOME": str(self.home)} | dict(self.variables) | more

    def arguments(self, *args: object) -> list[str]:
        """The command with its workspace."""
        workspace = ["-C", str(self.workspace)] if self.workspace else []
        return [str(PROGRAM), *workspace, *map(str, args)]

    def __call__(self, *args: object, **variables: str) -> Done:
        """Run a command to its end, in a process of its own."""
        if not any(name.startswith(_AT_START) for name in {**self.variables, **variables}):
            return Done(*warm().run(self.arguments(*args), self.folder, self.environment(**variables), PATIENCE_S))
        process = self.start(*args, **variables)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Done(process.returncode, out, err)

    def start(self, *args: object, **variables: str) -> subprocess.Popen[str]:
        """Start the installed program and leave it running."""
        return subprocess.Popen(
            self.arguments(*args),
            cwd=self.folder,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def begin(self, *args: object, **variables: str) -> Started:
        """Start a command in a process of its own and leave it running, where nothing depends on how it starts."""
        return warm().start_command(self.arguments(*args), self.folder, self.environment(**variables))

    def ok(self, *args: object, **variables: str) -> Done:
        """Run a command that has to succeed."""
        done = self(*args, **variables)
        assert done.code == 0, done
        return done

    def json(self, *args: object, **variables: str) -> Any:
        """Run a command that has to succeed; gives its object."""
        return self.ok(*args, "--json", **variables).json

    def refused(self, *args: object, code: int, **variables: str) -> str:
        """Run a command that has to end with ``code``; gives its sentence."""
        done = self(*args, **variables)
        assert done.code == code, done
        return done.sentence

    @property
    def database(self) -> Path:
        """The file of state and log."""
        assert self.workspace is not None
        return self.workspace / ".twokey" / "twokey.db"

    # What follows looks into the database without the command: it costs no process, and shares no line with what is
    # tested but the verifier, which stands alone.

    def rows(self, sql: str, *values: object) -> list[Any]:
        """What a query of the database gives."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    def state(self, proposal: str) -> str:
        """Where a proposal stands."""
        return str(self.rows("SELECT state FROM proposals WHERE id = ?", proposal)[0][0])

    def log(self, *kinds: str, after: int = -1) -> list[Any]:
        """The events of the log, oldest first, of some kinds."""
        rows = self.rows("SELECT body FROM log_entries WHERE seq > ? ORDER BY seq", after)
        events = [json.loads(body)["event"] for (body,) in rows]
        return [event for event in events if not kinds or event["kind"] in kinds]

    def log_bytes(self) -> bytes:
        """Every value of every row of the log's tables, as it is stored."""
        tables = [
            name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'") if name[:4] == "log_"
        ]
        assert {"log_entries", "log_nodes", "log_checkpoints", "log_pending", "log_rejected"} <= set(tables)
        values = [value for name in tables for row in self.rows(f"SELECT * FROM {name}") for value in row]
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    def whole(self) -> bool:
        """Whether the log verifies with this account's key."""
        (path,) = self.home.glob("*/log.key")
        with closing(SqliteSource(self.database)) as source:
            return verify(source, key=LogKey.load(path).verifier.vkey).ok


def account(folder: Path, people: str = "ana:analysts,sam:platform-owners", *more: object) -> Command:
    """A new workspace in ``folder``, with an account that holds every credential."""
    command = Command(home=folder / "home", folder=folder)
    command.ok("init", folder / "w", "--principal", people, *more)
    command.workspace = folder / "w"
    return command


def repository(folder: Path) -> Path:
    """A git repository with one commit on ``main``."""
    return templates().copy("repository", _repository, folder)


def _repository(folder: Path) -> None:
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    make_commit(folder, {"README.md": b"# models\n"}, "Begin")
    drop_samples(folder)


def everything_in(repository: Path) -> list[str]:
    """Every ref with its target, and every object, of a repository."""
    refs = run_git(repository, "for-each-ref", "--format=%(refname) %(objectname)")
    objects = run_git(repository, "cat-file", "--batch-all-objects", "--batch-check")
    return sorted(refs.splitlines() + objects.splitlines())


def warehouse(path: Path, *statements: str) -> Path:
    """A SQLite database; without statements, one with a small table."""
    small = ("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)", "INSERT INTO people VALUES (1, NULL)")
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements or small:
            connection.execute(statement)
        connection.commit()
    return path


@contextmanager
def unwritable(folder: Path) -> Generator[None]:
    """Nobody can write into ``folder``, not even root; skips where this machine cannot arrange that."""
    if os.geteuid() == 0:
        done = subprocess.run(["chattr", "-R", "+i", str(folder)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this file system cannot make a folder unwritable for root")
        try:
            yield
        finally:
            subprocess.run(["chattr", "-R", "-i", str(folder)], check=True)
    else:
        folder.chmod(0o500)
        try:
            yield
        finally:
            folder.chmod(0o700)
