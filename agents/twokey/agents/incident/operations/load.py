"""Queues, concurrency, and what scaling should follow.

Rules: nothing is advised without a measured concurrency and the concurrency that a replica can take; the advice is
arithmetic on what was measured in this window and says so.

Formulas:
- where concurrency is not measured, Little's law (Little, 1961) gives its mean as requests per second times seconds per
  request; a p95 in the place of the mean makes that an upper bound, and it is told as one;
- needed replicas of a stretch: (highest concurrency + highest queue) / (concurrency of a replica x utilisation aimed
  at), rounded up;
- a replica that takes a cold start to come must be there before the load is: the head room is the 99th percentile of
  how much concurrency rose within a cold start (at least one stretch), over the concurrency of a replica, rounded up;
- at least: the need at the 5th percentile of concurrency, plus the head room; at most: the greatest need.
"""

import math
from typing import Final

import numpy as np

from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import Level, Said, about, lasting, number, percent, when
from twokey.agents.incident.operations.tracks import Floats, Measured, longest

QUIET: Final = 5
RISE: Final = 99
SHORT: Final = 0.01
"""Share of stretches with too few replicas from which on somebody should act."""


def queue(endpoint: Endpoint, measured: Measured) -> Said | None:
    """Say how long the queue was; ``None`` where it is not measured."""
    track, limit = measured.tracks.get("queue"), endpoint.objective.queue
    if track is None:
        return None
    known, peaks = track.known, np.nan_to_num(track.peaks)
    worst = int(np.nanargmax(track.peaks))
    text = (
        f"the queue of {endpoint.name} held {about(float(np.median(track.means[known])))} requests at the median"
        f" and {about(float(track.peaks[worst]))} at most, at {when(track.moment(worst))}"
    )
    if limit is None:
        return "queue", "fine", f"{text}; no limit is stated for it."
    over = longest(known & (peaks > limit))
    if over is None:
        return "queue", "fine", f"{text}; its limit of {number(limit)} was not passed."
    share = float((peaks[known] > limit).mean())
    text += (
        f"; it was above {number(limit)} in {percent(share)} of {int(known.sum()):,} stretches, longest for"
        f" {lasting(over.number * track.step_s)} from {when(track.moment(over.first))}"
    )
    return "queue", "act" if share >= SHORT else "watch", f"{text}."


def concurrency(endpoint: Endpoint, measured: Measured) -> Said | None:
    """Say how busy it was; ``None`` where that cannot be told."""
    track = measured.tracks.get("concurrency")
    if track is None:
        return _little(endpoint, measured)
    known = track.known
    worst = int(np.nanargmax(track.peaks))
    text = (
        f"{endpoint.name} worked on {about(float(np.median(track.means[known])))} requests at once at the median"
        f" and on {about(float(track.peaks[worst]))} at most, at {when(track.moment(worst))}"
    )
    replicas, each = measured.tracks.get("replicas"), endpoint.capacity.concurrency_per_replica
    if replicas is None or each is None:
        return "concurrency", "fine", f"{text}."
    both = known & replicas.known & (np.nan_to_num(replicas.means) > 0)
    if not both.any():
        return "concurrency", "fine", f"{text}."
    used = track.means[both] / (replicas.means[both] * each)
    full = float((used >= 1).mean())
    text += f"; at {number(each)} a replica that is {percent(float(np.median(used)))} of its replicas at the median"
    text += f", and all of them in {percent(full)} of the stretches" if full else ""
    return "concurrency", "watch" if full >= SHORT else "fine", f"{text}."


def _little(endpoint: Endpoint, measured: Measured) -> Said | None:
    latency, requests = measured.tracks.get("latency"), measured.tracks.get("requests")
    if latency is None or requests is None:
        return None
    both = latency.known & requests.known
    if not both.any():
        return None
    bound = float(np.max(latency.means[both] / 1_000 * requests.means[both]))
    text = (
        f"the concurrency of {endpoint.name} is not measured; by Little's law it was at most"
        f" {about(bound)} (requests per second times p95)"
    )
    return "concurrency", "fine", f"{text}."


def scaling(endpoint: Endpoint, measured: Measured) -> Said | None:
    """Advise on replicas; ``None`` where concurrency or what a replica takes is not known."""
    track, each = measured.tracks.get("concurrency"), endpoint.capacity.concurrency_per_replica
    if track is None or each is None:
        return None
    aimed = each * endpoint.capacity.utilisation / 100
    peaks = track.peaks + _waiting(measured, len(track.peaks))
    need = np.ceil(peaks / aimed)
    head = _head_room(endpoint, track.means, track.peaks, track.step_s, each)
    quiet = float(np.nanpercentile(track.peaks, QUIET))
    least = max(1, math.ceil(quiet / aimed)) + head
    most = max(least, int(np.nanmax(need)))
    cold = endpoint.capacity.cold_start_s
    room = f" ({head:,} of them so that a rise within a cold start of {lasting(cold)} finds room)" if cold else ""
    text = (
        f"scale {endpoint.name} on concurrency at {about(aimed)} a replica and on a queue that is not empty:"
        f" at least {least:,}{room} and at most {most:,} replicas"
    )
    level, more = _compared(measured, need)
    text += more
    limit = endpoint.capacity.max_replicas
    if limit is not None and most > limit:
        level = "act"
        text += f"; that is more than the {limit:,} it may have"
    return "scaling", level, f"{text}."


def _waiting(measured: Measured, size: int) -> Floats:
    queued = measured.tracks.get("queue")
    return np.zeros(size) if queued is None else np.nan_to_num(queued.peaks)


def _head_room(endpoint: Endpoint, means: Floats, peaks: Floats, step_s: int, each: float) -> int:
    cold = endpoint.capacity.cold_start_s
    if not cold:
        return 0
    back = max(1, math.ceil(cold / step_s))
    rises = peaks[back:] - means[:-back]
    rises = rises[~np.isnan(rises)]
    return 0 if not len(rises) else max(0, math.ceil(float(np.percentile(rises, RISE)) / each))


def _compared(measured: Measured, need: Floats) -> tuple[Level, str]:
    """Compare what was needed with what was there."""
    replicas = measured.tracks.get("replicas")
    if replicas is None:
        return "fine", "; how many there were is not measured"
    both = ~np.isnan(need) & replicas.known
    if not both.any():
        return "fine", "; how many there were is not measured"
    there, wanted = np.round(replicas.means[both]), need[both]
    few, many = float((there < wanted).mean()), float((there > wanted + 1).mean())
    text = (
        f"; there were too few in {percent(few)} of the stretches, and at least two more than needed in {percent(many)}"
    )
    return ("act" if few >= SHORT else "watch" if many >= 0.5 else "fine"), text
