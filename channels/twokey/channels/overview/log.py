"""The log to look at: its pages, one change from end to end, the proof of an entry, and whether it verifies.

Rules: entries are rows of the index that show and decide nothing; what is proven is proven by ``proof`` and ``verify``
alone. A search is bounded: it looks through so many entries and says where it stopped. An entry about what its reader
may not read stands in its place with its kind, its time and its digests, and is found by none of its words.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from twokey.audit.entry import Entry
from twokey.audit.proof import InclusionProof
from twokey.audit.verify import Report
from twokey.channels.overview import story
from twokey.core.errors import BadInput, NotFound, TwokeyError
from twokey.core.ports import Clock
from twokey.core.values import ID_ALPHABET, Checkpoint
from twokey.store import proposals
from twokey.tools.ledger import Ledger
from twokey.tools.reading import Reader

PAGE: Final = 100
LOOKED_THROUGH: Final = 8_000
"""Entries that one page of a search by words looks through."""
OF_CHANGE: Final = 1_000
"""Entries of one change that are shown."""
MOST_WORDS: Final = 100
_ID: Final = re.compile(rf"[a-z]-[{ID_ALPHABET}]{{12}}|[0-9a-f]{{16}}|[0-9a-f]{{64}}")
_ENTRY: Final = re.compile(rf"l-[{ID_ALPHABET}]{{12}}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
UNREADABLE: Final = "This is about something that you may not read."
_SHORT: Final = re.compile(rf"p-[{ID_ALPHABET}]{{4,11}}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry, told."""

    seq: int
    id: str
    time_us: int
    kind: str
    subject: str
    said: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, seq: int, entry: Entry) -> "LogLine":
        """Tell an entry."""
        fields = entry.event.model_dump(mode="json")
        del fields["kind"]
        return cls(seq, entry.id, entry.time_us, entry.kind, entry.subject, story.told(entry.event), fields)

    @classmethod
    def bare(cls, seq: int, entry: Entry) -> "LogLine":
        """Tell of an entry only what it is, when it was, and digests."""
        fields = entry.event.model_dump(mode="json")
        digests = {name: value for name, value in fields.items() if _DIGEST.fullmatch(str(value))}
        return cls(seq, entry.id, entry.time_us, entry.kind, "-", UNREADABLE, digests)


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...
    @property
    def entry(self) -> Entry: ...


def _lines(reader: Reader, found: Sequence[_Numbered]) -> tuple[LogLine, ...]:
    """Tell entries as far as they may be read."""
    seen = reader.reads_events([each.entry.event for each in found])
    return tuple(
        LogLine.of(each.seq, each.entry) if readable else LogLine.bare(each.seq, each.entry)
        for each, readable in zip(found, seen, strict=True)
    )


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of entries, newest first. ``before`` asks for the next one; none where there is no more."""

    lines: tuple[LogLine, ...]
    before: int | None
    looked_through: int
    """How many entries were looked at for it."""


def page(reader: Reader, *, about: str = "", kind: str = "", before: int | None = None, limit: int = PAGE) -> LogPage:
    """Give a page of the log.

    Args:
        reader: Who looks.
        about: An id (of an entry, a run, a proposal, a session ...), or words that entries hold; empty for all.
        kind: Only entries of this kind; empty for all.
        before: Only entries before this number.
        limit: How many at most.

    Raises:
        BadInput: there is no such kind, or the words are too long.
        NotFound: a shortened id is none or several.

    """
    if kind and kind not in story.KINDS:
        raise BadInput("There is no such kind of entry.", next="Choose one of the list.", code="no_kind")
    if len(about) > MOST_WORDS:
        raise BadInput("That is too long to look for.", next=f"Give at most {MOST_WORDS} characters.", code="too_long")
    limit = max(1, min(limit, PAGE * 5))
    wanted, ledger = about.strip(), reader.ledger
    if _ENTRY.fullmatch(wanted):
        return _one(reader, wanted, kind, before)
    if _SHORT.fullmatch(wanted):
        with ledger.look() as connection:
            wanted = reader.resolve(connection, wanted)
    if wanted and not _ID.fullmatch(wanted):
        return _search(reader, wanted, kind or None, before, limit)
    if not _may_be_named(reader, wanted):
        return LogPage((), None, 0)
    subjects = [wanted] if wanted else []
    found = ledger.log.newest(subjects, kind=kind or None, before=before, limit=limit)
    more = found[-1].seq if len(found) == limit and found[-1].seq > 0 else None
    return LogPage(_lines(reader, found), more, len(found))


def _may_be_named(reader: Reader, wanted: str) -> bool:
    """Tell whether entries may be asked for by an id: by that of what may not be read there are none."""
    with reader.ledger.look() as connection:
        if wanted.startswith("p-"):
            return bool(reader.among(connection, [wanted]))
        return not wanted.startswith("r-") or reader.reads_run(connection, wanted)


def _one(reader: Reader, entry: str, kind: str, before: int | None) -> LogPage:
    proof = reader.ledger.log.proof(entry)
    found = reader.ledger.log.newest(before=proof.index + 1, limit=1)
    lines = _lines(reader, [each for each in found if each.entry.id == entry and kind in {"", each.entry.kind}])
    return LogPage(lines if before is None or proof.index < before else (), None, 1)


def _search(reader: Reader, words: str, kind: str | None, before: int | None, limit: int) -> LogPage:
    """Look for words in what entries hold, newest first, through a bounded number of them."""
    found, more, seen = reader.ledger.log.search(
        words,
        kind=kind,
        before=before,
        limit=limit,
        through=LOOKED_THROUGH,
        keep=lambda entries: reader.reads_events([entry.event for entry in entries]),
    )
    return LogPage(tuple(LogLine.of(each.seq, each.entry) for each in found), more, seen)


@dataclass(frozen=True, slots=True)
class Followed:
    """One change from end to end: the entries of a run and of everything it proposed, oldest first."""

    run: str
    proposals: tuple[str, ...]
    lines: tuple[LogLine, ...]
    more: bool
    """Whether there are more entries than are shown."""


def follow(reader: Reader, wanted: str) -> Followed:
    """Follow a change, named by its run or by one of its proposals.

    Raises:
        NotFound: there is no such run or proposal that may be read.

    """
    run = reader.run(wanted).id if wanted.startswith("r-") else reader.find(wanted).run
    with reader.ledger.look() as connection:
        made = [record.id for record in proposals.proposals_of(connection, run) if reader.reads(record)]
        begun = [run] if reader.reads_run(connection, run) else []
    found = reader.ledger.log.newest([*begun, *made[:50]], limit=OF_CHANGE + 1)
    lines = _lines(reader, found[:OF_CHANGE][::-1])
    return Followed(run, tuple(made), lines, len(found) > OF_CHANGE)


def prove(ledger: Ledger, entry: str) -> InclusionProof:
    """Give the proof of an entry for outsiders; raises ``NotFound``, ``CheckFailed``."""
    if not _ENTRY.fullmatch(entry):
        raise NotFound("There is no such entry.", next="Look it up in the log.")
    return ledger.log.proof(entry)


@dataclass(frozen=True, slots=True)
class State:
    """How the log stands: its latest signed head, which verifies, and what was set aside."""

    checkpoint: Checkpoint | None
    rejected: int


def state(ledger: Ledger) -> State:
    """Look at the head of the log; raises ``LogUnavailable`` where it does not verify or was rolled back."""
    return State(ledger.checkpoint(), ledger.log.rejected())


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a verification of the whole log."""

    state: Literal["never", "running", "ok", "failed"]
    at_us: int = 0
    size: int = 0
    reason: str = ""


class Verification:
    """Verifies the whole log when somebody asks for it, one at a time beside the pages, and remembers how it ended."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._last = Verified("never")
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> Verified:
        """How the last one ended, or that one is running."""
        with self._lock:
            return self._last

    def begin(self) -> bool:
        """Begin one; tells whether none was running."""
        with self._lock:
            if self._last.state == "running":
                return False
            self._last = Verified("running", self._clock.now_us())
            self._thread = threading.Thread(target=self._verify, name="twokey-verifying", daemon=True)
            self._thread.start()
            return True

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, for so long at most."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _verify(self) -> None:
        ended = Verified("failed", self._clock.now_us(), 0, "the verification broke off")
        try:
            report: Report = self._ledger.log.verify()
            ended = Verified(
                "ok" if report.ok else "failed",
                self._clock.now_us(),
                report.size,
                "" if report.ok else str(report.reason),
            )
        except TwokeyError as error:
            ended = Verified("failed", self._clock.now_us(), 0, error.message)
        finally:
            with self._lock:
                self._last = ended


def subjects_of(lines: Sequence[LogLine]) -> dict[str, str]:
    """Give where each subject of these lines can be looked at: the address of its page, by its id."""
    pages = {"p": "/p/", "r": "/runs/"}
    return {
        line.subject: pages[line.subject[0]] + (line.subject[2:] if line.subject[0] == "p" else line.subject)
        for line in lines
        if line.subject[:2] in {"p-", "r-"}
    }


def kinds() -> tuple[str, ...]:
    """Give every kind of entry."""
    return story.KINDS
