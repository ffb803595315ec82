"""Past decisions taken again when somebody asks for it, one replay at a time beside the pages.

Rules: a replay reads the log and the store and changes nothing: no bundle is put in force by it, and none is chosen
that the settings do not name. A report exists only of a replay that came to its end and that the log bears out; one
that is stopped, or that the server's end cuts off, leaves none. Text from outside is harmless in the form in which it
stands here.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from twokey.channels.replay_report import KIND_WORDS, Change, summary
from twokey.channels.replay_run import Replaying
from twokey.channels.replaying import Engine
from twokey.core.errors import BadInput, TwokeyError
from twokey.core.ports import Clock
from twokey.policies import bundle
from twokey.policies.bundle import Bundle
from twokey.policies.replay import Tally
from twokey.tools.ledger import Ledger
from twokey.tools.reading import Reader

LISTED: Final = 500
"""Changed decisions that are kept to be shown, the first."""
EVERY: Final = 200
"""After how many decisions it is told how far a replay is."""
DAY_US: Final = 24 * 3600 * 1_000_000
SPANS: Final[dict[str, int]] = {"1": 1, "7": 7, "30": 30, "90": 90, "all": 0}
"""How many days back a replay may go, by what a form says; 0 for all."""

Stage = Literal["never", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Told:
    """How a replay stands, or how the last one ended."""

    stage: Stage
    name: str = ""
    """Which bundle."""
    span: str = "all"
    by: str = ""
    at_us: int = 0
    decisions: int = 0
    policy_revision: str = ""
    data_revision: str = ""
    sentences: tuple[str, ...] = ()
    kinds: tuple[tuple[str, int, str], ...] = ()
    """What became of the decisions: kind, how many, and what that means."""
    transitions: tuple[tuple[str, int], ...] = ()
    rules: tuple[tuple[str, int, int], ...] = ()
    """Rules that give a reason now and did not, or gave one and do not now: how often each."""
    changes: tuple[Change, ...] = ()
    left_off: int = 0
    ok: bool = True
    """Whether all that had to come out the same did."""
    reason: str = ""

    @property
    def stamp(self) -> str:
        """Changes whenever there is something else to show."""
        return f"{self.stage}.{self.at_us}.{self.decisions}"


class Replays:
    """Replays that somebody asks for, one at a time, and how the last one ended."""

    def __init__(
        self,
        ledger: Ledger,
        folders: dict[str, Path],
        engine: Callable[[Bundle], Engine],
        clock: Clock,
        stopping: Callable[[], bool],
    ) -> None:
        """``folders`` are the bundles that may be chosen, by name; ``engine`` makes one that decides on a bundle."""
        self.names: tuple[str, ...] = tuple(folders)
        self._ledger = ledger
        self._folders = folders
        self._engine = engine
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._last = Told("never")
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> Told:
        """How the last one ended, or how far the one that runs is."""
        with self._lock:
            return self._last

    def begin(self, name: str, span: str, by: str) -> bool:
        """Begin one; tells whether none was running.

        Raises:
            BadInput: there is no such bundle or span, or the bundle cannot be used.

        """
        if name not in self._folders or span not in SPANS:
            raise BadInput("There is no such replay.", next="Choose one of the list.", code="no_replay")
        held = bundle.load(self._folders[name])
        now, days = self._clock.now_us(), SPANS[span]
        with self._lock:
            if self._last.stage == "running":
                return False
            self._cancel = threading.Event()
            self._last = Told("running", name, span, by, now, 0, held.revisions.policy, held.revisions.data)
            run = Replaying(self._ledger, held, lambda: self._engine(held), now - days * DAY_US if days else 0, 1, None)
            self._thread = threading.Thread(
                target=self._replay, args=(run, self._last, self._cancel), name="twokey-replaying", daemon=True
            )
            self._thread.start()
            return True

    def cancel(self) -> None:
        """Stop the one that runs, at the next decision."""
        with self._lock:
            self._cancel.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, for so long at most."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _replay(self, run: Replaying, begun: Told, cancel: threading.Event) -> None:
        ended = replace(begun, stage="failed", reason="The replay broke off.")
        try:
            ended = self._taken(run, begun, cancel)
        except TwokeyError as error:
            ended = replace(begun, stage="failed", reason=error.message)
        finally:
            with self._lock:
                self._last = ended

    def _taken(self, run: Replaying, begun: Told, cancel: threading.Event) -> Told:
        changes: list[Change] = []
        with closing(run.changes()) as taken:
            for count, change in taken:
                if change is not None and len(changes) < LISTED:
                    changes.append(change)
                if cancel.is_set() or self._stopping():
                    return replace(begun, stage="cancelled", decisions=count)
                if count % EVERY == 0:
                    with self._lock:
                        self._last = replace(begun, decisions=count)
        return _report(begun, run, changes)


def for_reader(told: Told, reader: Reader) -> Told:
    """Leave out the changed decisions that are about what ``reader`` may not read; sums stay those of the whole."""
    if reader.reads_everything or not told.changes:
        return told
    seen = reader.reads_named({each.about for each in told.changes})
    return replace(told, changes=tuple(each for each in told.changes if each.about in seen))


def _report(begun: Told, run: Replaying, changes: list[Change]) -> Told:
    tally: Tally = run.tally
    counts: dict[str, Any] = tally.as_json()
    return replace(
        begun,
        stage="done",
        decisions=tally.decisions,
        sentences=tuple(summary(tally, run.revisions)),
        kinds=tuple((kind, count, KIND_WORDS[kind]) for kind, count in counts["kinds"].items() if count),
        transitions=tuple(counts["transitions"].items()),
        rules=tuple((f"{each['rule']} {each['code']}", each["gained"], each["lost"]) for each in counts["rules"]),
        changes=tuple(changes),
        left_off=tally.changed - len(changes),
        ok=tally.ok,
    )
