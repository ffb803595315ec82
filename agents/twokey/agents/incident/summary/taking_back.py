"""The suspected change as a commit: which one it is, and whether it can be taken back.

Rules:
- only where the ranking names a cause, and exactly one change of it came shortly before the onset;
- a commit is named by the text of that change, which is outside text: it is looked up in the repositories that the
  settings say the service is deployed from, among what came into their branch on the day before, and nowhere else;
- where two repositories hold it, or none, it is not known which it is;
- that a commit came before is no proof that it did it, and no sentence says so: people decide.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.incident.material import Held
from twokey.agents.incident.shown import clock, name
from twokey.agents.incident.summary.pointing import close_changes
from twokey.agents.incident.summary.said import Said, say
from twokey.agents.incident.summary.story import Story
from twokey.agents.incident.timeline import Moment
from twokey.tools.read.commits import CommitRead, Undo

DAY_US: Final = 24 * 3600 * 1_000_000
AHEAD_US: Final = 10 * 60 * 1_000_000
"""By how much the clock of whoever committed may be ahead."""
SURE: Final = 12
"""Digits from which an id may be of decimal digits alone: a shorter one is a number or a date."""
_ID: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{7,40}(?![0-9A-Za-z])")
_KINDS: Final = {
    "clean": "actions_revert",
    "drafted": "actions_revert_drafted",
    "taken_back": "actions_revert_done",
    "changed_since": "actions_revert_changed",
    "speaks_of_security": "actions_revert_security",
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """The one change, and what a repository tells of its commit."""

    change: Moment
    held: Held[CommitRead]


def named(text: str) -> str | None:
    """Give the id that a text names: the word it begins with, else the only one in it."""
    found = [one for one in _ID.findall(text) if len(one) >= SURE or not one.isdecimal()]
    if found and text.startswith(found[0]):
        return found[0]
    return found[0] if len(found) == 1 else None


def _change(story: Story) -> tuple[Moment, str] | None:
    cause = story.suspicion.cause
    changes = close_changes(story, cause) if cause is not None else []
    commit = named(changes[0].text) if len(changes) == 1 else None
    return (changes[0], commit) if commit is not None else None


def asks(story: Story) -> Iterator[dict[str, Any]]:
    """Give what repositories are asked: the arguments of ``read_catalog``."""
    found = _change(story)
    if found is None:
        return
    change, commit = found
    stretch = {"since_us": max(0, change.at_us - DAY_US), "until_us": change.at_us + AHEAD_US}
    for place, service in story.deployed:
        if service == change.service:
            yield {"repository": place, "undo": {"commit": commit, **stretch}}


def suspect(story: Story) -> Suspect | None:
    """Give the commit that is suspected, as it was read; None where there is none, or more than one."""
    found = _change(story)
    asked = [(args["repository"], Undo.model_validate(args["undo"])) for args in asks(story)]
    answers = [held for held in story.material.commits if (held.answer.name, held.answer.asked) in asked]
    here = [held for held in answers if held.answer.commit is not None] or answers[:1]
    return Suspect(found[0], here[0]) if found is not None and len(here) == 1 else None


def told(story: Story) -> Iterator[Said]:
    """Say what is to be decided about the commit."""
    found = suspect(story)
    if found is None:
        return
    change, read = found.change, found.held.answer
    service = name(change.service)
    fields = {"service": service, "at": clock(change.at_us), "kind": name(change.what), "place": name(read.name)}
    fields["owner"] = story.owner(change.service)
    evidence = (*change.evidence, found.held.evidence)
    if read.commit is None:
        yield say("actions_revert_unknown", service, evidence, **fields)
    else:
        yield say(_KINDS.get(read.code, "actions_revert_by_hand"), service, evidence, commit=read.id, **fields)
