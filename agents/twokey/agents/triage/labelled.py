"""Labelled tickets in CSV files, and how they are dealt into what is learned from and what is judged.

Rules: UTF-8 with a header row; bytes that are not are replaced, because a ticket may hold anything. The first text
column is the title and the others together are the body. Draws are made by a fixed seed, so that the same file gives
the same figures.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from twokey.agents.triage.learned import Sorted
from twokey.agents.triage.values import TicketText
from twokey.core.errors import BadInput

MAX_FIELD: Final = 1 << 26
MAX_ROWS: Final = 200_000
NEXT: Final = "See `twokey eval triage --help`."


def read(path: Path, label: str, text: Sequence[str], group: str | None) -> list[Sorted]:
    """Read labelled tickets.

    Raises:
        BadInput: the file cannot be read, lacks a column, or holds no tickets or too many.

    """
    csv.field_size_limit(MAX_FIELD)
    needed = {label, *text, *((group,) if group else ())}
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            reader = csv.DictReader(file)
            missing = needed - set(reader.fieldnames or ())
            if missing:
                raise BadInput(f"{path.name[:80]!r} lacks the column {min(missing)[:60]!r}.", next=NEXT)
            tickets = [_sorted(row, label, text, group) for row, _ in zip(reader, range(MAX_ROWS + 1), strict=False)]
    except (OSError, csv.Error) as error:
        raise BadInput(
            f"{path.name[:80]!r} cannot be read: {getattr(error, 'strerror', None) or 'it is no CSV in UTF-8'}.",
            next=NEXT,
        ) from error
    if not tickets or len(tickets) > MAX_ROWS:
        raise BadInput(f"{path.name[:80]!r} holds no tickets, or more than {MAX_ROWS:,}.", next=NEXT)
    return tickets


def _sorted(row: Mapping[str, str | None], label: str, text: Sequence[str], group: str | None) -> Sorted:
    first, *others = (row[column] or "" for column in text)
    project = (row[group] or "") if group else ""
    return Sorted(TicketText(title=first, body="\n".join(others), project=project), row[label] or "")


def folds_of(tickets: Sequence[Sorted], folds: int) -> list[int]:
    """Deal tickets into folds, evenly within every kind of every group; gives the fold of each."""
    result = [0] * len(tickets)
    dealt = 0
    for indexes in _drawn(tickets):
        for index in indexes:
            result[index] = dealt % folds
            dealt += 1
    return result


def without(tickets: Sequence[Sorted], places: Sequence[int], fold: int) -> tuple[list[Sorted], list[Sorted]]:
    """Give the tickets outside of a fold, and those in it."""
    dealt = list(zip(tickets, places, strict=True))
    return [ticket for ticket, place in dealt if place != fold], [ticket for ticket, place in dealt if place == fold]


def shots(tickets: Sequence[Sorted], each: int) -> list[Sorted]:
    """Draw as many tickets of each kind of each group, or all where there are fewer."""
    return [tickets[index] for indexes in _drawn(tickets) for index in indexes[:each]]


def blended(tickets: Sequence[Sorted], count: int) -> list[Sorted]:
    """Make longer tickets of short ones of the same kind: the title of one, the bodies of up to sixteen."""
    chance = random.Random(0)  # noqa: S311 - as below
    members: dict[str, list[Sorted]] = defaultdict(list)
    for ticket in tickets:
        members[ticket.kind].append(ticket)
    kinds = sorted(members)
    result: list[Sorted] = []
    for number in range(count):
        held = members[kinds[number % len(kinds)]]
        bodies = [each.text.body for each in chance.choices(held, k=chance.choice((1, 3, 8, 16)))]
        text = TicketText(title=chance.choice(held).text.title, body="\n\n".join(bodies))
        result.append(Sorted(text, kinds[number % len(kinds)]))
    return result


def _drawn(tickets: Sequence[Sorted]) -> list[list[int]]:
    """Give the indexes of each kind of each group, shuffled."""
    chance = random.Random(0)  # noqa: S311 - a draw that can be repeated
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, ticket in enumerate(tickets):
        members[ticket.text.project, ticket.kind].append(index)
    held = [indexes for _, indexes in sorted(members.items())]
    for indexes in held:
        chance.shuffle(indexes)
    return held
