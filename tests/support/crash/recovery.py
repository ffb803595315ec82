"""How work that a dead process left behind is taken up, without asking anybody anything. The one place that knows."""

from twokey.channels.workspace import Workspace
from twokey.core.lifecycle import OPEN, State


def recover(workspace: Workspace) -> None:
    """Finish what was begun and what was approved, and bring every run to its pause or its end.

    Raises:
        TwokeyError: something cannot go on; what comes after it in the list was not looked at.

    """
    service = workspace.service
    for record in service.waiting(everything=True):
        if record.state is State.AWAITING_APPROVAL:
            service._gate.recount(record.id)  # pyright: ignore[reportPrivateUsage]
    for record in service.waiting(everything=True):
        if record.state in {State.APPROVED, State.EXECUTING}:
            service._gate.execute(record.id)  # pyright: ignore[reportPrivateUsage]
    for run in service.runs():
        proposals = service.outcome(run.id).proposals
        held = any(record.state in OPEN for record in proposals)
        if run.state == "running" or (run.state == "waiting" and not held):
            service.drive(run.id, lambda _: None)
