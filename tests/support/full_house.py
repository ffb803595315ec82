"""The sample workspace with something on every page: a catalog job, triaged tickets, an incident, a freeze, a probe."""

from pathlib import Path
from typing import Any

from twokey.channels import creation, sample, wiring
from twokey.channels.workspace import Workspace
from twokey.core.events import ControlsProbed
from twokey.core.values import Identity
from twokey.policies.controls import CONTROLS

ASKS, APPROVES = "mira", "jonas"
TICKETS = ("FERN-131", "FERN-134", "FERN-135", "FERN-137")


def build(folder: Path) -> Path:
    """Make the workspace, with signed identities; gives its folder."""
    built = sample.build(folder / "sample")
    creation.create(
        folder / "workspace",
        built.people,
        sections={
            "places.app": {"kind": "warehouse", "location": str(built.warehouse)},
            "places.dbt": {"kind": "repository", "location": str(built.repo)},
            "places.desk": {"kind": "tickets", "location": str(built.tickets)},
            "catalog": {"warehouse": "app", "repository": "dbt"},
            "triage": {"tickets": "desk", "routing": str(built.folder / "routing.yaml")},
            "scorecard": {"training": "training.csv"},
        },
    )
    (folder / "workspace" / "training.csv").write_text(
        "level,completed,pulse\nbasics,2026-10-07,4\nbasics,,\nadvanced,2026-11-19,5\n", encoding="utf-8"
    )
    return folder / "workspace"


def asker(workspace: Workspace) -> Identity:
    return workspace.identify(people(workspace)[0], "cli")[0]


def people(workspace: Workspace) -> tuple[str, str]:
    """Who asks, and who approves: one of the platform owners."""
    every = workspace.directory.all()
    owner = next(person.name for person in every if "platform-owners" in person.groups)
    return next(person.name for person in every if "platform-owners" not in person.groups), owner


def fill(workspace: Workspace, bundle: Path) -> dict[str, str]:
    """Do every job once; gives the ids of what can be looked at."""
    identity = asker(workspace)

    def tell(_: object) -> None:
        """Nobody listens."""

    places = workspace.config.places
    source, repository = f"sqlite:///{places['app'].location}", places["dbt"].location
    warehouse = workspace.catalog(identity, source, repository, ["customers"], tell)
    tickets = workspace.triage(identity, TICKETS, None, tell)
    incident = workspace.incident(identity, str(bundle), tell)
    revisions = workspace.policy_in_force()
    workspace.ledger.record(
        ControlsProbed(
            workspace=workspace.config.workspace.id,
            profile="laptop",
            version="0.1.0",
            engine=revisions[0],
            policy_revision=revisions[1].policy,
            data_revision=revisions[1].data,
            held=tuple(control.code for control in CONTROLS[:9]),
            failed=(CONTROLS[9].code,),
            missing=(CONTROLS[10].code,),
        )
    )
    owner, _ = workspace.identify(people(workspace)[1], "cli")
    together = workspace.batching.offered(owner)[0]
    return {
        "batch": "&".join(f"p={record.id}" for record in together),
        "proposal": warehouse.proposals[0].id.removeprefix("p-"),
        "run": warehouse.run.id,
        "ticket run": tickets.run.id,
        "incident": incident.run.id,
        "entry": workspace.ledger.log.newest(limit=1)[0].entry.id,
    }


def pages(made: dict[str, str]) -> dict[str, str]:
    """Every page of the console, by name."""
    plain = ("inbox", "ask", "runs", "log", "catalog", "tickets", "incidents", "policy", "controls", "scorecard")
    return {
        **{name: f"/{name}" for name in (*plain, "freeze")},
        "proposal": f"/p/{made['proposal']}",
        "batch": f"/batch?{made['batch']}",
        "edit": f"/p/{made['batch'].partition('&')[0].removeprefix('p=p-')}/edit",
        "replay": "/policy/replay",
        "run": f"/runs/{made['run']}",
        "change": f"/log/change/{made['run']}",
        "entry": f"/log/entry/{made['entry']}",
        "incident": f"/incidents/{made['incident']}",
    }


def opened(folder: Path) -> Any:
    """Open the workspace."""
    return wiring.opened(folder)
