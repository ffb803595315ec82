"""The review of an ops review.

Rules: pure, and a function of stored evidence and of the operations file alone: everything is worked out again, and a
finding stands only where exactly the same comes out. What cites evidence that this run has not read does not stand.
"""

from collections.abc import Mapping, Sequence

from twokey.agents.incident.operations.book import Book
from twokey.agents.incident.operations.steps import findings_of
from twokey.core.canonical import Json
from twokey.core.values import Finding


def unfit(book: Book, found: Sequence[Finding], held: Mapping[str, Json], running: str) -> dict[str, str]:
    """Give the findings that do not stand, with the code of the reason; ``held`` is the evidence of this run."""
    again = {finding.id: finding for finding in findings_of(book, held, running)}
    wrong: dict[str, str] = {}
    for finding in found:
        if not finding.evidence:
            wrong[finding.id] = "no_evidence"
        elif not set(finding.evidence) <= set(held):
            wrong[finding.id] = "unknown_evidence"
        elif again.get(finding.id) != finding:
            wrong[finding.id] = "unsupported_number"
    return wrong
