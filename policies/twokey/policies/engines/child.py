"""One running OPA server that belongs to us: its keeper, its private folder, its token, and whether it is alive.

Rules: see ``twokey.policies.engines.managed``. There is no signal that OPA's listener is up, so the start waits for
the child's death (``pidfd``) in short turns, and looks at the child's own sockets after each.
"""

import hashlib
import os
import re
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from twokey.core.errors import EngineFault
from twokey.policies.bundle import Bundle
from twokey.policies.engines.client import Address, DecisionClient
from twokey.policies.engines.frames import Deadline

_COMMAND: Final = "from twokey.policies.engines.keeper import main; main()"
_FLAGS: Final = (
    *("run", "--server", "--addr", "127.0.0.1:0", "--authentication=token", "--authorization=basic"),
    *("--log-level", "error", "--skip-version-check", "--optimize-store-for-read-speed"),
    *("--bundle", "policy", "authorization"),
)
_AUTHORIZATION: Final = """package system.authz

default allow := false

allow if {{
	input.method == "POST"
	input.path == ["v1", "data", "twokey", "decision"]
	crypto.sha256(input.identity) == "{digest}"
}}
"""
_TURN_MS: Final = 5
_LISTENS: Final = "0A"
_LOOPBACK: Final = "0100007F"
_NEXT: Final = "Run `twokey doctor`; it checks the pinned program and starts it once."


class Child:
    """A started server. ``end`` has to be called, whatever became of it."""

    def __init__(self, program: int, bundle: Bundle, environment: Mapping[str, str]) -> None:
        """Start the program behind the file descriptor ``program`` over ``bundle``; returns before it listens."""
        self._revision = bundle.revision
        self._token = secrets.token_urlsafe(32)
        self._folder = Path(tempfile.mkdtemp(prefix="twokey-opa-"))
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        bundle.write(self._folder / "policy")
        _write_authorization(self._folder / "authorization", self._token)
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-c", _COMMAND, str(self._folder), f"/proc/self/fd/{program}", *_FLAGS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=[program],
            env=environment,
            cwd=self._folder,
            start_new_session=True,
        )
        self._handle: int | None = None
        self.pid = 0
        self.port = 0
        self.client: DecisionClient | None = None

    def connect(self, *, startup_s: float, deadline_s: float) -> tuple[DecisionClient, str]:
        """Wait until the server answers; gives a client for it, and its version.

        Raises:
            EngineFault: it ended, or did not answer within ``startup_s`` seconds.

        """
        deadline = Deadline(startup_s)
        try:
            self.pid = self._read_pid(deadline)
            self._handle = os.pidfd_open(self.pid)
            self.port = self._wait_for_port(deadline)
            left = deadline.left() or startup_s
        except (TimeoutError, OSError, ValueError) as error:
            raise EngineFault("The policy server does not start.", next=_NEXT) from error
        self.client = DecisionClient(
            Address("127.0.0.1", self.port, secure=False),
            revision=self._revision,
            deadline_s=deadline_s,
            token=self._token,
        )
        return self.client, self.client.decide(b"{}", deadline_s=left).version

    def alive(self, *, wait_ms: int = 0) -> bool:
        """Tell whether the server still runs after ``wait_ms`` milliseconds; returns at once when it ends."""
        if self._handle is None:
            return False
        poller = select.poll()
        poller.register(self._handle, select.POLLIN)
        return not poller.poll(wait_ms)

    def end(self) -> str:
        """Kill the server, remove its folder, and give the last 2,000 bytes it wrote to standard error."""
        if self.client is not None:
            self.client.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        with self._keeper as keeper:
            _pipe(keeper.stdin).close()
            with suppress(subprocess.TimeoutExpired):
                keeper.wait(timeout=2)
            keeper.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        text = self._errors.read().decode("utf-8", "replace")
        self._errors.close()
        return text

    def _read_pid(self, deadline: Deadline) -> int:
        pipe = _pipe(self._keeper.stdout)
        if not select.select([pipe], [], [], deadline.left())[0]:
            raise TimeoutError("the keeper said nothing")
        return int(pipe.readline(32))

    def _wait_for_port(self, deadline: Deadline) -> int:
        while self.alive(wait_ms=_TURN_MS):
            port = listening_port(self.pid)
            if port is not None:
                return port
            deadline.left()
        raise ProcessLookupError("the server ended")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the keeper has no pipe")
    return stream


def _write_authorization(folder: Path, token: str) -> None:
    """Write the module that lets the holder of the token ask for decisions, and nobody do anything else."""
    folder.mkdir(mode=0o700)
    digest = hashlib.sha256(token.encode()).hexdigest()
    (folder / "authorization.rego").write_text(_AUTHORIZATION.format(digest=digest))
    (folder / ".manifest").write_text('{"roots": ["system/authz"], "rego_version": 1}')


def listening_port(pid: int) -> int | None:
    """Give the IPv4 loopback port on which process ``pid`` itself listens; ``None`` where it does not (yet).

    Reads ``/proc/PID/fd`` and ``/proc/PID/net/tcp`` (proc_pid_fd(5), proc_pid_net(5)).
    """
    folder = Path("/proc") / str(pid)
    sockets: set[str] = set()
    for entry in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found = re.fullmatch(r"socket:\[([0-9]+)\]", str(entry.readlink()))
            if found:
                sockets.add(found[1])
    for line in (folder / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        host, _, port = fields[1].partition(":")
        if fields[3] == _LISTENS and host == _LOOPBACK and fields[9] in sockets:
            return int(port, 16)
    return None
