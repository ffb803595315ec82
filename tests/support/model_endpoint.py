"""A model endpoint on this machine: it speaks the OpenAI chat completions protocol over HTTP, and keeps what it gets.

Rules: a request that breaks the protocol gets status 400 with what is wrong; each request is answered by the next
scripted reply; a reply may wait for an event, so that a test decides when "slow" ends.
"""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema

REQUEST = {
    "type": "object",
    "required": ["model", "messages", "response_format", "max_tokens", "temperature", "seed"],
    "additionalProperties": False,
    "properties": {
        "model": {"const": "small-model"},
        "temperature": {"const": 0},
        "seed": {"type": "integer"},
        "stream": {"const": False},
        "max_tokens": {"type": "integer", "minimum": 16},
        "messages": {
            "type": "array",
            "prefixItems": [
                {
                    "properties": {"role": {"const": "system"}, "content": {"type": "string", "minLength": 1}},
                    "required": ["role", "content"],
                },
                {
                    "properties": {"role": {"const": "user"}, "content": {"type": "string", "minLength": 1}},
                    "required": ["role", "content"],
                },
            ],
            "minItems": 2,
            "maxItems": 2,
        },
        "response_format": {
            "type": "object",
            "required": ["type", "json_schema"],
            "properties": {
                "type": {"const": "json_schema"},
                "json_schema": {
                    "type": "object",
                    "required": ["name", "schema", "strict"],
                    "properties": {
                        "name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
                        "strict": {"const": True},
                        "schema": {
                            "type": "object",
                            "required": ["properties", "required", "additionalProperties"],
                            "properties": {"additionalProperties": {"const": False}},
                        },
                    },
                },
            },
        },
    },
}
"""What this client is to send, after https://platform.openai.com/docs/api-reference/chat/create."""


@dataclass
class Reply:
    """One scripted answer. ``wait`` holds it back until it is set; ``drip_s`` is the pause after each byte of it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    wait: threading.Event | None = None
    drip_s: float = 0
    arrived: threading.Event = field(default_factory=threading.Event)


@dataclass
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Endpoint:
    """The endpoint as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[Reply] = []
        self.received: list[Received] = []
        self.faults: list[str] = []

    def play(self, *replies: Reply) -> None:
        """Answer the next requests with ``replies``, in order."""
        self.script.extend(replies)

    def next(self, received: Received) -> Reply:
        """Check one request and choose its reply."""
        self.received.append(received)
        try:
            jsonschema.validate(received.body, REQUEST)
        except jsonschema.ValidationError as error:
            self.faults.append(error.message)
            return Reply(400, json.dumps({"error": {"message": error.message}}).encode())
        return self.script.pop(0) if self.script else Reply(500, b'{"error": {"message": "no reply is scripted"}}')


def answered(content: str | None, *, finish: str = "stop", usage: Any = None, refusal: str | None = None) -> Reply:
    """A chat completion whose message is ``content``."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if refusal is not None:
        message["refusal"] = refusal
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-model",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"prompt_tokens": 30, "completion_tokens": 9, "total_tokens": 39} if usage is None else usage,
    }
    return Reply(body=json.dumps(body).encode())


@contextmanager
def serve() -> Generator[Endpoint]:
    """Run an endpoint on a free port of 127.0.0.1 until the block ends."""
    holder: list[Endpoint] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: holder[0]))
    server.daemon_threads = True
    holder.append(Endpoint(f"http://127.0.0.1:{server.server_port}/v1"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield holder[0]
    finally:
        for reply in holder[0].script:
            if reply.wait is not None:
                reply.wait.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(endpoint: Callable[[], Endpoint]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, json.loads(self.rfile.read(length)))
            reply = endpoint().next(received)
            reply.arrived.set()
            if reply.wait is not None:
                reply.wait.wait(60)
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if not reply.drip_s:
                    self.wfile.write(reply.body)
                    return
                for byte in reply.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    threading.Event().wait(reply.drip_s)
            except (BrokenPipeError, ConnectionResetError):
                # The client has gone, which is what some tests are about.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler
