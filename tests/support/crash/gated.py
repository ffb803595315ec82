"""Jobs of Twokey's side: a whole gated run in one process, and whoever takes up what it left."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from conftest import CountingIds
from langgraph.checkpoint.postgres import PostgresSaver

from support.command import repository, warehouse
from support.crash.forks import Tell
from support.crash.points import Point, Points, read_point
from support.crash.recovery import recover
from support.crash.stage import Stage, StageClock, read_stage
from twokey.channels import creation, wiring
from twokey.channels.workspace import Workspace
from twokey.core.entropy import RandomIds
from twokey.core.errors import TwokeyError
from twokey.core.lifecycle import State
from twokey.core.ports import Ids
from twokey.tools import registry

JOBS = "support.crash.gated:"
SETTINGS = """
[policy]
deadline_ms = 10000  # a shared machine may stall; what is tested here is not speed

[places.shop]
kind = "warehouse"
location = "warehouse.db"

[places.models]
kind = "repository"
location = "../repository"
"""
"""Places have names here, so that no proposal holds the folder of its trial and every run makes the same objects."""


def watched(stage: Stage, args: Any, tell: Tell) -> Points:
    """Watch this process; at ``args["point"]`` it does what ``args["action"]`` says."""
    at: Point | None = read_point(args["point"]) if args.get("point") else None

    def end() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def stop() -> None:
        tell("reached")
        os.kill(os.getpid(), signal.SIGSTOP)

    def say() -> None:
        tell("reached")

    act: dict[str, Callable[[], None]] = {"kill": end, "stop": stop, "say": say}
    points = Points(stage.folder, at, act[args.get("action", "say")])
    points.watch()
    return points


def build(tell: Tell, args: Any) -> None:
    """Make a workspace, a warehouse and a repository.

    Unless its ``first`` run is what is tried, the tables of checkpoints are there on PostgreSQL: setting them up are
    two dozen commits more, before anything is done.
    """
    del tell
    stage = read_stage(args["stage"])
    creation.create(stage.workspace, creation.parse_people(["ana:analysts,sam:platform-owners"]))
    with (stage.workspace / "twokey.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    warehouse(stage.warehouse)
    repository(stage.repository)
    if stage.url and not args["first"]:
        with PostgresSaver.from_conn_string(stage.url.replace("+psycopg", "", 1)) as saver:
            saver.setup()


def warm() -> None:
    """Work out what a process works out once, and what is the same in every one."""
    registry.installed({})


def whole_run(tell: Tell, args: Any) -> None:
    """Ask for a change, approve it as a second person, and have it written: one whole run."""
    stage = read_stage(args["stage"])
    points = watched(stage, args, tell)
    try:
        with _opened(stage, CountingIds()) as workspace:
            tell("opened")
            run = _ask(workspace, stage)
            tell("asked", run=run)
            for record in workspace.service.outcome(run).proposals:
                state = _approve(workspace, record.id)
                tell("approved", proposal=record.id, state=state.value)
    except TwokeyError as error:
        # Legitimate only where somebody else went on meanwhile; whoever started this job knows whether that is so.
        tell("refused", code=error.code, sentence=error.message)
    tell("points", points=[point.as_json() for point in points.seen], modules=sorted(sys.modules))


def finish(tell: Tell, args: Any) -> None:
    """Take up what was left, as a worker does; then do what people have to do again, and say what that was."""
    stage = read_stage(args["stage"])
    try:
        with _opened(stage, RandomIds()) as workspace:
            tell("opened")
            beside = bool(args.get("beside"))  # the first process is alive, and its people still wait for it
            if beside:
                # Another machine has the database and the key, and not this machine's locks of living processes.
                for lock in (stage.workspace / ".twokey" / "drivers").glob("x-*"):
                    lock.unlink(missing_ok=True)
            recover(workspace)
            if not workspace.service.runs() and not beside:
                _ask(workspace, stage)
                tell("asked again")
            for record in workspace.service.waiting():
                if record.state is State.AWAITING_APPROVAL:
                    _approve(workspace, record.id)
                    tell("approved again", proposal=record.id)
            recover(workspace)
    except TwokeyError as error:
        tell("refused", code=error.code, sentence=error.message)


@contextmanager
def _opened(stage: Stage, ids: Ids) -> Generator[Workspace]:
    os.chdir(stage.folder)  # the warehouse's location is relative to it
    with wiring.opened(stage.workspace, clock=StageClock(stage), ids=ids) as workspace:
        yield workspace


def _ask(workspace: Workspace, stage: Stage) -> str:
    ana, _ = workspace.identify("ana", "cli")
    return workspace.catalog(ana, str(stage.warehouse), str(stage.repository), (), lambda _: None).run.id


def _approve(workspace: Workspace, proposal: str) -> State:
    sam, key = workspace.identify("sam", "cli")
    answer = workspace.service.answer
    return answer(sam, key, action="approve", proposal=proposal, tell=lambda _: None).state
