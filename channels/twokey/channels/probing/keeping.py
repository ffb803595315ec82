"""Probe of the log: what it must not hold, what cannot be changed in it, and who may sign it."""

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from twokey.audit.keys import LogKey
from twokey.audit.verify import SqliteSource, verify
from twokey.channels import wiring
from twokey.channels.probing.stopping import kill_switch
from twokey.channels.probing.world import World
from twokey.channels.wiring import Stage
from twokey.core.errors import TwokeyError
from twokey.policies.controls import Allowed, Attack, Evidence

SECRET: Final = "sk-probe-5f1c0b7e9d"  # noqa: S105 - a marker that is looked for, and opens nothing
_EDITS: Final = (
    "UPDATE log_entries SET body = x'7b7d' WHERE seq = 1",
    "DELETE FROM log_entries WHERE seq = 1",
    "INSERT OR REPLACE INTO log_entries SELECT seq, id, subject, kind, x'7b7d', leaf_hash FROM log_entries LIMIT 1",
    "UPDATE log_checkpoints SET root = zeroblob(32)",
    "DELETE FROM log_checkpoints",
    "DELETE FROM log_nodes",
)


def verifiable_log(world: World, secret: str = SECRET) -> Generator[Evidence]:
    """Plant a secret, edit the log, expose its key, and turn the kill switch in the middle of a write."""
    words = world.propose(files={f"models/{secret}.yml": f"version: 2\n# {secret}\n"})
    world.pushed(words)
    world.desk(text=f"Use {secret}")
    database = Path(str(make_url(wiring.store_url(world.folder, world.config.store.url)).database))
    with closing(SqliteSource(database)) as source:
        bodies = [bytes(row[4]) for row in source.entries() if isinstance(row[4], bytes)]
    yield Attack("a secret in the entries of the log", len(bodies), sum(secret.encode() in body for body in bodies))
    yield Attack("edits of the log's tables, refused by the database", len(_EDITS), _edited(database))
    key = LogKey.load(world.home / wiring.LOG_KEY).verifier.vkey
    yield Allowed("the log verifies", 1, int(_verifies(database, key)[0]))
    copy = database.with_name("copy.db")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    tried = (1, len(bodies) // 2, len(bodies) - 1)
    unnamed = 0
    for seq in tried:
        changed = copy.with_name(f"changed-{seq}.db")
        shutil.copyfile(copy, changed)
        _change_a_byte(changed, seq)
        good, first_bad = _verifies(changed, key)
        unnamed += int(good or first_bad != seq)
    yield Attack("a changed byte that verification does not name", len(tried), unnamed)
    yield Attack("a log key that others can read, and is used", 1, _exposed(world))
    yield from kill_switch(world)


def _edited(database: Path) -> int:
    """Try every edit with the database's own rights; gives how many it took."""
    taken = 0
    for edit in _EDITS:
        with closing(sqlite3.connect(database, timeout=10)) as connection:
            try:
                taken += int(connection.execute(edit).rowcount > 0)
            except sqlite3.DatabaseError:
                continue
            finally:
                connection.rollback()
    return taken


def _verifies(database: Path, key: str) -> tuple[bool, int | None]:
    with closing(SqliteSource(database)) as source:
        report = verify(source, key=key)
    return report.ok, report.first_bad


def _change_a_byte(database: Path, seq: int) -> None:
    """Change the last digit of an entry, with the triggers out of the way, as whoever owns the file could."""
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        (body,) = connection.execute("SELECT body FROM log_entries WHERE seq = ?", (seq,)).fetchone()
        at = body.index(b'"time_us":') + len(b'"time_us":')
        digit = b"1" if body[at : at + 1] != b"1" else b"2"
        connection.execute("UPDATE log_entries SET body = ? WHERE seq = ?", (body[:at] + digit + body[at + 1 :], seq))
        connection.commit()


def _exposed(world: World) -> int:
    """Let others read the log key, and try to open the workspace with it."""
    path = world.home / wiring.LOG_KEY
    path.chmod(0o644)
    try:
        stage = Stage(world.config, world.home, world.engine)
        with wiring.opened_parts(world.folder, clock=world.clock, stage=stage):
            return 1
    except TwokeyError:
        return 0
    finally:
        path.chmod(0o600)
