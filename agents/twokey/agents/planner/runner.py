"""Drives runs: starts them, brings them to their pause, and takes them up again.

Rules:
- one process at a time drives a run (a lease in the database, held by compare-and-swap and renewed while it works);
- a pause is resumed by the id of its interrupt, with an empty value: whoever resumes brings no authority;
- a run that stopped anywhere else is taken up with ``invoke(None)``, whatever the saver says is next;
- state is written before each next step (``durability="sync"``) and read back with a strict serialiser; where it was
  tampered with (``checkpoint_tampered``, see ``checkpoints``) the run is not taken up: nothing of it is believed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from twokey.agents.models.port import Models
from twokey.agents.planner.graph import RECURSION_LIMIT, Compiled, build
from twokey.agents.state import Progress, Surroundings
from twokey.core.errors import EnvironmentFault, TwokeyError
from twokey.tools.desk import Desk

Saver = BaseCheckpointSaver[str]
Pause = tuple[str, ...]
NOBODY: Final[Pause] = ()


class Runner:
    """Runs the planner's graph for one run at a time."""

    def __init__(
        self, savers: Callable[[], AbstractContextManager[Saver]], desks: Callable[[str], Desk], models: Models
    ) -> None:
        self._savers = savers
        self._desks = desks
        self._models = models

    def drive(self, run: str, tell: Callable[[Progress], None]) -> Pause:
        """Start or take up a run and bring it to its next pause or its end.

        Returns the ids of the interrupts it pauses at; empty where the run has come to its end.

        Raises:
            TwokeyError: the run cannot go on; its proposals stay as they are.

        """
        with self._savers() as saver:
            graph = build(saver)
            config: RunnableConfig = {"configurable": {"thread_id": run}, "recursion_limit": RECURSION_LIMIT}
            surroundings = Surroundings(desk=self._desks(run), models=self._models, tell=tell)
            try:
                output = graph.invoke(
                    _input(graph, config, run),
                    config,
                    context=surroundings,
                    durability="sync",
                    version="v2",
                )
            except TwokeyError:
                raise
            except RecursionError as error:
                raise EnvironmentFault("The run went in circles.", next="Start the request again.") from error
            return tuple(pause.id for pause in output.interrupts)


def _input(graph: Compiled, config: RunnableConfig, run: str) -> Any:
    """Choose how to go on: from the start, from a pause, or from wherever a crash left the run."""
    snapshot = graph.get_state(config)
    if snapshot.created_at is None:
        return {"run": run, "position": 0, "proposals": []}
    pauses = {pause.id: {} for pause in snapshot.interrupts}
    return cast("Any", Command(resume=pauses)) if pauses else None
