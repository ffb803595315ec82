"""Labelled tickets of two made-up teams, written by rule so that a reader can learn from them in a moment."""

import csv
from pathlib import Path
from typing import Final

from twokey.agents.triage.learned import Sorted
from twokey.agents.triage.values import TicketText

THINGS: Final = (
    "nightly export", "score table", "feature store", "churn report", "import of invoices", "alert mail", "model registry",
    "seat counter", "backfill job", "console login", "price feed", "quality check", "label queue", "daily digest",
    "retention view",
)  # fmt: skip
_SAID: Final = {
    "bug": (
        ("{thing} crashes with a KeyError", "Since the last release the {thing} fails.\n\n```\nKeyError: 'id'\n```\nExpected: it works."),
        ("{thing} shows wrong numbers", "Steps to reproduce:\n1. open it\n2. compare\n\nActual: numbers are wrong. Version 2.{number}."),
        ("{thing} hangs and never ends", "It stopped working at 03:{number:02}. Traceback is attached, it cannot recover."),
    ),
    "feature": (
        ("Add a filter to the {thing}", "It would be nice to filter by region, so that we see ours first."),
        ("Support several owners in the {thing}", "I would like to name {number} owners. Currently there is no way to do it."),
        ("Make the {thing} configurable", "As an analyst I want to choose the columns. Alternatives: a second table."),
    ),
    "question": (
        ("How do I run the {thing} locally?", "I am new to this and not sure where to start. Is there a guide?"),
        ("Who may see the {thing}?", "Can somebody explain what the {number} groups mean? Thanks!"),
        ("What is the right way to test the {thing}?", "I read the page but do not understand it. Any advice?"),
    ),
}  # fmt: skip


def tickets(project: str = "fern", *, offset: int = 0) -> list[Sorted]:
    """Give 135 tickets of one team."""
    return [
        Sorted(
            TicketText(
                title=title.format(thing=thing, number=number + offset),
                body=body.format(thing=thing, number=number + offset),
                project=project,
            ),
            kind,
        )
        for number, thing in enumerate(THINGS)
        for kind, forms in _SAID.items()
        for title, body in forms
    ]


def written(path: Path, listed: list[Sorted]) -> Path:
    """Write tickets as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["team", "kind", "subject", "text"])
        rows.writerows([each.text.project, each.kind, each.text.title, each.text.body] for each in listed)
    return path
