"""Life of a proposal as one pure state machine (DESIGN, section 3).

Rules: a transition that is not in the table does not exist; a final state has no way out; nothing here reads a clock,
a database or a setting. A freeze blocks transitions elsewhere; it is no state.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from twokey.core.errors import Refused


class State(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    DENIED = "denied"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    EXECUTING = "executing"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REVERTED = "reverted"


TRANSITIONS: Final = MappingProxyType(
    {
        State.PROPOSED: frozenset({State.DENIED, State.AWAITING_APPROVAL, State.SUPERSEDED}),
        State.AWAITING_APPROVAL: frozenset(
            {State.APPROVED, State.REFUSED, State.EXPIRED, State.SUPERSEDED, State.DENIED, State.WITHDRAWN}
        ),
        State.APPROVED: frozenset(
            {
                State.EXECUTING,
                State.AWAITING_APPROVAL,
                State.EXPIRED,
                State.SUPERSEDED,
                State.DENIED,
                State.WITHDRAWN,
            }
        ),
        State.EXECUTING: frozenset({State.DONE, State.FAILED, State.UNKNOWN}),
        State.UNKNOWN: frozenset({State.DONE, State.FAILED}),
        State.DONE: frozenset({State.REVERTED}),
        State.DENIED: frozenset[State](),
        State.REFUSED: frozenset[State](),
        State.EXPIRED: frozenset[State](),
        State.WITHDRAWN: frozenset[State](),
        State.SUPERSEDED: frozenset[State](),
        State.FAILED: frozenset[State](),
        State.REVERTED: frozenset[State](),
    }
)

OPEN: Final = frozenset({State.PROPOSED, State.AWAITING_APPROVAL, State.APPROVED, State.EXECUTING, State.UNKNOWN})
"""States in which something may still happen without a new proposal."""


class IllegalTransition(Refused):
    """Somebody asked for a step the lifecycle does not have."""

    default_code = "illegal_transition"


def step(current: State, wanted: State) -> State:
    """Give ``wanted`` if the lifecycle has that step.

    Raises:
        IllegalTransition: it has not.

    """
    if wanted not in TRANSITIONS[current]:
        raise IllegalTransition(
            f"A proposal that is {current.value} cannot become {wanted.value}.",
            next="Look at it with `twokey approvals show ID`; a change needs a new proposal.",
        )
    return wanted
