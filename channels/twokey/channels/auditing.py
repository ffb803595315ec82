"""The log as commands show it: verified, listed, and its latest checkpoint."""

from pathlib import Path
from typing import Any

from twokey.audit.entry import Entry
from twokey.channels import wiring
from twokey.channels.card import moment
from twokey.core.errors import NotFound
from twokey.core.values import Checkpoint


def verify(folder: Path, key: str | None, old: Path | None) -> dict[str, Any]:
    """Verify the whole log of a workspace; raises ``BadInput`` where a key or checkpoint cannot be read."""
    return wiring.verify_log(folder, key, old)


def lines(folder: Path, subject: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Give entries, oldest first, each as plain data with one line of text."""
    with wiring.opened_log(folder) as log:
        return [_entry(item.seq, item.entry) for item in log.entries(subject, after=after, limit=limit)]


def latest(folder: Path) -> Checkpoint:
    """Give the latest signed checkpoint; raises ``NotFound`` in an empty log."""
    with wiring.opened_log(folder) as log:
        checkpoint = log.latest()
    if checkpoint is None:
        raise NotFound("The log has no checkpoint yet.", next="Ask for something first.")
    return checkpoint


def _entry(number: int, entry: Entry) -> dict[str, Any]:
    event = entry.event.model_dump(mode="json")
    kind = event.pop("kind")
    return {
        "seq": number,
        "id": entry.id,
        "time": moment(entry.time_us),
        "kind": kind,
        "event": event,
        "text": _text(event),
    }


def _text(event: dict[str, Any]) -> str:
    """Give the fields of an event on one line; digests shortened. Entries hold nothing that needs escaping."""
    return "  ".join(f"{key}={_short(value)}" for key, value in event.items() if value not in (None, [], ""))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}={_short(item)}" for key, item in value.items() if item is not None) + "}"
    if isinstance(value, list):
        return ",".join(_short(item) for item in value)
    text = str(value)
    return text[:12] + "…" if len(text) >= 64 else text
