"""What a ranking of suspects stands on: how each service changed, from every source, as evidence.

Rules: strengths are hundredths, from 0 (usual) to ``1000``; times are microseconds; other numbers are decimal text. A
``past`` holds the same strength in stretches of the baseline as long as the window, in one order everywhere, so that
whoever ranks can see how often the like occurs in quiet times; it is empty where all of it is 0. Services, metrics and
templates are outside text. Lists are bounded, the strongest entries are kept.
"""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Instant, Value

Harm: TypeAlias = Literal["slow", "waits", "fails", "strained", "grown", "restarted", "quiet", "silent"]
HUNDREDTHS: Final = 100
MAX_SERVICES: Final = 500
MAX_ENTRIES: Final = 2_000
MAX_CALLEES: Final = 20
Strength = Annotated[int, Field(ge=0, le=1_000)]
Past = Annotated[tuple[Strength, ...], Field(max_length=64)]
Name = Annotated[str, StringConstraints(max_length=300)]
Figure = Annotated[str, StringConstraints(max_length=40)]


class HarmSeen(Value):
    """One kind of harm to one service, and the metric that shows it most."""

    service: Name
    kind: Harm
    strength: Strength
    past: Past = ()
    metric: Name = ""
    before: Figure | None = None
    after: Figure | None = None
    onset_us: Instant | None = None


class WaitSeen(Value):
    """Latency measured where a service calls others; ``tail`` is the share of calls above it, in thousandths."""

    service: Name
    metric: Name
    tail: Annotated[int, Field(ge=0, le=1_000)]
    strength: Strength
    past: Past = ()
    before: Figure | None = None
    after: Figure | None = None
    onset_us: Instant | None = None


class FlowSeen(Value):
    """How much a service is called, in millionths of the unit of its metric."""

    service: Name
    micro: Count


class CallSeen(Value):
    """``caller`` calls ``callee``. With times where traces show the way between them, in microseconds."""

    caller: Name
    callee: Name
    calls: Count = 0
    strength: Strength = 0
    before_us: Count | None = None
    after_us: Count | None = None
    since_us: Instant | None = None


class SlowSeen(Value):
    """An operation that takes longer by itself."""

    service: Name
    operation: Name
    strength: Strength
    before_us: Count
    after_us: Count
    since_us: Instant | None = None


class OddSeen(Value):
    """Errors of its own that logs or traces show of a service."""

    service: Name
    source: Literal["logs", "traces"]
    errors: Strength
    errors_before: Count
    errors_after: Count
    first_us: Instant | None = None
    """When the first error of the window came."""


class WaySeen(Value):
    """Code took another way: ``then`` followed ``first`` so many times of so many, before and after ``since_us``.

    ``gone``: it used to follow and does so no more; ``new``: it hardly ever did and does so now. Both are templates of
    lines, or operations; ``operation`` is what did the work, empty where only lines tell. ``callees`` are the services
    that ``first`` calls (or ``then``, where that is a ``call_failed``), ``hidden`` says that what was called shows none
    of its own steps; ``failure`` says that ``then`` is an error or a sign of one.
    """

    service: Name
    operation: Name
    change: Literal["gone", "new"]
    first: Name
    then: Name
    callees: Annotated[tuple[Name, ...], Field(max_length=MAX_CALLEES)] = ()
    call_failed: bool = False
    hidden: bool = False
    failure: bool = False
    strength: Strength
    before: tuple[Count, Count]
    after: tuple[Count, Count]
    since_us: Instant


class ActSeen(Value):
    """A deploy or a change of configuration shortly before the window's start or in it."""

    service: Name
    kind: Name
    at_us: Instant


class Grounds(Value):
    """Everything. ``pasts`` is how many stretches of the past there are."""

    kind: Literal["grounds"] = "grounds"
    service: Name
    """The one whose alert fired."""
    start_us: Instant
    end_us: Instant
    services: Annotated[tuple[Name, ...], Field(max_length=MAX_SERVICES)]
    pasts: Annotated[int, Field(ge=0, le=64)]
    harms: tuple[HarmSeen, ...]
    waits: tuple[WaitSeen, ...]
    flows: tuple[FlowSeen, ...]
    calls: tuple[CallSeen, ...]
    slow: tuple[SlowSeen, ...]
    odd: tuple[OddSeen, ...]
    ways: tuple[WaySeen, ...] = ()
    acts: tuple[ActSeen, ...]
    spans: Count
    lines: Count
    left_out: Count = 0
