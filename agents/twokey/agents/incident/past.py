"""Earlier incidents that are like one: what is compared, how alike they are, and what they share.

Rules:
- an incident is compared only with those that were over before it began: nobody learns from what came later;
- likeness is a share of a thousand, from four things that can be checked: the service whose alert fired, the services
  that were suspected, the metrics that changed, and what new log lines that tell of trouble have in common. What
  neither states is left out of the comparison, and so are log lines that one does not state: not everybody keeps logs;
- below ``LINKED_AT``, or where they share nothing but the alerting service, nothing is linked: the service that pages
  most would otherwise be like itself every time;
- the facts of a post-mortem stand in its front matter, written by ``front_matter`` and read from the very evidence that
  ``search_runbooks`` gave. They are outside text: whoever can write to that folder can state them, so they are shown as
  what a file says, and make no cause.

Formula: the likeness of two sets is the sum of the weights of what both hold over the sum of the weights of what
either holds (a weighted Jaccard index), where a member weighs 1 + ln((1 + n) / (1 + df)) among n earlier incidents of
which df hold it. The four are joined by ``WEIGHTS``, which were not fitted.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from twokey.core.values import Instant, Value
from twokey.tools.plain_text import is_shown
from twokey.tools.read.runbooks import Document
from twokey.tools.read.telemetry.values import About, LogChange, LogsResult, MetricsResult

KIND: Final = "post-mortem"
"""What front matter says a file is."""
LINKED_AT: Final = 450
"""Permille of likeness from which an earlier incident is linked."""
MOST_METRICS: Final = 20
MOST_TEMPLATES: Final = 20
MOST_SUSPECTS: Final = 3
WEIGHTS: Final = {"service": 1.0, "suspects": 3.0, "metrics": 3.0, "templates": 3.0}
MAX_TEXT: Final = 480
SECOND: Final = 1_000_000
UNUSUAL: Final = 300
"""Permille of a window's samples that are unusual where a metric is said to have changed."""

Trait: TypeAlias = Literal["service", "suspects", "metrics", "templates"]
TROUBLE: Final = frozenset(
    {"warn", "warning", "error", "err", "severe", "critical", "crit", "fatal", "alert", "emerg", "emergency", "panic"}
)
"""Levels of log lines that tell of trouble."""
TRAITS: Final[tuple[Trait, ...]] = ("service", "suspects", "metrics", "templates")


class Facts(Value):
    """What an incident is compared by. Metrics and templates are written as ``SERVICE: NAME``."""

    incident: str
    title: str
    began_us: Instant
    ended_us: Instant
    service: tuple[str, ...]
    """The service whose alert fired; empty where none is known."""
    suspects: tuple[str, ...] = ()
    """The services that were suspected, the likeliest first."""
    metrics: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    cause: str = ""
    """The service that was found to be the cause; empty where none was."""


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier incident, and where that is known from."""

    facts: Facts
    evidence: str
    """Evidence of this run that states the facts."""
    where: str
    """The file of the post-mortem, or the id of the run."""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """What two incidents have in common of one kind."""

    trait: Trait
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """An earlier incident that is like this one."""

    past: Past
    permille: int
    shared: tuple[Shared, ...]


def facts(
    about: About,
    *,
    suspects: Sequence[str] = (),
    cause: str = "",
    metrics: MetricsResult | None = None,
    logs: LogsResult | None = None,
) -> Facts:
    """Give what an incident is compared by, from the answers that were read about it."""
    changed = [one for one in metrics.changes if one.abnormal >= UNUSUAL] if metrics is not None else []
    lines = [one for one in logs.changes if _tells_of_trouble(one)] if logs is not None else []
    return Facts(
        incident=_line(about.id),
        title=_line(about.title),
        began_us=about.window.start_us,
        ended_us=about.window.end_us,
        service=_texts([about.service], 1),
        suspects=_texts(suspects, MOST_SUSPECTS),
        metrics=_texts((f"{one.service}: {one.metric}" for one in changed), MOST_METRICS),
        templates=_texts((f"{one.service}: {one.template}" for one in lines), MOST_TEMPLATES),
        cause=_line(cause),
    )


def _tells_of_trouble(line: LogChange) -> bool:
    """Tell whether a template is new and no ordinary line; where lines have no level, whether it is new."""
    return line.change in {"new", "burst"} and (line.level in TROUBLE or (not line.level and line.change == "new"))


def similar(now: Facts, earlier: Iterable[Past], most: int = 3) -> tuple[Alike, ...]:
    """Give the earlier incidents that are like ``now``, the likest first; of one incident the first that is given."""
    before: dict[str, Past] = {}
    for past in earlier:
        if past.facts.ended_us <= now.began_us and past.facts.incident != now.incident:
            before.setdefault(past.facts.incident, past)
    weights: dict[Trait, Mapping[str, float]] = {
        trait: _weights(trait, [past.facts for past in before.values()]) for trait in TRAITS
    }
    found = [alike for past in before.values() if (alike := _compared(now, past, weights)) is not None]
    found.sort(key=lambda alike: (-alike.permille, -alike.past.facts.ended_us, alike.past.facts.incident))
    return tuple(found[:most])


def likeness(now: Facts, past: Facts, weights: Mapping[Trait, Mapping[str, float]]) -> int:
    """Give how alike two incidents are, in permille. ``weights`` says how much each name tells."""
    total = reached = 0.0
    for trait in TRAITS:
        mine, theirs = _names(now, trait), _names(past, trait)
        if not (mine or theirs) or (trait == "templates" and not (mine and theirs)):
            continue
        weigh = weights[trait]
        either = sum(weigh.get(name, 1.0) for name in mine | theirs)
        total += WEIGHTS[trait]
        reached += WEIGHTS[trait] * sum(weigh.get(name, 1.0) for name in mine & theirs) / either
    return round(1_000 * reached / total) if total else 0


def _compared(now: Facts, past: Past, weights: Mapping[Trait, Mapping[str, float]]) -> Alike | None:
    permille = likeness(now, past.facts, weights)
    shared = tuple(
        Shared(trait, names)
        for trait in TRAITS
        if (names := tuple(name for name in getattr(now, trait) if name in _names(past.facts, trait)))
    )
    telling = any(one.trait != "service" for one in shared)
    return Alike(past, permille, shared) if permille >= LINKED_AT and telling else None


def _weights(trait: Trait, earlier: Sequence[Facts]) -> dict[str, float]:
    counts = Counter(name for one in earlier for name in _names(one, trait))
    return {name: 1 + math.log((1 + len(earlier)) / (1 + count)) for name, count in counts.items()}


def _names(one: Facts, trait: Trait) -> frozenset[str]:
    return frozenset(getattr(one, trait))


# -- front matter ----------------------------------------------------------------------------------------------------


def front_matter(one: Facts) -> str:
    """Write the facts as the front matter of a post-mortem, with the lines that open and close it."""
    lines = [
        "---",
        f"kind: {KIND}",
        f"title: {_quoted(one.title)}",
        f"incident: {_quoted(one.incident)}",
        f"began: {_quoted(_instant(one.began_us))}",
        f"ended: {_quoted(_instant(one.ended_us))}",
    ]
    for name, values in _stated(one):
        if values:
            lines += [f"{name}:", *(f"  - {_quoted(value)}" for value in values)]
    return "\n".join([*lines, "---", ""])


def of_document(document: Document, evidence: str) -> Past | None:
    """Read the facts of a post-mortem from its front matter; ``None`` where it is none or states no times."""
    stated = {fact.name: fact.values for fact in document.facts}
    if stated.get("kind") != (KIND,) or not stated.get("incident"):
        return None
    began, ended = (_microseconds(stated.get(name, ())) for name in ("began", "ended"))
    if began is None or ended is None or ended < began:
        return None
    return Past(
        Facts(
            incident=stated["incident"][0],
            title=document.title,
            began_us=began,
            ended_us=ended,
            service=stated.get("service", ())[:1],
            suspects=stated.get("suspects", ())[:MOST_SUSPECTS],
            metrics=stated.get("metrics", ())[:MOST_METRICS],
            templates=stated.get("templates", ())[:MOST_TEMPLATES],
            cause=stated.get("cause", ("",))[0],
        ),
        evidence,
        document.file,
        document.commit,
    )


def _stated(one: Facts) -> tuple[tuple[str, tuple[str, ...]], ...]:
    cause = (one.cause,) if one.cause else ()
    return (
        ("service", one.service),
        ("suspects", one.suspects),
        ("cause", cause),
        ("metrics", one.metrics),
        ("templates", one.templates),
    )


def _quoted(text: str) -> str:
    """Write a text in double quotes, as YAML and JSON read it: what is not plainly shown was left out before."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> str:
    """Give one line of what is shown, cut."""
    shown = "".join(char if is_shown(char) else " " for char in text[: 4 * MAX_TEXT])
    return " ".join(shown.split())[:MAX_TEXT].strip()


def _texts(values: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for value in values if (line := _line(value))))[:most]


def _instant(moment: int) -> str:
    return datetime.fromtimestamp(moment // SECOND, UTC).isoformat().replace("+00:00", "Z")


def _microseconds(values: Sequence[str]) -> int | None:
    try:
        moment = datetime.fromisoformat(values[0])
        return int(moment.timestamp()) * SECOND if moment.tzinfo is not None else None
    except (IndexError, ValueError, OverflowError):
        return None
