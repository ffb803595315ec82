"""The drafts that one step of a plan hands over: one for each proposal it wants.

Rules: they are documents of the run in a fixed order, the first under ``draft-STEP``, the others numbered from 2; what
an earlier try of the step left behind and this one does not want is dropped, so that nothing stale is proposed.
"""

from collections.abc import Sequence
from typing import Final

from twokey.core.canonical import Json
from twokey.tools.desk import Desk

MOST: Final = 50
"""Drafts of one step; policy's budgets allow a run no more proposals."""


def names(desk: Desk, step: int) -> list[str]:
    """Give the names under which a step has handed drafts over, in order; a withdrawn one is left out."""
    return [name for name in map(_name, [step] * MOST, range(1, MOST + 1)) if desk.has(name)]


def keep(desk: Desk, step: int, bodies: Sequence[Json]) -> None:
    """Hand drafts over, in place of all that the step handed over before."""
    stale = names(desk, step)
    for number, body in enumerate(bodies, 1):
        desk.keep(_name(step, number), body)
    for name in stale:
        if name not in {_name(step, number) for number in range(1, len(bodies) + 1)}:
            desk.forget(name)


def _name(step: int, number: int) -> str:
    return f"draft-{step}" if number == 1 else f"draft-{step}-{number}"
