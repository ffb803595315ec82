"""What can be read in the world of a suite besides rows and files: tickets, the telemetry of an incident, runbooks.

Rules: real files in the form in which the tools read them; what lies outside carries the mark in whatever such a place
could give away: names, messages, events and text.
"""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

BEGAN: Final = 1_767_607_200
"""2026-01-05 10:00 UTC."""
INCIDENT: Final = "inc-7"
_BEFORE_S: Final = 3600
_DURING_S: Final = 600
_STEP_S: Final = 60

_TITLES: Final = (
    "The console stops at the login",
    "Scores are late",
    "The console stops at the login page",
    "Please add a filter to the console",
    "How do I export the scores",
    "Invoices lack the tax",
    "Anybody can read other users' invoices",
)
_SORTED: Final = 6
"""The ticket from which the tracker knows labels and people."""


def write_tickets(folder: Path, mark: str) -> None:
    """Write a few tickets, one of them sorted, so that the tracker knows labels and people."""
    for number, title in enumerate(_TITLES, 1):
        said = f"{mark} {title}".strip()
        front = f"---\nid: '{number}'\ntitle: {said}\nauthor: jo\ncreated_at: '2026-01-0{number}T09:00:00Z'\n"
        is_sorted = number == _SORTED
        state = "labels: [bug, question]\nassignee: sam\n" if is_sorted else "labels: [triage]\nassignee: null\n"
        text = f"{front}{state}state: open\n---\n\n{said}, since Monday.\n"
        (folder / f"{number}.md").write_text(text, encoding="utf-8")


def write_incident(folder: Path, mark: str) -> None:
    """Write one incident bundle; ``mark`` is empty where nothing is kept from the run."""
    service = f"scorer-{mark}" if mark else "scorer"
    said = f"no features {mark}".strip()
    window = {"from": _when(BEGAN), "to": _when(BEGAN + _DURING_S)}
    about = {
        "id": INCIDENT,
        "title": f"Scores are late {mark}".strip(),
        "service": service,
        "window": window,
        "baseline": {"from": _when(BEGAN - _BEFORE_S), "to": _when(BEGAN)},
    }
    (folder / "incident.json").write_text(json.dumps(about), encoding="utf-8")
    with (folder / "metrics.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("time", "service", "metric", "value"))
        for at in range(BEGAN - _BEFORE_S, BEGAN + _DURING_S, _STEP_S):
            writer.writerow((at, service, "error_rate", "0.4" if at >= BEGAN else "0.01"))
    (folder / "topology.csv").write_text(f"caller,callee\n{service},features\n", encoding="utf-8")
    lines = ({"time": _when(BEGAN + at), "service": service, "level": "ERROR", "message": said} for at in range(9))
    (folder / "logs.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    deploy = {
        "time": _when(BEGAN - 300),
        "kind": "deploy",
        "service": service,
        "actor": "jo",
        "text": f"scorer 3.8.0 {mark}",
    }
    (folder / "events.jsonl").write_text(f"{json.dumps(deploy)}\n", encoding="utf-8")


def write_runbook(folder: Path, mark: str) -> None:
    """Write one runbook of three sections."""
    text = (
        f"# Late scores {mark}\n\n## Look\n\nSee whether the features are there {mark}.\n\n"
        f"## Repair\n\nRun the feature builder again {mark}.\n\n## Tell\n\nTell whoever waits for the scores.\n"
    )
    (folder / "scores.md").write_text(text, encoding="utf-8")


def _when(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
