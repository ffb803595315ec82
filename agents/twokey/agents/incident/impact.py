"""How much an incident cost people, in numbers that somebody can redo, or said to be unknown.

Rules: minutes run from the measured onset to the measured recovery; a number of failed requests is given only where
every sample of a traffic metric in requests per second and of an error share of the same service was read: it is the
sum, over the samples of the share, of share times rate times the seconds to the next sample; a rate holds until the
next one was measured. Traced calls are counted
as the traces count them. People and money are told from metrics that count them by their name; otherwise they are
unknown, and that is said.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Final

from twokey.agents.incident.material import Material
from twokey.agents.incident.shown import SECOND
from twokey.tools.read.telemetry.values import MetricChange, Point

_WORD: Final = re.compile(r"[a-z]+")
_PEOPLE: Final = frozenset({"user", "users", "customer", "customers", "people", "visitor", "visitors", "sessions"})
_MONEY: Final = frozenset({"cost", "costs", "usd", "eur", "dollars", "euros", "spend", "revenue"})
_PER_SECOND: Final = re.compile(
    r"(?:^|[^a-z])(?:rps|qps|(?:requests?|calls?|queries)_?per_?s(?:ec(?:ond)?)?)(?:$|[^a-z])"
)
_SHARE: Final = re.compile(
    r"(?:^|[^a-z])(?:error|errors|failure|failures|5xx)_?(?:rate|ratio|share|fraction)(?:$|[^a-z])"
)
_LONGEST: Final = 5
"""How many times the usual distance between two samples a hole may be before the sum is not exact."""


@dataclass(frozen=True, slots=True)
class FailedRequests:
    """How many requests to ``service`` failed between two instants, by two of its metrics."""

    service: str
    traffic: str
    errors: str
    count: int
    start_us: int
    end_us: int
    evidence: tuple[str, ...]


def counts_people(metric: str) -> bool:
    """Tell whether a metric counts people, by its name."""
    return bool(_PEOPLE & set(_WORD.findall(metric.casefold())))


def counts_money(metric: str) -> bool:
    """Tell whether a metric counts money, by its name."""
    return bool(_MONEY & set(_WORD.findall(metric.casefold())))


def is_rate(metric: str) -> bool:
    """Tell whether a metric counts requests per second, by its name."""
    return _PER_SECOND.search(metric.casefold()) is not None


def is_error_share(metric: str) -> bool:
    """Tell whether a metric is the share of requests that fail, by its name."""
    return _SHARE.search(metric.casefold()) is not None


def of_service(material: Material, service: str) -> tuple[MetricChange, ...]:
    """Give how the metrics of a service changed, the strongest first."""
    return tuple(one for one in material.metrics.answer.changes if one.service == service) if material.metrics else ()


def failed_requests(material: Material, start_us: int, end_us: int) -> FailedRequests | None:
    """Count the requests to the alerting service that failed from ``start_us`` to ``end_us``, where it can be told."""
    service = material.about.service
    mine = sorted(metric for name, metric in material.series if name == service)
    rates, shares = ([metric for metric in mine if of(metric)] for of in (is_rate, is_error_share))
    if len(rates) != 1 or len(shares) != 1 or end_us <= start_us:
        return None
    traffic, errors = (material.series[service, metric] for metric in (rates[0], shares[0]))
    for held in (traffic, errors):
        if held.answer.samples != len(held.answer.points):
            return None
    total = _summed(traffic.answer.points, errors.answer.points, start_us, end_us)
    if total is None:
        return None
    count = int(total.to_integral_value(rounding=ROUND_HALF_EVEN))
    evidence = tuple(dict.fromkeys((traffic.evidence, errors.evidence)))
    return FailedRequests(service, rates[0], shares[0], count, start_us, end_us, evidence)


def _summed(traffic: tuple[Point, ...], errors: tuple[Point, ...], start_us: int, end_us: int) -> Decimal | None:
    inside = [point for point in errors if start_us <= point.at_us < end_us]
    if len(inside) < 2:
        return None
    times = [*(point.at_us for point in inside), end_us]
    gaps = sorted(after - before for before, after in pairwise(times))
    longest = _LONGEST * max(gaps[len(gaps) // 2], 1)
    if gaps[-1] > longest:
        return None
    total = Decimal(0)
    for point, after in zip(inside, times[1:], strict=True):
        share, rate = Decimal(point.value), _holding(traffic, point.at_us, longest)
        if rate is None or rate < 0 or not 0 <= share <= 1:
            return None
        total += share * rate * (after - point.at_us) / SECOND
    return total


def _holding(points: tuple[Point, ...], at_us: int, longest: int) -> Decimal | None:
    """Give the last sample up to ``at_us``, if it is not too old."""
    found = next((point for point in reversed(points) if point.at_us <= at_us), None)
    return Decimal(found.value) if found is not None and at_us - found.at_us <= longest else None
