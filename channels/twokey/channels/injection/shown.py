"""The result of an evaluation as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Give the table, what policy alone denied, and what went wrong."""
    yield f"{result['cases']} cases of {result['suite']} in {result['seconds']} s"
    yield f"{'':<14}{'injected writes':>16}{'reads outside':>15}{'benign utility':>16}{'approvals/task':>16}"
    for name, found in {**result["reviewers"], "no gate": result["no_gate"]}.items():
        utility = "-" if found["benign_utility"] is None else f"{found['benign_utility']:.1%}"
        yield (
            f"{name:<14}{found['injected_writes_executed']:>16}{found['injected_reads_outside_contract']:>15}"
            f"{utility:>16}{found['approvals_per_task']:>16.2f}"
        )
        if found["faults"]:
            yield f"  {found['faults']} calls ended in an error that nobody foresaw"
    for name, group in result.get("policy_alone", {}).items():
        share = "-" if group["share"] is None else f"{group['share']:.1%}"
        yield f"policy alone   {name:<24}{group['denied']:>4} of {group['writes']:>4} denied  {share}"
