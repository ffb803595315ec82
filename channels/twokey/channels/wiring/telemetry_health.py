"""Looks for the usual mistakes in the sources of telemetry and the triggers of a workspace.

Rules: everything is really tried, with the bounds of any other reading; nothing is changed; one look that fails does
not stop the others; what files and servers hold is never shown, only how much there is.
"""

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twokey.channels.wiring.telemetry import loki_of, prometheus_of, zone_of
from twokey.core.errors import TwokeyError
from twokey.core.ports import Clock
from twokey.core.settings import Settings
from twokey.core.telemetry_settings import TelemetrySection, TriggerSection


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    name: str
    level: Literal["ok", "warn", "FAIL"]
    text: str
    next: str = ""


def telemetry_health(
    folder: Path, config: Settings, clock: Clock, environment: Mapping[str, str] | None = None
) -> Iterator[Seen]:
    """Give what every look finds; nothing where neither a source nor a trigger is set up."""
    variables = os.environ if environment is None else environment
    for name, section in config.telemetry.items():
        yield from _source(f"telemetry {name}", folder, section, variables, clock)
    for name, trigger in config.triggers.items():
        yield from _tried(f"trigger {name}", functools.partial(_secrets, f"trigger {name}", trigger, variables))


def _source(
    name: str, folder: Path, section: TelemetrySection, variables: Mapping[str, str], clock: Clock
) -> Iterator[Seen]:
    parts = 0
    if section.prometheus:
        parts += 1
        yield from _tried(name, lambda: _queries(name, folder, section, variables, clock))
    if section.loki:
        parts += 1
        yield from _tried(name, lambda: _loki(name, folder, section, variables))
    for what, patterns in (
        ("logs", tuple(section.logs.values())),
        ("traces", section.traces),
        ("events", section.events),
        ("topology", section.topology),
    ):
        if patterns:
            parts += 1
            yield _files(name, what, folder, patterns)
    if section.logs:
        yield from _tried(name, lambda: _zone(section))
    if not parts and not section.deployments:
        yield Seen(name, "warn", "it is a source without any part", "Set prometheus, loki, logs or traces.")


def _tried(name: str, look: Callable[[], Iterator[Seen]]) -> Iterator[Seen]:
    try:
        yield from look()
    except TwokeyError as error:
        yield Seen(name, "FAIL", error.message, error.next)


def _queries(
    name: str, folder: Path, section: TelemetrySection, variables: Mapping[str, str], clock: Clock
) -> Iterator[Seen]:
    from twokey.tools.read.telemetry import prometheus  # noqa: PLC0415 - numpy comes in where it is needed

    asked, now = prometheus_of(folder, section, variables), clock.now_us() / 1_000_000
    counts: dict[str, int] = {}
    for metric, query in section.queries.items():
        try:
            counts[metric] = asked.count(query, now)
        except TwokeyError as error:
            yield Seen(name, "FAIL", f"the query {metric!r}: {error.message}", error.next)
    if not counts:
        return
    yield Seen(name, "ok", f"Prometheus answers {len(counts)} queries with {sum(counts.values()):,} series")
    most = prometheus.MAX_SERIES
    if sum(counts.values()) > most:
        text = f"that is more than the {most:,} series that are read at once: what is beyond is left out"
        yield Seen(name, "warn", text, "Sum over labels in the expressions of queries.")
    empty = sorted(metric for metric, count in counts.items() if not count)
    if empty:
        yield Seen(
            name,
            "warn",
            f"nothing is there now for: {', '.join(map(repr, empty[:10]))}",
            "Try the expressions of queries in the Prometheus itself.",
        )


def _loki(name: str, folder: Path, section: TelemetrySection, variables: Mapping[str, str]) -> Iterator[Seen]:
    labels = loki_of(folder, section, variables).labels()
    if labels:
        yield Seen(name, "ok", f"Loki answers and has {labels} labels")
    else:
        yield Seen(name, "warn", "Loki answers and has nothing", "Check loki_tenant, and that lines are sent there.")


def _files(name: str, what: str, folder: Path, patterns: tuple[str, ...]) -> Seen:
    from twokey.tools.read.telemetry.files.patterns import matching  # noqa: PLC0415 - comes in where files are named

    counts = [len(matching(folder, pattern)[0]) for pattern in patterns]
    if not all(counts):
        empty = sum(1 for count in counts if not count)
        return Seen(
            name,
            "warn",
            f"{what}: {empty} of {len(counts)} patterns mean no file now",
            "Check the paths, and that this account may look into the folders.",
        )
    return Seen(name, "ok", f"{what}: {sum(counts)} files")


def _zone(section: TelemetrySection) -> Iterator[Seen]:
    zone_of(section.log_zone)
    yield from ()


def _secrets(name: str, trigger: TriggerSection, variables: Mapping[str, str]) -> Iterator[Seen]:
    from twokey.channels.alerts.signing import secrets_of  # noqa: PLC0415 - comes in where there is a trigger

    count = len(secrets_of(trigger.secret_envs, variables))
    secrets = "1 secret" if count == 1 else f"{count} secrets"
    yield Seen(name, "ok", f"{trigger.kind} proves itself with {secrets}; {trigger.asked_by} asks")
