"""What is running, and how many series the labels of metrics make.

Rules: pure over the telemetry port; a service is running where it has a sample or a span in the window; labels are read
from the name of a metric and from nowhere else; a list that is cut keeps the largest and says how many are missing.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.tools.read.telemetry.operations.digest import stretch_of
from twokey.tools.read.telemetry.operations.values import (
    MAX_LABELLED,
    MAX_METRICS,
    MAX_OPERATIONS,
    MAX_SERVICES,
    MAX_VALUES,
    LabelledMetric,
    LabelSeen,
    LabelValue,
    RunningRequest,
    RunningResult,
    ServiceSeen,
)
from twokey.tools.read.telemetry.port import MAX_NAME, Interval, Series, Telemetry
from twokey.tools.read.warehouse.detectors import is_secret

MAX_LABELS: Final = 30
_LABELLED: Final = re.compile(r"([^{]*[^{\s])\s*\{(.*?)(\}?)\s*", re.DOTALL)
_PAIR: Final = re.compile(
    r"\s*([A-Za-z_][A-Za-z0-9_.]{0,99})=(?:\"((?:[^\"\\]|\\.)*)\"|(.*?))\s*(?:,(?=\s*[A-Za-z_][A-Za-z0-9_.]{0,99}=)|,?\s*\Z)",
    re.DOTALL,
)


@dataclass(slots=True)
class _Metric:
    series: set[tuple[str, tuple[tuple[str, str], ...]]] = field(
        default_factory=set[tuple[str, tuple[tuple[str, str], ...]]]
    )
    samples: int = 0


@dataclass(slots=True)
class _Service:
    samples: int = 0
    metrics: Counter[str] = field(default_factory=Counter[str])
    operations: Counter[str] = field(default_factory=Counter[str])


def running(telemetry: Telemetry, ask: RunningRequest, window: Interval) -> RunningResult:
    """Answer what runs in ``window``."""
    services: defaultdict[str, _Service] = defaultdict(_Service)
    metrics: defaultdict[str, _Metric] = defaultdict(_Metric)
    values: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    every = [series for series in telemetry.series(window) if len(series.times)]
    cut = 0
    for series in every:
        name, labels, whole = labels_of(series.metric)
        cut += not whole
        _seen(services[series.service], metrics[name], series, name, labels)
        for label in ask.values_of:
            if label in labels:
                values[label, _shown(labels[label])].add((series.service, series.metric))
    for span in telemetry.spans(window):
        services[span.service].operations[span.operation] += 1
    labelled = [one for name, metric in metrics.items() if (one := _labelled(name, metric)) is not None]
    labelled.sort(key=lambda one: (-one.series, one.metric))
    seen = sorted((_service(name, one) for name, one in services.items()), key=lambda one: one.service)
    given = [_value(label, value, where) for (label, value), where in values.items()]
    given.sort(key=lambda one: (-one.series, one.label, one.value))
    return RunningResult(
        window=stretch_of(window),
        services=tuple(seen[:MAX_SERVICES]),
        services_left_out=max(0, len(seen) - MAX_SERVICES),
        series=len(every),
        labelled=tuple(labelled[:MAX_LABELLED]),
        labelled_left_out=max(0, len(labelled) - MAX_LABELLED),
        values=tuple(given[:MAX_VALUES]),
        values_left_out=max(0, len(given) - MAX_VALUES),
        names_cut=cut,
    )


def labels_of(metric: str) -> tuple[str, Mapping[str, str], bool]:
    """Give the name, the labels and whether they are whole, of a metric as a source names it.

    A name that does not end where its labels do was cut; its last label may be half a label and is left out.
    """
    found = _LABELLED.fullmatch(metric)
    if found is None:
        return metric, {}, len(metric) < MAX_NAME
    pairs: dict[str, str] = {}
    at, text = 0, found[2]
    while at < len(text) and len(pairs) < MAX_LABELS and (pair := _PAIR.match(text, at)) is not None:
        pairs[pair[1]] = pair[2] if pair[2] is not None else pair[3]
        at = pair.end()
    whole = bool(found[3])
    if not whole and pairs:
        pairs.popitem()
    return found[1], pairs, whole


def _seen(service: _Service, metric: _Metric, series: Series, name: str, labels: Mapping[str, str]) -> None:
    service.samples += len(series.times)
    service.metrics[name] += 1
    metric.samples += len(series.times)
    metric.series.add((series.service, tuple(sorted(labels.items()))))


def _labelled(name: str, metric: _Metric) -> LabelledMetric | None:
    """Count values of each label, and the series that would be left without it."""
    kinds = {label for _, labels in metric.series for label, _ in labels}
    if not kinds:
        return None
    seen = [_label(label, metric.series) for label in kinds]
    seen.sort(key=lambda one: (one.without, one.label))
    return LabelledMetric(
        metric=name,
        services=len({service for service, _ in metric.series}),
        series=len(metric.series),
        samples=metric.samples,
        labels=tuple(seen),
    )


def _label(label: str, every: Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> LabelSeen:
    values: set[str] = set()
    rest: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for service, labels in every:
        values.update(value for name, value in labels if name == label)
        rest.add((service, tuple(pair for pair in labels if pair[0] != label)))
    return LabelSeen(label=label, values=len(values), without=len(rest))


def _service(name: str, one: _Service) -> ServiceSeen:
    metrics, operations = _most(one.metrics, MAX_METRICS), _most(one.operations, MAX_OPERATIONS)
    more = len(one.metrics) > MAX_METRICS or len(one.operations) > MAX_OPERATIONS
    return ServiceSeen(service=name, samples=one.samples, metrics=metrics, operations=operations, more=more)


def _most(counts: Counter[str], most: int) -> tuple[str, ...]:
    """Give the names, by name; the most frequent where there are more than ``most``."""
    chosen = sorted(counts, key=lambda name: (-counts[name], name))[:most]
    return tuple(sorted(chosen))


def _value(label: str, value: str, where: set[tuple[str, str]]) -> LabelValue:
    services: Sequence[str] = sorted({service for service, _ in where})
    return LabelValue(label=label, value=value, services=tuple(services[:20]), series=len(where))


def _shown(value: str) -> str:
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()[:12]}" if is_secret(value) else value
