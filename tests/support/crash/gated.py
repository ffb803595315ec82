"""Jobs of Twokey's side: who asks for a change, who approves it and has it written, and whoever takes up what is left."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from conftest import CountingIds
from langgraph.checkpoint.postgres import PostgresSaver

from support.command import repository, warehouse
from support.compiled import share_compiled
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

JOBS = "support.crash.gated:"
FIRST_IDS = {"ask": 0, "answer": 1_000_000}
"""Each process of a trial has ids of its own, and the same ones in every trial."""
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
    points = Points(stage.folder, args["part"], at, act[args.get("action", "say")])
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


def warm(args: Any) -> None:
    """Go through a whole run, so that what a process works out once, and is the same in every one, is worked out."""
    share_compiled()
    stage = read_stage(args["stage"])
    with _opened(stage, RandomIds()) as workspace:
        _ask(workspace, stage)
        for record in workspace.service.waiting():
            _approve(workspace, record.id)


def ask(tell: Tell, args: Any) -> None:
    """Ask for a change; with ``through`` the same process also approves it as a second person, as ``answer`` does."""
    stage = read_stage(args["stage"])
    with _told(stage, args, tell) as workspace:
        tell("asked", run=_ask(workspace, stage))
        if args.get("through"):
            _answer(workspace, tell)


def answer(tell: Tell, args: Any) -> None:
    """Approve what waits as a second person, and have it written."""
    with _told(read_stage(args["stage"]), args, tell) as workspace:
        _answer(workspace, tell)


def _answer(workspace: Workspace, tell: Tell) -> None:
    for record in workspace.service.waiting():
        state = _approve(workspace, record.id)
        tell("approved", proposal=record.id, state=state.value)


@contextmanager
def _told(stage: Stage, args: Any, tell: Tell) -> Generator[Workspace]:
    """Open a workspace in a process that is watched, and tell how that ended."""
    points = watched(stage, args, tell)
    ids = CountingIds()
    ids.count = FIRST_IDS[args["part"]]
    try:
        with _opened(stage, ids) as workspace:
            tell("opened")
            yield workspace
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
