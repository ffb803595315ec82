"""The decisions of the past, each with what it was taken on: what ``twokey policy replay`` reads.

Rules: decisions come from the log, proven as a whole (``Ledger.every``: they count once the end is reached); what the
store keeps of each is held against the commitments of its entry, and a row that does not open them is called altered
and never used.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final, cast

from twokey.audit.entry import Entry
from twokey.core.events import PolicyDecided
from twokey.store import decisions
from twokey.store.decisions import Kept
from twokey.tools.ledger import Ledger

BATCH: Final = 250


@dataclass(frozen=True, slots=True)
class Past:
    """One decision of the log. ``kept`` is what it was taken on, where that is still there and unchanged."""

    entry: str
    time_us: int
    event: PolicyDecided
    kept: Kept | None
    altered: bool = False
    """True where the store holds a row for it that does not open the log's commitments."""


def past(ledger: Ledger, *, since_us: int = 0) -> Generator[Past]:
    """Give every decision since ``since_us`` (microseconds), oldest first.

    Raises:
        CheckFailed: at the end, where the log does not bear out what was given.
        LogUnavailable: the log or the store cannot be read.

    """
    entries = (entry for entry in ledger.every("policy.decided") if entry.time_us >= since_us)
    for batch in _batches(entries):
        with ledger.look() as connection:
            rows = decisions.get_decisions(connection, [entry.id for entry in batch])
        for entry in batch:
            yield _past(entry, rows)


def find(ledger: Ledger, text: str) -> Past | None:
    """Give the decision that the log entry ``text`` records, or the latest one about the proposal of that id.

    Raises:
        NotFound: the log has no such entry.
        CheckFailed: the log does not bear the entry out.

    """
    entry_id = text
    if not text.startswith("l-"):
        with ledger.look() as connection:
            entry_id = ledger.last(connection, text, "policy.decided") or ""
        if not entry_id:
            return None
    entry = ledger.proven(entry_id)
    if not isinstance(entry.event, PolicyDecided):
        return None
    with ledger.look() as connection:
        return _past(entry, decisions.get_decisions(connection, [entry.id]))


def _batches(entries: Iterable[Entry]) -> Generator[list[Entry]]:
    each = iter(entries)
    while batch := list(islice(each, BATCH)):
        yield batch


def _past(entry: Entry, rows: dict[str, Kept | None]) -> Past:
    event = cast("PolicyDecided", entry.event)
    kept = rows.get(entry.id)
    if entry.id not in rows:
        return Past(entry.id, entry.time_us, event, None)
    if kept is None or not kept.opens(event.input, event.answer):
        return Past(entry.id, entry.time_us, event, None, altered=True)
    return Past(entry.id, entry.time_us, event, kept)
