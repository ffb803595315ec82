"""A workspace with telemetry and triggers, put together as the wiring does: alerts come in as their senders make them."""

import hashlib
import hmac
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.command import repository
from twokey.channels import creation, wiring
from twokey.channels.routes import Delivery, Reply
from twokey.channels.workspace import Workspace
from twokey.core.ports import Clock

SECRET = "a secret of more than sixteen characters"
OLD_SECRET = "the secret that it takes the place of"
PEOPLE = [("ana", ("platform-owners",)), ("sam", ("platform-owners",)), ("kim", ("on-call",))]
SETTINGS = """
[places.desk]
kind = "tickets"
location = "tickets"
[places.code]
kind = "repository"
location = "../repo"
[telemetry.prod]
service_labels = ["service", "job"]
events = ["events*.jsonl"]
{telemetry}
[triggers.alerts]
kind = "alertmanager"
secret_envs = ["ALERT_SECRET", "ALERT_SECRET_OLD"]
telemetry = "prod"
asked_by = "ana"
most_per_hour = 3
[triggers.pager]
kind = "pagerduty"
secret_envs = ["ALERT_SECRET"]
telemetry = "prod"
asked_by = "ana"
[incident]
telemetry = "prod"
tickets = "desk"
repository = "code"
"""


@dataclass
class AlertScene:
    """The workspace, and what delivers to it."""

    workspace: Workspace

    def send(self, trigger: str, payload: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Deliver a payload; without ``headers`` as its sender proves itself."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        path = f"/alerts/{trigger}"
        [route] = [one for one in self.workspace.connected()["alerts"].routes if one.path == path]
        return route.endpoint(Delivery(path, headers if headers is not None else proof(trigger, body), body))

    def outcome(self, trigger: str, payload: Any) -> str:
        """Deliver something and work it off; gives the code of what became of it."""
        before = set(self.waiting())
        reply = self.send(trigger, payload)
        assert reply.status == 202
        new = [name for name in self.waiting() if name not in before]
        return self.workspace.inbox.handle(new[0]) if new else reply.body.decode().strip()

    def waiting(self) -> list[str]:
        return self.workspace.inbox.waiting(before=2**52, limit=1000)

    def runs(self) -> list[str]:
        """Ids of the runs that were asked for, the oldest first."""
        return [record.id for record in reversed(self.workspace.service.runs())]

    def run_all(self) -> None:
        """Drive every run that was left to the workers."""
        for record in self.workspace.service.runs():
            if record.state == "running":
                self.workspace.service.drive(record.id, lambda _: None)


def proof(trigger: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header with which a sender proves itself."""
    if trigger == "pager":
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"x-pagerduty-signature": f"v1={'0' * 64},v1={digest}"}
    return {"authorization": f"Bearer {secret}"}


def alert(name: str, began: str, *, ended: str = "", service: str = "basket", **more: Any) -> dict[str, Any]:
    """One alert of Alertmanager."""
    return {
        "status": "resolved" if ended else "firing",
        "labels": {"alertname": name, "service": service, "severity": "page"},
        "annotations": {"summary": f"{name} of {service}"},
        "startsAt": began,
        "endsAt": ended or "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": hashlib.sha256(f"{name}{service}".encode()).hexdigest()[:16],
    } | more


def group(*alerts: dict[str, Any], key: str = '{}:{alertname="Slow"}', **more: Any) -> dict[str, Any]:
    """What Alertmanager sends about a group."""
    return {
        "version": "4",
        "groupKey": key,
        "truncatedAlerts": 0,
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "receiver": "twokey",
        "groupLabels": {"alertname": "Slow"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    } | more


def pager(event: str, at: str, *, number: str = "Q1ABC", created: str = "", who: str = "Kim Diaz") -> dict[str, Any]:
    """What PagerDuty sends about an incident."""
    return {
        "event": {
            "id": hashlib.sha256(f"{event}{at}{number}".encode()).hexdigest()[:20],
            "event_type": f"incident.{event}",
            "resource_type": "incident",
            "occurred_at": at,
            "agent": {"id": "PUSER", "type": "user_reference", "summary": who, "html_url": "https://x.pagerduty.com"},
            "client": None,
            "data": {
                "id": number,
                "type": "incident",
                "self": "https://api.pagerduty.com/incidents/Q1",
                "number": 7,
                "status": event,
                "created_at": created or at,
                "title": "basket is slow",
                "service": {"id": "PSVC", "type": "service_reference", "summary": "basket"},
                "urgency": "high",
            },
        }
    }


@contextmanager
def alert_scene(folder: Path, telemetry: str = "", *, clock: Clock | None = None) -> Generator[AlertScene]:
    """The workspace, opened; ``telemetry`` is put into the section of its source."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        patch.setenv("ALERT_SECRET", SECRET)
        patch.setenv("ALERT_SECRET_OLD", OLD_SECRET)
        place = folder / "w"
        creation.create(place, PEOPLE)
        repository(folder / "repo")
        (place / "tickets").mkdir()
        with (place / "twokey.toml").open("a") as settings:
            settings.write(SETTINGS.format(telemetry=telemetry))
        with wiring.opened(place, clock=clock) as workspace:
            yield AlertScene(workspace)
