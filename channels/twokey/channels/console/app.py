"""The console's application, put together.

Rules: every page is made for an authenticated principal, except the one that lets people in; every error is a page that
says what happened and what to do next, or the same as JSON below ``/api``; nothing of an exception of ours is shown.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from twokey.channels.console import (
    answering,
    api,
    asking,
    batches,
    editing,
    entering,
    files,
    freezing,
    inbox,
    incidents,
    lists,
    log,
    proposals,
    providing,
    replaying,
    runs,
    scores,
)
from twokey.channels.console.guarding import SAFE, Guard
from twokey.channels.console.sessions import visitor_of
from twokey.channels.console.site import Site, site_of
from twokey.core.errors import (
    BadInput,
    CheckFailed,
    EnvironmentFault,
    NotAuthenticated,
    NotFound,
    Refused,
    TwokeyError,
)

_logger: Final = logging.getLogger("twokey.console")
_STATUS: Final[tuple[tuple[type[TwokeyError], int], ...]] = (
    (NotFound, 404),
    (BadInput, 400),
    (NotAuthenticated, 401),
    (Refused, 409),
    (CheckFailed, 500),
    (EnvironmentFault, 503),
)
_SAID: Final = {
    404: NotFound("There is nothing here.", next="Go back to the inbox."),
    405: BadInput("This address does not take such requests.", next="Go back to the inbox.", code="method"),
}


def build(site: Site) -> ASGIApp:
    """Put the application together."""
    app = FastAPI(title="Twokey", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.site = site
    app.router.redirect_slashes = False
    for pages in (
        files,
        entering,
        providing,
        inbox,
        proposals,
        answering,
        batches,
        editing,
        asking,
        runs,
        freezing,
        log,
        lists,
        replaying,
        incidents,
        scores,
        api,
    ):
        app.include_router(pages.router)
    openapi = app.openapi
    app.openapi = lambda: api.described(openapi())
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        TwokeyError: _told,
        RequestValidationError: _unusable,
        HTTPException: _unknown,
        Exception: _broken,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    return Guard(app, clock=site.clock, public=lambda: site.public)


async def _told(request: Request, error: Exception) -> Response:
    if not isinstance(error, TwokeyError):
        raise error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        _logger.warning("%s: %s", request.url.path, error.message)
    return _shown(request, error, status)


async def _unusable(request: Request, _: Exception) -> Response:
    return _shown(request, BadInput("This request cannot be used.", next="Go back to the inbox."), 400)


async def _unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _shown(request, _SAID.get(status, _SAID[404]), status)


async def _broken(request: Request, error: Exception) -> Response:
    _logger.error("%s failed", request.url.path, exc_info=error)
    fault = EnvironmentFault(
        "Twokey itself failed; nothing was taken.", next="Try again; report it if it comes back.", code="internal"
    )
    return _shown(request, fault, 500)


def _shown(request: Request, error: TwokeyError, status: int) -> Response:
    """Show an error; who is not in and only wants to read is led to where one comes in."""
    if request.url.path.startswith("/api/") or "application/json" in request.headers.get("accept", ""):
        return JSONResponse(error.as_json(), status)
    if error.code == "no_session" and request.method in SAFE:
        return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
    try:
        visitor = visitor_of(request)
    except TwokeyError:
        visitor = None
    return site_of(request).page(request, "error.html", visitor, status=status, error=error)
