"""From what was understood to the typed list of steps.

Rules: a plan looks, proposes and has itself reviewed; it holds no other kind of step. The agents' arguments are names
and filters; nothing of the request's own words goes into a plan.
"""

from collections.abc import Sequence
from typing import Final

from twokey.agents.planner.meaning import Focus, Intent, Understood, said, short
from twokey.core.values import Plan, Step

_REVIEW: Final = "check every claim against its evidence"


def plan(understood: Understood) -> Plan:
    """Give the steps: scan and review, with a proposal between them where one was asked for."""
    if understood.intent == "catalog_impact":
        return _impact(understood)
    tables = said(understood.tables)
    steps = [
        Step(
            number=1,
            agent="catalog",
            action="scan",
            args={
                "warehouse": understood.warehouse,
                "tables": list(understood.tables),
                "focus": understood.focus,
                **({"baseline": understood.baseline} if understood.baseline else {}),
            },
            title=f"look at {tables} in {short(understood.warehouse)}"[:200],
        )
    ]
    if understood.intent == "catalog_propose":
        steps.append(
            Step(
                number=2,
                agent="catalog",
                action="propose",
                args={"warehouse": understood.warehouse, "repository": understood.repository},
                title=f"draft a pull request in {short(understood.repository)}",
            )
        )
    steps.append(
        Step(
            number=len(steps) + 1,
            agent="reviewer",
            action="review",
            title=_REVIEW,
        )
    )
    return Plan(understood=understood.sentence, steps=tuple(steps))


def _impact(understood: Understood) -> Plan:
    """Give the steps of saying what breaks if something changes."""
    of = understood.tables[0]
    args = {"repository": understood.repository, "warehouse": understood.warehouse, "of": of}
    title = f"see what depends on {short(of)} in {short(understood.repository)}"
    return Plan(
        understood=understood.sentence,
        steps=(
            Step(number=1, agent="catalog", action="impact", args=args, title=title),
            Step(number=2, agent="reviewer", action="review", title=_REVIEW),
        ),
    )


def direct(
    *, warehouse: str, repository: str, tables: Sequence[str] = (), focus: Focus = "all", baseline: str = ""
) -> Understood:
    """Give the meaning of a direct command such as ``twokey catalog propose URL --repo DIR``.

    The places are the names the run was granted; no repository means a scan. ``tables`` and ``baseline`` as in
    ``Understood``.
    """
    intent: Intent = "catalog_propose" if repository else "catalog_scan"
    return Understood(intent, warehouse, repository, tuple(tables), focus, baseline)
