"""Takes from the budgets what a proposal or a write uses up.

Rules: in the very transaction that stores the proposal or the intent, while nobody else can take anything, it is seen
whether anything was taken since policy was told, and counted again if so; where others have taken of the same budgets,
nothing is stored and policy is asked again.
What is denied takes nothing.
"""

from typing import Final

from sqlalchemy import Connection

from twokey.core.errors import Refused
from twokey.core.values import Counters, Proposal, Usage
from twokey.store import usage
from twokey.store.usage import Counted, Stage

TRIES: Final = 100
"""So often policy is asked again because others were faster."""


class Outdated(Exception):  # noqa: N818 - undoes a transaction; handled by who asked policy
    """Others have taken something of the budgets since policy was asked."""


def reserve(connection: Connection, proposal: Proposal, stage: Stage, seen: Counted, now: int) -> None:
    """Take what a proposal, or its write, uses up. ``seen`` is what policy was told.

    Raises:
        Outdated: others took something since; the caller's transaction must not commit.
        CheckFailed: the counter is not as it was stored.

    """
    number = usage.hold(connection)
    if number != seen.last + 1:
        counted = usage.count(connection, run=proposal.run, requester=proposal.requester, now=now, proposal=proposal.id)
        if _more(counted.counters, seen.counters):
            raise Outdated
    proposed = stage == "proposal"
    usage.add(
        connection,
        number,
        stage,
        run=proposal.run,
        requester=proposal.requester,
        proposal=proposal.id,
        now=now,
        files=len(proposal.files) if proposed else 0,
        lines=sum(file.added + file.removed for file in proposal.files) if proposed else 0,
    )


def spend(connection: Connection, *, run: str, requester: str, cost: int, now: int) -> None:
    """Take what a call of a model cost, in millionths. It was spent already, so nothing is held against it."""
    usage.add(connection, usage.hold(connection), "model", run=run, requester=requester, cost=cost, now=now)


def busy() -> Refused:
    """Say that others were faster every time."""
    return Refused(
        "So much is going on that policy could not decide on a count that still held.",
        next="Try again in a moment; nothing was stored.",
        code="busy",
    )


def _more(counted: Counters, seen: Counters) -> bool:
    windows: list[tuple[Usage, Usage]] = [
        (getattr(counted, name), getattr(seen, name)) for name in Counters.model_fields
    ]
    return any(getattr(new, name) > getattr(old, name) for new, old in windows for name in Usage.model_fields)
