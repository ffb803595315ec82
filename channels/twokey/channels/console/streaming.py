"""News of something while its page is open, as server-sent events.

Rules: an event says that something changed, and what whoever sees the page may read at that moment; the database is
looked at, so news of other processes count as well; a stream ends by itself after a while, with the session, with the
right to read what it is about and with the server, and browsers come again; only so many are open at a time.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from twokey.channels.console.seeing import still
from twokey.channels.console.sessions import Visitor, visitor_of
from twokey.channels.console.site import Site
from twokey.core.errors import TwokeyError
from twokey.tools.reading import Reader

EVERY_S: Final = 0.5
LOOKS: Final = 120
"""After how many looks a stream ends: a minute."""
SESSION_LOOKS: Final = 10
"""After how many looks it is seen again whether the session goes on."""
AT_ONCE: Final = 60
"""Streams of one process."""

Look = Callable[[Reader], dict[str, Any]]
"""Gives how things stand, for who may read it; ``stamp`` in it changes whenever they do."""


def news(request: Request, site: Site, visitor: Visitor, look: Look) -> Response:
    """Give a stream that tells each time how things stand, beginning with now."""
    if site.streams >= AT_ONCE:
        return PlainTextResponse("Too many pages are open; this one is not told what changes.\n", 503)
    return StreamingResponse(
        _events(request, site, lambda: look(still(site, visitor))),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _events(request: Request, site: Site, look: Callable[[], dict[str, Any]]) -> AsyncGenerator[str]:
    site.streams += 1
    stamp = None
    try:
        yield "retry: 1500\n\n"
        for number in range(LOOKS):
            if site.served.stopping() or await request.is_disconnected():
                return
            if number % SESSION_LOOKS == 0 and await run_in_threadpool(visitor_of, request) is None:
                yield "event: over\ndata: {}\n\n"
                return
            told = await run_in_threadpool(look)
            if told["stamp"] != stamp:
                stamp = told["stamp"]
                yield f"event: state\ndata: {json.dumps(told)}\n\n"
            await asyncio.sleep(EVERY_S)
    except TwokeyError:
        return  # what is looked at is gone or cannot be read; the browser comes again and is told so
    finally:
        site.streams -= 1
