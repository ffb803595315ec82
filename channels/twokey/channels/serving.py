"""The web server that channels take requests through.

Rules
- A request has a bounded head and body, and a bounded time to arrive; what is too large or too slow is refused before a
  channel sees it. The number of requests at a time is bounded, too.
- A channel gets the bytes as they came and authenticates them before anything is parsed. What it cannot authenticate is
  answered with one sentence, and counted (``channels.rejections``).
- Every refusal and fault is one plain sentence of ours; nothing of the request, of an exception or of the server's
  version is in it.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Final, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from twokey.channels.routes import Delivery, Reply, Route, Served, Site
from twokey.core.errors import BadInput, EnvironmentFault, NotAuthenticated, TwokeyError
from twokey.core.values import Channel

HEAD_BYTES: Final = 16 * 1024
READ_S: Final = 10.0
"""How long the body of a request may take to arrive, in seconds."""
AT_ONCE: Final = 200
"""Requests and connections at a time; more are asked to come back."""
SPARE_BYTES: Final = 4 * 1024 * 1024
"""Of what is too large this much is thrown away: a sender that is cut off while it sends never sees the answer."""
STOP_S: Final = 10
"""How long requests that are being answered are waited for at the end, in seconds."""

_SENTENCES: Final = {
    400: "This request cannot be used.",
    401: "This request is not proven to come from whom it says.",
    403: "This request was refused.",
    404: "There is nothing here.",
    405: "This address does not take such requests.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    500: "Twokey itself failed; nothing was taken.",
    503: "Twokey cannot take this now; try again later.",
}

_logger: Final = logging.getLogger("twokey.serving")


class Tally(Protocol):
    """Counts requests that were refused (``channels.rejections`` for those of a workspace)."""

    def count(self, channel: Channel, code: str) -> None:
        """Count one."""
        ...

    def flush(self, *, everything: bool = False) -> None:
        """Write what is due."""
        ...


class _TooLarge(Exception):  # noqa: N818 - ends the reading of a body
    """There is more than the route takes."""


def application(
    routes: Sequence[Route], rejections: Tally, *, read_s: float = READ_S, beneath: ASGIApp | None = None
) -> Starlette:
    """Give the application that serves ``routes``, and ``beneath`` whatever none of them takes.

    ``read_s`` bounds how long a body may take, in seconds.
    """

    async def healthy(_: Request) -> Response:
        return _answer(200, "ok")

    served: list[BaseRoute] = [StarletteRoute("/healthz", healthy, methods=["GET"])]
    for route in routes:
        endpoint = _endpoint(route, rejections, read_s)
        served.append(StarletteRoute(route.path, endpoint, methods=[route.method]))
    if beneath is not None:
        served.append(Mount("/", app=beneath))
    made = Starlette(routes=served, exception_handlers={HTTPException: _refused})
    made.router.redirect_slashes = False
    return made


@contextlib.contextmanager
def serving(
    routes: Sequence[Route],
    rejections: Tally,
    *,
    host: str,
    port: int,
    read_s: float = READ_S,
    site: Site | None = None,
) -> Generator[str]:
    """Serve ``routes`` and ``site`` in a thread of its own while the block runs; gives the address.

    Port 0 takes a free one.

    Raises:
        EnvironmentFault: the address is taken, or is none of this machine's.

    """
    listener = _listener(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    ended = threading.Event()
    beneath = None if site is None else site(Served(address, ended.is_set))
    config = uvicorn.Config(
        application(routes, rejections, read_s=read_s, beneath=beneath),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=AT_ONCE,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=STOP_S,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="twokey-serving", daemon=True)
    thread.start()
    try:
        yield address
    finally:
        ended.set()
        server.should_exit = True
        thread.join(STOP_S + 5)
        listener.close()
        rejections.flush(everything=True)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What is accepted takes it over: an answer of two pieces must not wait for the first to be acknowledged.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise EnvironmentFault(
            f"Nothing can listen on port {port} of {host[:80]}: {error.strerror or 'no such address'}.",
            next="Free the port, or name another with --port or server.port.",
            code="port_taken",
        ) from error
    return listener


def _endpoint(route: Route, rejections: Tally, read_s: float) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(read_s):
                body = await _read(request, route.max_bytes)
        except TimeoutError:
            return _answer(408)
        except _TooLarge:
            await run_in_threadpool(rejections.count, route.channel, "too_large")
            return _answer(413)
        except ClientDisconnect:
            return _answer(400)
        delivery = Delivery(request.url.path, _headers(request), body, request.url.query)
        reply = await run_in_threadpool(_reply, route, delivery, rejections)
        return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)

    return endpoint


async def _read(request: Request, limit: int) -> bytes:
    """Read the body; raises ``_TooLarge`` if it is more than ``limit`` bytes, at once if it is far more than that."""
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) > limit + SPARE_BYTES:
        raise _TooLarge
    body, came = bytearray(), 0
    async for part in request.stream():
        came += len(part)
        if came > limit + SPARE_BYTES:
            raise _TooLarge
        if came <= limit:
            body += part
    if came > limit:
        raise _TooLarge
    return bytes(body)


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return found


def _reply(route: Route, delivery: Delivery, rejections: Tally) -> Reply:
    """Have the channel answer; whatever goes wrong is a sentence."""
    try:
        return route.endpoint(delivery)
    except NotAuthenticated as error:
        rejections.count(route.channel, error.code)
        return _sentence(401)
    except BadInput as error:
        _logger.info("%s: %s", route.path, error.code)
        return _sentence(400)
    except EnvironmentFault as error:
        _logger.warning("%s: %s", route.path, error.message)
        return _sentence(503)
    except TwokeyError as error:
        _logger.info("%s: %s", route.path, error.code)
        return _sentence(403)
    except Exception:  # a fault of Twokey itself in one request must not end the others, unseen
        _logger.exception("%s failed", route.path)
        return _sentence(500)


def _sentence(status: int) -> Reply:
    return Reply(status, f"{_SENTENCES[status]}\n".encode())


def _answer(status: int, text: str | None = None) -> Response:
    return Response(f"{text or _SENTENCES[status]}\n", status, media_type="text/plain")


def _refused(_: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: an unknown address, or a method that is not taken."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(status if status in _SENTENCES else 400)
