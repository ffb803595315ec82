"""Latency against its objective, and how fast the error budget burns.

Rules: an objective that is not stated is not judged; a stretch without samples counts neither for nor against.

Formulas:
- latency: the share of stretches whose p95 is at or below the objective. A p95 cannot be averaged into a longer one, so
  it is compared stretch by stretch and never joined.
- error budget, after the Site Reliability Workbook (Beyer et al., 2018), chapter 5: the budget is 1 - availability; the
  burn rate of a window is its share of failed requests over the budget; what a window of w days spends of the budget of
  D days is burn rate x w / D.
- multi-window, multi-burn-rate alerts (the same, section "Multiwindow, Multi-Burn-Rate Alerts"): 2 % of the budget in 1
  hour, 5 % in 6 hours, 10 % in 3 days, each together with a window of a twelfth of the length, so that it ends soon
  after the burning does. For D = 30 the burn rates are 14.4, 6 and 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import Level, Said, about, lasting, number, percent, times, when
from twokey.agents.incident.operations.tracks import Floats, Measured, Truths, longest, stays

DAY_S: Final = 86_400
WINDOWS: Final = ((0.02, 3_600, 300), (0.05, 21_600, 1_800), (0.10, 259_200, 21_600))
"""Share of the budget, long window and short window in seconds."""
PAGES: Final = 2
"""So many of the windows, the first, would wake somebody; the others open a ticket."""
LEAST_COVERED: Final = 0.5
"""Share of a window's stretches that need samples for it to be judged."""


def latency(endpoint: Endpoint, measured: Measured) -> Said | None:
    """Judge the p95; ``None`` where there is no objective or no sample."""
    track, limit = measured.tracks.get("latency"), endpoint.objective.latency_ms
    if track is None or limit is None:
        return None
    known = track.known
    values = track.means[known]
    good = float((values <= limit).mean())
    wanted = endpoint.objective.latency_share / 100
    worst = int(np.nanargmax(track.means))
    text = (
        f"p95 of {endpoint.name} was at or below {number(limit)} ms in {percent(good)} of {len(values):,} stretches of"
        f" {lasting(track.step_s)} (objective {number(endpoint.objective.latency_share)} %); median"
        f" {about(float(np.median(values)))} ms, worst {about(float(track.means[worst]))} ms at"
        f" {when(track.moment(worst))}"
    )
    over = longest(known & (np.nan_to_num(track.means) > limit))
    if over is not None:
        text += f"; above it for {lasting(over.number * track.step_s)} in a row from {when(track.moment(over.first))}"
    level: Level = "fine" if good >= wanted else "act" if 1 - good >= 2 * (1 - wanted) else "watch"
    return "slo_latency", level, f"{text}."


@dataclass(frozen=True, slots=True)
class Failed:
    """Failed and all requests of each stretch; ``weighted`` is false where each stretch counts alike."""

    failed: Floats
    every: Floats
    known: Truths
    step_s: int
    start_us: int
    weighted: bool


def failed(endpoint: Endpoint, measured: Measured) -> Failed | None:
    """Give failed and all requests; ``None`` where they cannot be told."""
    errors, requests = measured.tracks.get("errors"), measured.tracks.get("requests")
    if errors is None or (requests is None and endpoint.metrics.errors_are == "per_second"):
        return None
    every = np.ones(len(errors.means)) if requests is None else requests.means
    known = errors.known & ~np.isnan(every)
    if not known.any():
        return None
    number_of = np.where(known, every, 0.0)
    bad = np.where(known, errors.means, 0.0)
    if endpoint.metrics.errors_are == "share":
        bad *= number_of
    return Failed(bad, number_of, known, errors.step_s, errors.start_us, requests is not None)


def burning(endpoint: Endpoint, measured: Measured) -> Said | None:
    """Judge the error budget; ``None`` where there is no objective or it cannot be told."""
    target, counted = endpoint.objective.availability, failed(endpoint, measured)
    if target is None or counted is None or not counted.every.sum():
        return None
    budget, days = 1 - target / 100, endpoint.objective.days
    ratio = float(counted.failed.sum() / counted.every.sum())
    burn = ratio / budget
    spent = burn * float(counted.known.sum()) * counted.step_s / DAY_S / days
    text = (
        f"{percent(ratio)} of the requests of {endpoint.name} failed (objective {number(target)} % good over {days}"
        f" days): it burns its error budget {about(burn)} times as fast as it may,"
        f" and this spent {percent(spent)} of it"
    )
    if not counted.weighted:
        text += "; requests are not measured, so each stretch counts alike"
    fired = list(_alerts(counted, budget, days))
    paged = any(page for page, _ in fired)
    text += "".join(f"; {said}" for _, said in fired)
    level: Level = "act" if spent >= 1 or paged else "watch" if burn > 1 or fired else "fine"
    return "slo_budget", level, f"{text}."


def _alerts(counted: Failed, budget: float, days: int) -> Iterator[tuple[bool, str]]:
    """Give each pair of windows in which the budget burnt too fast: whether it would page, and what to say."""
    for at, (share, long_s, short_s) in enumerate(WINDOWS):
        factor = share * days * DAY_S / long_s
        if short_s < counted.step_s or long_s > len(counted.known) * counted.step_s:
            continue
        long, short = _burns(counted, budget, long_s), _burns(counted, budget, short_s)
        over = np.nan_to_num(long) >= factor
        over &= np.nan_to_num(short) >= factor
        found = list(stays(over))
        if found:
            first = counted.start_us + found[0].first * counted.step_s * 1_000_000
            text = (
                f"burn rate {about(factor)} over {lasting(long_s)} and {lasting(short_s)} was reached"
                f" {times(len(found))}, first at {when(first)}, at most {about(float(long[over].max()))}"
            )
            yield at < PAGES, text


def _burns(counted: Failed, budget: float, window_s: int) -> Floats:
    """Give the burn rate of the window that ends with each stretch; not a number where too little is known."""
    size = max(1, round(window_s / counted.step_s))
    bad, every, known = (
        _trailing(part, size) for part in (counted.failed, counted.every, counted.known.astype(np.float64))
    )
    enough = (known >= LEAST_COVERED * size) & (every > 0)
    enough[: size - 1] = False
    return np.where(enough, bad / np.where(every > 0, every, 1.0) / budget, np.nan)


def _trailing(values: Floats, size: int) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    return sums[ends] - sums[np.maximum(ends - size, 0)]
