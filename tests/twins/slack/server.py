"""The twin on real sockets: the Web API over HTTP, Socket Mode over a WebSocket, and faults that a test asks for."""

import asyncio
import contextlib
import json
import threading
from base64 import b64decode
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from twins.slack.methods import Api, RateLimitedError, SlackRefusesError
from twins.slack.world import World

HOOK_USES = 5
HOOK_S = 1800.0
PATIENCE_S = 600.0
"""How long a busy machine is given for anything that has to come about."""


class Faults:
    """Cuts of the network: before a call has its effect, or after."""

    def __init__(self) -> None:
        self._armed: dict[str, list[str]] = {}
        self._answers: dict[str, tuple[int, int]] = {}
        self._countdown: tuple[int, str] | None = None
        self.done: list[tuple[str, str]] = []
        self.calls: list[str] = []
        """Every call there was, in order."""

    def arm(self, method: str, kind: str) -> None:
        """The next call of ``method`` is cut ``before`` or ``after`` its effect."""
        self._armed.setdefault(method, []).append(kind)

    def arm_call(self, number: int, kind: str) -> None:
        """Of the calls from now on, the one with this number, counted from 0, is cut."""
        self._countdown = (number, kind)

    def waits(self) -> bool:
        """Tell whether a cut that was asked for is still to come."""
        return self._countdown is not None or any(self._armed.values())

    def answer(self, method: str, status: int, *, after: int = 1) -> None:
        """The next call of ``method`` is answered with an HTTP status, before it has its effect."""
        self._answers[method] = (status, after)

    def answered(self, method: str) -> web.Response | None:
        """Give the answer that a test asked for instead."""
        if method not in self._answers:
            return None
        status, after = self._answers.pop(method)
        body = {"ok": False, "error": "ratelimited" if status == 429 else "internal_error"}
        return web.json_response(body, status=status, headers={"Retry-After": str(after)})

    def begin(self, method: str) -> bool:
        """Note a call; tells whether it is to be cut before its effect."""
        self.calls.append(method)
        if self._countdown is not None:
            number, kind = self._countdown
            self._countdown = None if number == 0 else (number - 1, kind)
            if number == 0:
                self._armed.setdefault(method, []).insert(0, kind)
        return self._take(method, "before")

    def end(self, method: str) -> bool:
        """Tell whether a call is to be cut after its effect."""
        return self._take(method, "after")

    def _take(self, method: str, kind: str) -> bool:
        armed = self._armed.get(method, [])
        if armed and armed[0] == kind:
            self.done.append((method, armed.pop(0)))
            return True
        return False


class Twin:
    """A Slack that listens on this machine."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.api = Api(self.world, lambda: self.base)
        self.api.socket_url = lambda: f"ws://127.0.0.1:{self.port}/link?ticket={self._ticket()}"
        self.faults = Faults()
        self.port = 0
        self.acks: dict[str, dict[str, Any]] = {}
        """Envelopes that were acknowledged, with what came along."""
        self.connections: list[web.WebSocketResponse] = []
        self.deaf = False
        """True where acknowledgements get lost on their way here."""
        self._tickets: set[str] = set()
        self._unacked: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What a client takes as its base URL."""
        return f"{self.base}/api/"

    @contextlib.contextmanager
    def running(self) -> Generator["Twin"]:
        """Listen until the block ends."""
        started = threading.Event()
        thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        thread.start()
        assert started.wait(60)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(60)

    # -- Socket Mode ------------------------------------------------------------------------------------------

    def push(self, kind: str, payload: dict[str, Any], *, patience_s: float = PATIENCE_S) -> str:
        """Send an envelope and wait until it is acknowledged; gives its id. It is sent again where nobody does."""
        envelope = f"env-{self.world.number()}"
        return self.push_as(envelope, kind, payload, patience_s=patience_s)

    def push_as(self, envelope: str, kind: str, payload: dict[str, Any], *, patience_s: float = PATIENCE_S) -> str:
        message = {
            "envelope_id": envelope,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            message |= {"retry_attempt": 0, "retry_reason": ""}
        self._unacked[envelope] = message
        self._send(message)
        self.wait(lambda: envelope in self.acks, patience_s)
        return envelope

    def drop(self, *, politely: bool) -> None:
        """End every connection, with the message that asks for a new one or without."""

        async def end() -> None:
            for connection in list(self.connections):
                if politely:
                    await connection.send_str(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
                else:
                    await connection.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(60)

    def wait(self, until: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Return once something holds; it is looked at whenever anything changes here."""
        with self._changed:
            assert self._changed.wait_for(until, patience_s), "what was waited for did not come about"

    def _send(self, message: dict[str, Any]) -> None:
        async def send() -> None:
            if self.connections:
                with contextlib.suppress(ConnectionError):
                    await self.connections[-1].send_str(json.dumps(message))

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(60)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"type": "hello", "num_connections": 1}))
        self.connections.append(socket)
        self._notify()
        for message in list(self._unacked.values()):
            if message["type"] == "events_api":
                message |= {"retry_attempt": message["retry_attempt"] + 1, "retry_reason": "timeout"}
            await socket.send_str(json.dumps(message))
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT and not self.deaf:
                    answer = json.loads(message.data)
                    self.acks[answer["envelope_id"]] = answer.get("payload") or {}
                    self._unacked.pop(answer["envelope_id"], None)
                    self._notify()
        finally:
            self.connections.remove(socket)
            self._notify()
        return socket

    def _ticket(self) -> str:
        ticket = f"t{self.world.number()}"
        self._tickets.add(ticket)
        return ticket

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    # -- HTTP -------------------------------------------------------------------------------------------------

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/hooks/{number}", self._hook)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/link", self._link)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        authorization = request.headers.get("Authorization", "")
        if authorization.startswith("Basic "):
            given = b64decode(authorization.removeprefix("Basic ")).decode()
            arguments["client_id"], _, arguments["client_secret"] = given.partition(":")
        token = authorization.removeprefix("Bearer ") or str(arguments.get("token", ""))
        if self.faults.begin(method):
            return self._cut(request)
        instead = self.faults.answered(method)
        if instead is not None:
            return instead
        try:
            given = self.api.call(method, token, arguments)
        except RateLimitedError as limited:
            self._note(method, arguments, "ratelimited")
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(limited.after)}
            )
        except SlackRefusesError as refusal:
            self._note(method, arguments, refusal.error)
            return web.json_response({"ok": False, "error": refusal.error, **refusal.more})
        self._note(method, arguments, "ok")
        if self.faults.end(method):
            return self._cut(request)
        held = self.world.tokens.get(token)
        scopes = {"X-OAuth-Scopes": ",".join(sorted(held.scopes))} if held else {}
        return web.json_response({"ok": True, **given}, headers=scopes)

    def _note(self, method: str, arguments: dict[str, Any], outcome: str) -> None:
        self.world.calls.append((method, arguments, outcome))
        self._notify()

    def _cut(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        self._notify()
        return web.Response(status=500)

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        known = self.world.hooks.get(request.path)
        if known is None or known["uses"] >= HOOK_USES or self.world.now() - known["at"] > HOOK_S:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        if self.faults.begin("response_url"):
            return self._cut(request)
        instead = self.faults.answered("response_url")
        if instead is not None:
            return instead
        known["uses"] += 1
        known["posts"].append(await request.json())
        self._notify()
        return self._cut(request) if self.faults.end("response_url") else web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        known = self.world.files.get(request.match_info["file"])
        if known is None:
            return web.Response(status=404)
        if request.content_type.startswith("multipart/"):
            part = await (await request.multipart()).next()
            content = await part.read() if part is not None and not isinstance(part, list) else b""  # pyright: ignore[reportAttributeAccessIssue]
        else:
            content = await request.read()
        if len(content) != known["length"]:
            return web.Response(status=400)
        known["content"] = bytes(content)
        return web.Response(text="OK")


async def _arguments(request: web.Request) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        arguments |= json.loads(await request.read() or b"{}")
    elif request.content_type == "application/x-www-form-urlencoded":
        arguments |= dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    return arguments
