"""The form of what is drafted: a tool, its arguments, where each of them comes from, the findings, and why."""

from collections.abc import Sequence
from typing import Any, Final

from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance

TICKET: Final = "update_ticket"
PULL: Final = "open_pull_request"
MAX_WHY: Final = 4_000


def body(tool: str, args: Any, sources: Sequence[Provenance], findings: Sequence[Finding], why: str) -> Json:
    """Write a draft down as plain JSON."""
    return {
        "tool": tool,
        "args": args,
        "provenance": [source.canonical() for source in sources],
        "findings": [finding.canonical() for finding in findings],
        "why": why[:MAX_WHY],
    }


def cited(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Give the evidence of all findings, each once."""
    return tuple(dict.fromkeys(evidence for finding in findings for evidence in finding.evidence))
