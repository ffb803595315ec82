"""What a new workspace begins with where it is to look after tickets: its settings, and a first routing file.

Rules: everybody named is in the file, in the teams that are their groups; the teams that answer for models, the
platform and risk stand in that order and others below them; what a team knows better it changes in the file.
"""

from collections.abc import Mapping, Sequence
from typing import Final

ROUTING: Final = "routing.yaml"
PLACE: Final = "tickets"
_LADDER: Final = ("model-owners", "platform-owners", "risk-owners")
_ABOUT: Final = """# Who looks after what: docs/triage.md tells every key. Only people named here are ever assigned.
# Beside a name, `account:` is how the tracker calls them: mia: {account: mia-o}
"""
_MORE: Final = """# areas: {billing: platform-owners}   # a label, or a word of the ticket
# on_call:
#   platform-owners: {zone: Europe/Berlin, from: 2026-01-05 09:00, days: 7, turns: [NAME, NAME]}
"""


def sections(location: str) -> dict[str, Mapping[str, str | int]]:
    """Give the tables of ``twokey.toml`` for the tickets at ``location``: a folder, or the address of a project."""
    return {
        f"places.{PLACE}": {"kind": "tickets", "location": location},
        "triage": {"tickets": PLACE, "routing": ROUTING},
    }


def routing(people: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """Give the text of a first routing file for people with their groups."""
    teams: dict[str, list[str]] = {}
    for name, groups in people:
        for group in groups:
            teams.setdefault(group, []).append(name)
    others = [team for team in teams if team not in _LADDER]
    rungs = [*others, *(team for team in _LADDER if team in teams)]
    default = "platform-owners" if "platform-owners" in teams else rungs[0]
    lines = ["people: {" + ", ".join(f"{name}: " for name, _ in people) + "}", "ladder:   # lowest rung first"]
    lines += [f"  {team}: [{', '.join(teams[team])}]" for team in rungs]
    lines += [
        f"default: {default}   # looks first where nothing says more",
        f"private: {rungs[-1]}   # reports of weaknesses",
    ]
    return _ABOUT + "\n".join(lines) + "\n" + _MORE
