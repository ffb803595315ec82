"""A server that has imported everything heavy and forks a child for each job, so that a trial costs what it does.

Rules: the server keeps no state of any job, and forks only where it has no thread and no child of its own; what warms it
up closes everything that it opened. A child is a process of its own that shares nothing with another one but the code
and what follows from it (compiled statements, expressions). A child reports over a pipe; a pipe that ends without a last word
means that the child was killed. When whoever started the server goes away, the server takes its children with it.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 180.0
"""How long one job may be silent on a busy machine; none should be for a hundredth of it."""
TESTS: Final = Path(__file__).resolve().parents[2]
MAX_MESSAGE: Final = 64 * 1024

Tell = Callable[..., None]


class Broken(Exception):  # noqa: N818 - says what happened
    """A job failed, or did not come to its end."""


# -- the server's side ------------------------------------------------------------------------------------------------


def serve(channel: socket.socket) -> None:
    """Fork a child for every message, until the channel ends."""
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MAX_MESSAGE, 1)
        if not message:
            break
        (pipe,) = descriptors
        order = json.loads(message)
        if "preload" in order:
            for name in order["preload"]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
            if order["warm"]:
                _warm(_function(order["warm"]), order["args"], order["environment"])
            gc.collect()
            gc.freeze()  # a child need not look through what all of them share
            os.close(pipe)
            channel.send(b"0")
            continue
        if not _alone():
            raise Broken("the server has threads; what they hold would be lost in a child")
        pid = os.fork()
        if pid == 0:
            channel.close()
            _run(order, pipe)
        os.close(pipe)
        children.add(pid)
        handle = os.pidfd_open(pid)  # here, where nobody has waited for it: elsewhere it may be gone already
        socket.send_fds(channel, [str(pid).encode()], [handle])
        os.close(handle)
        children -= {child for child in children if os.waitpid(child, os.WNOHANG)[0]}
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _warm(function: Callable[..., None], args: Any, environment: dict[str, str]) -> None:
    """Do what a job does once in the server, and leave folder and environment as they were."""
    folder, variables = Path.cwd(), dict(os.environ)
    os.environ.update(environment)
    try:
        function(args)
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
    deadline = time.monotonic() + PATIENCE_S
    while not _alone() and time.monotonic() < deadline:  # a thread that was told to end does so a moment later
        os.sched_yield()


def _alone() -> bool:
    """Tell whether this process has one thread."""
    return len(list(Path("/proc/self/task").iterdir())) == 1


def _function(name: str) -> Callable[..., None]:
    module, _, function = name.partition(":")
    found: Callable[..., None] = getattr(importlib.import_module(module), function)
    return found


def _run(order: dict[str, Any], pipe: int) -> None:
    """Do one job in a child, and end the child."""
    lock = threading.Lock()

    def tell(kind: str, **more: Any) -> None:
        with lock:
            os.write(pipe, json.dumps({"kind": kind} | more).encode() + b"\n")

    try:
        os.environ.update(order["environment"])
        tell("started")
        _function(order["job"])(tell, order["args"])
        tell("end")
    except BaseException:  # noqa: BLE001 - whatever it was, the other side says it
        tell("failed", why=traceback.format_exc()[-6000:])
    finally:
        os._exit(0)


# -- the side of whoever has jobs -------------------------------------------------------------------------------------


@dataclass
class Child:
    """One child at work."""

    pid: int
    pipe: int
    handle: int
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _rest: bytes = b""
    _ended: bool = False

    def next(self, patience_s: float = PATIENCE_S) -> dict[str, Any] | None:
        """The next thing it says; nothing where it has ended."""
        deadline = time.monotonic() + patience_s
        while b"\n" not in self._rest:
            if self._ended:
                return None
            if not select.select([self.pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Broken(f"a child says nothing for {patience_s:g} s; so far: {self.told}")
            data = os.read(self.pipe, 1 << 20)
            if not data:
                self._close()
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        self.told.append(message)
        if message["kind"] == "failed":
            raise Broken(message["why"])
        return message

    def until(self, kind: str) -> dict[str, Any] | None:
        """Read on until it says something of that kind; nothing where it ends before."""
        while (message := self.next()) is not None:
            if message["kind"] == kind:
                return message
        return None

    def finish(self) -> bool:
        """Read to its end; tells whether it came to its own end and was not killed."""
        while self.next() is not None:
            pass
        return self.ended

    @property
    def ended(self) -> bool:
        """Whether it said that its job is done."""
        return any(message["kind"] == "end" for message in self.told)

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Everything of one kind that it has said."""
        return [message for message in self.told if message["kind"] == kind]

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended meanwhile is not hurt."""
        if self._ended:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, number)

    def end(self) -> None:
        """Kill it if it still runs, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._close()

    def wait_stopped(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until it is stopped (proc_pid_stat(5): state T)."""
        deadline = time.monotonic() + patience_s
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            if time.monotonic() > deadline:
                raise Broken("a child does not stop")
            os.sched_yield()

    def _close(self) -> None:
        if not self._ended:
            # The pipe may end a moment before the other files do: wait for the whole process.
            select.select([self.handle], [], [], PATIENCE_S)
            os.close(self.pipe)
            os.close(self.handle)
            self._ended = True


class Forks:
    """A running server. May be used by several threads."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._lock = threading.Lock()

    def start(self, job: str, args: Any, environment: dict[str, str] | None = None) -> Child:
        """Start ``MODULE:FUNCTION`` with ``args`` in a child."""
        theirs, ours = -1, -1
        ours, theirs = os.pipe()
        order = json.dumps({"job": job, "args": args, "environment": environment or {}}).encode()
        try:
            with self._lock:
                socket.send_fds(self._channel, [order], [theirs])
                answer, handles, _, _ = socket.recv_fds(self._channel, 64, 1)
        finally:
            os.close(theirs)
        if not answer:
            os.close(ours)
            raise Broken(f"the server of forks ended with {self._process.wait()}")
        (handle,) = handles
        return Child(int(answer), ours, handle)

    def run(self, job: str, args: Any, environment: dict[str, str] | None = None) -> Child:
        """Do a job to its end."""
        child = self.start(job, args, environment)
        try:
            if not child.finish():
                raise Broken(f"{job} was killed")
        finally:
            child.end()
        return child

    def preload(
        self, modules: list[str], warm: str = "", args: Any = None, environment: dict[str, str] | None = None
    ) -> None:
        """Have the server import modules and call ``warm`` with ``args``, so that no child has to."""
        ours, theirs = os.pipe()
        order = {"preload": modules, "warm": warm, "args": args, "environment": environment or {}}
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(order).encode()], [theirs])
            os.close(theirs)
            os.close(ours)
            if not self._channel.recv(64):
                raise Broken(f"the server of forks ended with {self._process.wait()}")


@contextmanager
def forks() -> Generator[Forks]:
    """Start a server; it and its children end with the context."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "TWOKEY_"))}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.crash.forks", str(theirs.fileno())],
            cwd=TESTS,
            env=kept | {"PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1"},  # a server that forks has no threads
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    try:
        with ours:
            yield Forks(process, ours)
    finally:
        process.wait(timeout=PATIENCE_S)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
