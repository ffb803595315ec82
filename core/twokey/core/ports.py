"""What the inside needs from the outside, as Protocols. Only ``channels.wiring`` names the adapters behind them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from twokey.core.canonical import Json
from twokey.core.events import Event
from twokey.core.jobs import Job
from twokey.core.values import Call, Decision, Evidence, Principal


class Clock(Protocol):
    """Wall-clock time, injected so that tests are exact and decisions replay."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        ...


class Ids(Protocol):
    """Source of fresh identifiers and salts."""

    def new(self, prefix: str) -> str:
        """Give ``PREFIX-`` and 12 random characters of ``0-9a-z`` without ``i l o u`` (60 bits)."""
        ...

    def salt(self) -> str:
        """Give 128 random bits as 32 hexadecimal digits."""
        ...


class Recorder(Protocol):
    """Append-only record of events. Returns when the entry is committed together with the state it belongs to."""

    def record(self, *events: Event) -> Sequence[str]:
        """Append ``events`` in order, in one transaction, and wait until a signed checkpoint covers them.

        Returns the entry ids. Raises ``LogUnavailable`` if that cannot be done; the caller then does nothing further.
        """
        ...


class Directory(Protocol):
    """Who exists, and in which groups, right now."""

    def principal(self, name: str) -> Principal | None:
        """Look a principal up by name."""
        ...

    def all(self) -> Sequence[Principal]:
        """Every principal, by name."""
        ...


class PolicyEngine(Protocol):
    """Evaluates the policy bundle. Stateless towards its caller; never falls back to another engine."""

    @property
    def name(self) -> str:
        """``embedded``, ``opa-managed`` or ``opa``, with a version: what is recorded beside a decision."""
        ...

    def evaluate(self, document: bytes) -> object:
        """Evaluate ``data.twokey.decision`` for one input document (JSON bytes), within the configured deadline.

        Returns the raw result, ``None`` where undefined. Raises ``EngineFault`` on any fault, including the deadline.
        """
        ...

    def revisions(self) -> "Revisions":
        """Digests of the policy and data that the engine holds."""
        ...

    def close(self) -> None:
        """Release processes and connections."""
        ...


class Revisions(Protocol):
    """Which policy and which data took a decision (SHA-256 hex of the sorted files)."""

    @property
    def policy(self) -> str: ...

    @property
    def data(self) -> str: ...


class Policy(Protocol):
    """Policy's answer to one intended call, as a schema-checked decision; a fault of any kind is a deny."""

    def decide(self, call: Call) -> Decision:
        """Evaluate ``call``. Never raises: faults come back as a deny with reason code ``engine_fault``."""
        ...


class EvidenceStore(Protocol):
    """Content-addressed results of read tools. Not the log: rows here may hold customers' values."""

    def put(self, *, run: str, tool: str, origin: str, trusted: bool, content: Json, summary: str) -> Evidence:
        """Store ``content`` and give the evidence value that findings cite."""
        ...

    def get(self, evidence_id: str) -> tuple[Evidence, Json]:
        """Read one piece back; raises ``NotFound``, or ``CheckFailed`` where content and hash disagree."""
        ...


class Stopping(Protocol):
    """Says when a process is to come to an end."""

    @property
    def asked(self) -> bool:
        """Whether it was asked to stop."""
        ...

    async def wait(self) -> None:
        """Return once it is asked to stop."""
        ...


class Dispatcher(Protocol):
    """Hands jobs to workers. Several processes may share one queue; a job of a process that died comes back."""

    def submit(self, job: Job) -> bool:
        """Queue a job; tells whether it was queued: not where the same one waits already.

        Raises ``LogUnavailable`` where the queue cannot be reached.
        """
        ...

    async def work(self, handle: Callable[[Job], None], stop: Stopping, *, concurrency: int, drain: bool) -> int:
        """Work off jobs, at most ``concurrency`` at a time, until asked to stop; gives how many were handled.

        With ``drain`` it ends as soon as nothing is left that is due. ``handle`` is called in a thread of its own and
        does not raise; after a request to stop it is waited for, for some time. What is cut off comes back.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class Sealing(Protocol):
    """Encrypts what is kept in files of a workspace."""

    def seal(self, place: bytes, plain: bytes, /) -> bytes:
        """Give ``plain`` sealed for ``place``; raises ``EnvironmentFault`` where there is no key."""
        ...

    def open(self, place: bytes, sealed: bytes, /) -> bytes:
        """Give what was sealed for ``place``.

        Raises:
            EnvironmentFault: it was sealed with a key that is not there.
            ValueError: it was changed, or sealed for another place.

        """
        ...
