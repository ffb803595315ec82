"""How pressing a ticket is, with the reasons.

Rules
- What happens counts, and to whom: a standstill, lost or wrong data, people affected, production, a deadline; and what
  makes it bearable: a workaround, a single person, a test system, a matter of looks. Each is worth points.
- What is denied does not count ("no data was lost", "not urgent"); "no workaround" counts as what it says.
- Calling itself urgent is one sign among others and never enough for the highest priority.
- A ticket that gives no sign has no priority. A question or a wish is at most ``normal`` unless it names a deadline or
  something that happens.
- The confidence says how far the points are from the next priority; it is an ordering and, until a team's answers
  calibrate it, no frequency.
"""

from typing import Final

from twokey.agents.triage.phrases import Found, Phrases
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.text import Parts
from twokey.agents.triage.values import Judgement, Priority

_STANDSTILL: Final = (
    "outage", "is down", "are down", "went down", "completely down", "nothing works", "cannot work", "can't work",
    "unusable", "blocked", "blocks us", "blocking", "blocker", "stopped working", "hangs", "oom", "oomkilled",
    "out of memory", "crash*", "fails every", "keeps failing", "all jobs fail", "failed for all", "no scores",
    "no data since", "not running", "deadlock*", "unavailable", "does not start", "doesn't start",
)  # fmt: skip
_DATA: Final = (
    "data loss", "lost data", "data was lost", "data is lost", "data are lost", "loses data", "losing data", "corrupt*",
    "overwrote", "overwritten", "deleted by mistake", "wrong numbers", "wrong scores", "wrong results",
    "silently wrong", "wrong predictions", "duplicate rows", "double counted", "double-counted", "charged twice",
    "billed twice", "wrong invoice*", "stale", "leak*",
)  # fmt: skip
_SCOPE: Final = (
    "all users", "all customers", "every user", "every customer", "everyone", "everybody", "all teams", "whole team",
    "entire", "all accounts", "all regions", "many customers", "many users", "hundreds of", "thousands of",
    "customers are affected", "users are affected", "paying customer*",
)  # fmt: skip
_PRODUCTION: Final = ("production", "prod", "in prod", "live system", "customer-facing", "on-call", "paged", "pager")
_DEADLINE: Final = (
    "deadline", "by tomorrow", "by tonight", "by monday", "by tuesday", "by wednesday", "by thursday", "by friday",
    "by end of", "by the end of", "until tomorrow", "month-end", "month end", "quarter end", "board meeting",
    "audit next", "audit is", "regulator*", "contract ends", "go-live", "before the release", "release is",
)  # fmt: skip
_NO_WAY: Final = ("no workaround", "no known workaround", "without a workaround", "no other way", "no way around")
_URGED: Final = (
    "urgent",
    "urgently",
    "asap",
    "critical",
    "as soon as possible",
    "immediately",
    "emergency",
    "sev1",
    "p0",
    "p1",
)
_REGRESSION: Final = (
    "regression",
    "since the last release",
    "since yesterday",
    "since this morning",
    "since the upgrade",
    "worked before",
    "used to work",
    "no longer works",
    "since the update",
)
_BEARABLE: Final = (
    "workaround", "work around", "for now we", "one user", "only one", "only me", "just me", "a single", "on staging",
    "in staging", "test system", "on my laptop", "locally", "sometimes", "rarely", "intermittent*", "flaky",
)  # fmt: skip
_SMALL: Final = (
    "typo", "cosmetic", "nice to have", "nice-to-have", "would be nice", "minor", "low priority", "no hurry", "no rush",
    "whenever", "some day", "someday", "wording", "misspell*", "alignment", "colour of", "color of", "icon",
    "not urgent", "isn't urgent", "trivial",
)  # fmt: skip

_SIGNS: Final[tuple[tuple[str, int, tuple[str, ...]], ...]] = (
    ("Something stands still", 3, _STANDSTILL),
    ("Data is lost or wrong", 4, _DATA),
    ("Many are affected", 3, _SCOPE),
    ("It is about production", 2, _PRODUCTION),
    ("There is a deadline", 2, _DEADLINE),
    ("There is no way around it", 2, _NO_WAY),
    ("It asks for haste", 2, _URGED),
    ("It worked before", 1, _REGRESSION),
    ("There is a way to live with it", -2, _BEARABLE),
    ("It is small", -4, _SMALL),
)
_ALWAYS: Final = frozenset((*_NO_WAY, "not urgent", "isn't urgent", "no hurry", "no rush", "cannot work", "can't work"))
"""Phrases whose denial is their meaning."""
_FOUND: Final = Phrases(tuple(phrase for _, _, listed in _SIGNS for phrase in listed))
_GROUP: Final = {phrase: (said, points) for said, points, listed in _SIGNS for phrase in listed}
_FROM: Final[tuple[tuple[int, Priority], ...]] = ((8, "urgent"), (4, "high"), (-3, "normal"))
_HASTE: Final = "It asks for haste"
_BEARABLE_SAID: Final = "There is a way to live with it"
_QUIET: Final = frozenset({"feature", "question", "docs", "access"})
_HAPPENS: Final = frozenset({"Something stands still", "Data is lost or wrong", "There is a deadline"})


def judge(parts: Parts, family: str | None) -> Judgement | None:
    """Tell how pressing a ticket is; ``family`` is what kind it is, in the general reader's words."""
    groups = _groups(_FOUND.find(parts))
    if family in _QUIET:
        # "on my laptop" in a question makes nothing bearable
        groups.pop(_BEARABLE_SAID, None)
    if not groups:
        return None
    points = sum(_points(name) for name in groups)
    if set(groups) <= {_HASTE}:
        points = min(points, 3)
    level = next((name for least, name in _FROM if points >= least), "low")
    if level == "urgent" and _HASTE in groups and points - _points(_HASTE) < _FROM[0][0]:
        level = "high"
    if family in _QUIET and level in {"urgent", "high"} and not _HAPPENS & set(groups):
        level = "normal"
    apart = min(abs(points - least) + (points >= least) for least, _ in _FROM)
    return Judgement(
        value=level,
        confidence_permille=min(900, 550 + 75 * apart),
        reasons=tuple(f"{name}: it says {quoted(words)}." for name, words in groups.items()),
    )


def _groups(found: list[Found]) -> dict[str, str]:
    """Give the signs that are said, each with the first words that say it."""
    result: dict[str, str] = {}
    for each in found:
        if not each.denied or each.phrase in _ALWAYS:
            result.setdefault(_GROUP[each.phrase][0], each.words)
    if "There is no way around it" in result:
        result.pop(_BEARABLE_SAID, None)
    return result


def _points(name: str) -> int:
    return next(points for said, points, _ in _SIGNS if said == name)
