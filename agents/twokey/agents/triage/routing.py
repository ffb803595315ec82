"""Who should look at a ticket, and why.

Rules:
- first the rung of the ladder (who answers for models, for the platform, for risk), then the team of the area, then a
  person: the owner of a file that the ticket names, who is on call, who handled such tickets before, and among equals
  who has least to do;
- only people whom the routing file lists can be named: what a ticket says decides where to look, never whom to name;
- a gap in a schedule, an owner who is not listed and a tie are said and not guessed away;
- each route says who comes next where nobody acts: somebody else of the team, then the rung above.

The file (YAML)::

    people:
      mia: {account: mia-o}            # as the tracker calls her; the name itself where it is left out
    ladder:                            # lowest first; the last one gets what is left
      model-owners: [mia]
      platform-owners: [sam, ana]
      risk-owners: [rita]
    areas:                             # label of an area, or a word of the ticket -> team
      scores: model-owners
    default: platform-owners
    private: risk-owners               # who gets reports of weaknesses
    on_call:
      platform-owners: {zone: Europe/Berlin, from: 2026-11-02 09:00, days: 7, turns: [sam, ana]}
    away:                              # gaps; local times of the zone
      - {who: sam, zone: Europe/Berlin, from: 2026-12-24 00:00, until: 2026-12-27 00:00}
    owners: CODEOWNERS                 # a file beside this one; names as the tracker calls them, or teams
    answer_hours: {urgent: 1, high: 8, normal: 24, low: 72}
"""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from twokey.core.errors import BadInput
from twokey.tools.write.ticket_change import Account

MAX_FILE: Final = 256 * 1024
_PATH: Final = re.compile(
    r"(?<![\w/.@-])(?:[\w.-]{1,80}/){1,10}[\w.-]{1,80}|(?<![\w/.@-])[\w-]{1,80}\.(?:sql|py|ya?ml|csv)\b"
)
_MOST_PATHS: Final = 50
_TEXT: Final = 20_000

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("write a time zone such as Europe/Berlin") from error
    return name


Zone = Annotated[str, StringConstraints(max_length=60), AfterValidator(_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Part):
    """Somebody who can be assigned."""

    account: Account | None = None


class Turns(_Part):
    """A schedule: people take turns of so many days, from a local time on."""

    zone: Zone
    starts: Annotated[datetime, Field(alias="from")]
    days: Annotated[int, Field(ge=1, le=90)]
    turns: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]

    def at(self, now: datetime) -> str | None:
        """Give whose turn it is at an instant; nobody's before the schedule begins. Days are local days."""
        local = now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        passed = (local - self.starts.replace(tzinfo=None)).days
        return None if passed < 0 else self.turns[passed // self.days % len(self.turns)]


class Away(_Part):
    """A gap: somebody is not there."""

    who: Name
    zone: Zone
    starts: Annotated[datetime, Field(alias="from")]
    until: datetime

    def covers(self, now: datetime) -> bool:
        """Tell whether an instant lies in the gap."""
        local = now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        return self.starts.replace(tzinfo=None) <= local < self.until.replace(tzinfo=None)


class Routing(_Part):
    """Who looks after what, and when."""

    people: dict[Name, Person | None] = Field(default_factory=dict)
    ladder: dict[Name, tuple[Name, ...]]
    areas: dict[Annotated[str, StringConstraints(min_length=1, max_length=50)], Name] = Field(default_factory=dict)
    default: Name
    private: Name
    on_call: dict[Name, Turns] = Field(default_factory=dict)
    away: tuple[Away, ...] = ()
    owners: str = ""
    answer_hours: dict[Literal["urgent", "high", "normal", "low"], Annotated[int, Field(ge=1, le=1000)]] = Field(
        default_factory=lambda: {"urgent": 1, "high": 8, "normal": 24, "low": 72}
    )
    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What the owners file says, worked out when the file is read."""

    @model_validator(mode="after")
    def _names_exist(self) -> "Routing":
        teams = {self.default, self.private, *self.areas.values(), *self.on_call}
        if unknown := sorted(teams - set(self.ladder)):
            raise ValueError(f"the team {unknown[0]} stands on no rung of the ladder")
        named = {who for people in self.ladder.values() for who in people}
        named |= {who for turns in self.on_call.values() for who in turns.turns} | {gap.who for gap in self.away}
        if unknown := sorted(named - set(self.people)):
            raise ValueError(f"{unknown[0]} is not listed under people")
        return self

    def account(self, who: str) -> str:
        """Give how the tracker calls somebody."""
        person = self.people.get(who)
        return person.account if person is not None and person.account else who

    def accounts(self) -> tuple[str, ...]:
        """Give every account that a ticket can be assigned to."""
        return tuple(sorted({self.account(who) for who in self.people}))


@dataclass(frozen=True, slots=True)
class Habits:
    """What the tracker's own tickets tell: who handled an area how often, and who has how many open ones."""

    handled: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    """Area label to account to count."""
    load: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Route:
    """Where a ticket goes. ``account`` is empty where no person could be found."""

    team: str
    who: str
    account: str
    reasons: tuple[str, ...]
    then: tuple[str, str]
    """Who comes next where nobody acts: a person or team, then the rung above."""
    answer_hours: int
    grounded: bool
    """Whether the ticket itself gave a reason; else the team is only the one that looks first."""


def route(
    routing: Routing,
    *,
    text: str,
    areas: Sequence[str],
    private: bool,
    priority: str | None,
    habits: Habits,
    now: datetime,
) -> Route:
    """Say who should look at a ticket with this ``text`` and these ``areas`` (labels), at ``now`` (with a zone)."""
    paths = _paths(text)
    named = _team(routing, text, areas, paths, private=private)
    team, why = named or (routing.default, f"nothing in it names an area, so {routing.default} look first")
    grounded = named is not None
    there = {who for who in routing.people if not any(gap.who == who and gap.covers(now) for gap in routing.away)}
    who, how = _person(routing, team, areas, [] if private else paths, habits, there, now)
    others = [name for name in routing.ladder[team] if name in there and name != who]
    rungs = list(routing.ladder)
    above = rungs[min(rungs.index(team) + 1, len(rungs) - 1)]
    hours = routing.answer_hours.get(priority if priority in {"urgent", "high", "low"} else "normal", 24)  # pyright: ignore[reportCallIssue, reportArgumentType] - one of the keys
    return Route(
        team=team,
        who=who or "",
        account=routing.account(who) if who else "",
        reasons=(why, *how),
        then=(others[0] if others else team, above),
        answer_hours=hours,
        grounded=grounded,
    )


def _team(
    routing: Routing, text: str, areas: Sequence[str], paths: Sequence[str], *, private: bool
) -> tuple[str, str] | None:
    if private:
        return routing.private, f"{routing.private} get reports of weaknesses, and nobody else is told"
    for area in areas:
        found = next((team for name, team in routing.areas.items() if name.casefold() == area.casefold()), None)
        if found:
            return found, f"{found} look after {area}"
    for path in paths:
        for owner in _owners(routing, path):
            if owner in routing.ladder:
                return owner, f"{owner} own {path}"
    said = text[:_TEXT].casefold()
    for name, team in routing.areas.items():
        if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", said):
            return team, f"the ticket speaks of {name}, which {team} look after"
    return None


def _person(  # everything that can name a person
    routing: Routing,
    team: str,
    areas: Sequence[str],
    paths: Sequence[str],
    habits: Habits,
    there: set[str],
    now: datetime,
) -> tuple[str | None, tuple[str, ...]]:
    names = {routing.account(who).casefold(): who for who in routing.people}
    for path in paths:
        for owner in _owners(routing, path):
            who = names.get(owner.casefold())
            if who in there:
                return who, (f"{who} owns {path}",)
    said: list[str] = []
    turns = routing.on_call.get(team)
    if turns is not None:
        who = turns.at(now)
        if who in there:
            return who, (f"{who} is on call for {team}",)
        said.append(f"nobody is on call for {team} now" if who is None else f"{who} is on call for {team} and away")
    members = [who for who in routing.ladder[team] if who in there]
    if not members:
        return None, (*said, f"nobody of {team} is there")
    counts = {who: sum(_handled(habits, area, routing.account(who)) for area in areas) for who in members}
    best = max(counts.values())
    equal = [who for who in members if counts[who] == best]
    least = min(equal, key=lambda who: (habits.load.get(routing.account(who), 0), members.index(who)))
    if best:
        said.append(f"{least} handled {best} such {'ticket' if best == 1 else 'tickets'} before")
    if len(equal) > 1:
        said.append(f"{least} has {habits.load.get(routing.account(least), 0)} open tickets, the fewest")
    if len(members) == 1:
        said.append(f"{least} is the only one of {team} there")
    return least, tuple(said)


def _handled(habits: Habits, area: str, account: str) -> int:
    return habits.handled.get(area.casefold(), {}).get(account, 0)


def _paths(text: str) -> list[str]:
    return list(dict.fromkeys(match.group().strip("./") for match in _PATH.finditer(text[:_TEXT])))[:_MOST_PATHS]


def _owners(routing: Routing, path: str) -> tuple[str, ...]:
    """Give the owners of a path: the last pattern that fits counts, as on GitHub."""
    for pattern, owners in reversed(routing.patterns):
        if _fits(pattern, path):
            return owners
    return ()


def _fits(pattern: str, path: str) -> bool:
    anchored, bare = pattern.startswith("/"), pattern.strip("/")
    if pattern in {"*", "**"}:
        return False  # what owns everything tells nothing about this path
    if pattern.endswith("/"):
        return path.startswith(f"{bare}/") or (not anchored and f"/{bare}/" in f"/{path}")
    return (
        fnmatch.fnmatchcase(path, bare)
        or path.startswith(f"{bare}/")
        or (not anchored and "/" not in bare and fnmatch.fnmatchcase(path.rpartition("/")[2], bare))
    )


def load(path: Path) -> Routing:
    """Read a routing file, and the owners file that it names.

    Raises:
        BadInput: it is not there, is too large, or does not fit.

    """
    data = _read(path)
    try:
        value: Any = yaml.safe_load(data)
        if isinstance(value, dict):
            value.pop("patterns", None)
        routing = Routing.model_validate(value)
    except (yaml.YAMLError, RecursionError) as error:
        raise _unfit(path, "it is no YAML") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"])
        raise _unfit(path, f"{where or 'all of it'}: {first['msg'].removeprefix('Value error, ')}") from error
    if not routing.owners:
        return routing
    lines = _read(path.parent / routing.owners).splitlines()
    return routing.model_copy(update={"patterns": tuple(_patterns(lines))})


def _patterns(lines: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for line in lines:
        pattern, *owners = line.split("#", 1)[0].split() or [""]
        if pattern:
            names = tuple(owner.removeprefix("@").rpartition("/")[2] for owner in owners)
            found.append((pattern, names))
    return found


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise _unfit(path, "it is larger than 256 KiB")
        return data.decode("utf-8")
    except OSError as error:
        raise _unfit(path, "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise _unfit(path, "it is no UTF-8 text") from error


def _unfit(path: Path, why: str) -> BadInput:
    return BadInput(
        f"The routing file {path.name} cannot be used: {why[:200]}.",
        next="Correct it, or the setting triage.routing; docs/triage.md shows one.",
        code="bad_routing",
    )


def deadlines(route: Route, now: datetime) -> tuple[tuple[datetime, str], tuple[datetime, str]]:
    """Give when the two steps of the escalation are due, and who is asked then."""
    first = now + timedelta(hours=route.answer_hours)
    return (first, route.then[0]), (first + timedelta(hours=route.answer_hours), route.then[1])
