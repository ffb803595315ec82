"""The drafts that one step of a plan hands over: one for each proposal it wants.

Rules: they are documents of the run, the first under ``draft-STEP``, the others under names that ``drafts-STEP`` lists;
what an earlier try of the step left behind and this one does not want is dropped, so that nothing stale is proposed.
"""

from collections.abc import Sequence
from typing import Any, cast

from twokey.core.canonical import Json
from twokey.tools.desk import Desk


def names(desk: Desk, steps: Sequence[int]) -> list[str]:
    """Give the names under which steps have handed drafts over, in order; withdrawn ones are left out."""
    found = [name for step in steps for name in (f"draft-{step}", *_listed(desk, step))]
    return [name for name in dict.fromkeys(found) if desk.has(name)]


def keep(desk: Desk, step: int, bodies: Sequence[Json]) -> None:
    """Hand drafts over, in place of all that the step handed over before."""
    wanted = [f"draft-{step}", *(f"draft-{step}-{number}" for number in range(2, len(bodies) + 1))][: len(bodies)]
    for name in names(desk, [step]):
        if name not in wanted:
            desk.forget(name)
    for name, body in zip(wanted, bodies, strict=True):
        desk.keep(name, body)
    if len(bodies) > 1 or _listed(desk, step):
        desk.keep(f"drafts-{step}", list(wanted[1:]))


def _listed(desk: Desk, step: int) -> list[str]:
    name = f"drafts-{step}"
    return [str(each) for each in cast("list[Any]", desk.kept(name))] if desk.has(name) else []
