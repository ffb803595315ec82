"""What a scan hands over: which evidence holds what. Ids and names only; what they mean is worked out anew each time.

Rules: plain JSON with ASCII keys (names of tables stand in lists); reading the notes again gives the same
understanding, because it is a function of the evidence they name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from twokey.agents.catalog import reading
from twokey.agents.catalog.facts import Join, Warehouse
from twokey.agents.catalog.findings import Citations, Focus
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.understanding import Understanding, questions, understand
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import Inspected, SchemaResult


@dataclass(frozen=True)
class Notes:
    """The notes of one scan."""

    warehouse: str
    focus: Focus
    chosen: tuple[str, ...]
    schema: str
    profiles: Mapping[str, str] = field(default_factory=dict[str, str])
    """Table key -> evidence of its profile."""
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Table key -> why it was not profiled; empty where it has no columns."""
    counts: tuple[str, ...] = ()
    """Evidence of counted keys, in the order they were asked."""
    inspections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Evidence of what is wrong in cells, and the keys of the tables it speaks of, in their order."""

    @classmethod
    def of(cls, desk: Desk, step: int) -> "Notes | None":
        """Read the notes of a step; None where there are none yet."""
        return cls.expected(desk, step) if desk.has(_name(step)) else None

    @classmethod
    def expected(cls, desk: Desk, step: int) -> "Notes":
        """Read the notes of a step; raises ``NotFound`` where there are none."""
        body = cast("dict[str, Any]", desk.kept(_name(step)))
        return cls(
            warehouse=body["warehouse"],
            focus=body["focus"],
            chosen=tuple(body["chosen"]),
            schema=body["schema"],
            profiles=dict(body["profiles"]),
            problems=dict(body["problems"]),
            counts=tuple(body["counts"]),
            inspections=tuple((evidence, tuple(tables)) for evidence, tables in body["inspections"]),
        )

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
            },
        )

    def with_profile(self, table: str, evidence: str) -> "Notes":
        """Note the profile of a table."""
        return replace(self, profiles={**self.profiles, table: evidence})

    def with_problem(self, table: str, problem: str) -> "Notes":
        """Note that a table could not be profiled."""
        return replace(self, problems={**self.problems, table: problem})

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

    def facts(self, desk: Desk) -> tuple[SchemaResult, Warehouse]:
        """Read schema and profiles again."""
        schema = reading.schema_of(reading.kept_answer(desk, self.schema))
        profiles = {
            table: reading.profile_of(reading.kept_answer(desk, evidence)) for table, evidence in self.profiles.items()
        }
        return schema, reading.with_profiles(reading.warehouse_of(schema), profiles)

    def understood(self, desk: Desk) -> tuple[Understanding, Citations]:
        """Work out what is understood, and which evidence holds what."""
        _, facts = self.facts(desk)
        asked = questions(facts, self.chosen)
        counts: dict[Join, Counted] = {}
        cited: dict[Join, str] = {}
        answers = [
            (fact, evidence)
            for evidence in self.counts
            for fact in reading.keys_of(reading.kept_answer(desk, evidence)).checks
        ]
        for join, (fact, evidence) in zip(asked.all, answers, strict=False):
            counted = reading.counted(fact)
            if counted is not None:
                counts[join] = counted
                cited[join] = evidence
        problems = {table: problem for table, problem in self.problems.items() if problem}
        cells: dict[str, Inspected] = {}
        seen: dict[str, str] = {}
        for evidence, tables in self.inspections:
            answers = reading.inspection_of(reading.kept_answer(desk, evidence)).tables
            for table, found in zip(tables, answers, strict=False):
                cells[table], seen[table] = found, evidence
        understood = replace(understand(facts, self.chosen, counts, asked), inspections=cells)
        return understood, Citations(self.schema, self.profiles, cited, problems, seen)


def _name(step: int) -> str:
    return f"scan-{step}"
