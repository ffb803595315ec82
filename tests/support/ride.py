"""One run of the planner, with the real runner, desk, gate and sealed checkpoints, on a small shop's database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig

from support.bench import Bench
from support.checkpoints import Kept
from twokey.agents.models.none import NoModels
from twokey.agents.planner.graph import build as build_graph
from twokey.agents.planner.runner import Pause, Reins, Runner
from twokey.agents.state import Progress, Surroundings
from twokey.core.values import Action, Request, Resource
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Place
from twokey.tools.desk import Desk


def shop(path: Path) -> Path:
    """A database with customers, who have addresses, and their orders."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, email TEXT NOT NULL);
            CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total_cents INTEGER);
            """
        )
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?)", [(number, f"p{number}@example.com") for number in range(1, 41)]
        )
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", [(number, number % 40 + 1, number * 10) for number in range(1, 201)]
        )
        connection.commit()
    return path


def document_shop(bench: Bench, warehouse: Path) -> Request:
    """ana asks to document the shop."""
    args = {"warehouse": str(warehouse), "repository": str(bench.repository), "tables": []}
    return Request(text="", intent="catalog_propose", args=args, channel="cli", requester="ana")


class Ride:
    """One run with its desk and its saver."""

    def __init__(self, bench: Bench, warehouse: Path, request: Request, kept: Kept | None = None) -> None:
        place = Place(Resource(kind="warehouse", id=str(warehouse), granted_by="request"), f"sqlite:///{warehouse}")
        bench.book.remember(place.resource.id, place.location)
        self.bench = bench
        self.desk = bench.desk(places=[place])
        self.kept = kept or Kept(str(warehouse.with_name("checkpoints.db")))
        with bench.ledger.change() as unit:
            runs.put_document(
                unit.connection, run=self.desk.run, name="request", body=request.canonical(), now=bench.clock.now_us()
            )

    @property
    def config(self) -> RunnableConfig:
        return {"configurable": {"thread_id": self.desk.run, "checkpoint_ns": ""}}

    def drive(self, tell: Callable[[Progress], None] = lambda _: None, reins: Reins | None = None) -> Pause:
        """Drive the run as the product does."""

        def desk(_run: str, _holder: str) -> Desk:
            return self.desk

        return Runner(self.kept.sealed, desk, NoModels()).drive(self.desk.run, tell, reins)

    def invoke(self, value: Any, config: RunnableConfig | None = None) -> Any:
        """Drive the planner's graph past the runner, with whatever somebody puts in."""
        with self.kept.sealed() as saver:
            return build_graph(saver).invoke(
                value,
                config or self.config,
                context=Surroundings(desk=self.desk, models=NoModels(), tell=lambda _: None),
                durability="sync",
                version="v2",
            )

    def proposal(self) -> ProposalRecord:
        """The one proposal of the run, as it stands."""
        (record,) = self.desk.proposals()
        return record

    def answer(self, action: Action = "approve", name: str = "sam") -> None:
        record = self.proposal()
        self.bench.gate.answer(self.bench.answer(record, name, action), channel="cli")

    def write(self) -> None:
        """Let the gate write what is approved."""
        self.bench.gate.execute(self.proposal().id)

    def kinds(self) -> list[str]:
        """Kinds of the log's entries about the run and its proposals, in order."""
        about = [self.desk.run, *(record.id for record in self.desk.proposals())]
        return [kind for subject in about for kind in self.bench.kinds(subject)]
