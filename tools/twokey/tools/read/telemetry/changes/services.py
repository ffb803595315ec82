"""What the strengths of metrics say about each service, by kind of harm.

Rules:
- ``slow`` (latency measured at the service), ``waits`` (latency measured where it calls others), ``fails`` (errors up
  or availability down), ``strained`` (saturation up), ``grown`` (memory up) and ``restarted`` (memory that fell by
  half and more), ``quiet`` (traffic down), ``silent`` (samples missing that used to be there, beyond what is missing
  everywhere);
- a service's harm of a kind is that of its strongest metric, less what the same metric showed in its own past;
- the array of a kind has one row per service and the columns of ``Strengths``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from twokey.tools.read.telemetry.changes.grid import Grid
from twokey.tools.read.telemetry.changes.grounds import Harm
from twokey.tools.read.telemetry.changes.strengths import Strengths, pasts_of
from twokey.tools.read.telemetry.port import Floats

Rows: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
HARMS: Final[tuple[Harm, ...]] = ("slow", "waits", "fails", "strained", "grown", "restarted", "quiet", "silent")
_PAST_SHARE: Final = 0.9
_PRESENT: Final = 0.8
_MOST_SILENT: Final = 6.0
_SILENT: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Harms:
    """``found[kind][service, column]``; ``strongest[kind][service]`` is a row of the grid, -1 where there is none."""

    services: tuple[str, ...]
    found: Mapping[Harm, Floats]
    strongest: Mapping[Harm, Rows]


def harms_of(grid: Grid, strengths: Strengths, others: Sequence[str] = ()) -> Harms:
    """Sum the rows of a grid up by service; ``others`` are services without a sample."""
    services = tuple(sorted({each.service for each in grid.series} | set(others)))
    place = {service: at for at, service in enumerate(services)}
    columns = strengths.up.shape[1]
    found: dict[Harm, Floats] = {kind: np.zeros((len(services), columns)) for kind in HARMS}
    strongest: dict[Harm, Rows] = {kind: np.full(len(services), -1, np.int64) for kind in HARMS}

    def take(kind: Harm, service: int, row: int, strength: Floats) -> None:
        if strongest[kind][service] < 0 or strength[0] > found[kind][service][0]:
            strongest[kind][service] = row
        found[kind][service] = np.maximum(found[kind][service], strength)

    own = beyond_own_past(strengths.up), beyond_own_past(strengths.down)
    fell = np.nanmin(np.where(np.isnan(strengths.after), np.inf, strengths.after), axis=1) < strengths.median / 2
    for row, (series, sense) in enumerate(zip(grid.series, strengths.senses, strict=True)):
        service, up, down = place[series.service], own[0][row], own[1][row]
        if sense.meaning == "latency":
            take("waits" if sense.client else "slow", service, row, up)
        elif sense.meaning in ("errors", "availability"):
            take("fails", service, row, up)
        elif sense.memory:
            take("grown", service, row, up)
            if fell[row]:
                take("restarted", service, row, down)
        elif sense.meaning == "saturation":
            take("strained", service, row, up)
        elif sense.meaning == "traffic":
            take("quiet", service, row, down)
    found["silent"] = _silence(grid, services, place, columns)
    return Harms(services, found, strongest)


def beyond_own_past(strengths: Floats) -> Floats:
    """Take off what nine of ten stretches of a row's own past stay below."""
    if strengths.shape[1] < 2:
        return strengths
    usual = np.quantile(strengths[:, 1:], _PAST_SHARE, axis=1)
    return np.maximum(0, strengths - usual[:, None])


def _silence(grid: Grid, services: Sequence[str], place: Mapping[str, int], columns: int) -> Floats:
    """Weigh what is missing of what is usually there, beyond what is missing everywhere and was missing before."""
    missing = np.zeros((len(services), columns))
    width = grid.after.shape[1]
    if not width or not grid.before.shape[1]:
        return missing
    present = np.mean(~np.isnan(grid.before), axis=1) >= _PRESENT
    absent = np.isnan(np.concatenate((grid.after[:, None, :], pasts_of(grid.before, width)), axis=1)).mean(axis=2)
    rows: dict[int, list[int]] = {}
    for row in np.flatnonzero(present).tolist():
        rows.setdefault(place[grid.series[row].service], []).append(row)
    if not rows:
        return missing
    for service, its in rows.items():
        missing[service] = np.median(absent[its], axis=0)
    everywhere = np.median(missing[list(rows)], axis=0)
    silent = _MOST_SILENT * np.maximum(0, missing - everywhere - _SILENT) / (1 - _SILENT)
    return beyond_own_past(silent)
