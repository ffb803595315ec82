"""A workspace in which not everybody may read everything: a report of a weakness, and people who have no business with it.

Ana asks. Sam (platform owner) and rita (risk owner) are asked; mia is in a group that is not; lone is in none; audrey is
in a group that the policy's data lets read everything.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twokey.channels import creation, wiring
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.tools.write.ticket_edit import TicketEdit

PEOPLE: list[tuple[str, tuple[str, ...]]] = [
    ("ana", ("analysts",)),
    ("sam", ("platform-owners",)),
    ("rita", ("risk-owners",)),
    ("mia", ("model-owners",)),
    ("lone", ()),
    ("audrey", ("auditors",)),
]
WORDS = ("Token readable by everybody", "leaked API tokens", "OPS-21")
"""What only those may read whose business the report is."""
TICKET = "---\nid: {key}\ntitle: {title}\nauthor: jo\ncreated_at: '2026-01-{day:02d}T09:00:00Z'\n---\n\n{body}\n"
ROUTING = (
    "people: {mia: , sam: , rita: }\nladder: {model-owners: [mia], platform-owners: [sam], risk-owners: [rita]}\n"
    "areas: {scores: model-owners}\ndefault: platform-owners\nprivate: risk-owners\n"
)
BUG = "It crashes with an error since the update; an exception is thrown. Case {key}."


@dataclass(frozen=True)
class House:
    workspace: Workspace
    private: tuple[Outcome, ...]
    """Runs of which nobody but the parties may know."""
    mixed: Outcome
    """A run that proposed something private beside something that is not."""

    @property
    def hidden(self) -> tuple[str, ...]:
        """The ids of the private proposals."""
        mixed = [each.id for each in self.mixed.proposals if "security_report" in each.proposal.labels]
        return (*(each.id for run in self.private for each in run.proposals), *mixed)

    @property
    def shown(self) -> str:
        """The id of the proposal that every member reads."""
        return next(each.id for each in self.mixed.proposals if each.id not in self.hidden)


def reading(folder: Path, **parts: Any) -> None:
    """Change the part ``reading`` of the policy's data in a workspace."""
    path = folder / creation.POLICY_FOLDER / "data.json"
    document = json.loads(path.read_bytes())
    document["twokey_data"].setdefault("reading", {}).update(parts)
    path.write_text(json.dumps(document), encoding="utf-8")


def without_group(folder: Path, name: str) -> None:
    """Take somebody out of all groups."""
    settings = folder / "twokey.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(rf"(\[principals\.{name}\]\ngroups = )\[[^\]]*\]", r"\1[]", text), encoding="utf-8")


@contextmanager
def opened(folder: Path) -> Generator[House]:
    """Make the workspace and open it."""
    tickets = folder / "tickets"
    tickets.mkdir(parents=True)
    for key, title, body in (
        ("OPS-20", "The scores page crashes", BUG),
        ("OPS-21", WORDS[0], f"This is a security report: the {WORDS[1]} are public."),
        ("OPS-22", "The other page crashes", BUG),
        ("OPS-24", "Passwords are shown", "A security hole: the leaked passwords of everybody are shown."),
    ):
        made = TICKET.format(key=key, title=title, day=int(key[-2:]), body=body.format(key=key))
        (tickets / f"{key}.md").write_text(made, encoding="utf-8")
    (folder / "routing.yaml").write_text(ROUTING, encoding="utf-8")
    sections: dict[str, Any] = {
        "places.desk": {"kind": "tickets", "location": str(tickets)},
        "triage": {"tickets": "desk", "routing": str(folder / "routing.yaml"), "target": 60},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        place = creation.create(folder / "w", PEOPLE, sections=sections).folder
        reading(place, everything=["auditors"])
        with wiring.opened(place) as workspace:
            ana, rita = (workspace.identify(name, "cli")[0] for name in ("ana", "rita"))
            mixed = workspace.triage(ana, ("OPS-20", "OPS-24"), None, _nobody)
            alone = workspace.triage(ana, ("OPS-21",), None, _nobody)
            (waits,) = alone.proposals
            change = TicketEdit.model_validate({"proposal": waits.id, "digest": waits.digest, "priority": "high"})
            edited = workspace.edit(rita, change, _nobody)
            yield House(workspace, (workspace.service.outcome(alone.run.id), edited), mixed)


def _nobody(_: object) -> None:
    """Nobody listens."""
