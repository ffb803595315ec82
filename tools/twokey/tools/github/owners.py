"""Whom a CODEOWNERS file names for the files of a change.

Rules: only the file of the reviewed base commit counts, so a change cannot choose its own reviewers; the last pattern
that fits a path decides, as GitHub reads the file; a pattern that cannot be understood names nobody. The format is that
of "About code owners" in GitHub's documentation.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from twokey.tools.forge import FILE_MODE, TREE_MODE, Reader

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, the first one wins."""
MAX_BYTES: Final = 256 * 1024
MAX_REVIEWERS: Final = 15
"""GitHub takes no more for one pull request."""
_LOGIN: Final = re.compile(r"@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))")
_TEAM: Final = re.compile(r"@[A-Za-z0-9-]{1,39}/([A-Za-z0-9_.-]{1,100})")


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Who is asked to look: people by login, teams by slug."""

    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


def reviewers(reader: Reader, tree: str, paths: Iterable[str]) -> Reviewers:
    """Give those whom the CODEOWNERS file in ``tree`` names for ``paths``, at most ``MAX_REVIEWERS``."""
    text = _file(reader, tree)
    rules = list(_rules(text)) if text else []
    people: dict[str, None] = {}
    teams: dict[str, None] = {}
    for path in paths:
        for owner in next((owners for pattern, owners in reversed(rules) if pattern.match(path)), ()):
            if team := _TEAM.fullmatch(owner):
                teams[team[1]] = None
            elif login := _LOGIN.fullmatch(owner):
                people[login[1]] = None
    asked = tuple(people)[:MAX_REVIEWERS]
    return Reviewers(asked, tuple(teams)[: MAX_REVIEWERS - len(asked)])


def _file(reader: Reader, tree: str) -> str | None:
    for place in PLACES:
        *folders, name = place.encode().split(b"/")
        here: str | None = tree
        for folder in folders:
            entries = reader.directory(here) if here else ()
            here = next((entry.id for entry in entries if (entry.name, entry.mode) == (folder, TREE_MODE)), None)
        entries = reader.directory(here) if here else ()
        file = next((entry.id for entry in entries if (entry.name, entry.mode) == (name, FILE_MODE)), None)
        if file is not None:
            content = reader.blob(file, MAX_BYTES)
            return content.decode("utf-8", "replace") if content is not None else None
    return None


def _rules(text: str) -> Iterator[tuple[re.Pattern[str], tuple[str, ...]]]:
    for line in text.splitlines():
        words = re.sub(r"(^|\s)#.*", "", line).split()
        if words and not re.search(r"[\[\]!\\]", words[0]) and len(words[0]) <= 200 and words[0].count("*") <= 8:
            yield _pattern(words[0]), tuple(words[1:])


def _pattern(glob: str) -> re.Pattern[str]:
    anchored = "/" in glob.rstrip("/")
    parts = [part for part in glob.strip("/").split("/") if part]
    shown = "" if anchored else "(?:[^/]+/)*"
    for number, part in enumerate(parts):
        final = number == len(parts) - 1
        if part == "**":
            shown += ".+" if final else "(?:[^/]+/)*"
        else:
            shown += "".join("[^/]*" if char == "*" else "[^/]" if char == "?" else re.escape(char) for char in part)
            shown += "" if final else "/"
    if glob.endswith("/"):
        return re.compile(f"{shown}/.+", re.DOTALL)
    # `docs/*` means the files in the folder and not those below it; any other name may be a folder
    below = "" if anchored and parts and parts[-1] == "*" else "(?:/.+)?"
    return re.compile(f"{shown}{below}\\Z", re.DOTALL)
