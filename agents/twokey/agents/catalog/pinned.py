"""Which earlier scan is the baseline, and taking over what it read.

Rules
- A baseline that somebody named (a run, or a day: the last scan up to its end) is used or refused, never replaced by
  another one. Where none is named, it is the latest earlier scan of the same warehouse; where there is none, nothing is
  compared.
- What was read then counts only as the desk proves it from the log and policy allows the same read now.
- Where nothing changed since the latest scan, there is nothing to compare.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from twokey.agents.catalog.baseline import Earlier
from twokey.agents.catalog.notes import Notes
from twokey.agents.catalog.reading import AGENT, TOOL
from twokey.core.canonical import Json
from twokey.core.errors import BadInput, CheckFailed, NotFound
from twokey.tools.adopting import Wanted
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import QueryArgs

RUN: Final = re.compile(r"r-[0-9a-z]{12}")
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOOKED_AT: Final = 100
"""Runs that are looked at for the scan of a day."""


def checked(text: str) -> str:
    """Give the name of a baseline as it may be asked for.

    Raises:
        BadInput: it is neither the id of a run nor a day.

    """
    if RUN.fullmatch(text):
        return text
    if DAY.fullmatch(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass
    raise BadInput(
        f"{text[:40]!r} names no baseline.",
        next="Give the id of a run (see `twokey runs`) or a day such as 2026-03-31.",
        code="no_such_baseline",
    )


class Pinned:
    """Takes over what the baseline read."""

    def __init__(self, desk: Desk, step: int, wanted: str) -> None:
        self._desk = desk
        self._step = step
        self._wanted = wanted

    def take(self, notes: Notes) -> Earlier:
        """Make what the baseline read evidence of this run, as far as it is about the tables of ``notes``.

        Raises:
            BadInput: the baseline that was named did not scan this warehouse.
            CheckFailed: what it read is not borne out by the log, or gone.

        """
        if not self._wanted and notes.reused:
            return Earlier()
        run, before = self._chosen(notes.warehouse)
        if before is None:
            return Earlier()
        meant = frozenset(notes.chosen)
        profiles = self._adopted(before, {key: each for key, each in before.profiles.items() if key in meant})
        cells = self._adopted(before, {key: each for each, keys in before.inspections for key in keys if key in meant})
        if self._wanted and not profiles:
            raise CheckFailed(
                f"What run {run} read of these tables cannot be compared with: the log does not bear it out, or it was "
                "read by another version of the tool, or removed.",
                next="Name another run as the baseline, or leave it out.",
                code="baseline_unproven",
            )
        return Earlier(run, profiles, cells) if profiles else Earlier()

    def _chosen(self, warehouse: str) -> tuple[str, Notes | None]:
        if RUN.fullmatch(self._wanted):
            try:
                named = Notes.of_run(self._desk, self._wanted)
            except NotFound:
                named = None
            if named is None or named.warehouse != warehouse or self._wanted == self._desk.run:
                raise _unknown(f"Run {self._wanted} did not scan this warehouse.")
            return self._wanted, named
        taken = [
            (run, notes)
            for run, notes in Notes.earlier_by_run(self._desk, warehouse, limit=_LOOKED_AT if self._wanted else 10)
            if notes.profiles
        ]
        if self._wanted:
            taken = [(run, notes) for run, notes in taken if self._begun_by(run, date.fromisoformat(self._wanted))]
            if not taken:
                raise _unknown(f"No scan of this warehouse up to {self._wanted} is known.")
        return taken[0] if taken else ("", None)

    def _begun_by(self, run: str, day: date) -> bool:
        """Whether a run began before the end of a day (UTC)."""
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        return self._desk.begun_us(run) < end.timestamp() * 1_000_000

    def _adopted(self, before: Notes, evidence: Mapping[str, str]) -> dict[str, str]:
        """Adopt the evidence of some tables, by their keys; gives the new evidence in the same way."""
        asked: Mapping[str, Json] = {each: before.asked[each] for each in evidence.values() if each in before.asked}
        wanted = [
            Wanted(each, QueryArgs.model_validate({"warehouse": before.warehouse, "ask": request}))
            for each, request in asked.items()
        ]
        adopted = self._desk.adopt(TOOL, wanted, agent=AGENT, step=self._step, fits=lambda _: True)
        return {key: adopted[each][0] for key, each in evidence.items() if each in adopted}


def _unknown(sentence: str) -> BadInput:
    return BadInput(
        sentence, next="Name a run that scanned it (see `twokey runs`), or a later day.", code="no_such_baseline"
    )
