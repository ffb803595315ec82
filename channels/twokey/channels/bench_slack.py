"""How fast Slack gets its acknowledgement, and whether anything is lost when the process is killed.

Rules: what is measured is the installed command ``twokey up`` in a process of its own, with its worker at work, taking
signed commands over HTTP at a steady rate; the floor is an address of the same server that does nothing, asked at the
same rate in the same run. A stand-in for Slack's own side answers on this machine. Then the process is killed with
SIGKILL in the middle of such a load, several times: a command that was acknowledged and is not there afterwards, or is
never worked off, is lost.
"""

import asyncio
import hashlib
import hmac
import itertools
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from twokey.channels import creation
from twokey.core.errors import CheckFailed, EnvironmentFault

PER_S: Final = 50
SECRET: Final = "a-signing-secret-for-measuring"  # noqa: S105 - nothing but this measurement takes it
START_S: Final = 60
DRAIN_S: Final = 60
_PROGRAM: Final = "from twokey.channels.cli.main import main; main()"


@dataclass(slots=True)
class Load:
    """What a load came to."""

    took_ms: list[float] = field(default_factory=list[float])
    acknowledged: list[str] = field(default_factory=list[str])
    failed: int = 0


def measure(*, quick: bool) -> dict[str, Any]:
    """Measure; milliseconds, and numbers of commands."""
    return asyncio.run(_measure(seconds=6 if quick else 30, kills=2 if quick else 5))


async def _measure(*, seconds: int, kills: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as name:
        async with _slack() as slack, aiohttp.ClientSession() as session:
            place = _Place(Path(name), slack)
            process = await place.up(session)
            try:
                await place.load(session, seconds=2)  # what is made when it is first needed is made
                floor = await steady(seconds, lambda _: place.ask_nothing(session))
                measured = await place.load(session, seconds=seconds)
                acknowledged = [*measured.acknowledged]
                for number in range(kills):
                    load = asyncio.create_task(place.load(session, seconds=2))
                    await asyncio.sleep(0.5 + 0.31 * number)  # when it dies is what this varies
                    process.kill()
                    process.wait()
                    acknowledged += (await load).acknowledged
                    process = await place.up(session)
                lost = await place.lost(acknowledged)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait()
    took = sorted(measured.took_ms)
    if not took or measured.failed:
        raise CheckFailed(
            f"Of {len(took) + measured.failed} commands {measured.failed} were not acknowledged.",
            next="Run it again on a machine that does nothing else.",
        )
    return {
        "ack_p50_ms": round(statistics.median(took), 1),
        "ack_p99_ms": round(took[int(len(took) * 0.99)], 1),
        "lost": lost,
        "floor_p50_ms": round(statistics.median(floor.took_ms), 1),
        "floor_p99_ms": round(sorted(floor.took_ms)[int(len(floor.took_ms) * 0.99)], 1),
        "per_s": PER_S,
        "commands": len(took),
        "kills": kills,
        "acknowledged_in_all": len(acknowledged),
    }


class _Place:
    """A workspace in a folder, and the address at which it takes deliveries."""

    def __init__(self, folder: Path, slack: str) -> None:
        self._folder = folder / "w"
        self._port = _free_port()
        self._slack = slack
        self._home = folder / "home"
        self._numbers = itertools.count(1)
        sections = {
            "slack": {"mode": "http", "api_url": f"{slack}/api/", "hooks_url": f"{slack}/hooks/"},
            "server": {"port": self._port},
        }
        held = os.environ.get("TWOKEY_HOME")
        os.environ["TWOKEY_HOME"] = str(self._home)
        try:
            creation.create(self._folder, [("ana", ("analysts",)), ("sam", ("platform-owners",))], sections=sections)
        finally:
            if held is None:
                del os.environ["TWOKEY_HOME"]
            else:
                os.environ["TWOKEY_HOME"] = held

    async def up(self, session: aiohttp.ClientSession) -> "subprocess.Popen[bytes]":
        """Start ``twokey up``, and return once it answers."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("TWOKEY_")}
        variables |= {
            "TWOKEY_HOME": str(self._home),
            "SLACK_BOT_TOKEN": "xoxb-for-measuring",
            "SLACK_SIGNING_SECRET": SECRET,
        }
        process = subprocess.Popen(  # noqa: ASYNC220 - it outlives this function
            [sys.executable, "-c", _PROGRAM, "-C", str(self._folder), "up"],
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            try:
                await self.ask_nothing(session)
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
            else:
                return process
        process.kill()
        process.wait()
        raise EnvironmentFault("`twokey up` did not begin to listen.", next="Try it by hand in a workspace of yours.")

    async def ask_nothing(self, session: aiohttp.ClientSession) -> str | None:
        """Ask what does nothing."""
        async with session.get(f"http://127.0.0.1:{self._port}/healthz") as answer:
            await answer.read()
            return "" if answer.status == 200 else None

    async def load(self, session: aiohttp.ClientSession, *, seconds: int) -> Load:
        """Send commands at a steady rate."""
        return await steady(seconds, lambda _: self._command(session))

    async def _command(self, session: aiohttp.ClientSession) -> str | None:
        trigger = f"bench.{next(self._numbers)}"
        form = {
            "command": "/twokey",
            "text": "help",
            "team_id": "TBENCH",
            "user_id": "UBENCH",
            "channel_id": "CBENCH",
            "trigger_id": trigger,
            "response_url": f"{self._slack}/hooks/1",
        }
        body, stamp = urlencode(form).encode(), str(int(time.time()))
        signed = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signed}",
        }
        address = f"http://127.0.0.1:{self._port}/slack/events"
        async with session.post(address, data=body, headers=headers) as answer:
            await answer.read()
            return trigger if answer.status == 200 else None

    async def lost(self, acknowledged: list[str]) -> int:
        """Give how many of these are not there, or are not worked off by the time everything should be."""
        wanted = {hashlib.sha256(f"command:{trigger}".encode()).hexdigest() for trigger in acknowledged}
        until, done = time.monotonic() + DRAIN_S, set[str]()
        while time.monotonic() < until:
            done = self._done()
            if wanted <= done:
                break
            await asyncio.sleep(0.2)
        return len(wanted - done)

    def _done(self) -> set[str]:
        database = self._folder / ".twokey" / "twokey.db"
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return {key for (key,) in connection.execute("SELECT key FROM inbox WHERE state = 'done'")}


async def steady(seconds: int, act: Callable[[int], Awaitable[str | None]]) -> Load:
    """Act at a steady rate, whether or not what came before has been answered."""
    load, started = Load(), time.perf_counter()

    async def one(number: int) -> None:
        due = started + number / PER_S
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        try:
            answer = await act(number)
        except (aiohttp.ClientError, OSError):
            answer = None
        if answer is None:
            load.failed += 1
        else:
            load.took_ms.append((time.perf_counter() - begun) * 1000)
            load.acknowledged.append(answer)

    await asyncio.gather(*(one(number) for number in range(seconds * PER_S)))
    return load


@asynccontextmanager
async def _slack() -> AsyncGenerator[str]:
    """Stand in for Slack's side: it knows one workspace, and takes every answer."""

    async def who(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team_id": "TBENCH", "user_id": "UBOT", "bot_id": "B1"})

    async def taken(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/api/auth.test", who)
    app.router.add_post("/hooks/{number}", taken)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
