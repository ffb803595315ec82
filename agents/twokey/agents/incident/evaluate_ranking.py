"""How well causes are found: ``twokey eval incident DIR`` over labelled bundles, by the product's own path.

Rules: each bundle is read, ranked and timed before its ``truth.json`` is opened, which nothing but this module does;
the name of its folder is never looked at but to group. ``top1`` counts the first suspect, whether or not it is named as
the cause; ``named_right`` and ``named_wrong`` count what was named. Time is the processor's, reading included. A bundle
without ``truth.json`` is read and timed, and counted as ``unlabelled``.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from twokey.agents.incident.ranking import Ranking, rank
from twokey.core.errors import BadInput
from twokey.tools.read.telemetry.bundle import Bundle, find_bundles
from twokey.tools.read.telemetry.changes.gathering import gather

DEPTH: Final = 5
_MOST_TRUTH: Final = 64 * 1024
_TRUTH: Final = "truth.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One bundle. ``labelled`` is false where there is no truth; ``service`` None where nothing was injected."""

    group: str
    name: str
    labelled: bool
    service: str | None
    ranking: Ranking
    services: int
    milliseconds: float

    @property
    def place(self) -> int | None:
        """Where the true service stands among the suspects, from 0."""
        names = [each.service for each in self.ranking.suspects]
        return names.index(self.service) if self.service in names else None


def on_folder(folder: Path, clock: Callable[[], float] = time.process_time) -> dict[str, Any]:
    """Rank every bundle at or below ``folder``, and score.

    Raises:
        NotFound: there is none.
        BadInput: one cannot be used, or none is labelled.

    """
    cases = [_case(each, clock) for each in find_bundles(folder)]
    if not any(each.labelled for each in cases):
        raise BadInput(
            "No incident bundle there carries a truth.json.",
            next="Name a folder of labelled bundles (DESIGN, section 7).",
        )
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for each in cases:
        groups[each.group].append(each)
    return {
        **_figures(cases),
        "groups": {name: _figures(groups[name]) for name in sorted(groups)},
        "missed": [_missed(each) for each in cases if each.service is not None and each.place != 0],
    }


def _case(folder: Path, clock: Callable[[], float]) -> Case:
    started = clock()
    bundle = Bundle(folder)
    grounds = gather(bundle, bundle.incident)
    ranking = rank(grounds)
    taken = 1_000 * (clock() - started)
    labelled, service = _truth(folder / _TRUTH)
    return Case(folder.parent.name, folder.name, labelled, service, ranking, len(grounds.services), taken)


def _truth(file: Path) -> tuple[bool, str | None]:
    if not file.exists():
        return False, None
    try:
        found = orjson.loads(file.read_bytes()[:_MOST_TRUTH])
        service = found["service"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{file} is no truth of an incident.", next='It needs {"service": NAME or null}.') from error
    if service is not None and not isinstance(service, str):
        raise BadInput(f"{file} is no truth of an incident.", next='It needs {"service": NAME or null}.')
    return True, service


def _figures(cases: Sequence[Case]) -> dict[str, Any]:
    caused = [each for each in cases if each.service is not None]
    quiet = [each for each in cases if each.labelled and each.service is None]
    within = [
        sum(each.place is not None and each.place < depth for each in caused) / max(1, len(caused))
        for depth in range(1, DEPTH + 1)
    ]
    chance = sum(1 / max(1, each.services) for each in caused) / max(1, len(caused))
    return {
        "cases": len(cases),
        "with_cause": len(caused),
        "quiet": len(quiet),
        "unlabelled": sum(not each.labelled for each in cases),
        "top1": round(within[0], 4) if caused else None,
        "top3": round(within[2], 4) if caused else None,
        "avg5": round(sum(within) / DEPTH, 4) if caused else None,
        "chance_top1": round(chance, 4) if caused else None,
        "named_right": sum(each.ranking.cause == each.service for each in caused),
        "named_wrong": sum(each.ranking.cause not in (None, each.service) for each in caused),
        "false_causes": sum(each.ranking.cause is not None for each in quiet),
        "abstained": sum(each.ranking.cause is None for each in cases),
        "ms_per_case": round(sum(each.milliseconds for each in cases) / len(cases), 1),
    }


def _missed(case: Case) -> dict[str, Any]:
    return {
        "case": f"{case.group}/{case.name}",
        "service": case.service,
        "place": None if case.place is None else case.place + 1,
        "suspects": [each.service for each in case.ranking.suspects[:3]],
        "cause": case.ranking.cause,
    }


def as_lines(result: dict[str, Any]) -> list[str]:
    """Give the result for people: a line per group, one for all, and what was missed."""
    lines: list[str] = []
    for name, figures in (*result["groups"].items(), ("all", result)):
        found = " ".join(
            f"{key} {figures[key]:.2f}" for key in ("top1", "top3", "avg5", "chance_top1") if figures[key] is not None
        )
        lines.append(
            f"{name:<24} {figures['cases']:>4} cases  {found}  false causes {figures['false_causes']} of "
            f"{figures['quiet']}  {figures['ms_per_case']:.0f} ms"
        )
    lines += [
        f"missed {each['case']}: {each['service']} at place {each['place'] or '-'}, after {', '.join(each['suspects'])}"
        for each in result["missed"]
    ]
    return lines
