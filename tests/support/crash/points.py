"""The moments at which a process can be ended so that something differs on disk.

Rules: points are found by watching the libraries underneath (sqlite3, psycopg, the interpreter's audit events), never
by naming places in our code. Before and after every commit, before every statement of a connection that commits each
one by itself, and before every change of a file below the trial's folder is a point. A point is known by what happens,
on whose behalf, and the how manieth time, so that threads which swap places do not change what it means.
"""

import inspect
import os
import re
import sqlite3
import sqlite3.dbapi2
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PLUMBING: Final = ("twokey.tools.ledger", "twokey.audit.", "twokey.store.", "twokey.core.")
"""Modules that write on behalf of whoever called them."""
SAVERS: Final = "langgraph.checkpoint."
NAIVE: Final = "support.crash.naive"
BEATS: Final = "channels.driving:Holding.renew"
CHANGES: Final = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b", re.IGNORECASE)
_CHANCE: Final = re.compile(r"(?<![a-z0-9])([a-z]-[0-9a-z]{12}|[0-9a-f]{16,}|[0-9a-f]{2}(?=/|$))")
"""What differs between two runs in the name of a file: ids, tokens, the names of objects."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One moment: what is about to happen or just has, on whose behalf, and which time that is, from 1.

    ``part`` is the job of the process in which it comes.
    """

    name: str
    nth: int
    part: str = ""

    def __str__(self) -> str:
        return f"{self.part}: {self.name} #{self.nth}"

    @property
    def by_the_clock(self) -> bool:
        """Whether it depends on how long the run takes: a slow machine renews leases that a quick one never does."""
        return self.name.endswith(BEATS)

    @property
    def of_database(self) -> bool:
        """Whether a database changes here, and not a file beside it."""
        return self.name.startswith(("before commit", "after commit", "statement"))

    def as_json(self) -> list[Any]:
        """The form in which processes hand it on."""
        return [self.name, self.nth, self.part]


def read_point(value: list[Any]) -> Point:
    """Read what ``as_json`` gave."""
    return Point(str(value[0]), int(value[1]), str(value[2]))


class Points:
    """Counts the points of this process, and calls ``act`` at one of them."""

    def __init__(self, folder: Path, part: str, at: Point | None, act: Callable[[], None]) -> None:
        self._folder = f"{folder}{os.sep}"
        self._part = part
        self._at = at
        self._act = act
        self._counts = Counter[str]()
        self._lock = threading.RLock()
        self._inside = threading.local()
        self.seen: list[Point] = []

    def reached(self, what: str) -> None:
        """Count one point, and act if it is the one."""
        with self._lock:
            name = f"{what} · {_on_behalf()}"
            self._counts[name] += 1
            point = Point(name, self._counts[name], self._part)
            self.seen.append(point)
        if point == self._at:
            self._act()

    def watch(self) -> None:
        """Watch this process from now on; it cannot be undone, so it belongs into a process of its own."""
        sys.addaudithook(self._audited)
        self._watch_sqlite()
        self._watch_files()
        self._watch_psycopg()

    # -- files --------------------------------------------------------------------------------------------------------

    def _audited(self, event: str, args: tuple[Any, ...]) -> None:
        match event:
            case "open":
                path, _, flags = args
                if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                    self._file("make", path, new=True)
            case "os.rename" | "os.link":
                self._file(event.removeprefix("os."), args[1])
            case "os.mkdir":
                self._file("mkdir", args[0], new=True)
            case "os.remove" | "os.rmdir" | "os.truncate":
                self._file(event.removeprefix("os."), args[0])
            case _:
                pass

    def _file(self, what: str, path: object, *, new: bool = False) -> None:
        """Count a change of a file; what would be ``new`` and is there already changes nothing."""
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike) or getattr(self._inside, "busy", False):
            return
        text = os.path.abspath(path)  # noqa: PTH100 - a path that is gone is still a name
        if not text.startswith(self._folder) or (new and os.path.lexists(text)):
            return
        self._inside.busy = True
        try:
            self.reached(f"{what} {_CHANCE.sub('*', text.removeprefix(self._folder))}")
        finally:
            self._inside.busy = False

    def _watch_files(self) -> None:
        pwrite = os.pwrite

        def watched(descriptor: int, data: Any, offset: int) -> int:
            self._file("write", Path(f"/proc/self/fd/{descriptor}").readlink())
            return pwrite(descriptor, data, offset)

        os.pwrite = watched

    # -- databases ----------------------------------------------------------------------------------------------------

    def _watch_sqlite(self) -> None:
        points, connect = self, sqlite3.connect

        class Watched(sqlite3.Connection):
            name = ""

            def commit(self) -> None:
                changes = self.in_transaction
                super().commit()
                if changes:
                    points.reached(f"after commit {self.name}")

        def traced(connection: Watched, statement: str) -> None:
            if statement == "COMMIT":
                points.reached(f"before commit {connection.name}")
            elif CHANGES.match(statement) and not connection.in_transaction:
                points.reached(f"statement {connection.name}")

        def watched(*args: Any, **options: Any) -> sqlite3.Connection:
            options.setdefault("factory", Watched)
            connection = connect(*args, **options)
            if isinstance(connection, Watched):
                connection.name = Path(str(args[0])).name
                connection.set_trace_callback(lambda statement: traced(connection, statement))
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = watched

    def _watch_psycopg(self) -> None:
        import psycopg
        from psycopg._pipeline_base import BasePipeline
        from psycopg.pq import TransactionStatus

        points, synced = self, set[int]()

        def watched_commit(commit: Any) -> Any:
            def watched(connection: psycopg.Connection[Any]) -> None:
                changes = connection.pgconn.transaction_status != TransactionStatus.IDLE
                if changes:
                    points.reached("before commit store")
                commit(connection)
                if changes:
                    points.reached("after commit store")

            return watched

        def watched_sync(sync: Any) -> Any:
            def watched(pipeline: BasePipeline) -> None:
                """A pipeline of a connection that commits by itself commits when the server reads its sync."""
                if _in_saver():
                    points.reached("before commit saver")
                    synced.add(id(pipeline.pgconn))
                sync(pipeline)

            return watched

        def watched_wait(wait: Any) -> Any:
            def watched(connection: psycopg.Connection[Any], *args: Any, **options: Any) -> Any:
                by_itself = connection.autocommit and _in_saver()
                if by_itself and getattr(connection, "_pipeline", None) is None:
                    points.reached("statement saver")
                result = wait(connection, *args, **options)
                if by_itself and id(connection.pgconn) in synced:
                    synced.remove(id(connection.pgconn))
                    points.reached("after commit saver")
                return result

            return watched

        _wrap(psycopg.Connection, "commit", watched_commit)
        _wrap(psycopg.Connection, "wait", watched_wait)
        _wrap(BasePipeline, "_enqueue_sync", watched_sync)


def _wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    setattr(owner, name, wrapper(getattr(owner, name)))


def _in_saver() -> bool:
    """Tell whether a saver is at work that changes something."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_code.co_name
        if str(frame.f_globals.get("__name__", "")).startswith(SAVERS) and name in {"put", "put_writes", "setup"}:
            return True
        frame = frame.f_back
    return False


def _on_behalf() -> str:
    """Say for whom a library works: the innermost of our functions that is no plumbing, or a saver's method."""
    frame = inspect.currentframe()
    plumbing, saver = "", ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("twokey.") or module == NAIVE:
            name = f"{module.removeprefix('twokey.')}:{frame.f_code.co_qualname}"
            if not module.startswith(PLUMBING):
                return f"{saver} for {name}" if saver else name
            plumbing = plumbing or name
        elif module.startswith(SAVERS) and not frame.f_code.co_name.startswith("_"):
            saver = f"saver.{frame.f_code.co_name}"
        frame = frame.f_back
    return saver or plumbing or "nobody"
