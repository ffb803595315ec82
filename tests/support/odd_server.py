"""A real HTTP server that answers as a test tells it to, however badly, and remembers what it was asked."""

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """An answer. ``parts`` are sent one by one; ``wait`` lets a test hold the rest back."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    parts: Callable[[threading.Event], Any] | None = None
    """Gives pieces of a body of unknown length; gets what is set when the server ends."""


@dataclass
class OddServer:
    """What a test talks to."""

    url: str
    asked: list[Asked]
    answer: Callable[[Asked], Told]


@contextmanager
def odd_server(answer: Callable[[Asked], Told], context: ssl.SSLContext | None = None) -> Generator[OddServer]:
    """Serve on a free port of this machine while the block runs, over TLS where there is a ``context``."""
    over = threading.Event()
    server: OddServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            parts = urlsplit(self.path)
            form = parse_qsl(body.decode("utf-8", "replace")) if self.command == "POST" else []
            asked = Asked(
                self.command,
                parts.path,
                dict([*parse_qsl(parts.query), *form]),
                {name.lower(): text for name, text in self.headers.items()},
                body,
            )
            server.asked.append(asked)
            told = server.answer(asked)
            self.send_response(told.status)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.close_connection = True
            if told.parts is None:
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for piece in told.parts(over):
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                return  # whoever asked has had enough

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            del format, args

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked has gone, which some tests are about."""

    listener = Listener(("127.0.0.1", 0), Handler)
    if context is not None:
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    server = OddServer(f"http://127.0.0.1:{listener.server_address[1]}", [], answer)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        listener.shutdown()
        listener.server_close()
        thread.join(60)
