"""What ``query_telemetry`` is asked and answers about operations: load in equal stretches, and what is running.

Rules: as in ``telemetry.values``. A stretch without a sample is null, and nothing is filled in. Labels are those that a
metric's name carries (``requests {region=eu, pod=a1}``, or as OpenMetrics writes them); a source that names no labels
has none, which is not the same as few. What looks like a credential among values of labels is given as the beginning
of its SHA-256 alone.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Instant, Value
from twokey.tools.read.telemetry.terms import Figure, Name, Scope, SeriesName, Stretch

MAX_NAMES: Final = 40
MAX_STRETCHES: Final = 2_016
"""Equal stretches of one series: a week of five minutes."""
MAX_SERVICES: Final = 500
MAX_METRICS: Final = 60
MAX_OPERATIONS: Final = 30
MAX_LABELLED: Final = 100
MAX_VALUES: Final = 500
LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,99}$")]


class OperationsRequest(Value):
    """The series that are named, in equal stretches of the window: their mean and their highest sample in each.

    The stretches are ``step_s`` long, or longer where there would be more than ``MAX_STRETCHES``.
    """

    kind: Literal["operations"] = "operations"
    scope: Scope = Scope()
    names: Annotated[tuple[SeriesName, ...], Field(min_length=1, max_length=MAX_NAMES)]
    step_s: Annotated[int, Field(ge=60, le=86_400)] = 300


class RunningRequest(Value):
    """What is running: services with their metrics and operations, and how many series labels make."""

    kind: Literal["running"] = "running"
    scope: Scope = Scope()
    values_of: Annotated[tuple[LabelName, ...], Field(max_length=10)] = ()
    """Labels whose values are given, too."""


class Load(Value):
    """One series in equal stretches: ``means[i]`` and ``peaks[i]`` belong to stretch ``i``."""

    service: Name
    metric: Name
    samples: Count
    means: Annotated[tuple[Figure | None, ...], Field(max_length=MAX_STRETCHES)]
    peaks: Annotated[tuple[Figure | None, ...], Field(max_length=MAX_STRETCHES)]


class OperationsResult(Value):
    """The series that were named and exist; stretch ``i`` begins at ``start_us`` plus ``i`` times ``step_s``."""

    kind: Literal["operations"] = "operations"
    window: Stretch
    start_us: Instant
    step_s: Annotated[int, Field(ge=60)]
    loads: tuple[Load, ...]


class ServiceSeen(Value):
    """A service, and what tells what it does. ``more``: it has more metrics or operations than are given."""

    service: Name
    samples: Count
    metrics: tuple[Name, ...]
    """Names without labels."""
    operations: tuple[Name, ...] = ()
    more: bool = False


class LabelSeen(Value):
    """A label of a metric: how many values it has, and how many series would be left without it."""

    label: Name
    values: Count
    without: Count


class LabelledMetric(Value):
    """A metric whose series are told apart by labels."""

    metric: Name
    services: Count
    series: Count
    samples: Count
    labels: tuple[LabelSeen, ...]


class LabelValue(Value):
    """A value of a label that was asked for, and the services that have it."""

    label: Name
    value: Name
    services: tuple[Name, ...]
    series: Count


class RunningResult(Value):
    """What is running. The lists are bounded: the largest first."""

    kind: Literal["running"] = "running"
    window: Stretch
    services: tuple[ServiceSeen, ...]
    services_left_out: Count = 0
    series: Count
    labelled: tuple[LabelledMetric, ...]
    labelled_left_out: Count = 0
    values: tuple[LabelValue, ...] = ()
    values_left_out: Count = 0
    names_cut: Count = 0
    """Series whose name is so long that labels at its end may be missing."""
