"""Everything in one process: what comes in over HTTP is handled by the worker and shown elsewhere."""

import http.client
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.command import PATIENCE_S, account
from support.post import Wall
from support.workspace import Place

from twokey.channels import wiring
from twokey.channels.connected import Connected
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.inbox import Inbound
from twokey.channels.routes import Delivery, Reply, Route
from twokey.channels.running import run_up
from twokey.channels.wiring import Stage
from twokey.channels.workspace import Workspace
from twokey.core.errors import EnvironmentFault, NotAuthenticated, TryLater
from twokey.core.events import ChannelRejected
from twokey.core.ports import Stopping


class Channel:
    """A channel as small as can be: it stores, asks to wait once, and then pins a message."""

    def __init__(self, workspace: Workspace, stop: Stop) -> None:
        self.workspace = workspace
        self.stop = stop
        self.pinned = threading.Event()
        self.wall = Wall(after=self.pinned.set)
        self.waited = False

    def receive(self, delivery: Delivery) -> Reply:
        if delivery.headers.get("x-key") != "right":
            raise NotAuthenticated("It is not signed.", next="Sign it.", code="bad_signature")
        taken = self.workspace.inbox.take("slack", delivery.query, "note", delivery.body)
        return Reply(200, b"taken" if taken else b"again")

    def handle(self, inbound: Inbound) -> str:
        if not self.waited:
            self.waited = True
            raise TryLater("Wait.", seconds=0, next="Wait.")
        with self.workspace.ledger.change() as unit:
            assert self.workspace.inbox.settle(unit, inbound, "shown")
            message = self.workspace.postbox.want(unit, "slack", inbound.body.decode(), "card:p-000000000001")
        self.workspace.postbox.send(message)
        return "shown"


def post(address: str, key: str) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=60)
    try:
        connection.request("POST", "/slack?Ev01", b"T01/C01", {"x-key": key})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def stage(stop: Stop, listen: Callable[[Stopping], None] | None, made: list[Channel]) -> Stage:
    def connect(workspace: Workspace) -> dict[str, Connected]:
        channel = Channel(workspace, stop)
        made.append(channel)
        route = Route("/slack", channel.receive, "slack")
        return {"slack": Connected(handler=channel, poster=channel.wall, routes=(route,), listen=listen)}

    return Stage(connect=connect)


def test_what_comes_in_is_handled_and_shown(tmp_path: Path, sqlite_url: str):
    place, stop, made, answers = Place(tmp_path, sqlite_url), Stop(), list[Channel](), list[tuple[int, bytes]]()
    sending: list[threading.Thread] = []

    def told(line: str) -> None:
        address = line.split(" at ")[1].split(maxsplit=1)[0]

        def send() -> None:
            try:
                answers.extend(post(address, key) for key in ("wrong", "right", "right"))
                made[0].pinned.wait(60)
            finally:
                stop.ask()

        sending.append(threading.Thread(target=send))
        sending[0].start()

    with wiring.opened_parts(place.folder, stage=stage(stop, None, made)) as parts:
        done = run_up(parts.workspace, host="127.0.0.1", port=0, concurrency=2, tell=told, stop=stop)
        sending[0].join()
        assert done.failures == []
        rejected = parts.workspace.ledger.history(parts.workspace.config.workspace.id, "channel.rejected")
        assert [(event.code, event.count) for event in rejected if isinstance(event, ChannelRejected)] == [
            ("bad_signature", 1)
        ]
        (record,) = parts.workspace.postbox.shown("card:p-000000000001")
        assert (record.place, record.state) == ("T01/C01", "posted")
    assert [answer[0] for answer in answers] == [401, 200, 200]
    assert [answer[1] for answer in answers[1:]] == [b"taken", b"again"]
    assert made[0].wall.pinned == [record.id]


@pytest.mark.parametrize("error", [EnvironmentFault("Slack is away.", next="Wait.", code="away"), ZeroDivisionError()])
def test_a_connection_that_fails_ends_everything_with_a_sentence(tmp_path: Path, sqlite_url: str, error: Exception):
    def fails(_: Stopping) -> None:
        raise error

    place, stop = Place(tmp_path, sqlite_url), Stop()
    with wiring.opened_parts(place.folder, stage=stage(stop, fails, [])) as parts:
        with pytest.raises(EnvironmentFault) as caught:
            run_up(parts.workspace, host="127.0.0.1", port=0, concurrency=1, tell=lambda _: None, stop=stop)
        assert caught.value.code == ("away" if isinstance(error, EnvironmentFault) else "internal")


def test_recovery_finds_deliveries_and_messages_that_no_job_stands_for(tmp_path: Path, sqlite_url: str):
    place, stop, made = Place(tmp_path, sqlite_url), Stop(), list[Channel]()
    with wiring.opened_parts(place.folder, stage=stage(stop, None, made)) as parts:
        workspace = parts.workspace
        workspace.connected()
        made[0].waited = True
        made[0].wall.after = lambda: None
        taken = workspace.inbox.take("slack", "Ev01", "note", b"T01/C01")
        with workspace.ledger.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM jobs")
        done = workspace.worker().once(concurrency=1)
        assert (done.jobs, done.failures) == (2, [])
        record = workspace.inbox.find(str(taken))
        assert record is not None
        assert record.state == "done"
        assert len(made[0].wall.pinned) == 1


def test_the_command_listens_and_ends_on_sigterm(tmp_path: Path):
    twokey = account(tmp_path)
    process = twokey.start("up", "--port", "0", "--concurrency", "1")
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split(" at ")[1].split()[0]
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=60)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        connection.close()
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, rest.splitlines()[-1]) == (0, "0 jobs")
    finally:
        process.kill()
        process.communicate()
