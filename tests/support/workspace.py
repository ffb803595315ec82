"""A whole workspace in this process, as the wiring puts it together, with a clock that a test moves."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.command import repository, warehouse
from twokey.channels import creation, wiring
from twokey.channels.workspace import Workspace
from twokey.core.ports import Clock
from twokey.core.values import Identity, Statement

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",))]


class Place:
    """A workspace, a repository and a warehouse in one folder."""

    def __init__(self, folder: Path, url: str, sections: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.folder = folder / "w"
        creation.create(self.folder, PEOPLE, store=url, sections=sections)
        self.repository = repository(folder / "repo")
        self.warehouse = warehouse(folder / "small.db")

    @contextmanager
    def opened(self, clock: Clock | None = None) -> Generator[Workspace]:
        with wiring.opened(self.folder, clock=clock) as workspace:
            yield workspace


def ana(workspace: Workspace) -> Identity:
    """Who asks."""
    return workspace.identify("ana", "cli")[0]


def approve(workspace: Workspace, proposal: str, action: Any = "approve") -> str:
    """Sam answers; gives the state that follows."""
    identity, credential = workspace.identify("sam", "cli")
    result = workspace.service.answer(identity, credential, action=action, proposal=proposal, tell=lambda _: None)
    return result.state.value


def approve_only(workspace: Workspace, proposal: str) -> str:
    """Sam answers, and the process dies before it carries the answer out; gives the state that it left."""
    identity, credential = workspace.identify("sam", "cli")
    assert credential is not None
    record = workspace.service.card(proposal, identity).record
    statement = Statement(
        workspace=workspace.config.workspace.id,
        action="approve",
        proposal=record.id,
        proposal_digest=record.digest,
        decision_digest=record.decision_digest,
        principal="sam",
        at_us=workspace.service._clock.now_us(),  # pyright: ignore[reportPrivateUsage]
    )
    gate = workspace.service._gate  # pyright: ignore[reportPrivateUsage]
    return gate.answer(credential.sign(statement), channel="cli").state.value
