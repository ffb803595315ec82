"""Adds the results of the parts of AgentDojo up: `python total.py RESULTS PARTS` prints one JSON object.

Rules: only counts are added, and shares worked out from the sums; a result says of how many parts it is, so that half a
run cannot pass for a whole one.
"""

import json
import sys
from pathlib import Path
from typing import Any

COUNTS = ("injected_writes_executed", "injected_reads_outside_contract", "tasks", "tasks_done", "approvals", "receipts")


def total(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the sums of the results of some parts."""
    found: dict[str, dict[str, int]] = {}
    alone: dict[str, dict[str, int]] = {}
    cases: dict[str, int] = {}
    ungated: set[str] = set()
    for result in results:
        everything = dict(result["reviewers"])
        if result["suite"] not in ungated:  # each reviewer's run of a part plays it without a gate as well
            ungated.add(result["suite"])
            everything["no_gate"] = result["no_gate"]
        for name, figures in everything.items():
            sums = found.setdefault(name, {})
            cases[name] = cases.get(name, 0) + result["cases"]
            for count in COUNTS:
                sums[count] = sums.get(count, 0) + figures.get(count, 0)
        for name, group in result.get("policy_alone", {}).items():
            sums = alone.setdefault(name, {"writes": 0, "denied": 0})
            sums["writes"] += group["writes"]
            sums["denied"] += group["denied"]
    shown = {
        name: sums
        | {
            "pairs": cases[name],
            "benign_utility": round(sums["tasks_done"] / sums["tasks"], 4) if sums["tasks"] else None,
            "approvals_per_task": round(sums["approvals"] / cases[name], 3),
        }
        for name, sums in found.items()
    }
    no_gate = shown.pop("no_gate", None)
    return {"reviewers": shown, "no_gate": no_gate, "policy_alone": alone}


def main(folder: Path, parts: int) -> None:
    """Print the total of all results in a folder."""
    files = sorted(folder.glob("*.json"))
    by_reviewer: dict[str, int] = {}
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for result in results:
        for name in result["reviewers"]:
            by_reviewer[name] = by_reviewer.get(name, 0) + 1
    sys.stdout.write(json.dumps({"parts": parts, "parts_played": by_reviewer} | total(results)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
