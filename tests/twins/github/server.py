"""The twin itself: an HTTP server with GitHub's manners, and with faults where a test wants them."""

import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from twins.github import apps, deployments, git, issues, pulls
from twins.github.description import Description
from twins.github.routing import ROUTES, Answer, Asked, Refusal
from twins.github.world import Grant, Repository, World

PARTS = (apps, deployments, git, issues, pulls)
"""Imported for what they serve."""
VERSIONS = {"2022-11-28"}

FaultKind = Literal[
    "cut_before", "cut_after", "cut_short", "500", "secondary", "slow", "redirect", "tamper", "forbidden"
]


@dataclass
class Fault:
    """Something that goes wrong. It hits the requests that fit, ``times`` of them, after the first ``skip``."""

    kind: FaultKind
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    retry_after: int | None = 1
    location: str = ""
    change: Callable[[Any], Any] | None = None

    def hits(self, method: str, path: str) -> bool:
        if self.times <= 0 or self.method not in {"", method} or self.path not in path:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True)
class Call:
    """A request as it arrived."""

    method: str
    path: str
    status: int
    headers: dict[str, str]


class GitHubTwin:
    """A running twin. ``api`` is where it listens; ``problems`` is what the official description held against it."""

    def __init__(self, world: World, description: Description | None) -> None:
        self.world = world
        self.description = description
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.lock = threading.RLock()
        self.released = threading.Event()
        """Lets requests go on that a fault keeps waiting."""
        self._routes = [(method, _matcher(template), template) for method, template in ROUTES]
        handler = type("Handler", (_Handler,), {"twin": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.api = world.api = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Generator["GitHubTwin"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def handle(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[Answer, Fault | None]:
        """Answer one request."""
        parts = urlsplit(target)
        path = parts.path.removeprefix("/api/v3")
        query = parse_qsl(parts.query, keep_blank_values=True)
        with self.lock:
            fault = next((fault for fault in self.faults if fault.hits(method, path)), None)
        if fault is not None and fault.kind == "slow":
            self.released.wait(60)
        with self.lock:
            answer = _of_fault(fault) if fault else None
            template, params = self._found(method, path)
            if answer is None:
                answer = self._answered(method, template, params, dict(query), headers, raw)
            if self.description is not None:
                answer = self._filled(answer)
                if template is not None:
                    body = json.dumps(answer.value).encode() if answer.value is not None else None
                    given = (method, template, params, query, headers, raw, answer.status, body)
                    self.problems += self.description.problems(*given)
            else:
                answer.value = _bare(answer.value)
            if fault is not None and fault.change is not None:
                answer.value = fault.change(answer.value)
            self.calls.append(Call(method, path, answer.status, headers))
        return answer, fault

    def _found(self, method: str, path: str) -> tuple[str | None, dict[str, str]]:
        for known, pattern, template in self._routes:
            if known == method and (found := pattern.fullmatch(path)):
                return template, {name: unquote(value) for name, value in found.groupdict().items()}
        return None, {}

    def _answered(
        self,
        method: str,
        template: str | None,
        params: dict[str, str],
        query: dict[str, str],
        headers: dict[str, str],
        raw: bytes,
    ) -> Answer:
        grant: Grant | None = None
        try:
            handler, needs = ROUTES[method, self._known(method, template, headers)]
            if needs != "app":
                grant = self._granted(headers)
                _count(self.world, grant)
            repository = self._repository(params, grant)
            _allowed(grant, needs)
            answer = handler(self.world, repository, Asked(method, params, query, headers, _json(raw), grant))
        except Refusal as refusal:
            answer = refusal.answer
        if grant is not None:
            answer.headers |= {
                "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": str(max(grant.left, 0)),
                "X-RateLimit-Reset": str(int(self.world.now()) + 2),
            }
        return answer

    def _known(self, method: str, template: str | None, headers: dict[str, str]) -> str:
        if not headers.get("user-agent"):
            raise Refusal(403, "Request forbidden by administrative rules. Please make sure it has a User-Agent.")
        if headers.get("x-github-api-version", "2022-11-28") not in VERSIONS:
            raise Refusal(400, "The version of the API is not supported.")
        if template is None:
            self.problems.append(f"{method} of a path that is not served here")
            raise Refusal(404, "Not Found")
        return template

    def _granted(self, headers: dict[str, str]) -> Grant:
        kind, _, token = headers.get("authorization", "").partition(" ")
        grant = self.world.tokens.get(token) if kind.lower() in {"token", "bearer"} else None
        if grant is None or grant.until <= self.world.now():
            raise Refusal(401, "Bad credentials")
        return grant

    def _repository(self, params: dict[str, str], grant: Grant | None) -> Repository | None:
        if "repo" not in params:
            return None
        name = f"{params['owner']}/{params['repo']}"
        repository = self.world.repositories.get(name)
        if repository is None or (grant is not None and name not in grant.repositories):
            raise Refusal(404, "Not Found")
        return repository

    def _filled(self, answer: Answer) -> Answer:
        assert self.description is not None
        value, schema = answer.value, answer.schema
        if schema is not None and isinstance(value, list):
            value = [(schema, item) for item in value]
        elif schema is not None:
            value = (schema, value)
        answer.value = self._whole(value)
        return answer

    def _whole(self, value: Any) -> Any:
        assert self.description is not None
        if isinstance(value, tuple):
            schema, inner = value
            inner = {name: self._whole(item) for name, item in inner.items()}
            return inner if "." in schema else self._deep(self.description.filled(schema, {}), inner)
        if isinstance(value, dict):
            return {name: self._whole(item) for name, item in value.items()}
        return [self._whole(item) for item in value] if isinstance(value, list) else value

    def _deep(self, skeleton: Any, value: Any) -> Any:
        """Lay ``value`` over ``skeleton``, all the way down."""
        if isinstance(skeleton, dict) and isinstance(value, dict):
            return skeleton | {name: self._deep(skeleton.get(name), item) for name, item in value.items()}
        return value


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return _bare(value[1])
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _matcher(template: str) -> re.Pattern[str]:
    shown = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    shown = re.sub(r"\{(ref|basehead)\}", r"(?P<\1>.+)", shown)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", shown))


def _of_fault(fault: Fault) -> Answer | None:
    match fault.kind:
        case "500":
            return Answer(500, {"message": "Server Error"})
        case "secondary":
            wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return Answer(403, {"message": "You have exceeded a secondary rate limit."}, headers=wait)
        case "redirect":
            return Answer(301, {"message": "Moved Permanently"}, headers={"Location": fault.location})
        case "forbidden":
            return Answer(403, {"message": "Resource not accessible by integration"})
        case "cut_before":
            return Answer(0)
        case _:
            return None


def _count(world: World, grant: Grant) -> None:
    grant.left -= 1
    if grant.left < 0:
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(world.now()) + 2)}
        raise Refusal(403, "API rate limit exceeded for user.", headers=reset)


def _allowed(grant: Grant | None, needs: str | None) -> None:
    if grant is None or needs is None or needs == "app":
        return
    area, level = needs.split(":")
    has = [grant.permissions.get(name) for name in ((area, "pull_requests") if area == "issues" else (area,))]
    if "write" not in has and not (level == "read" and "read" in has):
        raise Refusal(403, "Resource not accessible by integration")


def _json(raw: bytes) -> bytes:
    if raw:
        try:
            found = json.loads(raw)
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if not isinstance(found, dict | list):
            raise Refusal(400, "Body should be a JSON object")
    return raw


class _Handler(BaseHTTPRequestHandler):
    twin: ClassVar[GitHubTwin]
    protocol_version = "HTTP/1.1"
    timeout = 600
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Keep quiet."""

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer, fault = self.twin.handle(self.command, self.path, headers, raw)
        kind = fault.kind if fault else ""
        if kind in {"cut_before", "cut_after"}:
            self._cut()
            return
        body = b"" if answer.value is None else json.dumps(answer.value).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if self.command == "GET" and answer.status == 200 and headers.get("if-none-match") == etag:
            answer.status, body = 304, b""
        with contextlib.suppress(OSError):  # the client may have gone
            self.send_response_only(answer.status)
            self.send_header("Date", formatdate(self.twin.world.now(), usegmt=True))
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("X-GitHub-Request-Id", "0000:0000")
            if self.command == "GET" and answer.status in {200, 304}:
                self.send_header("ETag", etag)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status not in {204, 304}:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if kind == "cut_short" else body)
            if kind == "cut_short":
                self._cut()

    def _cut(self) -> None:
        """Drop the connection without a word."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def __getattr__(self, name: str) -> Any:
        """Serve every method; the base class looks for ``do_GET`` and so on."""
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)
