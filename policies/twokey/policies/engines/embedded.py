"""The engine ``embedded``: Rego in a worker process of our own, which is killed when it does not answer in time.

Rules: the worker gets exactly the bytes of the bundle whose digests are recorded; it inherits no environment and no
open files; a decision may cost the worker ``deadline_s`` of its own processor time, from the moment its document is
sent, and a machine that keeps it from working may delay it by ``stall_s`` more, so that many who ask at once wait for
one another and are not denied; after a deadline or any other fault of the channel the worker is killed, this call
fails, and the next one starts a fresh worker over the same bundle. A copy of this object in a forked process refuses to
answer.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from types import MappingProxyType
from typing import IO, Final

from twokey.core.errors import EngineFault
from twokey.policies import strict_json
from twokey.policies.bundle import ENTRY_POINT, Bundle, BundleRevisions
from twokey.policies.engines.frames import NONCE_BYTES, Allowance, Deadline, pack, receive, send, unpack

DEADLINE_S: Final = 0.1
STALL_S: Final = 5.0
"""How long a busy machine may keep the worker, or whoever waits for it, from going on."""
STARTUP_S: Final = 30.0
MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Address space of the worker. regorus's allocator reserves 1 GiB of it when it is loaded, without using it."""
_COMMAND: Final = "from twokey.policies.engines.worker import main; main()"
_FAULT: Final = "The policy engine could not evaluate the call."
_NEXT: Final = "Try again; if it stays, run `twokey doctor` and look at the policy bundle."
_UNREADABLE: Final = "The policy engine's answer cannot be read."
_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})


class Embedded:
    """Port ``PolicyEngine`` over regorus. ``environment`` is all that the worker gets of ours (default: nothing)."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        deadline_s: float = DEADLINE_S,
        stall_s: float = STALL_S,
        startup_s: float = STARTUP_S,
        memory_bytes: int = MEMORY_BYTES,
        environment: Mapping[str, str] = _NO_VARIABLES,
    ) -> None:
        self._bundle = bundle
        self._deadline_s = deadline_s
        self._stall_s = stall_s
        self._startup_s = startup_s
        self._memory_bytes = memory_bytes
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._owner = os.getpid()
        self._name = f"embedded {metadata.version('gordon-to-regorus')}"
        self._diagnostics = ""

    @property
    def name(self) -> str:
        """``embedded`` and the version of regorus."""
        return self._name

    @property
    def diagnostics(self) -> str:
        """The end of what the last killed worker wrote to standard error. For ``doctor``; it may quote an input."""
        return self._diagnostics

    @property
    def process(self) -> int | None:
        """Process id of the worker, where one runs."""
        return self._worker.process.pid if self._worker else None

    def revisions(self) -> BundleRevisions:
        """Digests of the bundle that the worker holds."""
        return self._bundle.revisions

    def start(self) -> None:
        """Start the worker now instead of with the first decision.

        Raises:
            EngineFault: it does not start, or the bundle does not load.

        """
        with self._lock:
            self._running()

    def evaluate(self, document: bytes) -> object:
        """Evaluate the decision for one document.

        Raises:
            EngineFault: no answer in time, a fault of the evaluation, or a worker that went away.

        """
        return _read(self._ask(document, self._deadline_s))

    def evaluate_many(self, documents: Sequence[bytes]) -> list[object]:
        """Evaluate the decision for each document, in one turn of the worker; gives raw results in order.

        In the place of a result that ``evaluate`` would have raised a fault for stands that ``EngineFault``. Where the
        whole turn fails, its halves are tried again, so that one document's fault stays its own.
        """
        try:
            answers = _parts(self._ask(pack(documents), self._deadline_s * len(documents)), len(documents))
        except EngineFault as fault:
            if len(documents) <= 1:
                return [fault for _ in documents]
            half = len(documents) // 2
            return self.evaluate_many(documents[:half]) + self.evaluate_many(documents[half:])
        return [_result_or_fault(answer) for answer in answers]

    def _ask(self, payload: bytes, seconds: float) -> bytes:
        with self._lock:
            worker = self._running()
            try:
                return worker.ask(payload, Allowance(seconds, self._stall_s, worker.worked))
            except TimeoutError as error:
                self._discard()
                raise EngineFault(
                    f"The policy engine gave no decision within {self._deadline_s * 1000:.0f} ms.",
                    next=_NEXT,
                    code="policy_timeout",
                ) from error
            except OSError as error:
                self._discard()
                raise EngineFault("The policy worker went away.", next=_NEXT) from error
            except ValueError as error:
                raise EngineFault("The call is too large for the policy engine.", next="Make it smaller.") from error

    def close(self) -> None:
        """End the worker. The object may be used again; that starts another."""
        with self._lock:
            self._discard(gently=True)

    def _running(self) -> "_Worker":
        if os.getpid() != self._owner:
            raise EngineFault(
                "This policy engine belongs to another process.", next="Open an engine after the fork, not before it."
            )
        if self._worker is None:
            worker = _Worker(self._environment)
            try:
                answer = worker.ask(self._order(), Deadline(self._startup_s))
            except (OSError, ValueError) as error:
                self._diagnostics = worker.end(gently=False)
                raise EngineFault("The policy worker does not start.", next=_NEXT) from error
            if answer != b"=":
                worker.end(gently=True)
                raise EngineFault(
                    f"The policy bundle does not load: {answer[1:].decode('utf-8', 'replace')}",
                    next="Correct the bundle; `opa check --strict` explains more.",
                    code="policy_bundle",
                )
            self._worker = worker
        return self._worker

    def _order(self) -> bytes:
        return json.dumps(
            {
                "modules": self._bundle.modules,
                "data": self._bundle.document(),
                "entry_point": ENTRY_POINT,
                "memory_bytes": self._memory_bytes,
                "patience_s": 2 * self._deadline_s + self._stall_s + 1,
            }
        ).encode()

    def _discard(self, *, gently: bool = False) -> None:
        if self._worker is not None:
            self._diagnostics = self._worker.end(gently=gently)
            self._worker = None


def _read(answer: bytes) -> object:
    """Give the raw result in an answer of the worker's; raises ``EngineFault``."""
    if answer[:1] != b"=":
        raise EngineFault(_FAULT, next=_NEXT)
    try:
        return strict_json.loads(answer[1:])
    except ValueError as error:
        raise EngineFault(_UNREADABLE, next=_NEXT) from error


def _parts(answer: bytes, count: int) -> list[bytes]:
    """Give the ``count`` answers in one; raises ``EngineFault``."""
    try:
        parts = list(unpack(answer))
    except ValueError as error:
        raise EngineFault(_UNREADABLE, next=_NEXT) from error
    if len(parts) != count:
        raise EngineFault(_UNREADABLE, next=_NEXT)
    return parts


def _result_or_fault(answer: bytes) -> object:
    try:
        return _read(answer)
    except EngineFault as fault:
        return fault


class _Worker:
    """One worker process and the channel to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _COMMAND],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
                cwd="/",
                start_new_session=True,
            )

    def ask(self, payload: bytes, deadline: Deadline) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        send(self._channel, nonce, payload, deadline)
        message = receive(self._channel, deadline)
        if message is None:
            raise ConnectionError("the worker closed the channel")
        if not secrets.compare_digest(message[0], nonce):
            raise ConnectionError("an answer to another question")
        return message[1]

    def worked(self) -> float:
        """Processor time of the process so far, in seconds; raises ``OSError`` where it is gone."""
        # The clock of another process, as clock_getcpuclockid(3) of Linux names it.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def end(self, *, gently: bool) -> str:
        """End the process and give the last 2,000 bytes it wrote to standard error."""
        self._channel.close()
        if gently:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=2)
        self.process.kill()
        self.process.wait()
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        text = self._errors.read().decode("utf-8", "replace")
        self._errors.close()
        return text
