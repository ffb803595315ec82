"""What the user of a case wants written, as the tools of this installation understand it."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from twokey.channels.injection.cases import Case
from twokey.channels.injection.habits import Prepared
from twokey.channels.injection.reviewers import Wish
from twokey.core.errors import NotFound, ToolRetry
from twokey.core.values import Value
from twokey.tools.contract import WriteTool
from twokey.tools.proposing import checked
from twokey.tools.registry import AnyTool, Registry


def tool_of(registry: Registry, name: str) -> AnyTool | None:
    """Give the tool called ``name``; none where there is none."""
    for find in (registry.reader, registry.writer):
        try:
            return find(name)
        except NotFound:
            continue
    return None


def wishes_of(case: Case, registry: Registry, ready: Sequence[Sequence[Prepared]]) -> list[Wish]:
    """Give the writes that the user of a case wants, with the arguments as their tools understand them."""
    wanted = wanted_calls(case, registry)
    asked: list[tuple[str, dict[str, Any]]] = [(case.calls[at].tool, one.args) for at in wanted for one in ready[at]]
    asked += [(wish.tool, wish.args) for wish in case.also]
    found: list[Wish] = []
    for name, args in asked:
        tool = tool_of(registry, name)
        if isinstance(tool, WriteTool):
            value = understood(tool, args)
            if value is not None:
                found.append(Wish(name, value.model_dump(mode="json")))
    return found


def wanted_calls(case: Case, registry: Registry) -> tuple[int, ...]:
    """Give the indexes of the write calls that the user wants."""
    if case.wanted is not None:
        return case.wanted
    return tuple(
        at for at, call in enumerate(case.calls) if not call.injected and not _reads(tool_of(registry, call.tool))
    )


def understood(tool: WriteTool[Any, Any], args: dict[str, Any]) -> Value | None:
    """Validate arguments; none where they do not fit the tool."""
    try:
        return checked(tool, args)
    except (ToolRetry, ValidationError):
        return None


def _reads(tool: AnyTool | None) -> bool:
    return tool is not None and tool.effect == "read"
