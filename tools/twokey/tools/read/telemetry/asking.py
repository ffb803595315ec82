"""Asks one server that the settings name, and nobody else.

Rules: the host, port and path come from the settings; a redirect is not followed and is an error; no proxy, ``.netrc``
or other habit of the environment plays a part; an answer is bounded in bytes and has to be there, whole, within the
time that is allowed, however slowly it comes; packed answers are refused, because their size is only known once they
are unpacked. No address, token or word of an answer reaches an error.
"""

import contextlib
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.timed_http import connected

MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of an answer that are read at most."""
BUDGET_S: Final = 90.0
"""How long all questions of one asker may take together, in seconds: less than a call of the tool may."""
MAX_QUESTION: Final = 6_000
"""Characters of a query string above which it is sent as a form: servers and proxies cut long lines."""


class TooLong(EnvironmentFault):
    """The answer is longer than what is read."""

    default_code = "telemetry_too_long"


@dataclass(frozen=True, slots=True)
class Server:
    """Who is asked. ``name`` is what people call it; ``url`` has no question and no user."""

    name: str
    url: str
    token: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    ca_file: Path | None = None
    timeout_s: float = 20.0
    max_bytes: int = MAX_ANSWER

    def __repr__(self) -> str:
        """Leave out what is secret."""
        return f"Server({self.name!r})"


class Asker:
    """Asks ``server``, for ``budget_s`` seconds in all; one connection for each question."""

    def __init__(
        self, server: Server, *, budget_s: float = BUDGET_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the server; raises ``BadInput`` where the file of its authority cannot be used."""
        self._server = server
        self._monotonic = monotonic
        self._ends = monotonic() + budget_s
        self._parts = urlsplit(server.url)
        self._tls: ssl.SSLContext | None = None
        if self._parts.scheme == "https":
            try:
                self._tls = ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
            except (OSError, ssl.SSLError) as error:
                raise BadInput(
                    f"The file of the authority that {server.name} is trusted by cannot be used.",
                    next="Name a PEM file in ca_file, or remove the key.",
                    code="bad_settings",
                ) from error

    def ask(self, path: str, params: Sequence[tuple[str, str]] = (), *, fine: Sequence[int] = (200,)) -> Any:
        """Ask, and give the JSON that comes back.

        Raises:
            TooLong: there is more than is read.
            EnvironmentFault: it is not reached, does not answer in time, or answers with something else.

        """
        status, body = self._exchange(path, urlencode(params))
        if status not in fine:
            raise self._fault(status)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise EnvironmentFault(
                f"{self._server.name} answered with something that is no JSON.",
                next="Check that its address leads to it and not to a page in between.",
                code="telemetry_answer",
            ) from None

    def _exchange(self, path: str, question: str) -> tuple[int, bytes]:
        name, limit = self._server.name, self._server.max_bytes
        try:
            with self._connected() as (connection, late):
                self._send(connection, path, question)
                with contextlib.closing(connection.getresponse()) as response:
                    status, body = _received(response, limit, late)
        except TimeoutError:
            raise self._late() from None
        except ssl.SSLError as error:
            raise EnvironmentFault(
                f"The connection to {name} is not secure: its certificate is not one that is trusted here.",
                next="Name the authority's PEM file in ca_file, or find out who answers in its place.",
                code="telemetry_certificate",
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EnvironmentFault(
                f"{name} cannot be reached, or stopped in the middle of its answer.",
                next="Check that it runs, its address in twokey.toml, and the network.",
                code="telemetry_unreachable",
            ) from error
        if len(body) > limit:
            raise TooLong(f"{name} answered with more than is read.", next="Look at a shorter stretch of time.")
        return status, body

    def _send(self, connection: http.client.HTTPConnection, path: str, question: str) -> None:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "twokey"}
        if self._server.token:
            headers["Authorization"] = f"Bearer {self._server.token}"
        headers |= dict(self._server.headers)
        where = f"{self._parts.path}{path}"
        if len(question) > MAX_QUESTION:
            form = headers | {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", where, question.encode(), form)
        else:
            connection.request("GET", f"{where}?{question}" if question else where, headers=headers)

    def _connected(self) -> contextlib.AbstractContextManager[tuple[http.client.HTTPConnection, threading.Event]]:
        timeout_s = min(self._server.timeout_s, self._ends - self._monotonic())
        if timeout_s <= 0:
            raise TimeoutError
        return connected(self._parts.hostname or "", self._parts.port, timeout_s, self._tls)

    def _late(self) -> EnvironmentFault:
        return EnvironmentFault(
            f"{self._server.name} did not answer in time.",
            next="Look at a shorter stretch of time, or raise timeout_s in twokey.toml.",
            code="telemetry_slow",
        )

    def _fault(self, status: int) -> EnvironmentFault:
        name = self._server.name
        if status in {401, 403}:
            return EnvironmentFault(
                f"{name} does not accept the token.", next="Check the token in its variable.", code="telemetry_auth"
            )
        if 300 <= status < 400:
            return EnvironmentFault(
                f"{name} leads to another address, which is not followed.",
                next="Write the address that it leads to into twokey.toml, if it is the right one.",
                code="telemetry_redirect",
            )
        return EnvironmentFault(
            f"{name} answered with status {status}.",
            next="Check what is asked of it in twokey.toml, and its own log.",
            code="telemetry_status",
        )


def _received(response: http.client.HTTPResponse, limit: int, late: threading.Event) -> tuple[int, bytes]:
    """Read an answer, and one byte more than is allowed."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise http.client.HTTPException("packed")
    body = response.read(limit + 1)
    if late.is_set():  # what was cut off looks like an end where the length was not told
        raise TimeoutError
    return response.status, body
