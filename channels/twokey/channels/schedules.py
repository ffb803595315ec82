"""Requests that are due at set times.

Rules: what is asked, by whom and when stands in the settings' file; each due time is asked at most once, however many
workers there are; of times that were missed while no worker ran, the latest is asked once and the others never; a
schedule that is seen for the first time begins now. Times are UTC.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from croniter import croniter

from twokey.channels.recovery import Failure
from twokey.core.errors import TwokeyError
from twokey.core.ports import Clock
from twokey.core.sections import ScheduleSection
from twokey.store import jobs
from twokey.tools.ledger import Ledger, Unit

_MICROSECONDS: Final = 1_000_000

Ask = Callable[[str, ScheduleSection, Callable[[Unit], bool]], str | None]
"""Asks in the name of whom a schedule names, if the transaction agrees; gives the run."""


def latest_due_us(cron: str, now_us: int) -> int:
    """Give the last moment at or before ``now_us`` that a cron expression names, in microseconds."""
    after = dt.datetime.fromtimestamp(now_us // _MICROSECONDS + 1, tz=dt.UTC)
    due: dt.datetime = croniter(cron, after).get_prev(dt.datetime)
    return int(due.timestamp()) * _MICROSECONDS


class Schedules:
    """Asks what is due."""

    def __init__(self, sections: dict[str, ScheduleSection], *, ledger: Ledger, clock: Clock, ask: Ask) -> None:
        self._sections = sections
        self._ledger = ledger
        self._clock = clock
        self._ask = ask

    def ask_due(self) -> tuple[list[str], list[Failure]]:
        """Ask everything that is due; gives the runs, and what could not be asked."""
        asked: list[str] = []
        failures: list[Failure] = []
        for name, section in sorted(self._sections.items()):
            try:
                run = self._ask_one(name, section)
            except TwokeyError as error:
                failures.append(Failure(f"schedule {name}", error.code, error.message))
                continue
            asked.extend([run] if run is not None else [])
        return asked, failures

    def _ask_one(self, name: str, section: ScheduleSection) -> str | None:
        now = self._clock.now_us()
        with self._ledger.look() as connection:
            before = jobs.seen_until(connection, name)
        if before is None:
            with self._ledger.change() as unit:
                jobs.see_to(unit.connection, name, before=None, due=now)
            return None
        due = latest_due_us(section.cron, now)
        if due <= before:
            return None
        return self._ask(name, section, lambda unit: jobs.see_to(unit.connection, name, before=before, due=due))
