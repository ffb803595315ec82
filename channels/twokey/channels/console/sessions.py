"""Who is in front of the browser: from a cookie to an authenticated principal.

Rules
- A session is what the log says it is (``twokey.tools.sessions``): another process, or this one after a restart, knows
  it as well. Its secret stands in the browser's cookie and nowhere else; the log holds its hash.
- The directory is asked each time: who is no longer in it is nobody, and groups are those of now.
- A session that nobody used for a while is over, and so is one that was left; that is in the log.
- The token against requests from other sites follows from the secret; a page of another site cannot know it.
- Below ``/api`` a program shows the same in the header ``Authorization``, which no page of another site can send; then
  no cookie counts.
"""

import hashlib
import hmac
import re
import threading
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from twokey.channels.passes import digest_of
from twokey.channels.workspace import Workspace
from twokey.core.errors import NotAuthenticated
from twokey.core.events import SessionOpened
from twokey.core.ports import Clock
from twokey.core.values import Identity

COOKIE: Final = "twokey_session"
_COOKIE: Final = re.compile(r"([0-9a-f]{16})\.([A-Za-z0-9_-]{43})")
MINUTE_US: Final = 60_000_000
KNOWN: Final = 10_000
"""Sessions whose last use is remembered; beyond that the oldest are forgotten, and count as just used."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is in the console."""

    identity: Identity
    session: SessionOpened
    csrf: str
    """Has to come with every request that changes something."""

    @property
    def name(self) -> str:
        """What the directory calls them."""
        return self.identity.principal.name

    @property
    def signs(self) -> bool:
        """Whether their answers are signed in the browser."""
        return self.identity.auth == "key"


class Door:
    """Knows who may come in, and who is in."""

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._idle_us = workspace.config.console.idle_minutes * MINUTE_US
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}

    def visitor(self, cookie: str) -> Visitor | None:
        """Give who shows a cookie; nobody where it is none of ours, or its session is over."""
        found = _COOKIE.fullmatch(cookie)
        opened = None if found is None else self._workspace.sessions.find(found[1])
        if found is None or opened is None or not hmac.compare_digest(digest_of(found[2]), opened.secret):
            return None
        principal = self._workspace.directory.principal(opened.principal)
        if principal is None:
            return None
        if self._idle(opened):
            self._workspace.sessions.close(opened, "idle")
            return None
        identity = Identity(principal=principal, auth=opened.auth, channel="console", external=opened.external)
        return Visitor(identity, opened, _token(found[2]))

    def leave(self, visitor: Visitor) -> None:
        """End a session."""
        self._workspace.sessions.close(visitor.session, "left")
        with self._lock:
            self._used.pop(visitor.session.session, None)

    def _idle(self, opened: SessionOpened) -> bool:
        """Tell whether nobody used a session for too long, and note that it is used now."""
        now = self._clock.now_us()
        with self._lock:
            last = self._used.pop(opened.session, now)
            self._used[opened.session] = now
            while len(self._used) > KNOWN:
                del self._used[next(iter(self._used))]
        return now - last > self._idle_us


def _token(secret: str) -> str:
    return hmac.new(secret.encode(), b"twokey/csrf/v1", hashlib.sha256).hexdigest()


def set_cookie(response: Response, opened: SessionOpened, secret: str, *, secure: bool) -> None:
    """Have the browser keep a session's secret, for this site alone and out of reach of scripts."""
    age = (opened.until_us - opened.at_us) // 1_000_000
    value = f"{opened.session}.{secret}"
    response.set_cookie(COOKIE, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")


def drop_cookie(response: Response, *, secure: bool) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="lax")


def visitor_of(request: Request) -> Visitor | None:
    """Give who sends a request, where somebody is in."""
    door = request.app.state.site.door
    if not isinstance(door, Door):
        raise TypeError("the application was built without its door")
    token = token_of(request.url.path, request.headers)
    return door.visitor(request.cookies.get(COOKIE, "") if token is None else token)


def token_of(path: str, headers: Headers) -> str | None:
    """Give the token that a program shows below ``/api``; none where there is no header for it."""
    shown = headers.get("authorization")
    if shown is None or not path.startswith("/api/"):
        return None
    scheme, _, token = shown.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def required(request: Request) -> Visitor:
    """Give who sends a request; raises ``NotAuthenticated`` where nobody is in."""
    found = visitor_of(request)
    if found is None:
        raise NotAuthenticated(
            "Nobody is in the console with this browser.",
            next="Make a one-time link with `twokey login NAME --link`, and open it here.",
            code="no_session",
        )
    return found


Who = Annotated[Visitor, Depends(required)]
"""The authenticated principal of a request, as a parameter of an endpoint."""
Maybe = Annotated[Visitor | None, Depends(visitor_of)]
"""The same for pages that can be seen by anybody."""
