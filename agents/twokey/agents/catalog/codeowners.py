"""Reads ``CODEOWNERS``: which pattern names whom.

Rules: the file that GitHub reads counts (``.github/``, the top, ``docs/``), and of it the last rule that matches. What
it says is outside text. Bounded: rules, their length, and time.

Format: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

MAX_RULES: Final = 2_000
MAX_PATTERN: Final = 300
MAX_OWNERS: Final = 5
_PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: the segments of its pattern, and the owners (none: nobody)."""

    segments: tuple[str, ...]
    owners: tuple[str, ...]

    def fits(self, path: str) -> bool:
        """Tell whether the rule is about a file or a folder above it."""
        parts = path.split("/")
        reached = {0}
        for segment in self.segments:
            if segment == "**":
                reached = set(range(min(reached), len(parts) + 1)) if reached else reached
                continue
            reached = {at + 1 for at in reached if at < len(parts) and fnmatchcase(parts[at], segment)}
        below = self.segments[-1] not in {"*", "**"}  # a/* is about the files of a, not about its folders
        return len(parts) in reached or (below and bool(reached))


def rules(text: str) -> tuple[Rule, ...]:
    """Read a ``CODEOWNERS`` file; lines that are too long or make no pattern are passed over."""
    found: list[Rule] = []
    for line in text.splitlines()[:MAX_RULES]:
        pattern, *owners = line.partition(" #")[0].split() or [""]
        if not pattern or pattern.startswith("#") or len(pattern) > MAX_PATTERN:
            continue
        names = tuple(owner for owner in owners if "@" in owner)[:MAX_OWNERS]
        segments = [segment.replace("[", "[[]") for segment in pattern.split("/") if segment]
        if "/" not in pattern.rstrip("/"):
            segments.insert(0, "**")
        if pattern.endswith("/") and segments:
            segments.append("**")
        if segments:
            found.append(Rule(tuple(segments), names))
    return tuple(found)


def of_repository(contents: Mapping[str, bytes]) -> tuple[Rule, ...]:
    """Give the rules of the file that counts; none where there is none."""
    place = next((path for path in _PLACES if path in contents), None)
    return rules(contents[place].decode("utf-8", "replace")) if place is not None else ()


def owners_of(path: str, listed: tuple[Rule, ...]) -> tuple[str, ...] | None:
    """Give whom the last rule that matches names; None where no rule does."""
    return next((rule.owners for rule in reversed(listed) if rule.fits(path)), None)
