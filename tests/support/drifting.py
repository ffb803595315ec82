"""Seeded tables that change from one day to the next, or do not."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

Columns = dict[str, list[Any]]
PLANS = ("free", "team", "business", "trial")


def draw(seed: int, rows: int, **changes: Any) -> Columns:
    """Rows of an ordinary table; ``changes`` shift its distributions."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    shift, scale = changes.get("shift", 0.0), changes.get("scale", 1.0)
    weights = changes.get("weights", (50, 30, 15, 5))
    missing = changes.get("missing", 0.08)
    return {
        "load": [round(random.gauss(10 + shift, 2 * scale), 3) for _ in range(rows)],
        "spent": [round(random.lognormvariate(3 + shift, 1.2 * scale), 2) for _ in range(rows)],
        "seats": [min(40, int(random.expovariate(0.3 / (1 + shift)))) for _ in range(rows)],
        "wait": [round(random.random() * scale + shift, 4) for _ in range(rows)],
        "plan": random.choices(changes.get("plans", PLANS), weights, k=rows),
        "grade": [None if random.random() < missing else random.choice("abc") for _ in range(rows)],
    }


def numbered(count: int, make: Callable[[int], Mapping[str, int]]) -> dict[str, int]:
    """Add up what ``make`` counts for each of so many seeds."""
    found: dict[str, int] = {}
    for seed in range(count):
        for key, value in make(seed).items():
            found[key] = found.get(key, 0) + value
    return found
