"""Drives runs: starts them, brings them to their pause, and takes them up again.

Rules:
- one process at a time drives a run (a lease in the database, held by compare-and-swap and renewed while it works); one
  that lost its lease writes no checkpoint and begins no step; one that is told to halt stops at a step's boundary;
- a pause is resumed by the id of its interrupt, with an empty value: whoever resumes brings no authority;
- a run that stopped anywhere else is taken up with ``invoke(None)``, whatever the saver says is next;
- state is written before each next step (``durability="sync"``) and read back with a strict serialiser; where it was
  tampered with (``checkpoint_tampered``, see ``checkpoints``) the run is not taken up: nothing of it is believed.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command

from twokey.agents.incident.house import House
from twokey.agents.incident.operations.book import Book
from twokey.agents.models.port import Models
from twokey.agents.planner.graph import RECURSION_LIMIT, Compiled, build
from twokey.agents.planner.guarding import GuardedSaver
from twokey.agents.state import Progress, Surroundings
from twokey.agents.triage.team import Team
from twokey.core.errors import EnvironmentFault, Halted, TwokeyError
from twokey.tools.desk import Desk

Saver = BaseCheckpointSaver[str]
Pause = tuple[str, ...]
NOBODY: Final[Pause] = ()


class Reins(Protocol):
    """How a run is held while it is driven."""

    @property
    def holder(self) -> str:
        """Who holds the lease on the run; empty where it is not fenced."""
        ...

    @property
    def halted(self) -> bool:
        """Whether the run is to stop at the next boundary of a step."""
        ...

    def check(self) -> None:
        """Raise ``LeaseLost`` where another process drives the run."""
        ...


class Loose:
    """Reins of a run that nobody else can take: there is one process, and it does not halt."""

    @property
    def holder(self) -> str:
        """Nobody needs to."""
        return ""

    @property
    def halted(self) -> bool:
        """Never."""
        return False

    def check(self) -> None:
        """Never raises."""


class _Control(RunControl):
    """Asks at each boundary whether to drain, so that nobody has to tell a run that is being driven."""

    __slots__ = ("_reins",)

    def __init__(self, reins: Reins) -> None:
        super().__init__()
        self._reins = reins

    @property
    def drain_requested(self) -> bool:
        return self._reins.halted


class Runner:
    """Runs the planner's graph. One object may drive several runs at once, each in a thread of its own."""

    def __init__(
        self,
        savers: Callable[[], AbstractContextManager[Saver]],
        desks: Callable[[str, str], Desk],
        models: Models,
        team: Team | None = None,
        house: House | None = None,
        operations: Book | None = None,
    ) -> None:
        """``desks`` gives the desk of a run for the holder of its lease.

        ``team`` is what the triage job needs of the settings, ``house`` what the incident job needs,
        ``operations`` what the ops review compares with.
        """
        self._team = team
        self._house = house
        self._operations = operations
        self._savers = savers
        self._desks = desks
        self._models = models
        self._lock = threading.Lock()
        self._compiled: Compiled | None = None

    def drive(self, run: str, tell: Callable[[Progress], None], reins: Reins | None = None) -> Pause:
        """Start or take up a run and bring it to its next pause or its end.

        Returns the ids of the interrupts it pauses at; empty where the run has come to its end.

        Raises:
            Halted: the run was left at a step's boundary.
            LeaseLost: another process drives it.
            TwokeyError: the run cannot go on; its proposals stay as they are.

        """
        held = reins or Loose()
        with self._savers() as saver:
            graph = self._graph(GuardedSaver(saver, held.check))
            config: RunnableConfig = {"configurable": {"thread_id": run}, "recursion_limit": RECURSION_LIMIT}
            surroundings = Surroundings(
                desk=self._desks(run, held.holder),
                models=self._models,
                tell=tell,
                team=self._team,
                house=self._house,
                operations=self._operations,
            )
            try:
                output = graph.invoke(
                    _input(graph, config, run),
                    config,
                    context=surroundings,
                    durability="sync",
                    version="v2",
                    control=_Control(held),
                )
            except TwokeyError:
                raise
            except GraphDrained as drained:
                held.check()
                raise Halted(
                    f"Run {run} was left between two steps: this process is coming to an end.",
                    next="A worker goes on with it; or take it up with `twokey runs resume`.",
                ) from drained
            except RecursionError as error:
                raise EnvironmentFault("The run went in circles.", next="Start the request again.") from error
            return tuple(pause.id for pause in output.interrupts)

    def _graph(self, saver: Saver) -> Compiled:
        """Give the compiled graph on ``saver``; compiling takes longer than a short run, and is done once."""
        with self._lock:
            if self._compiled is None:
                self._compiled = build(saver)
        return self._compiled.copy({"checkpointer": saver})


def _input(graph: Compiled, config: RunnableConfig, run: str) -> Any:
    """Choose how to go on: from the start, from a pause, or from wherever a crash left the run."""
    snapshot = graph.get_state(config)
    if snapshot.created_at is None:
        return {"run": run, "position": 0, "proposals": []}
    pauses = {pause.id: {} for pause in snapshot.interrupts}
    return cast("Any", Command(resume=pauses)) if pauses else None
