"""What an ops review said, for a person to read: first what wants somebody, then what is not known, then the rest.

Rules: everything that was said is shown, whole; outside text is made harmless here.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from twokey.channels import plain
from twokey.core.values import Finding

PREFIX: Final = "ops_"
_UNKNOWN: Final = frozenset({"ops_not_known", "ops_shortfall"})
_MOST: Final = 1_000


def is_review(findings: Sequence[Finding]) -> bool:
    """Tell whether findings are those of an ops review."""
    return bool(findings) and all(finding.kind.startswith(PREFIX) for finding in findings)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Give the lines about an ops review."""
    wanted = [finding for finding in findings if finding.attention]
    unknown = [finding for finding in findings if not finding.attention and _is_unknown(finding)]
    fine = [finding for finding in findings if not finding.attention and not _is_unknown(finding)]
    for title, mark, part in (("wants somebody", "!", wanted), ("not known", "?", unknown), ("fine", " ", fine)):
        if part:
            yield f"{title} ({len(part):,})"
            yield from (f"  {mark} {plain.line(finding.claim, _MOST)}" for finding in part)


def _is_unknown(finding: Finding) -> bool:
    return finding.kind in _UNKNOWN or finding.confidence == 100
