"""What an earlier scan of the same warehouse read, and what of it still holds.

Rules: only what carries a version that the warehouse has now is used again, and only after the desk has proven where it
came from and policy has allowed the same read anew. Without a version (servers have none) everything is read. What
depends on the day, too, is used again only until the day on which it may be otherwise.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
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

    def schema(self, ask: Ask) -> tuple[tuple[Value, str] | None, str]:
        """Give the schema and its evidence, where the whole warehouse is still what it was; and the day of today.

        Where there is nothing that could be used again, the day does not matter and is empty.
        """
        if self._notes is None:
            return None, ""
        now = version_of(ask(VersionRequest())[0])
        return self._same(self._notes.schema, SchemaRequest().model_dump(mode="json"), now.version), now.day

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
        kept = set(self._notes.profiles.values()) if self._notes is not None else set[str]()

        def parts(content: Json) -> list[dict[str, Any]]:
            tables = cast("list[dict[str, Any]]", _answer(content).get("tables") or [])
            return [item["profile"] for item in tables if item["profile"]]

        return self._by_table(kept, infos, parts)

    def cells(self, infos: Mapping[str, TableInfo], request: Json, day: str) -> tuple[dict[str, str], dict[str, Json]]:
        """Give the new evidence of the cells of each table that is still what it was, and what it was asked with.

        Only what was asked like ``request`` (its tables apart) is meant, and only what holds on ``day``.
        """
        if self._notes is None or not day:
            return {}, {}
        wanted = _but_tables(request)
        kept = {
            evidence
            for evidence, _ in self._notes.inspections
            if evidence in self._notes.asked and _but_tables(self._notes.asked[evidence]) == wanted
        }

        def parts(content: Json) -> list[dict[str, Any]]:
            tables = cast("list[dict[str, Any]]", _answer(content).get("tables") or [])
            return [item for item in tables if item["reached"] and _holds(item, day)]

        return self._by_table(kept, infos, parts)

    def _by_table(
        self, kept: AbstractSet[str], infos: Mapping[str, TableInfo], parts: Callable[[Json], list[dict[str, Any]]]
    ) -> tuple[dict[str, str], dict[str, Json]]:
        """Adopt what speaks of tables that are still what they were; ``parts`` of a content name table and version."""
        current = {_named(info): (key, info.version) for key, info in infos.items() if info.version}

        def unchanged(content: Json) -> list[str]:
            return [
                key
                for part in parts(content)
                for key, version in [current.get(_name_of(part["table"]), ("", ""))]
                if version and part["version"] == version
            ]

        asked = self._notes.asked if self._notes is not None else {}
        wanted = {evidence: request for evidence, request in asked.items() if evidence in kept}
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


def _but_tables(request: Json) -> dict[str, Json]:
    return {key: value for key, value in cast("dict[str, Json]", request).items() if key != "tables"}


def _holds(inspected: Mapping[str, Any], day: str) -> bool:
    """Whether what was found of a table on one day is what would be found on another one."""
    return bool(inspected["day"]) and inspected["day"] <= day and (not inspected["until"] or day < inspected["until"])


def _named(info: TableInfo) -> tuple[str, str]:
    return info.table.schema_name, info.table.name


def _name_of(table: Mapping[str, str]) -> tuple[str, str]:
    return table["schema_name"], table["name"]
