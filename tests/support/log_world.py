"""A log in a fresh database, as its writers, its readers and those who attack it see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.events import Event, StepEnded
from twokey.core.ports import Clock, Ids
from twokey.core.values import Checkpoint

WORKSPACE = "w-000000000001"
RUN = "r-000000000001"


def step(number: int = 0, run: str = RUN) -> StepEnded:
    """An event that carries a number."""
    return StepEnded(run=run, step=number, agent="catalog", code="ok", findings=0)


@dataclass
class World:
    """One workspace's log, with what it takes to open it again."""

    engine: Engine
    key: LogKey
    clock: Clock
    ids: Ids
    folder: Path

    def open(self, engine: Engine | None = None, **changes: Any) -> Log:
        """Open the log as a process with the log key, or with what ``changes`` says."""
        arguments: dict[str, Any] = {
            "workspace": WORKSPACE,
            "clock": self.clock,
            "ids": self.ids,
            "key": self.key,
        }
        return Log(engine or self.engine, **(arguments | changes))

    def record(self, log: Log, *events: Event) -> tuple[tuple[str, ...], Checkpoint]:
        """Append in one transaction, signed in it; the way the product does it."""
        with self.engine.begin() as connection:
            ids = log.append(connection, *events)
            checkpoint = log.settle(connection)
        assert checkpoint is not None
        log.confirm(checkpoint)
        return ids, checkpoint

    @property
    def pin(self) -> Path:
        return self.folder / "log.key.pin"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return Path(str(self.engine.url.database))
