"""What a metric says about a service, told from its name by words that anybody uses.

Rules: words are split at punctuation, digits and capitals; no product, service or metric of any data set is listed.
A metric of a machine that several services share (``node``, ``host``) says nothing about one of them: ``other``.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Meaning: TypeAlias = Literal["latency", "errors", "availability", "saturation", "traffic", "other"]

_WORDS: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|\d+")
_QUANTILE: Final = "(50|75|80|90|95|98|99|999)(?![0-9])"
_TAIL: Final = re.compile(f"(?:^|[^0-9a-z])p?{_QUANTILE}|p{_QUANTILE}", re.IGNORECASE)
_SHARED: Final = frozenset({"node", "host", "machine", "vm", "cluster"})
_LATENCY: Final = frozenset(
    {"latency", "latencies", "duration", "elapsed", "rtt", "delay", "ttfb", "ttft", "response", "waiting", "lag"}
)
_CLIENT: Final = frozenset({"client", "outbound", "egress", "upstream", "downstream", "dependency", "dependencies"})
_ERRORS: Final = frozenset(
    {
        *("error", "errors", "err", "fail", "failed", "failure", "failures", "fault", "faults", "exception"),
        *(
            "exceptions",
            "timeout",
            "timeouts",
            "rejected",
            "dropped",
            "retries",
            "retry",
            "5xx",
            "4xx",
            "abort",
            "aborted",
        ),
    }
)
_AVAILABLE: Final = frozenset({"availability", "available", "success", "successes", "uptime", "healthy", "apdex", "ok"})
_MEMORY: Final = frozenset({"memory", "mem", "heap", "rss"})
_SATURATION: Final = frozenset(
    {
        *("cpu", "disk", "queue", "queued", "backlog", "pool", "thread", "threads", "connections", "throttled"),
        *("throttling", "saturation", "utilization", "utilisation", "gc", "inflight", "concurrency", "gpu", "load"),
    }
)
_TRAFFIC: Final = frozenset(
    {"request", "requests", "rps", "qps", "throughput", "calls", "ops", "workload", "invocations", "traffic", "hits"}
)


@dataclass(frozen=True, slots=True)
class Sense:
    """``client``: measured where the service calls others. ``memory``: a level that stays. ``tail``: share above."""

    meaning: Meaning
    client: bool = False
    memory: bool = False
    tail: float | None = None


@lru_cache(maxsize=100_000)
def sense(metric: str) -> Sense:
    """Tell what the metric of that name says."""
    words = frozenset(word.lower() for word in _WORDS.findall(metric))
    if words & _SHARED:
        return Sense("other")
    if words & _LATENCY:
        return Sense("latency", bool(words & _CLIENT), tail=_tail(metric))
    if words & _ERRORS or {"5", "xx"} <= words:
        return Sense("errors")
    if words & _AVAILABLE:
        return Sense("availability")
    if words & _MEMORY:
        return Sense("saturation", memory=True)
    if words & _SATURATION:
        return Sense("saturation")
    return Sense("traffic" if words & _TRAFFIC else "other")


def _tail(metric: str) -> float | None:
    found = _TAIL.search(metric)
    if found is None:
        return None
    digits = found.group(1) or found.group(2)
    return 1 - float(f"0.{digits}")
