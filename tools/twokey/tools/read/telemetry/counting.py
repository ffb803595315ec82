"""How much there is in an answer, in numbers: what a log and a list of evidence may say of it."""

from twokey.tools.read.telemetry.changes.grounds import Grounds
from twokey.tools.read.telemetry.operations.values import OperationsResult, RunningResult
from twokey.tools.read.telemetry.values import (
    AlertsResult,
    Answer,
    EventsResult,
    IncidentsResult,
    InventoryResult,
    LogsResult,
    MetricsResult,
    OverviewResult,
    SeriesResult,
    TopologyResult,
    TracesResult,
)


def counted(answer: Answer) -> str:
    """Say how much there is in an answer; no word of what was read."""
    match answer:
        case SeriesResult():
            return f"{sum(len(one.points) for one in answer.series)} points of {len(answer.series)} series"
        case LogsResult():
            return f"{len(answer.changes)} changes in {answer.lines_before + answer.lines_after} lines"
        case TracesResult():
            return f"{len(answer.changes)} changes in {answer.spans_before + answer.spans_after} spans"
        case OperationsResult():
            return f"{len(answer.loads)} series in stretches of {answer.step_s} s"
        case RunningResult():
            return f"{len(answer.services)} services with {answer.series} series"
        case Grounds():
            return f"{len(answer.services)} services with {len(answer.harms)} signs"
        case OverviewResult():
            records = sum(one.after for one in answer.signals)
            return f"{len(answer.services)} services with {records} records in the window"
        case _:
            return _listed(answer)


def _listed(
    answer: IncidentsResult | MetricsResult | InventoryResult | TopologyResult | EventsResult | AlertsResult,
) -> str:
    match answer:
        case IncidentsResult():
            what, count = "incidents", len(answer.incidents)
        case MetricsResult():
            what, count = "metrics", len(answer.changes)
        case InventoryResult():
            what, count = "series", len(answer.series)
        case TopologyResult():
            what, count = "calls between services", len(answer.calls)
        case EventsResult():
            what, count = "events", len(answer.events)
        case AlertsResult():
            what, count = "alerts", len(answer.alerts)
    return f"{count} {what} of {count + answer.left_out}"
