"""What stands before every page: which requests are taken at all, and what every answer says to the browser.

Rules
- A request names this site as its host; one that changes something comes from a page of this site and says so
  (``Origin``), or from a program that shows a token of its own below ``/api``. Nothing is changed by reading.
- One address may ask so often and no more; entering is bounded further. What is too much is told to wait.
- Every answer forbids scripts and styles that are not files of ours, frames, guessing of types, and telling others
  where somebody was; pages are kept by nobody.
"""

import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twokey.channels.console.sessions import token_of
from twokey.core.ports import Clock

SAFE: Final = frozenset({"GET", "HEAD"})
HEAD: Final = "twokey.head"
"""Marks a request in its scope that wants the head of an answer alone; it is answered as if it had asked for all."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
MINUTE_US: Final = 60_000_000
READS: Final = 1200
"""Requests a minute that only read, from one address."""
CHANGES: Final = 120
"""Requests a minute that change something, from one address."""
ENTRIES: Final = 20
"""Attempts a minute to come in, from one address."""
ADDRESSES: Final = 10_000
"""Addresses that are counted at a time."""


class Pace:
    """Counts requests of an address in the minute that goes on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def over(self, kind: str, address: str, most: int) -> bool:
        """Count one request; tells whether it is one too many."""
        minute = self._clock.now_us() // MINUTE_US
        with self._lock:
            if minute != self._minute or len(self._counts) > ADDRESSES:
                self._minute, self._counts = minute, {}
            count = self._counts[kind, address] = self._counts.get((kind, address), 0) + 1
        return count > most


class _HeadOnly:
    """One answer of which only the head is sent; an answer that would go on is told that nobody listens any more."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._ended = False

    async def receive(self) -> Message:
        return {"type": "http.disconnect"} if self._ended else await self._receive()

    async def send(self, message: Message) -> None:
        if self._ended:
            return
        if message["type"] == "http.response.body":
            self._ended = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


class Guard:
    """Takes requests for an application, or refuses them."""

    def __init__(self, app: ASGIApp, *, clock: Clock, public: Callable[[], str]) -> None:
        """``public`` gives the address at which people see the console."""
        self._app = app
        self._public = public
        self._pace = Pace(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = self._refusal(scope)
        answering = self._app if refused is None else refused
        if scope["method"] == "HEAD":
            head = _HeadOnly(receive, sending)
            await answering({**scope, "method": "GET", HEAD: True}, head.receive, head.send)
        else:
            await answering(scope, receive, sending)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if not self._is_ours(host):
            return _sentence(421, "This console is not at that address.")
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if method in SAFE:
            kind = "enter" if str(scope["path"]).startswith("/login/") else "read"
            return _sentence(429, "Too many requests; wait a minute.") if self._too_many(kind, address) else None
        if token_of(str(scope["path"]), headers) is None and not self._from_here(headers, host):
            return _sentence(403, "This request does not come from a page of the console.")
        entering = str(scope["path"]).startswith("/login")
        if self._too_many("enter" if entering else "change", address):
            return _sentence(429, "Too many requests; wait a minute.")
        return None

    def _too_many(self, kind: str, address: str) -> bool:
        return self._pace.over(kind, address, {"read": READS, "change": CHANGES, "enter": ENTRIES}[kind])

    def _is_ours(self, host: str) -> bool:
        public = urlsplit(self._public())
        if host == public.netloc:
            return True
        try:
            named = urlsplit(f"//{host}")
            port = named.port
        except ValueError:
            return False
        return named.hostname in _LOOPBACK and port != 0 and "@" not in host

    def _from_here(self, headers: Headers, host: str) -> bool:
        """Tell whether the browser says that a page of this very site sends the request."""
        site = headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            return False
        public = urlsplit(self._public())
        expected = f"{public.scheme}://{host}" if host == public.netloc else f"http://{host}"
        return headers.get("origin") == expected


def _sentence(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"retry-after": "60"} if status == 429 else None)
