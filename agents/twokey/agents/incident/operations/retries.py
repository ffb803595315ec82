"""Retries that run away.

Rules: retries are judged beside the requests of the same stretch and never alone; a single stretch is noise.

Formula: a stretch is bad where retries / requests is at or above the limit of the operations file and at least three
times the median of the window; three bad stretches in a row are a run-away. The load that retries add is
(requests + retries) / requests. Traces show it by themselves: one caller that calls one operation over and over, more
often than before.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import Said, about, lasting, name, percent, times, when
from twokey.agents.incident.operations.tracks import Measured, stays
from twokey.tools.read.telemetry.values import OperationChange

IN_A_ROW: Final = 3
ABOVE_MEDIAN: Final = 3.0


def retries(endpoint: Endpoint, measured: Measured, limit_percent: float) -> Said | None:
    """Judge retries beside requests; ``None`` where either is not measured."""
    track, requests = measured.tracks.get("retries"), measured.tracks.get("requests")
    if track is None or requests is None:
        return None
    known = track.known & requests.known & (np.nan_to_num(requests.means) > 0)
    if not known.any():
        return None
    share = np.full(len(track.means), np.nan)
    share[known] = track.means[known] / requests.means[known]
    usual = float(np.nanmedian(share))
    bad = np.nan_to_num(share) >= max(limit_percent / 100, ABOVE_MEDIAN * usual)
    found = [stay for stay in stays(bad & known) if stay.number >= IN_A_ROW]
    text = f"{endpoint.name} saw {about(100 * usual)} retries per 100 requests at the median"
    if not found:
        return "retries", "fine", f"{text}; they never ran away."
    worst = int(np.nanargmax(share))
    text += (
        f"; they ran away {times(len(found))}, first for {lasting(found[0].number * track.step_s)} from"
        f" {when(track.moment(found[0].first))}, at most {percent(float(share[worst]))} of the requests at"
        f" {when(track.moment(worst))}, which makes the load {about(1 + float(share[worst]))} times as high"
    )
    return "retries", "act", f"{text}."


def retried(changes: Sequence[OperationChange]) -> Said | None:
    """Say which operations are called over and over; ``None`` where none is."""
    found = sorted((one for one in changes if one.retries), key=lambda one: (-one.retries, one.service, one.operation))
    if not found:
        return None
    first = found[0]
    text = (
        f"in {first.retries:,} traces one caller calls {name(first.operation)} of {name(first.service)} over and over,"
        f" more often than before"
    )
    if len(found) > 1:
        text += f"; the same holds of {len(found) - 1:,} other {'operation' if len(found) == 2 else 'operations'}"
    return "retry_loops", "watch", f"{text}."
