"""The engine ``opa-managed``: an OPA server of our own, as a child process.

Rules:
- only the program with the pinned SHA-256 runs (``twokey.policies.engines.binary``);
- it listens on loopback only, on a port the kernel picks; the port is read from the child's own sockets, and an answer
  counts only if the child still ran when it had come in, so no other process can pass for it;
- every request without the token is refused (401). The token exists in this process's memory only: OPA is given its
  SHA-256, in a module in a private folder. With the token nothing but the decision can be asked for;
- it inherits no environment, keeps no decision log, asks nobody for updates, and ends with its parent.
After a fault of the process this call fails, and the next one starts a fresh server over the same program and bundle.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from twokey.core.errors import EngineFault
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines.binary import pinned
from twokey.policies.engines.child import Child
from twokey.policies.engines.client import DecisionClient

DEADLINE_S: Final = 1.0
STARTUP_S: Final = 30.0
_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})


class Managed:
    """Port ``PolicyEngine`` over our own OPA. ``environment`` is what its keeper gets of ours (default: nothing)."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        binary: Path,
        sha256: str,
        deadline_s: float = DEADLINE_S,
        startup_s: float = STARTUP_S,
        environment: Mapping[str, str] = _NO_VARIABLES,
    ) -> None:
        self._bundle = bundle
        self._binary = binary
        self._sha256 = sha256
        self._deadline_s = deadline_s
        self._startup_s = startup_s
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._running: tuple[Child, DecisionClient] | None = None
        self._owner = os.getpid()
        self._name = "opa-managed"
        self._diagnostics = ""

    @property
    def name(self) -> str:
        """``opa-managed``, with the version of OPA once it has started."""
        return self._name

    @property
    def diagnostics(self) -> str:
        """The end of what the last server that ended wrote to standard error. For ``doctor``."""
        return self._diagnostics

    @property
    def process(self) -> int | None:
        """Process id of the OPA server, where one runs."""
        return self._running[0].pid if self._running else None

    @property
    def port(self) -> int | None:
        """The loopback port it listens on, where one runs."""
        return self._running[0].port if self._running else None

    def revisions(self) -> BundleRevisions:
        """Digests of the bundle that the server was started with, and that every answer was checked against."""
        return self._bundle.revisions

    def start(self) -> None:
        """Start the server now instead of with the first decision.

        Raises:
            EngineFault: the program is not the pinned one, or the server does not start.

        """
        with self._lock:
            self._server()

    def evaluate(self, document: bytes) -> object:
        """Ask the server; raises ``EngineFault`` on any fault."""
        with self._lock:
            child, client = self._server()
            try:
                result = client.decide(document).result
            finally:
                alive = child.alive()
                if not alive:
                    self._discard()
        if not alive:
            raise EngineFault("The policy server ended while it was asked.", next="Try again.")
        return result

    def close(self) -> None:
        """End the server. The object may be used again; that starts another."""
        with self._lock:
            self._discard()

    def _server(self) -> tuple[Child, DecisionClient]:
        if os.getpid() != self._owner:
            raise EngineFault(
                "This policy engine belongs to another process.", next="Open an engine after the fork, not before it."
            )
        if self._running is None:
            with pinned(self._binary, self._sha256) as program:
                child = Child(program, self._bundle, self._environment)
            try:
                client, version = child.connect(startup_s=self._startup_s, deadline_s=self._deadline_s)
            except EngineFault:
                self._diagnostics = child.end()
                raise
            self._running = child, client
            self._name = f"opa-managed {version}"
        return self._running

    def _discard(self) -> None:
        if self._running is not None:
            self._diagnostics = self._running[0].end()
            self._running = None
