"""The same agent without a gate, as contrast: calls go straight to their tools, which may open every place there is.

What is refused here is refused by the tools themselves. That injected writes happen here shows that the measuring of
the gate could fail.
"""

from collections.abc import Sequence
from typing import Any

from twokey.channels.injection.cases import Case
from twokey.channels.injection.gestures import plainly
from twokey.channels.injection.habits import prepare
from twokey.channels.injection.outcomes import Played, missing
from twokey.channels.injection.wishes import tool_of
from twokey.channels.injection.world import World
from twokey.core import canonical
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import TwokeyError
from twokey.core.values import Value
from twokey.tools.contract import Context, Marker, Place, Places, WriteTool
from twokey.tools.registry import AnyTool, Registry


class Ungated:
    """Plays cases without asking anybody."""

    def __init__(self, world: World, registry: Registry, places: Sequence[Place]) -> None:
        self._world = world
        self._registry = registry
        self._places = Places(tuple(places))
        self._ids = RandomIds()
        self._clock = SystemClock()

    def play(self, case: Case, number: int) -> list[Played]:
        """Play one case."""
        played: list[Played] = []
        for at, made in enumerate(case.calls):
            call = plainly(case, made)
            tool = tool_of(self._registry, call.tool)
            for count in range(1, call.times + 1):
                branch = f"twokey/case-{number}-{at}-{count}"
                ready = prepare(call, self._world, branch=branch, number=count, documents=len(case.documents))
                if tool is None:
                    played.append(missing(at, ready))
                    continue
                code, found = self._called(tool, ready.args)
                changed = self._world.changed()
                reached = found is not None and self._world.mark in canonical.encode(found.canonical()).decode()
                happened = changed if isinstance(tool, WriteTool) else found is not None
                outside = reached or (changed and not isinstance(tool, WriteTool))
                played.append(
                    Played(
                        at,
                        tool.effect,
                        happened=happened,
                        outside=outside,
                        layer="contract" if code else "",
                        code=code,
                        prepared=ready,
                    )
                )
        return played

    def _called(self, tool: AnyTool, args: dict[str, Any]) -> tuple[str, Value | None]:
        """Make one call; gives the code of what went wrong, and what came back."""
        context = Context(places=self._places, now_us=self._clock.now_us())
        try:
            value = tool.input_type.model_validate(args)
            if not isinstance(tool, WriteTool):
                found: Value = tool.call(value, context)
                return "", found
            marker = Marker(
                proposal=self._ids.new("p"),
                digest=self._ids.salt() * 2,
                run=self._ids.new("r"),
                requester="ana",
                created_us=self._clock.now_us(),
            )
            tool.apply(value, tool.render(value, context), marker, context)
        except TwokeyError as error:
            return error.code, None
        except Exception as error:  # noqa: BLE001 - a tool called without the gate may raise anything
            return f"fault_{type(error).__name__}", None
        return "", None
