"""Commands in processes of their own that need not import everything anew.

One process per worker of the tests imports what ``twokey`` imports and waits. For each command it forks: the child gets
its own arguments, folder, variables and streams, runs the installed program's entry point, or a script of the tests, and
ends with its exit code.
So every command is a process that shares nothing with the next; only the reading of modules is saved. What depends on
how a process starts (encodings, warnings, signals) is tested with the program itself, see ``Command.start``.
"""

import array
import atexit
import contextlib
import gc
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PRELOADED = (
    "twokey.channels.cli.main",
    "twokey.channels.wiring",
    "twokey.channels.card",
    "twokey.channels.worker",
    "twokey.agents.planner.runner",
    "twokey.agents.planner.savers",
    "twokey.channels.creation",
    "twokey.channels.cli.following",
    "alembic.command",
    "alembic.config",
    "coverage",
    "duckdb",
    "dulwich.porcelain",
    "dulwich.worktree",
    "encodings.ascii",
    "faker.config",
    "faker.decode",
    "faker.providers.date_time",
    "hypothesis",
    "langgraph.checkpoint.sqlite.aio",
    "pycountry",
    "pytest",
    "rapidfuzz.fuzz",
    "rapidfuzz.process",
    "statistics",
    "twokey.channels.auditing",
    "twokey.channels.doctor",
    "twokey.channels.policy_work",
    "twokey.channels.triage_doctor",
    "twokey.channels.triage_start",
    "typer._adapters",
    "typer._click.decorators",
)
PRELOADED_WITH_ALL_BELOW = (
    "twokey.agents.models",
    "twokey.channels.rendering",
    "twokey.tools.read.warehouse",
    "twokey.tools.write",
)
HEADER = 8
_CLIENT = """#!{python} -IS
# The command as scripts call it: what runs is forked from the process that waits.
import array, json, os, socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect({address!r})
asked = json.dumps({{"argv": sys.argv, "cwd": os.getcwd(), "env": dict(os.environ)}}).encode()
fds = array.array("i", [1, 2])
sock.sendmsg([len(asked).to_bytes({header}, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds.tobytes())])
sock.sendall(asked)
file = sock.makefile("rb")
file.read({header})
sys.exit(int.from_bytes(file.read({header}), "big", signed=True) & 255)
"""
_STREAMS = 3
"""Standard output and error, and standard input where it is given."""
_STANDARD_ERROR = 2
_PATIENCE_S = 120.0
_TESTS = Path(__file__).resolve().parent.parent


class Started:
    """A command or script under way in a process of its own."""

    def __init__(self, sock: socket.socket, pid: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        """Its exit code, negative for a signal; nothing until it was waited for."""
        self.stdin = os.fdopen(stdin, "w", encoding="utf-8")
        self.stdout = os.fdopen(stdout, encoding="utf-8")
        self._sock = sock
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already
            self._handle = -1

    def send_signal(self, number: int) -> None:
        """Send it a signal; one that has ended meanwhile is not hurt."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._handle, number)

    def ended(self, within_s: float = 0.0) -> bool:
        """Tell whether it has come to its end, and wait for that so long at most, in seconds."""
        return self._handle < 0 or bool(select.select([self._handle], [], [], within_s)[0])

    def wait_stopped(self) -> None:
        """Wait until it is stopped by a signal (proc_pid_stat(5): state T)."""
        until = time.monotonic() + _PATIENCE_S
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < until, "it does not stop"
            os.sched_yield()

    def finish(self) -> str:
        """Wait for its end; gives what it wrote and nobody has read."""
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        with self.stdout:
            written = self.stdout.read()
        self._sock.settimeout(_PATIENCE_S)
        with self._sock:
            self.returncode = int.from_bytes(_exactly(self._sock, HEADER), "big", signed=True)
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
        return written


class Warm:
    """The process that waits."""

    def __init__(self) -> None:
        from support.measuring import MEASURING  # the process that waits has no path to it

        self._folder = tempfile.TemporaryDirectory(prefix="tk-warm-", ignore_cleanup_errors=True)
        self._address = str(Path(self._folder.name) / "s")
        # Whatever concerns one command comes with it; the rest is this machine's.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TWOKEY_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        if MEASURING.turns:  # what modules do when they are read is measured elsewhere
            kept = {name: value for name, value in kept.items() if not name.startswith("COVERAGE_")}
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=kept
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        timeout_s: float,
        script: Path | None = None,
    ) -> tuple[int, str, str]:
        """Run one command to its end; gives its exit code (negative for a signal) and both of its streams.

        A ``script`` finds what lies in the folders of ``PYTHONPATH``, as it would in a process of its own.

        Raises:
            subprocess.TimeoutExpired: it took longer than ``timeout_s`` and was killed.

        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with self._ask(arguments, folder, environment, script, [out.fileno(), err.fileno()]) as sock:
                pid = int.from_bytes(_exactly(sock, HEADER), "big")
                sock.settimeout(timeout_s)
                try:
                    status = int.from_bytes(_exactly(sock, HEADER), "big", signed=True)
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(list(arguments), timeout_s) from None
            return status, _all(out), _all(err)

    def start(
        self,
        script: Path,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        errors: int = _STANDARD_ERROR,
    ) -> Started:
        """Start a script of the tests and leave it running; whoever starts it waits for its end with ``finish``.

        It finds the other parts of the tests, as it would in a process of its own, and writes its errors to the file
        descriptor ``errors``.
        """
        variables = dict(os.environ if environment is None else environment) | {"PYTHONPATH": str(_TESTS)}
        return self._started([str(script), *map(str, arguments)], Path.cwd(), variables, script, errors)

    def start_command(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Started:
        """Start one command and leave it running; whoever starts it waits for its end with ``finish``."""
        return self._started(arguments, folder, environment, None)

    def _started(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        script: Path | None,
        errors: int = _STANDARD_ERROR,
    ) -> Started:
        (stdin, write), (read, stdout) = os.pipe(), os.pipe()
        try:
            sock = self._ask(arguments, folder, environment, script, [stdout, errors, stdin])
        finally:
            os.close(stdin)
            os.close(stdout)
        return Started(sock, int.from_bytes(_exactly(sock, HEADER), "big"), write, read)

    def _ask(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        script: Path | None,
        streams: Sequence[int],
    ) -> socket.socket:
        asked = json.dumps(
            {
                "argv": list(arguments),
                "cwd": str(folder),
                "env": dict(environment),
                "script": str(script) if script is not None else None,
            }
        ).encode()
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self._address)
        fds = array.array("i", streams)
        sock.sendmsg([len(asked).to_bytes(HEADER, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds.tobytes())])
        sock.sendall(asked)
        return sock

    def program(self, folder: Path) -> Path:
        """Make a program ``twokey`` in ``folder`` for scripts; its standard input is empty."""
        path = folder / "twokey"
        path.write_text(_CLIENT.format(python=sys.executable, address=self._address, header=HEADER), encoding="utf-8")
        path.chmod(0o700)
        return path

    def close(self) -> None:
        """End it."""
        self._process.communicate()
        self._folder.cleanup()


def _all(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode("utf-8"))


def _exactly(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = sock.recv(size - len(found))
        if not part:
            raise ConnectionError("the other side ended")
        found += part
    return found


# -- in the process that waits ---------------------------------------------------------------------------------------


def serve(address: str) -> None:
    """Import, wait, fork for each command."""
    for name in (*PRELOADED, *_modules_below(*PRELOADED_WITH_ALL_BELOW)):
        __import__(name)
    _work_out()
    gc.collect()
    gc.freeze()  # or each command would come to own a copy of all of it
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:  # whoever started this has gone
            return
        sock, _ = listener.accept()
        # One process per command waits for it and tells how it ended, so that commands may overlap.
        if os.fork() == 0:
            listener.close()
            _forget_measuring()
            os._exit(_attend(sock))
        sock.close()
        while _reap():
            pass


def _work_out() -> None:
    """Have this process work out what follows from the code alone: the tools' schemas, and the words that are known."""
    from twokey.tools import registry
    from twokey.tools.read.warehouse import gazetteer

    for tool in registry.installed({}).all():
        tool.schema_digest()
    gazetteer.known()


def _modules_below(*packages: str) -> Iterator[str]:
    """The modules of packages, at any depth."""
    for package in packages:
        path = __import__(package, fromlist=["__path__"]).__path__
        yield from (module.name for module in pkgutil.walk_packages(path, f"{package}."))


def _reap() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _attend(sock: socket.socket) -> int:
    header, ancillary, _, _ = sock.recvmsg(HEADER, socket.CMSG_SPACE(_STREAMS * 4))
    fds = array.array("i")
    fds.frombytes(ancillary[0][2][: _STREAMS * 4])
    asked = json.loads(_exactly(sock, int.from_bytes(header, "big")))
    pid = os.fork()
    if pid == 0:
        sock.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        _become(asked, list(fds))
    for fd in fds:
        os.close(fd)
    sock.sendall(pid.to_bytes(HEADER, "big"))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        sock.sendall(status.to_bytes(HEADER, "big", signed=True))
    except BrokenPipeError:  # whoever asked did not wait
        return 1
    return 0


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Become the command; does not return."""
    for number, fd in zip((1, 2, 0), streams, strict=False):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    # The old objects remember what kind of files they wrote to.
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = asked["argv"]
    _measure()
    status = 0
    try:
        if asked.get("script") is None:
            _command()
        else:
            _script(asked["script"])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    # What the interpreter does at its end, which os._exit leaves out.
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _command() -> None:
    from twokey.channels.cli import session
    from twokey.channels.cli.main import main

    fresh = session.from_environment()
    session.SESSION.workspace, session.SESSION.principal = fresh.workspace, fresh.principal
    main()


def _script(path: str) -> None:
    sys.path[:0] = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    runpy.run_path(path, run_name="__main__")


def _forget_measuring() -> None:
    """Leave what was measured before the fork to the process that measured it."""
    if (coverage := sys.modules.get("coverage")) is not None and (held := coverage.Coverage.current()) is not None:
        held._auto_save = False
        held.stop()


def _measure() -> None:
    """Go on measuring, as in any process, where this run of the tests is measured."""
    if os.environ.get("COVERAGE_PROCESS_CONFIG") and (coverage := sys.modules.get("coverage")) is not None:
        coverage.process_startup(force=True)


if __name__ == "__main__":
    serve(sys.argv[1])
    gc.unfreeze()  # libraries complain at the end of what was not cleared away
