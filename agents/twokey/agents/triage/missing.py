"""What a ticket would need so that somebody can start on it, and does not say.

Rules
- The list depends on the kind: a fault needs what was done, what was expected and what happened, a version and output;
  a wish needs the need behind it; a request for access says to what and who agrees. Where the kind is not told, only a
  missing description is.
- Something is there if a form field that asks for it is answered, or if the text shows it: numbered steps, a version
  number, "instead of", pasted output. Doubt counts as there: asking for what somebody wrote is worse than not asking.
- At most three questions are asked, the most useful first, each a sentence that can be posted as it is.
- The headings of a team's own form (``asked_for``) add what else it wants answered.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from twokey.agents.triage.phrases import Phrases
from twokey.agents.triage.text import Parts
from twokey.agents.triage.values import MissingCode, MissingItem

MOST: Final = 3
SHORT: Final = 25
"""Characters of text below which there is no description."""

_NEEDED: Final[dict[str, tuple[MissingCode, ...]]] = {
    "bug": ("steps", "actual", "expected", "logs", "version"),
    "incident": ("impact", "logs", "actual"),
    "feature": ("need",),
    "access": ("scope", "approver"),
    "question": (),
    "docs": (),
}
_ASK: Final[dict[MissingCode, str]] = {
    "description": "Please describe in a few sentences what this is about.",
    "steps": "Please list the steps that lead to it, so that somebody else can see it happen.",
    "expected": "What did you expect to happen?",
    "actual": "What happened instead?",
    "version": "Which version, commit or model version was it?",
    "environment": "Where did it happen: which environment, system or cluster?",
    "logs": "Please add the error message or the log lines around it, without secrets and personal data.",
    "need": "What would this let you do that you cannot do today?",
    "impact": "Who is affected, since when, and how badly?",
    "scope": "To what exactly do you need access, to read or to write, and until when?",
    "approver": "Who owns it and agrees?",
}
_FIELDS: Final[dict[MissingCode, tuple[str, ...]]] = {
    "steps": ("step", "reproduc", "repro", "minimal example", "code", "how to"),
    "expected": ("expect", "should"),
    "actual": ("actual", "current behav", "what happen", "describe the bug", "description", "problem", "issue"),
    "version": ("version", "release", "commit", "tag"),
    "environment": ("environment", "platform", "os", "operating system", "system info", "cluster", "browser", "device"),
    "logs": ("log", "output", "trace", "error", "screenshot"),
    "need": ("motivation", "use case", "problem", "why", "need", "benefit"),
    "impact": ("impact", "affected", "severity"),
    "scope": ("scope", "resource", "role", "access to", "permission"),
    "approver": ("approv", "owner", "manager"),
}
_SHOWN: Final[dict[MissingCode, Phrases]] = {
    "steps": Phrases(
        (
            "when i",
            "when we",
            "when you",
            "after i",
            "after we",
            "if i",
            "if you",
            "if we",
            "i click*",
            "i open*",
            "i ran",
            "i run",
            "we ran",
            "running",
            "ran",
            "to reproduce",
            "reproduc*",
            "every time",
            "after the",
            "after upgrading",
            "call*",
            "when the",
            "as soon as",
            "with the input",
            "since",
        )
    ),
    "expected": Phrases(
        (
            "expect*",
            "should",
            "shouldn't",
            "instead of",
            "supposed to",
            "rather than",
            "used to",
            "ought to",
            "must",
            "but it",
            "but the",
            "worked before",
            "correct would be",
            "anticipated",
        )
    ),
    "actual": Phrases(
        (
            "instead",
            "but",
            "fails",
            "failed",
            "fail",
            "error*",
            "crash*",
            "shows",
            "show",
            "returns",
            "returned",
            "gives",
            "gets",
            "got",
            "is empty",
            "are empty",
            "wrong",
            "missing",
            "hang*",
            "stop*",
            "does not",
            "doesn't",
            "do not",
            "don't",
            "cannot",
            "can't",
            "no longer",
            "twice",
            "slow*",
            "killed",
            "raises",
            "throws",
            "broken",
            "happens",
            "nothing",
            "null",
            "stale",
            "late",
            "times out",
            "timeout",
        )
    ),
    "environment": Phrases(
        (
            "production",
            "prod",
            "staging",
            "dev",
            "locally",
            "laptop",
            "cluster",
            "kubernetes",
            "docker",
            "linux",
            "ubuntu",
            "windows",
            "macos",
            "mac",
            "chrome",
            "firefox",
            "safari",
            "spark",
            "airflow",
            "databricks",
            "snowflake",
            "postgres*",
            "bigquery",
            "aws",
            "gcp",
            "azure",
            "python",
            "java",
            "namespace",
            "server",
            "node*",
        )
    ),
    "need": Phrases(
        (
            "so that",
            "because",
            "in order to",
            "so we",
            "so i",
            "currently",
            "today",
            "at the moment",
            "now",
            "as a",
            "as an",
            "i want to",
            "we want to",
            "i need to",
            "we need to",
            "would help",
            "would let",
            "would allow",
            "allows",
            "useful",
            "helps",
            "hard to",
            "difficult",
            "have to",
            "by hand",
            "manually",
            "use case",
            "to avoid",
            "otherwise",
            "problem",
            "annoying",
            "confus*",
            "saves",
            "without it",
            "makes it",
        )
    ),
    "impact": Phrases(
        (
            "customer*",
            "user*",
            "team*",
            "everyone",
            "everybody",
            "all",
            "affected",
            "impact*",
            "since",
            "minutes",
            "hours",
            "percent",
            "orders",
            "accounts",
            "revenue",
            "nobody",
            "production",
            "reports",
        )
    ),
    "scope": Phrases(
        (
            "read",
            "read-only",
            "write",
            "admin",
            "role",
            "schema",
            "table*",
            "bucket*",
            "repository",
            "dashboard*",
            "project",
            "group",
            "until",
            "for the",
            "to the",
            "viewer",
            "editor",
            "warehouse",
            "cluster",
            "queue",
        )
    ),
    "approver": Phrases(
        (
            "approved",
            "approves",
            "agreed",
            "agrees",
            "owner*",
            "manager",
            "lead",
            "ok from",
            "okay from",
            "signed off",
            "confirmed by",
            "is fine with",
        )
    ),
}
_FAILS: Final = Phrases(
    ("fails", "failed", "failing", "fail", "failure", "error*", "crash*", "exception*", "killed", "raises", "throws",
     "exit code", "times out", "timeout", "timed out", "down", "unreachable", "500", "503")
)  # fmt: skip
_NUMBERED: Final = re.compile(r"(?:[1-9]|step \d)[.):] ?\S", re.IGNORECASE)
_VERSION: Final = re.compile(
    r"\bv?\d{1,4}\.\d{1,6}|\b[0-9a-f]{7,40}\b|\bv\d{1,3}\b|-\d{1,3}\.\d|\bversion \d", re.IGNORECASE
)
_BLANK: Final = frozenset({"", "_no response_", "no response", "n/a", "na", "none", "-", "?", "tbd", "todo", "..."})


def of(parts: Parts, family: str | None, asked_for: Sequence[str] = ()) -> tuple[MissingItem, ...]:
    """Give what is missing, the most useful first."""
    said = " ".join(parts.prose)
    if len(said) + len(" ".join(parts.pasted)) < SHORT and len(parts.title) + len(said) < 2 * SHORT:
        return (MissingItem(code="description", ask=_ASK["description"]),)
    found: list[MissingCode] = [code for code in _needed(family or "", asked_for) if not _there(code, parts)]
    return tuple(MissingItem(code=code, ask=_ASK[code]) for code in found[:MOST])


def _needed(family: str, asked_for: Sequence[str]) -> Iterator[MissingCode]:
    listed = _NEEDED.get(family)
    if listed is None:
        return
    yield from listed
    if family in {"question", "docs"}:
        return
    for code in _asked(asked_for):
        if code not in listed:
            yield code


def _asked(headings: Sequence[str]) -> list[MissingCode]:
    names = [heading.casefold() for heading in headings]
    return [code for code, words in _FIELDS.items() if any(word in name for name in names for word in words)]


def _there(code: MissingCode, parts: Parts) -> bool:
    if any(_answers(code, index, parts) for index in range(len(parts.fields))):
        return True
    if code == "logs":
        # only what fails leaves output; wrong numbers do not
        return bool(parts.pasted or parts.images or parts.fences) or not _FAILS.find(parts)
    if code == "actual" and parts.pasted:
        return True
    if code == "version":
        return any(_VERSION.search(line) is not None for line in (parts.title, *parts.prose[:80], *parts.pasted[:80]))
    if code == "steps" and (parts.fences or any(_NUMBERED.match(line) is not None for line in parts.prose)):
        return True
    shown = _SHOWN.get(code)
    return shown is not None and bool(shown.find(parts))


def _answers(code: MissingCode, index: int, parts: Parts) -> bool:
    name, answer = parts.fields[index]
    if not any(word in name for word in _FIELDS.get(code, ())):
        return False
    if answer:
        return answer.strip() not in _BLANK
    # a long answer stands in the text below the heading; only an empty one is followed by another heading at once
    place = next((place for place, line in enumerate(parts.prose) if line.casefold().startswith(name)), None)
    after = parts.prose[place + 1 : place + 2] if place is not None else ()
    names = {other for other, _ in parts.fields}
    return bool(after and after[0].casefold().strip(" :?.*") not in names) or bool(parts.fences)
