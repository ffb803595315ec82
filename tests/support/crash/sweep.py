"""Goes through the points of what runs: ends or holds a process at each, has the rest finished, and judges.

Rules: the first trial of a point ends the process exactly there; a further one ends it a random moment after, so that
commits are also cut in their midst. A process that did not get to its point is a fault of the sweep, never a success.
"""

import random
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from support.crash import gated, looks, naive
from support.crash.forks import Broken, Child, Forks
from support.crash.looks import Verdict
from support.crash.points import Point, read_point
from support.crash.stage import Stage, Stages

LATEST_S: Final = 0.02
"""How long after its point a process is ended at the latest, in the trials after the first."""
AT_ONCE: Final = 2
"""Trials that are under way at the same time."""


@dataclass(frozen=True)
class Contender:
    """One thing that runs, and how it is judged. ``parts`` are the jobs of a whole run, each in a process of its own."""

    name: str
    jobs: str
    parts: tuple[str, ...]
    args: dict[str, Any]
    approvals: Callable[[Stage], list[str]]
    judge: Callable[[Stage, list[str], list[dict[str, Any]]], Verdict]


TWOKEY: Final = Contender("Twokey", gated.JOBS, ("ask", "answer"), {}, looks.approvals, looks.judge)
NAIVE: Final = tuple(
    Contender(f"naive LangGraph, {text}", naive.JOBS, ("whole_run",), args, naive.approvals, naive.judge)
    for text, args in (
        ("one node", {"nodes": 1, "believing": False}),
        ("two nodes", {"nodes": 2, "believing": False}),
        ("two nodes, believing `next`", {"nodes": 2, "believing": True}),
    )
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial and what came of it. ``number`` 0 ended the process exactly at the point."""

    point: Point
    number: int
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        verdict = self.verdict
        counts = {name: getattr(verdict, name) for name in COUNTS}
        return {"point": self.point.as_json(), "number": self.number, **counts, "faults": list(verdict.faults)}


COUNTS: Final = ("duplicates", "lost", "stuck", "asked_again")


def read_trial(value: dict[str, Any]) -> Trial:
    """Read what ``Trial.as_json`` gave."""
    verdict = Verdict(**{name: value[name] for name in COUNTS}, faults=tuple(value["faults"]))
    return Trial(read_point(value["point"]), value["number"], verdict)


class Sweep:
    """Trials of one contender on one database."""

    def __init__(self, forks: Forks, stages: Stages, contender: Contender) -> None:
        self._forks = forks
        self._stages = stages
        self._contender = contender

    @property
    def server(self) -> str:
        """The address of the PostgreSQL server; empty on SQLite."""
        return self._stages.server

    def prepare(self, *, first: bool) -> None:
        """Have the templates made, a part of a run after the other, and the server of forks warmed up.

        Raises:
            Broken: a job went wrong without being ended.

        """
        jobs, (begin, *later) = self._contender.jobs, self._contender.parts
        self._forks.preload([jobs.removesuffix(":")])

        def build(stage: Stage) -> None:
            self._forks.run(f"{jobs}build", {"stage": stage.as_json(), "first": first}, stage.environment)

        self._stages.make(begin, build)
        with self._stages.fresh(begin) as stage:
            modules = {
                name
                for part in self._contender.parts
                for said in self._forks.run(*self._job(stage, part)).said("points")
                for name in said["modules"]
            }
        with self._stages.fresh(begin) as stage:
            self._forks.preload(sorted(modules), f"{jobs}warm", {"stage": stage.as_json()}, stage.environment)
        for before, part in pairwise((begin, *later)):

            def go_on(stage: Stage, done: str = before) -> None:
                self._forks.run(*self._job(stage, done))

            self._stages.make(part, go_on, after=before)

    def points(self) -> list[Point]:
        """Every point of one whole run, in the order in which they came, without those that only some runs have.

        Raises:
            Broken: the run went wrong without being ended.

        """
        points: list[Point] = []
        with self._stages.fresh(self._contender.parts[0]) as stage:
            told: list[dict[str, Any]] = []
            for part in self._contender.parts:
                child = self._forks.run(*self._job(stage, part))
                told += child.told
                points += [read_point(point) for said in child.said("points") for point in said["points"]]
            verdict = self._contender.judge(stage, self._contender.approvals(stage), told)
        if not verdict.clean:
            raise Broken(f"a run that nobody ended went wrong: {verdict}")
        return [point for point in points if not point.by_the_clock]

    def kill(self, point: Point, number: int) -> Trial:
        """End a process with SIGKILL at or after ``point``, have the rest finished, and judge."""
        with self._stages.fresh(point.part) as stage:
            exactly = number == 0
            child = self._forks.start(*self._job(stage, point.part, point, "kill" if exactly else "say"))
            try:
                if exactly:
                    reached = not child.finish()
                else:
                    reached = child.until("reached") is not None
                    chance = random.Random(f"{point} {number}")  # noqa: S311 - a moment, not a secret
                    time.sleep(chance.uniform(0, LATEST_S))
                    child.signal(signal.SIGKILL)
                    child.finish()
                if not reached:
                    return Trial(point, number, Verdict(faults=("the point was not reached",)))
                acknowledged = self._contender.approvals(stage)
                stage.time_passes()
                second = self._forks.run(*self._job(stage, "finish"))
                verdict = self._contender.judge(stage, acknowledged, second.told)
                lost_run = bool(child.said("asked")) and bool(second.said("asked again"))
            except Broken as error:
                return Trial(point, number, Verdict(stuck=1, faults=(str(error),)))
            finally:
                child.end()
            if lost_run:
                verdict = replace(verdict, faults=(*verdict.faults, "a run that was acknowledged is gone"))
            return Trial(point, number, verdict)

    def stop(self, point: Point, *, patient: bool = False) -> Trial:
        """Hold a process at ``point`` past every lease, let another one take over, and let the first one go on.

        Where the first one holds a lock that the other needs, both go on at the same time; with ``patient`` the other
        one tries until it gives up. The first one goes on to the end of the whole run.
        """
        with self._stages.fresh(point.part) as stage:
            first = self._forks.start(*self._job(stage, point.part, point, "stop", through=True))
            second: Child | None = None
            try:
                if first.until("reached") is None:
                    return Trial(point, 0, Verdict(faults=("the point was not reached",)))
                first.wait_stopped()
                acknowledged = self._contender.approvals(stage)
                stage.time_passes()
                held = stage.held() and not patient
                second = self._forks.start(*self._job(stage, "finish", beside=True))
                if held:
                    second.until("started")
                else:
                    _ended(second)
                first.signal(signal.SIGCONT)
                _ended(first)
                _ended(second)
                last = self._forks.run(*self._job(stage, "finish", beside=True))
                # Who waits for a lock of somebody who is alive may give up; then nothing was done, and is done later.
                told = [message for message in second.told if not (held and message["kind"] == "refused")]
                return Trial(point, 0, self._contender.judge(stage, acknowledged, [*told, *last.told]))
            except Broken as error:
                return Trial(point, 0, Verdict(stuck=1, faults=(str(error),)))
            finally:
                for child in (first, second):
                    if child is not None:
                        child.end()

    def _job(
        self, stage: Stage, name: str, point: Point | None = None, action: str = "say", **more: Any
    ) -> tuple[str, dict[str, Any], dict[str, str]]:
        at = {"part": name, "point": point.as_json() if point else None, "action": action}
        args = {"stage": stage.as_json()} | at | self._contender.args | more
        return f"{self._contender.jobs}{name}", args, stage.environment


def _ended(child: Child) -> None:
    if not child.finish():
        raise Broken("a process ended before its job was done")


@contextmanager
def prepared(forks: Forks, folder: Path, server: str, contender: Contender, *, first: bool = False) -> Generator[Sweep]:
    """A sweep on stages of its own; with ``first`` in workspaces in which nothing ever ran."""
    made = Stages(folder, server)
    sweep = Sweep(forks, made, contender)
    try:
        sweep.prepare(first=first)
        yield sweep
    finally:
        made.remove()


def boundaries(points: Iterable[Point]) -> list[Point]:
    """The points between which something on disk differs.

    What lies right after a commit is on disk the same as what lies right before the next change.
    """
    return [point for point in points if not point.name.startswith("after commit")]


def together(work: Iterable[Callable[[], Trial]], done: Callable[[Trial], None], at_once: int = AT_ONCE) -> None:
    """Do trials, some at once, and hand each one on when it is over, one at a time."""
    lock = threading.Lock()

    def one(trial: Callable[[], Trial]) -> None:
        came = trial()
        with lock:
            done(came)

    with ThreadPoolExecutor(at_once) as pool:
        try:
            for future in [pool.submit(one, trial) for trial in work]:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
