"""Asks GitHub about one repository: with patience where that is safe, page by page, and no more often than need be.

Rules: a read is tried again, at most three times; a write only where it is keyed (doing it twice is doing it once), for
else nobody knows whether the first got through. A rate limit, primary or secondary, is waited for as long as GitHub
says, up to a bound for the whole client; beyond it ``TryLater`` says when to come back. An answer that did not change
is not sent twice (ETag). Pages are counted, never followed by their links. A status that nobody expected is one error
of ``twokey.core.errors``; what GitHub says in words is outside text and reaches none of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from twokey.core.errors import BadInput, EnvironmentFault, NotFound, Refused, TwokeyError
from twokey.tools.github.access import Access
from twokey.tools.github.limits import later, wait_of
from twokey.tools.github.wire import JSON, Cut, Reply, Wire

PER_PAGE: Final = 100
TRIES: Final = 3
PATIENCE_S: Final = 90.0
"""How long one client waits for rate limits, in all: less than a write's lease."""
BRIEF_S: Final = 3.0
"""The same for whoever can come back later, and holds up others meanwhile."""
_GOES_BY: Final = frozenset({500, 502, 503, 504})
Params = Mapping[str, str | int]


class Memory:
    """Answers that GitHub marked with an ETag, up to a number of bytes; the oldest go first. Threads may share it."""

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max = max_bytes
        self._size = 0
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Reply] = OrderedDict()

    def get(self, key: str) -> Reply | None:
        """Give what is held."""
        with self._lock:
            return self._held.get(key)

    def put(self, key: str, reply: Reply) -> None:
        """Hold an answer, if it is not too long."""
        with self._lock:
            before = self._held.pop(key, None)
            self._size -= len(before.body) if before else 0
            if len(reply.body) > self._max:
                return
            self._held[key] = reply
            self._size += len(reply.body)
            while self._size > self._max:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone.body)


class Client:
    """Asks about ``repository`` (``OWNER/REPO``) with the rights that ``access`` gives for it."""

    def __init__(
        self,
        wire: Wire,
        access: Access,
        repository: str,
        *,
        pause: Callable[[float], None],
        memory: Memory | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.repository: Final = repository
        self._wire = wire
        self._access = access
        self._pause = pause
        self._memory = memory or Memory()
        self._patience_s = patience_s

    def get(self, path: str, params: Params | None = None, *, accept: str = JSON, fine: Collection[int] = ()) -> Reply:
        """Read; statuses in ``fine`` are given back as they are, beside 200.

        Raises:
            NotFound: there is no such thing, or it may not be seen.
            TryLater: GitHub asks to wait for longer than is waited here.
            EnvironmentFault: GitHub is not reached, or refuses.

        """
        key = f"{self.repository} {accept} {path} {sorted((params or {}).items())}"
        held = self._memory.get(key)
        etag = held.headers.get("etag") if held else None
        reply = self._tried("GET", path, params=params, accept=accept, etag=etag, again=True)
        if reply.status == 304 and held is not None:
            return held
        if reply.status == 200 and "etag" in reply.headers:
            self._memory.put(key, reply)
        return _expected(reply, (200, *fine))

    def send(self, method: str, path: str, body: Any = None, *, keyed: bool, fine: Collection[int] = ()) -> Reply:
        """Write; tried again only where it is ``keyed``. Statuses in ``fine`` are given back beside those of success.

        Raises:
            Cut: it is not known whether GitHub did it.
            TryLater: GitHub asks to wait for longer than is waited here; this request was not carried out.
            TwokeyError: GitHub refused; nothing was done.

        """
        return _expected(self._tried(method, path, body=body, again=keyed), (200, 201, 204, *fine))

    def pages(self, path: str, params: Params | None = None, *, most: int, under: str = "") -> Iterator[list[Any]]:
        """Read a list page by page, at most ``most`` pages; ``under`` names the list in an answer that wraps it.

        Raises:
            EnvironmentFault: there is more.

        """
        for number in range(1, most + 1):
            reply = self.get(path, {**(params or {}), "per_page": PER_PAGE, "page": number})
            value = reply.json()
            items = value.get(under) if under and isinstance(value, dict) else value
            if not isinstance(items, list):
                raise EnvironmentFault(
                    "GitHub answered with something that is no list.",
                    next="Check that github.api leads to a GitHub.",
                    code="github_answer",
                )
            yield list[Any](items)
            if 'rel="next"' not in reply.headers.get("link", ""):
                return
        raise EnvironmentFault(
            f"GitHub's list is longer than the {most * PER_PAGE:,} entries that are looked through.",
            next="Close or archive what is old, or narrow the request.",
            code="github_too_many",
        )

    def _tried(
        self,
        method: str,
        path: str,
        *,
        again: bool,
        params: Params | None = None,
        body: Any = None,
        accept: str = JSON,
        etag: str | None = None,
    ) -> Reply:
        renewed = False
        tries = 0
        while True:
            tries += 1
            last = tries == TRIES or not again
            auth = self._access.auth(self.repository)
            try:
                reply = self._wire.exchange(method, path, auth, params=params, body=body, accept=accept, etag=etag)
            except Cut as cut:
                if last or cut.code == "github_certificate":
                    raise
                self._pause(0.25 * 2**tries)
                continue
            if reply.status == 401 and not renewed and self._access.refused(self.repository):
                renewed = True
                tries -= 1
            elif (wait := wait_of(reply)) is not None:
                self._wait(wait)  # a request that ran into a limit was not carried out
                tries -= 1
            elif reply.status in _GOES_BY and not last:
                self._pause(0.25 * 2**tries)
            else:
                return reply

    def _wait(self, seconds: float) -> None:
        cost = max(seconds, 1.0)  # a pause of nothing costs something, so that there is an end
        if cost > self._patience_s:
            raise later(seconds)
        self._patience_s -= cost
        self._pause(seconds)


def _expected(reply: Reply, wanted: Collection[int]) -> Reply:
    if reply.status in wanted:
        return reply
    raise _fault(reply.status)


def _fault(status: int) -> TwokeyError:
    match status:
        case 301 | 302 | 303 | 307 | 308:
            return EnvironmentFault(
                "GitHub sends the request elsewhere: the repository was renamed or moved.",
                next="Write its new address in twokey.toml; a redirect is not followed.",
                code="github_moved",
            )
        case 401:
            return EnvironmentFault(
                "GitHub does not accept the credential.",
                next="Renew the token, or check github.app_id and github.key_file.",
                code="github_auth",
            )
        case 403:
            return EnvironmentFault(
                "GitHub does not allow that with this credential.",
                next="Give the App (or the token) the permissions that docs/github.md lists.",
                code="github_forbidden",
            )
        case 404 | 410:
            return NotFound(
                "GitHub has no such thing there, or does not show it to this credential.",
                next="Check the address and that the App is installed on the repository.",
                code="github_not_found",
            )
        case 409 | 422:
            return Refused(
                "GitHub refused the request: what it asks for does not fit the repository as it is.",
                next="Look at the repository, then propose again.",
                code="github_refused",
            )
        case 413:
            return BadInput("GitHub takes nothing of that size.", next="Propose less at once.", code="github_too_large")
        case _ if status >= 500:
            return Cut("GitHub is out of order.", next="Try again later.", code="github_unreachable")
        case _:
            return EnvironmentFault(
                f"GitHub answered with the unexpected status {status}.",
                next="Check github.api; report it with the version of the server.",
                code="github_answer",
            )
