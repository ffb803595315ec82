"""Incidents of alerts are looked at again by the workers: once for each time that is due, and people are asked what is new."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.alert_scene import AlertScene, alert, alert_scene, group, pager

from twokey.channels.alerts import book
from twokey.channels.alerts.book import PageBook
from twokey.channels.alerts.following import Following
from twokey.channels.wiring.incident import left_of_alerts
from twokey.core.jobs import Job
from twokey.store import tables
from twokey.store.proposals import ProposalRecord

START = int(dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC).timestamp()) * 1_000_000
MINUTE = 60 * 1_000_000


@dataclasses.dataclass
class Hands:
    """A clock that is moved by hand."""

    us: int = START

    def now_us(self) -> int:
        return self.us


@dataclasses.dataclass
class Scene:
    """The workspace of alerts, its clock, and workers that follow its incidents."""

    alerts: AlertScene
    clock: Hands

    def worker(self, **changed: Any) -> Following:
        """One worker; ``changed`` are keys of the triggers."""
        workspace, config = self.alerts.workspace, self.alerts.workspace.config
        options = {"follow_minutes": 5} | changed
        return Following(
            {name: one.model_copy(update=options) for name, one in config.triggers.items()},
            config.telemetry,
            ledger=workspace.ledger,
            clock=self.clock,
            leave=workspace.leave_incident,
            principal=workspace.directory.principal,
            every_s=1e9,
        )

    def due(self, worker: Following, trigger: str = "pager") -> int:
        """Ask for what is due; gives how many looks that is."""
        return len(worker.ask_due(trigger, worker.triggers[trigger]))

    def ago(self, minutes: float = 0) -> str:
        at = dt.datetime.fromtimestamp(self.clock.us / 1_000_000 - minutes * 60, dt.UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def passes(self, minutes: float) -> None:
        self.clock.us += int(minutes * MINUTE)

    def drive(self) -> list[ProposalRecord]:
        """Drive what was left to the workers; gives what was proposed by it."""
        service = self.alerts.workspace.service
        open_runs = [run.id for run in service.runs() if run.state == "running"]
        return [made for run in open_runs for made in service.drive(run, lambda _: None).proposals]

    def answer(self, proposal: str, action: Any = "approve") -> str:
        workspace = self.alerts.workspace
        identity, credential = workspace.identify("sam", "cli")
        reason = "no" if action == "refuse" else ""
        result = workspace.service.answer(
            identity, credential, action=action, proposal=proposal, tell=lambda _: None, reason=reason
        )
        return result.state.value


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    clock = Hands()
    with alert_scene(tmp_path, clock=clock) as made:
        yield Scene(made, clock)


def test_people_are_asked_what_is_new_until_it_is_over(scene: Scene) -> None:
    worker = scene.worker()
    assert scene.due(worker) == 0, "nothing was delivered"
    assert scene.alerts.outcome("pager", pager("triggered", scene.ago(1))) == "asked"
    first = {made.proposal.tool: made.id for made in scene.drive()}
    assert sorted(first) == ["open_pull_request", "update_ticket"]
    assert scene.due(worker) == 0, "it was looked at just now"
    scene.passes(6)
    assert scene.due(worker) == 1
    assert scene.due(worker) == 0
    assert scene.drive() == [], "nothing is new"

    scene.alerts.outcome("pager", pager("acknowledged", scene.ago(), created=scene.ago(7)))
    scene.passes(5)
    assert scene.due(worker) == 1
    assert scene.drive() == [], "somebody took over, and the ticket waits for people already"
    assert scene.answer(first["update_ticket"]) == "done"
    scene.passes(5)
    assert scene.due(worker) == 1
    (update,) = scene.drive()
    assert update.proposal.args["ticket"] is not None
    assert "acknowledged" in update.proposal.args["comment"]
    assert update.state.value == "awaiting_approval"
    assert update.proposal.requester == "ana"
    assert scene.answer(update.id, "refuse") == "refused"
    scene.passes(5)
    assert scene.due(worker) == 1
    assert scene.drive() == [], "what people refused is not asked again"

    assert scene.answer(first["open_pull_request"], "refuse") == "refused"
    scene.alerts.outcome("pager", pager("resolved", scene.ago(), created=scene.ago(22)))
    scene.passes(30)
    assert scene.due(worker) == 1, "of the looks that were missed, the latest"
    assert sorted(made.proposal.tool for made in scene.drive()) == ["open_pull_request", "update_ticket"]
    scene.passes(5)
    assert scene.due(worker) == 0, "it is over, and that was looked at"


def test_an_incident_is_known_long_after_the_bodies_of_its_deliveries_are_gone(scene: Scene) -> None:
    workspace = scene.alerts.workspace
    left = left_of_alerts(workspace.config)
    poison = alert("Slow", scene.ago(5), annotations={"summary": "ask Kim, her number is 555 0100"})
    scene.alerts.outcome("alerts", group(poison))
    scene.alerts.outcome("pager", pager("triggered", scene.ago(9)))
    scene.alerts.outcome("pager", pager("acknowledged", scene.ago(7), created=scene.ago(9)))
    scene.alerts.outcome("pager", pager("resolved", scene.ago(1), created=scene.ago(9)))
    config = workspace.config
    pages = PageBook(config.triggers, config.telemetry["prod"], workspace.ledger, scene.clock)
    incidents, events = pages.incidents(), pages.events()
    assert workspace.inbox.forget(7, left) == 0
    scene.passes(8 * 24 * 60)
    assert workspace.inbox.forget(7, left) == 4
    assert workspace.inbox.forget(7, left) == 0, "once"
    now = pages.incidents()
    assert [(one.id, one.service, one.window.start) for one in now] == [
        (one.id, one.service, one.window.start) for one in incidents
    ]
    assert {one.title for one in now} == {"Slow", "an alert without a title"}
    assert [(one.time, one.kind, one.service) for one in pages.events()] == [
        (one.time, one.kind, one.service) for one in events
    ]
    with workspace.ledger.look() as connection:
        whole = b"".join(connection.execute(select(tables.inbox.c.body)).scalars())
    assert not any(word in whole for word in (b"Kim", b"555", b"http", b"severity"))
    scene.passes(400 * 24 * 60)
    assert workspace.inbox.forget(7, left) == 4
    assert pages.incidents() == ()


@pytest.mark.parametrize(
    "text", ["[triggers.alerts]", '[triggers.pager]\nkind = "alertmanager"'], ids=["gone", "of another kind"]
)
def test_nothing_is_left_of_what_no_trigger_stands_for(scene: Scene, text: str) -> None:
    config = scene.alerts.workspace.config
    body = json.dumps(pager("triggered", scene.ago())).encode()
    assert book.reduced(config, "pagerduty.pager", body) is not None
    assert book.reduced(config, "pagerduty.pager", b"{") is None
    changed = {"pager": config.triggers["pager"].model_copy(update={"kind": "alertmanager"})} if "pager" in text else {}
    other = config.model_copy(update={"triggers": changed})
    assert book.reduced(other, "pagerduty.pager", body) is None
    assert left_of_alerts(config.model_copy(update={"triggers": {}})) == {}


def test_two_workers_look_once(scene: Scene) -> None:
    one, other = scene.worker(), scene.worker()
    scene.alerts.outcome("pager", pager("triggered", scene.ago(1)))
    scene.passes(6)
    leave, asked = one.leave, []

    def late(*args: Any, **options: Any) -> object:
        asked.append(scene.due(other))
        return leave(*args, **options)

    one.leave = late
    before = len(scene.alerts.runs())
    assert scene.due(one) == 0, "the other one was faster, between this one's look and its request"
    assert asked == [1]
    assert len(scene.alerts.runs()) == before + 1


def test_a_look_is_queued_as_any_other_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[Job] = []
    dispatcher = scene.alerts.workspace.service.dispatcher()

    def submit(job: Job) -> bool:
        queued.append(job)
        return True

    monkeypatch.setattr(dispatcher, "submit", submit)
    scene.alerts.outcome("alerts", group(alert("Slow", scene.ago(1))))
    scene.passes(6)
    assert scene.due(scene.worker(), "alerts") == 1
    assert queued[-1].task == "drive"
    assert queued[-1].subject == scene.alerts.runs()[-1]


def test_what_nobody_says_to_follow_is_left_alone(scene: Scene) -> None:
    scene.alerts.outcome("pager", pager("triggered", scene.ago(1)))
    scene.passes(60)
    worker = scene.worker(follow_minutes=0)
    assert worker.triggers == {}
    worker.look()
    assert len(scene.alerts.runs()) == 1


def test_what_began_before_the_replay_window_is_no_longer_followed(scene: Scene) -> None:
    worker = scene.worker(replay_hours=2)
    scene.alerts.outcome("pager", pager("triggered", scene.ago(1)))
    scene.passes(2 * 60 + 1)
    assert scene.due(worker) == 0


def test_whoever_is_gone_asks_for_nothing_and_no_fault_ends_a_worker(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.alerts.outcome("pager", pager("triggered", scene.ago(1)))
    scene.passes(6)
    nobody = scene.worker(asked_by="zoe")
    assert scene.due(nobody) == 0
    worker = scene.worker(telemetry="prod")
    worker.leave = _away
    worker.look()
    assert "following the incidents of pager: away" in caplog.text
    worker.leave = scene.alerts.workspace.leave_incident
    worker.look()
    assert len(scene.alerts.runs()) == 1, "it looked a moment ago"
    scene.worker().look()
    assert len(scene.alerts.runs()) == 2


def _away(*_: Any, **__: Any) -> object:
    from twokey.core.errors import LogUnavailable

    raise LogUnavailable("away", next="Try again.")
