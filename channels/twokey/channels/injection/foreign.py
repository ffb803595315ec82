"""Tools of somebody else's suite, described in its ``tools.json``, behind the same gate.

One tool: ``{"name", "effect": "read" | "write", "parameters": {NAME: {"type", "required"}}, "places", "quotes"}`` with
the types ``string integer boolean strings number any``. ``places`` are the parameters that decide where a write
goes, ``quotes`` those that a person is shown word for word; the rest is content. ``answers.jsonl`` beside it holds what
reads give: ``{"tool", "args", "text"}``.

Rules: they are real tools over a real SQLite file, which is the one place they know (kind ``tickets``, the nearest
there is): a write is a row under its idempotency key, a read looks up what the suite says and gives nothing where it
says nothing. They are on the allow-list with their digests, and their contracts stand in the policy data, like any
plugin's.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError, create_model

from twokey.core import canonical
from twokey.core.errors import BadInput, Refused
from twokey.core.values import ContentHash, ResourceKind, RollbackPlan, Target, ToolName, Value
from twokey.policies import facts
from twokey.tools.contract import Context, Guarantee, Marker, Outcome, ReadTool, Rendered, Reverse, WriteTool
from twokey.tools.registry import AnyTool

PLACE: Final = "foreign"
KIND: Final[ResourceKind] = "tickets"
_TYPES: Final[Mapping[str, Any]] = {
    "string": StrictStr,
    "integer": StrictInt,
    "boolean": StrictBool,
    "number": StrictInt | StrictStr,
    "strings": tuple[StrictStr, ...],
    "any": Any,
}


class Parameter(BaseModel):
    """One parameter of a foreign tool."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["string", "integer", "boolean", "number", "strings", "any"] = "any"
    required: bool = False


class Description(BaseModel):
    """One foreign tool, as its suite describes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ToolName
    effect: Literal["read", "write"]
    parameters: dict[facts.ArgumentPath, Parameter] = Field(default_factory=dict)
    places: tuple[facts.ArgumentPath, ...] = ()
    quotes: tuple[facts.ArgumentPath, ...] = ()

    def contract(self) -> dict[str, Any]:
        """Give what the policy data says of this tool."""
        if self.effect == "read":
            return {"kinds": [KIND], "places": [], "content": []}
        content = [name for name in self.parameters if name not in self.places]
        quoted = {"quotes": list(self.quotes)} if self.quotes and "quotes" in facts.ToolContract.model_fields else {}
        return {"kinds": [KIND], "places": list(self.places), "content": content, **quoted}


class Said(Value):
    """What a foreign tool gives back."""

    text: str


class _Read(ReadTool[Value, Said]):
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = KIND
    output_type = Said

    def place_name(self, args: Value) -> str:
        del args
        return PLACE

    def call(self, args: Value, context: Context) -> Said:
        """Look up what the suite says that this call gives."""
        place = context.places.find(KIND, PLACE)
        key = (self.name, canonical.digest(args.canonical()))
        with closing(sqlite3.connect(f"file:{place.location}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT text FROM answers WHERE tool = ? AND args = ?", key).fetchone()
        return Said(text=row[0] if row else "")

    def summary(self, args: Value, result: Said) -> str:
        del args
        return f"{len(result.text)} characters"


class _Write(WriteTool[Value, Said]):
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = KIND
    guarantee: ClassVar[Guarantee] = "keyed"
    output_type = Said

    def place_name(self, args: Value) -> str:
        del args
        return PLACE

    def render(self, args: Value, context: Context) -> Rendered:
        """Show the call as it would be made."""
        context.places.find(KIND, PLACE)
        text = canonical.encode(args.canonical()).decode()
        return Rendered(
            preview=f"{self.name} {text}\n",
            content=(ContentHash(name="call", hash=f"sha256:{canonical.digest(args.canonical())}"),),
            target=Target(kind=KIND, id=PLACE, version="1"),
            files=(),
            labels=(),
            rollback=RollbackPlan(text="Undo it by hand, where it was done."),
        )

    def apply(self, args: Value, rendered: Rendered, marker: Marker, context: Context) -> Said:
        """Write one row; a second time nothing."""
        del rendered
        row = (marker.key, self.name, canonical.encode(args.canonical()).decode())
        with closing(sqlite3.connect(context.places.find(KIND, PLACE).location)) as database:
            database.execute("INSERT OR IGNORE INTO effects VALUES (?, ?, ?)", row)
            database.commit()
        return Said(text="done")

    def reconcile(self, args: Value, rendered: Rendered, marker: Marker, context: Context) -> Outcome[Said]:
        """Look for the row."""
        del args, rendered
        place = context.places.find(KIND, PLACE)
        with closing(sqlite3.connect(f"file:{place.location}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT 1 FROM effects WHERE key = ?", (marker.key,)).fetchone()
        return Outcome("written", Said(text="done")) if row else Outcome("absent")

    def reverse(self, args: Value, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Refuse: nobody knows how somebody else's write is undone."""
        del args, rendered, marker, context
        raise Refused("This tool cannot undo.", next="Undo it by hand.", code="nothing_to_undo")


def described(items: Iterable[Mapping[str, Any]]) -> tuple[Description, ...]:
    """Read descriptions; raises ``BadInput`` where one cannot be used."""
    found: list[Description] = []
    for number, item in enumerate(items):
        try:
            found.append(Description.model_validate(item))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part)[:40] for part in first["loc"])
            raise BadInput(
                f"tools.json cannot be used at tool {number}, {place}: {first['msg'][:160]}.",
                next="docs/quality.md describes it.",
                code="bad_suite",
            ) from error
    return tuple(found)


def tool(description: Description) -> AnyTool:
    """Make the tool that a description describes."""
    fields: dict[str, Any] = {}
    for name, parameter in description.parameters.items():
        kind = _TYPES[parameter.type]
        fields[name] = (kind, ...) if parameter.required else (kind | None if kind is not Any else Any, None)
    arguments: Any = create_model(f"Args_{description.name}", __base__=Value, **fields)
    base: type[Any] = _Read if description.effect == "read" else _Write
    made = type(f"Foreign_{description.name}", (base,), {"name": description.name, "input_type": arguments})
    return cast("AnyTool", made())


def build(path: Path, tools: Iterable[AnyTool], answers: Iterable[Mapping[str, Any]]) -> None:
    """Make the place that the foreign tools work on, with what reads give; an answer that fits no tool is left out.

    Each answer is a map of ``tool``, ``args`` and ``text``.
    """
    known = {item.name: item for item in tools}
    rows: list[tuple[str, str, str]] = []
    for answer in answers:
        named = known.get(str(answer.get("tool")))
        with contextlib.suppress(ValidationError):
            if named is not None:
                value: Value = named.input_type.model_validate(answer.get("args") or {})
                rows.append((named.name, canonical.digest(value.canonical()), str(answer.get("text", ""))))
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE effects (key TEXT PRIMARY KEY, tool TEXT, args TEXT)")
        database.execute("CREATE TABLE answers (tool TEXT, args TEXT, text TEXT, PRIMARY KEY (tool, args))")
        database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
        database.commit()
