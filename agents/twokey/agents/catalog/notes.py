"""What a scan hands over: which evidence holds what. Ids and names only; what they mean is worked out anew each time.

Rules: plain JSON with ASCII keys (names of tables stand in lists); reading the notes again gives the same
understanding, because it is a function of the evidence they name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from twokey.agents.catalog import comparing, reading
from twokey.agents.catalog.baseline import Earlier
from twokey.agents.catalog.facts import Join, Warehouse
from twokey.agents.catalog.findings import Citations, Focus
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.understanding import Questions, Understanding, questions, understand
from twokey.agents.memory import Memory
from twokey.core.canonical import Json
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import Inspected, SchemaResult, TableInfo


@dataclass(frozen=True)
class Notes:
    """The notes of one scan."""

    warehouse: str
    focus: Focus
    chosen: tuple[str, ...]
    schema: str
    profiles: Mapping[str, str] = field(default_factory=dict[str, str])
    """Table key -> evidence that holds its profile, beside those of others."""
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Table key -> why it was not profiled; empty where it has no columns."""
    counts: tuple[str, ...] = ()
    """Evidence of counted keys, in the order they were asked."""
    inspections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Evidence of what is wrong in cells, and the keys of the tables it speaks of, in their order."""
    reused: bool = False
    """Whether every profile is that of an earlier scan."""
    counted: bool = False
    """Whether everything that had to be counted was."""
    asked: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Evidence -> what it was asked with."""
    baseline: Earlier | None = None
    """What is compared with; None where nothing was looked for yet."""
    day: str = ""
    """Day on which the scan began, where an earlier one could be of use."""

    @classmethod
    def of(cls, desk: Desk, step: int) -> "Notes | None":
        """Read the notes of a step; None where there are none yet."""
        return cls.expected(desk, step) if desk.has(_name(step)) else None

    @classmethod
    def expected(cls, desk: Desk, step: int) -> "Notes":
        """Read the notes of a step; raises ``NotFound`` where there are none."""
        return cls._of(cast("dict[str, Any]", desk.kept(_name(step))))

    @classmethod
    def _of(cls, body: "dict[str, Any]") -> "Notes":
        return cls(
            warehouse=body["warehouse"],
            focus=body["focus"],
            chosen=tuple(body["chosen"]),
            schema=body["schema"],
            profiles=dict(body["profiles"]),
            problems=dict(body["problems"]),
            counts=tuple(body["counts"]),
            inspections=tuple((evidence, tuple(tables)) for evidence, tables in body["inspections"]),
            reused=bool(body.get("reused", False)),
            counted=bool(body.get("counted", False)),
            asked=dict(body.get("asked", ())),
            baseline=_earlier_of(body.get("baseline")),
            day=body.get("day", ""),
        )

    @classmethod
    def earlier(cls, desk: Desk, warehouse: str) -> "Sequence[Notes]":
        """Give the notes that other runs took of ``warehouse`` lately, newest first. Hints: nothing in them counts."""
        return [notes for _, notes in cls.earlier_by_run(desk, warehouse)]

    @classmethod
    def earlier_by_run(cls, desk: Desk, warehouse: str, *, limit: int = 10) -> "Sequence[tuple[str, Notes]]":
        """Give the same, each with the run that took them."""
        found = [(run, cast("dict[str, Any]", body)) for run, body in desk.earlier(_name(""), limit=limit)]
        return [(run, cls._of(body)) for run, body in found if body.get("warehouse") == warehouse]

    @classmethod
    def of_run(cls, desk: Desk, run: str) -> "Notes":
        """Read the notes of the first step of another run; raises ``NotFound``. Hints, too."""
        return cls._of(cast("dict[str, Any]", desk.handed_over(run, _name(1))))

    def keep(self, desk: Desk, step: int) -> None:
        """Write the notes down."""
        desk.keep(
            _name(step),
            {
                "warehouse": self.warehouse,
                "focus": self.focus,
                "chosen": list(self.chosen),
                "schema": self.schema,
                "profiles": [[table, evidence] for table, evidence in self.profiles.items()],
                "problems": [[table, problem] for table, problem in self.problems.items()],
                "counts": list(self.counts),
                "inspections": [[evidence, list(tables)] for evidence, tables in self.inspections],
                "reused": self.reused,
                "counted": self.counted,
                "asked": [[evidence, request] for evidence, request in self.asked.items()],
                "baseline": None
                if self.baseline is None
                else {
                    "run": self.baseline.run,
                    "profiles": [[table, evidence] for table, evidence in self.baseline.profiles.items()],
                    "cells": [[table, evidence] for table, evidence in self.baseline.cells.items()],
                },
                "day": self.day,
            },
        )

    def with_profiles(self, profiles: Mapping[str, str], problems: Mapping[str, str]) -> "Notes":
        """Note the evidence that holds the profiles of tables, and why others have none."""
        return replace(self, profiles={**self.profiles, **profiles}, problems={**self.problems, **problems})

    def with_asked(self, asked: Mapping[str, Json]) -> "Notes":
        """Note what evidence was asked with."""
        return replace(self, asked={**self.asked, **asked})

    def with_inspection(self, evidence: str, tables: Sequence[str]) -> "Notes":
        """Note what is wrong in the cells of some tables."""
        return replace(self, inspections=(*self.inspections, (evidence, tuple(tables))))

    @property
    def inspected(self) -> frozenset[str]:
        """Tables whose cells were looked at."""
        return frozenset(table for _, tables in self.inspections for table in tables)

    def with_counts(self, evidence: str) -> "Notes":
        """Note counted keys."""
        return replace(self, counts=(*self.counts, evidence))

    def compared_with(self, earlier: Earlier) -> "Notes":
        """Note the reading that is compared with."""
        return replace(self, baseline=earlier)

    def all_reused(self) -> "Notes":
        """Note that every profile is that of an earlier scan."""
        return replace(self, reused=True)

    def all_counted(self) -> "Notes":
        """Note that nothing is left to count."""
        return replace(self, counted=True)

    def cells(self, desk: Desk, infos: Mapping[str, TableInfo]) -> Mapping[str, tuple[Inspected, str]]:
        """Read again what is wrong in the cells of each table, and which evidence says so."""
        held = {
            (evidence, found.table): found
            for evidence in dict.fromkeys(evidence for evidence, _ in self.inspections)
            for found in reading.inspection_of(reading.kept_answer(desk, evidence)).tables
        }
        asked = [(key, evidence, infos[key].table) for evidence, tables in self.inspections for key in tables]
        return {key: (held[evidence, table], evidence) for key, evidence, table in asked if (evidence, table) in held}

    def facts(self, desk: Desk) -> tuple[SchemaResult, Warehouse]:
        """Read schema and profiles again."""
        schema = reading.schema_of(reading.kept_answer(desk, self.schema))
        infos = reading.names_of(schema)
        held = {
            (evidence, item.table): item.profile
            for evidence in dict.fromkeys(self.profiles.values())
            for item in reading.profiles_of(reading.kept_answer(desk, evidence)).tables
        }
        found = {table: held.get((evidence, infos[table].table)) for table, evidence in self.profiles.items()}
        profiles = {table: profile for table, profile in found.items() if profile is not None}
        return schema, reading.with_profiles(reading.warehouse_of(schema), profiles)

    def questions(self, desk: Desk, memory: Memory) -> tuple[SchemaResult, Warehouse, Questions]:
        """Read schema and profiles again, and say what of their keys is to be counted."""

        def work() -> tuple[SchemaResult, Warehouse, Questions]:
            schema, facts = self.facts(desk)
            return schema, facts, questions(facts, self.chosen)

        return memory.once("catalog questions", (self.schema, self.profiles, self.chosen), work)

    def understood(self, desk: Desk, memory: Memory) -> tuple[Understanding, Citations]:
        """Work out what is understood, and which evidence holds what."""
        return memory.once("catalog understanding", self, lambda: self._understood(desk, memory))

    def _understood(self, desk: Desk, memory: Memory) -> tuple[Understanding, Citations]:
        schema, facts, asked = self.questions(desk, memory)
        counts: dict[Join, Counted] = {}
        cited: dict[Join, str] = {}
        answers = {
            fact.check: (fact, evidence)  # one that was asked for again counts as answered the last time
            for evidence in self.counts
            for fact in reading.keys_of(reading.kept_answer(desk, evidence)).checks
        }
        for join, check in zip(asked.all, reading.checks_of(asked.all, reading.names_of(schema)), strict=True):
            fact, evidence = answers.get(check, (None, ""))
            counted = None if fact is None else reading.counted(fact)
            if counted is not None:
                counts[join] = counted
                cited[join] = evidence
        problems = {table: problem for table, problem in self.problems.items() if problem}
        cells = self.cells(desk, reading.names_of(schema))
        found = {table: inspected for table, (inspected, _) in cells.items()}
        understood = replace(understand(facts, self.chosen, counts, asked), inspections=found)
        seen = {table: evidence for table, (_, evidence) in cells.items()}
        then = comparing.then(desk, self.baseline, schema) if self.baseline is not None else {}
        return understood, Citations(self.schema, self.profiles, cited, problems, seen, then)


def _earlier_of(body: "dict[str, Any] | None") -> Earlier | None:
    return None if body is None else Earlier(body["run"], dict(body["profiles"]), dict(body["cells"]))


def _name(step: int | str) -> str:
    return f"scan-{step}"
