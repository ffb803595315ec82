"""A workspace with a desk of tickets, and proposals of one kind about them that may be answered together."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from twokey.channels import creation, wiring
from twokey.channels.workspace import Workspace

PEOPLE = [
    ("ana", ("analysts",)),
    ("sam", ("platform-owners",)),
    ("kim", ("platform-owners",)),
    ("rita", ("risk-owners",)),
]
TICKET = (
    "---\nid: OPS-{n}\ntitle: The scores page {n}\nauthor: jo\ncreated_at: '2026-01-{n:02d}T09:00:00Z'\n---\n\n"
    "It crashes with an error since the update; an exception is thrown.\n"
)


def create(folder: Path, *, demo: bool = False) -> Path:
    """Make the workspace; gives its folder."""
    (folder / "tickets").mkdir(parents=True)
    (folder / "routing.yaml").write_text(
        "people: {mia: , sam: , rita: }\nladder: {model-owners: [mia], platform-owners: [sam], risk-owners: [rita]}\n"
        "areas: {scores: model-owners}\ndefault: platform-owners\nprivate: risk-owners\n",
        encoding="utf-8",
    )
    sections: dict[str, Any] = {
        "places.desk": {"kind": "tickets", "location": str(folder / "tickets")},
        "triage": {"tickets": "desk", "routing": str(folder / "routing.yaml"), "target": 60},
    }
    return creation.create(folder / "w", PEOPLE, sections=sections, demo=demo).folder


@contextmanager
def opened(folder: Path) -> Generator[Workspace]:
    """Make the workspace, with credentials of its own, and open it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        with wiring.opened(create(folder)) as workspace:
            yield workspace


def triaged(workspace: Workspace, count: int) -> list[str]:
    """Have ana ask for new tickets to be triaged; gives a proposal for each."""
    tickets = workspace.folder.parent / "tickets"
    first = len(list(tickets.glob("*.md"))) + 1
    for n in range(first, first + count):
        (tickets / f"OPS-{n}.md").write_text(TICKET.format(n=n), encoding="utf-8")
    identity, _ = workspace.identify("ana", "cli")
    outcome = workspace.triage(identity, tuple(f"OPS-{n}" for n in range(first, first + count)), None, lambda _: None)
    assert len(outcome.proposals) == count
    return [record.id for record in outcome.proposals]
