"""A scorecard as text and as CSV.

Rules: text from outside (levels of training) is made harmless; a cell of the CSV never begins with what a spreadsheet
takes for a formula.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from twokey.channels import plain
from twokey.channels.card import moment
from twokey.channels.scorecard.values import Scorecard

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def lines(card: Scorecard) -> Iterator[str]:
    """Give the scorecard for a terminal."""
    going_on = "" if card.over else ", still going on"
    yield f"scorecard {card.quarter}{going_on} · as of {moment(card.as_of_us)}"
    for section in card.sections:
        yield ""
        yield section.title
        for figure in section.figures:
            note = f"  {plain.line(figure.note, 200)}" if figure.note else ""
            yield f"  {plain.line(figure.title, 60):<38} {plain.line(figure.shown, 40):>24}{note}"


def as_csv(card: Scorecard) -> str:
    """Give one row for each figure; an unknown value is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["quarter", "section", "figure", "title", "value", "unit", "note"])
    for section in card.sections:
        for figure in section.figures:
            value = "" if figure.value is None else str(figure.value)
            cells = [str(card.quarter), section.name, figure.name, figure.title, value, figure.unit, figure.note]
            writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(text: str) -> str:
    shown = plain.line(text, 400)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
