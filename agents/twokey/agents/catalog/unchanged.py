"""What an earlier scan of the same warehouse read, and what of it still holds.

Rules: only what carries a version that the warehouse has now is used again, and only after the desk has proven where it
came from and policy has allowed the same read anew. Without a version (servers have none) everything is read.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from twokey.agents.catalog.notes import Notes
from twokey.agents.catalog.reading import AGENT, TOOL, Ask, Request, version_of
from twokey.core.canonical import Json
from twokey.core.values import Value
from twokey.tools.adopting import Wanted
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import QueryArgs, QueryResult, SchemaRequest, TableInfo, VersionRequest


class Unchanged:
    """Answers questions from the latest earlier scan, as far as that still holds."""

    def __init__(self, desk: Desk, step: int, warehouse: str) -> None:
        self._desk = desk
        self._step = step
        self._warehouse = warehouse
        taken = Notes.earlier(desk, warehouse)
        self._notes = next((notes for notes in taken if notes.profiles), None)

    def schema(self, ask: Ask) -> tuple[Value, str] | None:
        """Give the schema and its evidence, where the whole warehouse is still what it was."""
        if self._notes is None:
            return None
        version = version_of(ask(VersionRequest())[0])
        return self._same(self._notes.schema, SchemaRequest().model_dump(mode="json"), version)

    def answer(self, request: Request, version: str) -> tuple[Value, str] | None:
        """Give the answer to ``request`` and its evidence, where the whole warehouse is still of ``version``."""
        asked = request.model_dump(mode="json")
        for evidence, before in self._notes.asked.items() if self._notes is not None else ():
            if before == asked:
                return self._same(evidence, asked, version)
        return None

    def counts(self, notes: Notes, version: str) -> Notes | None:
        """Give ``notes`` with every count of the earlier scan, where all that these rest on is as it was.

        What there is to count follows from schema, profiles and the tables that are meant; where these are those of the
        earlier scan and the whole warehouse is still of ``version``, so is what was counted.
        """
        before = self._notes
        if before is None or not (version and before.counted and notes.reused) or notes.counts:
            return None
        if (before.chosen, dict(before.problems)) != (notes.chosen, dict(notes.problems)):
            return None
        wanted = {evidence: before.asked[evidence] for evidence in before.counts if evidence in before.asked}
        adopted = self._adopt(wanted, lambda content: _answer(content).get("version") == version)
        if len(adopted) != len(before.counts):
            return None
        for old in before.counts:
            notes = notes.with_counts(adopted[old][0]).with_asked({adopted[old][0]: wanted[old]})
        return notes.all_counted()

    def profiles(self, infos: Mapping[str, TableInfo]) -> tuple[dict[str, str], dict[str, Json]]:
        """Give the new evidence of the profile of each table that is still what it was, and what it was asked with."""
        if self._notes is None:
            return {}, {}
        current = {_named(info): (key, info.version) for key, info in infos.items() if info.version}

        def unchanged(content: Json) -> list[str]:
            tables = _answer(content).get("tables")
            profiles = [item["profile"] for item in cast("list[dict[str, Any]]", tables or []) if item["profile"]]
            return [
                key
                for profile in profiles
                for key, version in [current.get(_name_of(profile["table"]), ("", ""))]
                if version and profile["version"] == version
            ]

        wanted = {
            evidence: asked
            for evidence, asked in self._notes.asked.items()
            if evidence in self._notes.profiles.values()
        }
        adopted = self._adopt(wanted, lambda content: bool(unchanged(content)))
        found: dict[str, str] = {}
        for evidence, content in adopted.values():
            found.update(dict.fromkeys(unchanged(content), evidence))
        return found, {evidence: wanted[old] for old, (evidence, _) in adopted.items()}

    def _same(self, evidence: str, asked: Json, version: str) -> tuple[Value, str] | None:
        if not version:
            return None
        adopted = self._adopt({evidence: asked}, lambda content: _answer(content).get("version") == version)
        for new, content in adopted.values():
            return QueryResult.model_validate(content).answer, new
        return None

    def _adopt(self, wanted: Mapping[str, Json], fits: Callable[[Json], bool]) -> dict[str, tuple[str, Json]]:
        """Adopt pieces of evidence, given what they were asked with; gives the new ids and contents by the old ids."""
        return self._desk.adopt(
            TOOL,
            [
                Wanted(evidence, QueryArgs.model_validate({"warehouse": self._warehouse, "ask": asked}))
                for evidence, asked in wanted.items()
            ],
            agent=AGENT,
            step=self._step,
            fits=fits,
        )


def _answer(content: Json) -> dict[str, Any]:
    return cast("dict[str, dict[str, Any]]", content)["answer"]


def _named(info: TableInfo) -> tuple[str, str]:
    return info.table.schema_name, info.table.name


def _name_of(table: Mapping[str, str]) -> tuple[str, str]:
    return table["schema_name"], table["name"]
