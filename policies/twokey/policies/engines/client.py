"""Asks an OPA server for decisions, through ``opa-python-client`` without that library's liberties.

Rules:
- HTTPS, or HTTP to this machine's loopback; no redirect, no proxy, no ``.netrc``, no environment, no retry;
- a call ends by its deadline, however slowly the server sends; answers are bounded in size and read strictly;
- a decision counts only if the server took it with the expected bundle: the revision in the provenance of the very
  same answer names the digests of policy and data; a rule without a value is ``None``, never an empty object.
"""

import io
import json
import queue
import re
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from opa_client.opa import OpaClient
from requests.adapters import HTTPAdapter

from twokey.core.errors import BadInput, EngineFault
from twokey.policies import strict_json
from twokey.policies.engines.frames import Deadline

MAX_ANSWER_BYTES: Final = 1024 * 1024
PACKAGE: Final = "twokey"
RULE: Final = "decision"
LET_GO_S: Final = 0.5
"""How long closing a connection is waited for."""
_PROVENANCE: Final[Any] = {"provenance": "true"}
"""The word, as OPA reads it; the library would send ``True`` for a boolean."""
_NEXT: Final = "Look at the policy server and its log; `twokey doctor` asks it once and says what is wrong."
_REVISION: Final = re.compile(r"twokey-[0-9a-f]{64}-[0-9a-f]{64}")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+-]{1,39}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int
    secure: bool


def address(url: str) -> Address:
    """Read ``https://HOST[:PORT]`` or ``http://LOOPBACK[:PORT]``.

    Raises:
        BadInput: another scheme, plain HTTP to another machine, credentials, a path or a query.

    """
    wrong = "It is neither https://HOST[:PORT] nor http://127.0.0.1[:PORT]."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_url(wrong) from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if not host or extra or not re.fullmatch(r"[A-Za-z0-9.:-]+", host) or parts.scheme not in {"http", "https"}:
        raise _bad_url(wrong)
    secure = parts.scheme == "https"
    if not secure and not _is_loopback(host):
        raise _bad_url("Without TLS anybody between here and there could answer for it.")
    return Address(f"[{host}]" if ":" in host else host, port or (443 if secure else 8181), secure)


def _bad_url(why: str) -> BadInput:
    return BadInput(
        f"The address of the policy server cannot be used. {why}", next="Correct policy.url in twokey.toml."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Taken:
    """One raw decision and the version of the server that took it."""

    result: object
    version: str


class DecisionClient:
    """Asks one server. Calls of several threads go one after the other."""

    def __init__(
        self, where: Address, *, revision: str, deadline_s: float, token: str | None = None, ca_file: Path | None = None
    ) -> None:
        self._where = where
        self._revision = revision
        self._deadline_s = deadline_s
        self._token = token
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._lane: _Lane | None = None
        self._stuck: _Lane | None = None

    def decide(self, document: bytes, *, deadline_s: float | None = None) -> Taken:
        """Take one decision on ``document`` (JSON bytes).

        Raises:
            EngineFault: no answer in time, another status than 200, an answer that is none, or another bundle.

        """
        with self._lock:
            body = self._ask(json.loads(document), self._deadline_s if deadline_s is None else deadline_s)
        provenance = body.get("provenance")
        if not isinstance(provenance, dict):
            raise EngineFault("The policy server does not say which bundle it holds.", next=_NEXT)
        self._check_revision(provenance)
        version = str(provenance.get("version"))
        return Taken(body.get("result"), version if _VERSION.fullmatch(version) else "unknown")

    def close(self) -> None:
        """Close the connection, and wait a moment until it is closed: what ends beside it trips over a thread."""
        with self._lock:
            lane = self._lane
            self._drop()
        if lane is not None:
            lane.join()

    def _ask(self, document: Any, seconds: float) -> dict[str, Any]:
        if self._stuck is not None and self._stuck.busy():
            raise EngineFault("The policy server still owes an answer.", next=_NEXT, code="policy_timeout")
        if self._lane is None:
            self._lane = _Lane(_Client(self._where, self._token, self._ca_file))
        try:
            outcome = self._lane.ask(document, seconds)
        except queue.Empty:
            self._stuck = self._lane
            self._drop()
            raise EngineFault(
                f"The policy server gave no decision within {seconds * 1000:.0f} ms.", next=_NEXT, code="policy_timeout"
            ) from None
        except BaseException:
            # Whoever interrupts this leaves an answer on its way: nobody else may take it for theirs.
            self._stuck = self._lane
            self._drop()
            raise
        if isinstance(outcome, dict):
            return outcome
        self._drop()
        if isinstance(outcome, EngineFault):
            raise outcome
        raise EngineFault("The policy server cannot be reached, or gave no answer.", next=_NEXT) from outcome

    def _drop(self) -> None:
        if self._lane is not None:
            self._lane.close()
            self._lane = None

    def _check_revision(self, provenance: dict[str, Any]) -> None:
        bundles = provenance.get("bundles")
        entries = list(bundles.values()) if isinstance(bundles, dict) else []
        found = {str(entry.get("revision")) for entry in entries if isinstance(entry, dict)}
        if {revision for revision in found if _REVISION.fullmatch(revision)} != {self._revision}:
            raise EngineFault(
                "The policy server holds another bundle than this workspace.",
                next="Deploy the same bundle on both sides, built with the revision that Twokey writes.",
                code="policy_revision",
            )


class _Lane:
    """A thread that asks for its caller, because a socket's timeout bounds each read and not the whole answer."""

    def __init__(self, client: "_Client") -> None:
        self._client = client
        self._questions: queue.SimpleQueue[tuple[Any, float] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="twokey-policy", daemon=True)
        self._thread.start()

    def ask(self, document: Any, seconds: float) -> dict[str, Any] | Exception:
        """Give the answer or what went wrong; raises ``queue.Empty`` when neither comes in time."""
        self._questions.put((document, seconds))
        return self._answers.get(timeout=seconds)

    def busy(self) -> bool:
        """Tell whether the thread still runs; after ``close`` that means it waits for the server."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Let the thread end, and the connection with it, when it is done with what it does."""
        self._questions.put(None)

    def join(self) -> None:
        """Wait until the thread has ended, and no longer than ``LET_GO_S``: it may wait for the server."""
        self._thread.join(LET_GO_S)

    def _run(self) -> None:
        with self._client as client:
            while (question := self._questions.get()) is not None:
                document, seconds = question
                client.timeout = 2 * seconds  # the caller gives up first; this bounds how long the thread stays
                client.deadline = Deadline(client.timeout)
                try:
                    self._answers.put(client.query_rule(document, PACKAGE, RULE, _PROVENANCE))
                except Exception as error:  # noqa: BLE001 - carried to the caller, who turns it into a fault
                    self._answers.put(error)


class _Client(OpaClient):
    """The library's client over a session of our own making."""

    deadline = Deadline(None)

    def __init__(self, where: Address, token: str | None, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        super().__init__(host=where.host, port=where.port, ssl=where.secure, token=token, retries=0)

    def _init_session(self) -> requests.Session:
        session = _Session(_StrictAdapter(self))
        session.trust_env = False
        session.verify = str(self._ca_file) if self._ca_file else True
        session.headers.update({"Accept-Encoding": "identity", **(self.headers or {})})
        return session


class _Session(requests.Session):
    """Makes a question ready once: the next one to the same address differs in its body alone."""

    def __init__(self, adapter: "_StrictAdapter") -> None:
        super().__init__()
        self._adapter = adapter
        self._ready: requests.PreparedRequest | None = None

    def post(self, url: Any, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ARG002 - the library gives none
        if self._ready is None or self._ready.url != url:
            self._ready = self.prepare_request(requests.Request("POST", url))
        request = self._ready.copy()
        request.prepare_body(None, None, kwargs["json"])
        return self._adapter.send(request, timeout=kwargs["timeout"], verify=self.verify)

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()


class _StrictAdapter(HTTPAdapter):
    """Lets an answer through only if it is 200, small, complete in time, and strict JSON."""

    def __init__(self, client: _Client) -> None:
        super().__init__(max_retries=0)
        self._client = client

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **{**kwargs, "stream": True})
        try:
            if response.status_code != 200:
                raise EngineFault(f"The policy server answered with status {response.status_code}.", next=_NEXT)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise EngineFault("The policy server packed its answer, unasked.", next=_NEXT)
            body = self._read(response)
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        while chunk := response.raw.read1(65536):
            body += chunk
            self._client.deadline.left()
            if len(body) > MAX_ANSWER_BYTES:
                raise EngineFault("The policy server's answer is too large.", next=_NEXT)
        try:
            value = strict_json.loads(bytes(body))
        except ValueError as error:
            raise EngineFault(f"The policy server's answer cannot be read: {error}.", next=_NEXT) from error
        if not isinstance(value, dict):
            raise EngineFault("The policy server's answer is no object.", next=_NEXT)
        return bytes(body)
