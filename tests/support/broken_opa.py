"""A stand-in for an OPA server that answers as told."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeAnswer:
    """What the stand-in for an OPA server sends back."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    drip: threading.Event | None = None
    """Where set, the body is sent byte by byte until the event comes, and never ends by itself."""
    length: int | None = None


class BrokenOpa:
    """A real HTTP server that answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = FakeAnswer()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                owner.requests.append((self.path, dict(self.headers), self.rfile.read(size)))
                owner.send(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden method
                pass

        class HttpServer(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing where the client left in the middle: some tests are about that."""

        self._server = HttpServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        answer = self.answer
        handler.send_response(answer.status)
        handler.send_header("Content-Type", "application/json")
        length = len(answer.body) if answer.length is None else answer.length
        handler.send_header("Content-Length", str(length if answer.drip is None else 10**6))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if answer.drip is None:
            handler.wfile.write(answer.body)
            handler.close_connection = answer.length is not None
        else:
            handler.close_connection = True
            while not answer.drip.wait(0.02):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
