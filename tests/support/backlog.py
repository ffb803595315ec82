"""A backlog of tickets: many that were sorted before, and some that nobody has sorted yet."""

import os
import random
from dataclasses import dataclass
from pathlib import Path

_WORDS = (
    *("report", "console", "score", "order", "login", "export", "import", "chart", "filter", "table", "page", "load"),
    *("retry", "user", "account", "billing", "invoice", "token", "cache", "index", "printer", "schedule", "region"),
)
_TICKET = "---\nid: OPS-{n}\ntitle: {title}\nauthor: jo\ncreated_at: '2026-01-01T09:00:00Z'\nlabels: [{label}]\n---\n\n{body}\n"


@dataclass(frozen=True)
class Backlog:
    """Where it lies, and the keys of what is to be sorted."""

    folder: Path
    new: tuple[str, ...]


def write(folder: Path, count: int, *, new_share: float, seed: int = 7) -> Backlog:
    """Write ``count`` tickets, one second apart, of which about ``new_share`` carry no label."""
    folder.mkdir(parents=True)
    chance, new = random.Random(seed), list[str]()  # noqa: S311 - the same tickets each time
    for n in range(1, count + 1):
        fault = chance.random() < 0.5
        about = " ".join(chance.sample(_WORDS, 3))
        said = " ".join(chance.choices(_WORDS, k=20))
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
        path.write_text(_TICKET.format(n=n, title=title, label=label, body=body), encoding="utf-8")
        os.utime(path, (1_770_000_000 + n, 1_770_000_000 + n))
    return Backlog(folder, tuple(new))
