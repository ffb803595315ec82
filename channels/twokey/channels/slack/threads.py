"""A thread of a channel as telemetry: what people wrote there, beside what was measured at that time.

Rules
- A thread is read where the settings list its channel (``slack.thread_channels``), the app works for its workspace and
  is in the channel, and nobody from outside is; all of that is looked at anew each time it is read.
- Messages are outside text. They are events of kind ``chat``, and nothing in them chooses what else is looked at.
- Who wrote is the principal that the account stands for, else the account's id: never a name that people choose.
- It is read until the moment of the request, so that asking again tells what was written since, and nothing else does.
- What the app posted itself, what was deleted, and notices of Slack are no messages. ``MOST`` are read, the first ones.
- The telemetry beside it is that of the settings. Where exactly one incident of it overlaps with the thread, its
  service, window and baseline are taken; else the window runs from ``LEAD_S`` before the first message to ``TAIL_S``
  after the last, ``LONGEST_S`` at most.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twokey.channels import patience
from twokey.channels.slack import words
from twokey.channels.slack.teams import Team, Teams
from twokey.channels.slack.thread_places import Thread
from twokey.channels.slack.turn import is_ours
from twokey.channels.slack.visitors import Links
from twokey.channels.slack.web import Endpoint, made
from twokey.core.errors import NotFound, Refused
from twokey.core.ports import Clock
from twokey.tools.read.telemetry.firing import Firing
from twokey.tools.read.telemetry.port import (
    MAX_TEXT,
    Edge,
    Event,
    Incident,
    Interval,
    LogRecord,
    Series,
    Shortfall,
    Span,
    Telemetry,
)
from twokey.tools.read.telemetry.scoping import before
from twokey.tools.read.telemetry.sources import Source

MOST: Final = 1_000
"""Messages of one thread."""
PAGE: Final = 200
LEAD_S: Final = 30 * 60.0
TAIL_S: Final = 5 * 60.0
LONGEST_S: Final = 24 * 3_600.0
KEPT_US: Final = 600 * 1_000_000
"""How long what was read for one request is used again, so that the questions of its run read it once."""
HELD: Final = 8
"""How many threads are held so."""
SERVICE: Final = "slack"
"""What is said to have raised an incident of which only a thread tells."""
_STAMP: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[UWB][A-Z0-9]{1,20}", re.ASCII)
_SAID: Final = frozenset({"", "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that somebody wrote."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was read of a thread."""

    messages: tuple[tuple[float, str, str], ...]
    """When, who and what, by time."""
    more: bool = False
    """Whether there are more than were read."""
    unfit: int = 0
    """How many were no messages that can be read."""


class Threads:
    """Opens threads of the workspaces that the app works for."""

    def __init__(
        self, *, channels: Sequence[str], teams: Callable[[], Teams], endpoint: Endpoint, links: Links, clock: Clock
    ) -> None:
        """``channels`` are those of the settings."""
        self._channels = channels
        self._teams = teams
        self._endpoint = endpoint
        self._links = links
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, Said]] = {}

    def open(self, place: str, beside: Callable[[], Source | None]) -> Source:
        """Give a thread as telemetry, beside that of the settings.

        Raises:
            Refused: the settings do not list its channel, or others share it.
            NotFound: it is not there, or nobody wrote in it.
            BadInput: the place is none of a thread.
            EnvironmentFault: Slack cannot be asked now.

        """
        thread = Thread.parse(place)
        thread.demand(self._channels)
        now = self._clock.now_us()
        with self._lock:
            kept = self._held.get(place)
        if kept is not None and 0 <= now - kept[0] < KEPT_US:
            said = kept[1]
        else:
            said = self._read(thread)
            with self._lock:
                fresh = [item for item in self._held.items() if 0 <= now - item[1][0] < KEPT_US]
                self._held = dict([*fresh[1 - HELD :], (place, (now, said))])
        if not said.messages:
            raise NotFound("Nobody wrote anything in that thread.", next="Choose another one.", code="thread_empty")
        return Told(thread, said, beside())

    def _read(self, thread: Thread) -> Said:
        team = patience.made(lambda: self._teams().find(thread.team))
        if team is None:
            raise Refused(
                "The app does not work for that workspace of Slack.",
                next="Install it there first.",
                code="other_workspace",
            )
        client = self._endpoint.sync(team.token)
        if not is_ours(made(client.conversations_info, channel=thread.channel)["channel"]):
            raise Refused(
                "The app is not in that channel any more, or it is archived or shared with others.",
                next="Invite the app to it, or leave its threads alone.",
                code="thread_not_ours",
            )
        found: dict[str, dict[str, Any]] = {}
        cursor: str | None = None
        for _ in range(MOST // 10):
            page = made(
                client.conversations_replies,
                channel=thread.channel,
                ts=thread.ts,
                latest=thread.until,
                inclusive=True,
                limit=PAGE,
                cursor=cursor,
            )
            found |= {str(item.get("ts")): item for item in page.get("messages", ()) if isinstance(item, dict)}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None or len(found) > MOST:
                break
        return self._said(team, found.values(), more=cursor is not None)

    def _said(self, team: Team, items: Iterable[dict[str, Any]], *, more: bool) -> Said:
        messages: list[tuple[float, str, str]] = []
        names: dict[str, str] = {}
        unfit = 0
        for item in items:
            who = str(item.get("user") or item.get("bot_id") or "")
            if str(item.get("subtype") or "") not in _SAID or item.get("hidden") or who in {team.bot_user, team.bot}:
                continue
            stamp, text = str(item.get("ts")), _text(item)
            if _STAMP.fullmatch(stamp) is None or not _ACCOUNT.fullmatch(who):
                unfit += 1
            elif text:
                if who not in names:
                    names[who] = self._name(team, who)
                messages.append((float(stamp), names[who], text))
        messages.sort()
        return Said(tuple(messages[:MOST]), more=more or len(messages) > MOST, unfit=unfit)

    def _name(self, team: Team, account: str) -> str:
        principal = self._links.principal(f"slack:{team.id}/{account}") if account[0] in "UW" else None
        return account if principal is None else principal.name


def _text(item: dict[str, Any]) -> str:
    """Give what a message says; of one that says nothing itself, what is attached to it."""
    text = item.get("text")
    if not isinstance(text, str) or not text.strip():
        attached = item.get("attachments")
        parts = [part for part in attached[:3] if isinstance(part, dict)] if isinstance(attached, list) else []
        text = " ".join(str(part.get("fallback") or part.get("text") or "") for part in parts)
    return words.plain(words.sound(text))[:MAX_TEXT].strip()


@dataclass
class Told:
    """A thread beside other telemetry; implements ``Source`` and ``Telemetry``. Made for one call."""

    thread: Thread
    said: Said
    beside: Source | None
    _inner: Telemetry | None = field(init=False, default=None)
    _incident: Incident = field(init=False)

    def __post_init__(self) -> None:
        """Find what else tells of that time."""
        first, last = self.said.messages[0][0], self.said.messages[-1][0]
        start = max(0.0, first - LEAD_S)
        window = Interval(start, min(last + TAIL_S, start + LONGEST_S))
        baseline, service = before(window), SERVICE
        if self.beside is not None:
            near = [one for one in self.beside.incidents() if _overlap(one.window, Interval(first, last))]
            if len(near) == 1:
                window, baseline, service = near[0].window, near[0].baseline, near[0].service or SERVICE
                self._inner = self.beside.of(near[0].id)
            else:
                self._inner = self.beside.anytime()
        self._incident = Incident(self.thread.incident, "a thread in Slack", service, window, baseline)

    def incidents(self) -> tuple[Incident, ...]:
        """Give the one that the thread tells of."""
        return (self._incident,)

    def of(self, incident: str) -> Telemetry | None:
        """Give itself, for that incident."""
        return self if incident == self._incident.id else None

    def anytime(self) -> Telemetry | None:
        """Give itself."""
        return self

    def alerts(self) -> tuple[Firing, ...] | None:
        """Give what fires now, where there is telemetry beside it that knows."""
        return self.beside.alerts() if self.beside is not None else None

    def series(self, within: Interval) -> tuple[Series, ...]:
        """Give what was measured."""
        return self._inner.series(within) if self._inner is not None else ()

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        """Give the lines of that time."""
        return self._inner.logs(within) if self._inner is not None else iter(())

    def spans(self, within: Interval) -> Iterator[Span]:
        """Give the spans of that time."""
        return self._inner.spans(within) if self._inner is not None else iter(())

    def events(self, within: Interval) -> tuple[Event, ...]:
        """Give what was done, and what was said in the thread."""
        told = self._inner.events(within) if self._inner is not None else ()
        said = [
            Event(at, "chat", self._incident.service, who, text) for at, who, text in self.said.messages if at in within
        ]
        return tuple(sorted((*told, *said), key=lambda one: (one.time, one.kind, one.service)))

    def edges(self) -> tuple[Edge, ...]:
        """Give who calls whom."""
        return self._inner.edges() if self._inner is not None else ()

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short, in the thread and beside it."""
        found = list(self._inner.shortfalls()) if self._inner is not None else []
        if self.said.more:
            found.append(Shortfall("events", "too_much", MOST))
        if self.said.unfit:
            found.append(Shortfall("events", "malformed", self.said.unfit))
        return tuple(found)


def _overlap(one: Interval, other: Interval) -> bool:
    return one.start <= other.end and other.start < one.end
