"""A backlog of tickets: many that were sorted before, and some that nobody has sorted yet."""

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SYLLABLES = tuple(f"{first}{second}" for first in "bdfgklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er"))
_VOCABULARY = 20_000
_MINUTES = 7
"""Between one ticket and the next."""
_TICKET = "---\nid: OPS-{n}\ntitle: {title}\nauthor: jo\ncreated_at: '{made}'\nlabels: [{label}]\n---\n\n{body}\n"


@dataclass(frozen=True)
class Backlog:
    """Where it lies, and the keys of what is to be sorted."""

    folder: Path
    new: tuple[str, ...]


def write(folder: Path, count: int, *, new_share: float, seed: int = 7) -> Backlog:
    """Write ``count`` tickets, a few minutes apart, of which about ``new_share`` carry no label."""
    folder.mkdir(parents=True)
    chance, new = random.Random(seed), list[str]()  # noqa: S311 - the same tickets each time
    for n in range(1, count + 1):
        fault = chance.random() < 0.5
        about = " ".join(_word(chance) for _ in range(3))
        said = " ".join(_word(chance) for _ in range(40))
        title = f"{'Crash in' if fault else 'Please add'} {about} {n}"
        body = (
            f"It crashes with an error since the update, an exception is thrown. {said}"
            if fault
            else f"It would be nice to have an option for that. {said}"
        )
        label = ("bug" if fault else "feature") if chance.random() >= new_share else ""
        if not label:
            new.append(f"OPS-{n}")
        path = folder / f"OPS-{n}.md"
        path.write_text(_TICKET.format(n=n, made=_made(n), title=title, label=label, body=body), encoding="utf-8")
        os.utime(path, (1_770_000_000 + n, 1_770_000_000 + n))
    return Backlog(folder, tuple(new))


def _word(chance: random.Random) -> str:
    """A made-up word; few are frequent and most are rare, as in any language (Zipf)."""
    rank = int(_VOCABULARY ** chance.random())
    parts: list[str] = []
    while rank or not parts:
        rank, at = divmod(rank, len(_SYLLABLES))
        parts.append(_SYLLABLES[at])
    return "".join(parts)


def _made(n: int) -> str:
    return (datetime(2025, 1, 1, 9, tzinfo=UTC) + timedelta(minutes=_MINUTES * n)).strftime("%Y-%m-%dT%H:%M:%SZ")
