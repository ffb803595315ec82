"""What is there beside what is registered, how often it changes, and what its labels cost.

Rules:
- a service is taken for a model endpoint by what it measures and what is asked of it, by general words, and told as
  "looks like"; a list that the register leaves out is compared with nothing, and that is said;
- a key is shown as the telemetry names it; what looks like a credential comes as a digest from the tool already;
- a trim is proposed for one label of a metric, the one without which the fewest series are left, unless the operations
  file keeps it. Cost is series times the price of the operations file; without a price only the series are told.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from twokey.agents.incident.operations.book import Book
from twokey.agents.incident.operations.said import Said, day, many, money, name, names, number
from twokey.tools.read.telemetry.operations.values import LabelledMetric, LabelSeen, RunningResult, ServiceSeen
from twokey.tools.read.telemetry.values import EventSeen, EventsResult

DEPLOYS: Final = frozenset({"deploy", "deployment", "release", "rollout"})
MOST_TRIMS: Final = 5
DAY_US: Final = 86_400_000_000
_SERVES: Final = frozenset(
    "inference infer predict prediction predictions predictor scoring embedding embeddings completion"  # noqa: SIM905
    " completions prompt prompts llm gpu tokens token_count model_load model_version generate generation rerank"
    " classify chat_completions time_to_first first_token ttft kv_cache".split()
)
_PATHS: Final = re.compile(
    r"/(?:v\d+/)?(?:chat/completions|completions|embeddings|predict(?:ions)?|infer(?:ence)?|generate|score|rerank|invocations)\b",
    re.IGNORECASE,
)


def deployments(book: Book, result: EventsResult, days: float) -> list[Said]:
    """Say how often was deployed, and what the register does not know."""
    done = [event for event in result.events if event.kind.casefold() in DEPLOYS]
    if not done and result.left_out:
        return [("deployments", "unknown", "no deployment is among the events that were read, and more were left out.")]
    if not done:
        return [("deployments", "fine", "the telemetry tells of no deployment.")]
    by_service = Counter(event.service for event in done)
    busiest = max(Counter(day(event.at_us) for event in done).items(), key=lambda pair: (pair[1], pair[0]))
    listed = ", ".join(f"{name(service)} {count:,}" for service, count in by_service.most_common(5))
    text = (
        f"{'at least ' if result.left_out else ''}{many(len(done), 'deployment')} of {many(len(by_service), 'service')}"
        f", {number(round(len(done) / days, 2))} a day; most on {busiest[0]} ({busiest[1]:,}): {listed}"
    )
    return [("deployments", "fine", f"{text}."), *_unregistered_deployments(book, done)]


def _unregistered_deployments(book: Book, done: Sequence[EventSeen]) -> list[Said]:
    known = book.register_.deployments
    if known is None:
        text = "the register has no list of deployments, so none is compared with it."
        return [("shadow_deployments", "unknown", text)]
    services = sorted({event.service for event in done if event.service not in known})
    people = sorted(
        {
            (event.service, event.actor)
            for event in done
            if known.get(event.service) and event.actor not in known[event.service]
        }
    )
    said: list[Said] = []
    if services:
        text = f"deployed and not registered for it: {names(services)} ({many(len(services), 'service')})."
        said.append(("shadow_deployments", "act", text))
    if people:
        listed = ", ".join(f"{name(service)} by {name(actor)}" for service, actor in people[:5])
        text = f"deployed by somebody whom the register does not list for it: {listed} ({len(people):,} in all)."
        said.append(("shadow_deployments", "act", text))
    return said or [("shadow_deployments", "fine", "every deployment is one that the register lists.")]


def endpoints(book: Book, result: RunningResult) -> list[Said]:
    """Say which services look like model endpoints and are not registered."""
    known = book.registered()
    found = [(one, why) for one in result.services if one.service not in known and (why := serves(one))]
    more = f"; {result.services_left_out:,} services were not looked at" if result.services_left_out else ""
    if not found:
        text = f"none of {len(result.services):,} services looks like a model endpoint that is not registered{more}."
        return [("shadow_endpoints", "fine", text)]
    return [
        (
            "shadow_endpoints",
            "act",
            f"not in the register, and looks like a model endpoint: {name(one.service)} ({names(why, 3)}){more}.",
        )
        for one, why in found[:20]
    ]


def serves(one: ServiceSeen) -> list[str]:
    """Give the metrics and operations that tell of a model; none where nothing does."""
    found = [metric for metric in one.metrics if _tells(metric)]
    return found + [operation for operation in one.operations if _PATHS.search(operation) or _tells(operation)]


def _tells(text: str) -> bool:
    lowered = re.sub(r"[^a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()).strip("_")
    parts = lowered.split("_")
    pieces = {*parts, *("_".join(pair) for pair in pairwise(parts))}
    return bool(pieces & _SERVES)


def keys(book: Book, result: RunningResult) -> list[Said]:
    """Say which keys are used and not registered."""
    register = book.register_
    if register.keys is None or not register.key_labels:
        return [("shadow_keys", "unknown", "the register has no list of keys, or names no label that holds them.")]
    known = set(register.keys)
    used = [one for one in result.values if one.label in register.key_labels]
    strange = [one for one in used if one.value not in known]
    if not used:
        return [
            ("shadow_keys", "unknown", f"no series has a label {names(register.key_labels)}, so keys cannot be told.")
        ]
    more = f"; {result.values_left_out:,} values were not given" if result.values_left_out else ""
    if not strange:
        return [("shadow_keys", "fine", f"each of {many(len(used), 'key')} in use is registered{more}.")]
    listed = ", ".join(f"{name(one.value)} at {names(one.services, 2)}" for one in strange[:5])
    text = f"of {many(len(used), 'key')} in use {len(strange):,} not registered: {listed}{more}."
    return [("shadow_keys", "act", text)]


def labels(book: Book, result: RunningResult, days: float) -> list[Said]:
    """Say which labels make too many series, what that costs, and what a trim would leave."""
    if not result.labelled:
        return [("labels", "unknown", "the telemetry names no labels, so their cost cannot be told.")]
    found: list[Said] = []
    for metric in result.labelled:
        label = _worst(book, metric)
        if label is not None and len(found) < MOST_TRIMS:
            found.append(("labels", "watch", _trim(book, metric, label, days)))
    if not found:
        most = book.labels.most_values
        return [
            ("labels", "fine", f"no label of {many(len(result.labelled), 'metric')} has more than {most:,} values.")
        ]
    return found


def _worst(book: Book, metric: LabelledMetric) -> LabelSeen | None:
    candidates: Iterable[LabelSeen] = (
        label
        for label in metric.labels
        if label.values > book.labels.most_values
        and label.label not in book.labels.keep
        and label.without < metric.series
    )
    return min(candidates, key=lambda label: (label.without, label.label), default=None)


def _trim(book: Book, metric: LabelledMetric, label: LabelSeen, days: float) -> str:
    text = (
        f"label {name(label.label)} of {name(metric.metric)} has {many(label.values, 'value')}:"
        f" {many(metric.series, 'series', 'series')}, {many(round(metric.samples / days), 'sample')} a day;"
        f" {label.without:,} without it"
    )
    price = book.labels.price_per_1000_series
    if price is None:
        return f"{text}; what series cost is not stated."
    now, then = (money(count * price / 1_000, book.currency) for count in (metric.series, label.without))
    return f"{text}; {now} a month would be {then}. Proposed trim: drop the label, or sum over it before it is stored."
