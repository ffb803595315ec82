"""What an endpoint costs: by day, by request, and by request per second.

Rules: cost is a rate in the currency per hour; where it has no sample nothing is added, and the sentence says for how
many hours it was measured. A budget that is not stated is not judged.

Formulas: cost of the window = sum of the rate times the length of each stretch; per day = that over the days that were
measured; per 1,000 requests and per request per second use only stretches in which both were measured.
"""

import numpy as np

from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import Level, Said, money, number, percent
from twokey.agents.incident.operations.tracks import Measured


def cost(endpoint: Endpoint, measured: Measured, currency: str) -> Said | None:
    """Say what it cost; ``None`` where that is not measured."""
    track, requests = measured.tracks.get("cost"), measured.tracks.get("requests")
    if track is None:
        return None
    hours = track.hours
    spent = float(np.nansum(track.means)) * track.step_s / 3_600
    by_day = spent / hours * 24
    found = [(by_day, endpoint.budget.per_day, "a day")]
    if requests is not None:
        both = track.known & requests.known
        asked = float(requests.means[both].sum()) * track.step_s
        rate = float(requests.means[both].mean()) if both.any() else 0.0
        paid = float(track.means[both].sum()) * track.step_s / 3_600
        if asked > 0:
            found.append((paid / asked * 1_000, endpoint.budget.per_1000_requests, "per 1,000 requests"))
            hourly = paid / (float(both.sum()) * track.step_s / 3_600)
            found.append((hourly / rate, endpoint.budget.per_request_per_second, "an hour per request per second"))
    parts: list[str] = []
    level: Level = "fine"
    for value, budget, of in found:
        part = f"{money(value, currency)} {of}"
        if budget is not None:
            part += f" (budget {money(budget, currency)})" if value <= budget else _over(value, budget, currency)
            if value > budget:
                level = "act" if level == "act" or value >= 1.2 * budget else "watch"
        parts.append(part)
    text = (
        f"{endpoint.name} cost {money(spent, currency)} in {number(round(hours, 1))} measured hours: {', '.join(parts)}"
    )
    return "cost", level, f"{text}."


def _over(value: float, budget: float, currency: str) -> str:
    return f" ({percent(value / budget - 1)} above the budget of {money(budget, currency)})"
