"""Which tools there are. Built-in tools and plugins come in by the entry point group ``twokey.tools``.

Rules: a name is given once; a plugin is code that runs with Twokey's rights, so it is loaded only where the workspace
pins the SHA-256 of its distribution, and refused where the installed files differ from that pin.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any, Final, TypeAlias

from twokey.core.errors import EnvironmentFault, NotFound
from twokey.tools.contract import ReadTool, WriteTool

GROUP: Final = "twokey.tools"
OWN_DISTRIBUTION: Final = "twokey"
_VOLATILE: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")

AnyTool: TypeAlias = ReadTool[Any, Any] | WriteTool[Any, Any]


class Registry:
    """The tools of this process, by name."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        self._tools: dict[str, AnyTool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise EnvironmentFault(
                    f"Two installed tools are called {tool.name}.",
                    next="Remove one of the plugins that bring it.",
                    code="tool_twice",
                )
            self._tools[tool.name] = tool

    def all(self) -> tuple[AnyTool, ...]:
        """Every tool, by name."""
        return tuple(self._tools[name] for name in sorted(self._tools))

    def reader(self, name: str) -> ReadTool[Any, Any]:
        """Give the read tool called ``name``; raises ``NotFound``."""
        tool = self._tools.get(name)
        if not isinstance(tool, ReadTool):
            raise NotFound(f"There is no read tool {name[:40]!r}.", next="`twokey doctor` lists the tools.")
        return tool

    def writer(self, name: str) -> WriteTool[Any, Any]:
        """Give the write tool called ``name``; raises ``NotFound``."""
        tool = self._tools.get(name)
        if not isinstance(tool, WriteTool):
            raise NotFound(f"There is no write tool {name[:40]!r}.", next="`twokey doctor` lists the tools.")
        return tool


def installed(pins: Mapping[str, str]) -> Registry:
    """Load the built-in tools and every pinned plugin.

    ``pins`` maps the name of a distribution to the digest that ``distribution_digest`` gives for it.

    Raises:
        EnvironmentFault: a plugin is not pinned, was changed since, or cannot be loaded.

    """
    return Registry(_load(point, pins) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name))


def distribution_digest(distribution: Distribution) -> str:
    """SHA-256 over the sorted names and bytes of a distribution's files, without what installers write beside them."""
    whole = hashlib.sha256()
    for file in sorted(distribution.files or (), key=str):
        if file.suffix == ".pyc" or file.name in _VOLATILE:
            continue
        whole.update(hashlib.sha256(str(file).encode()).digest())
        whole.update(hashlib.sha256(file.read_binary()).digest())
    return whole.hexdigest()


def _load(point: EntryPoint, pins: Mapping[str, str]) -> AnyTool:
    distribution = point.dist
    name = distribution.name if distribution else ""
    if distribution is not None and name != OWN_DISTRIBUTION:
        pinned = pins.get(name)
        if pinned is None or pinned != distribution_digest(distribution):
            state = "is not pinned" if pinned is None else "is not the one that was pinned"
            raise EnvironmentFault(
                f"The plugin {name} brings the tool {point.name} and {state}.",
                next=f"Review it, then set tools.plugins.{name} in twokey.toml to its digest, or uninstall it.",
                code="plugin_not_pinned",
            )
    try:
        loaded: object = point.load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise EnvironmentFault(
            f"The tool {point.name} of {name or 'a plugin'} cannot be loaded: {type(error).__name__}.",
            next="Reinstall or remove the plugin.",
            code="plugin_broken",
        ) from error
    if not isinstance(loaded, ReadTool | WriteTool):
        raise EnvironmentFault(
            f"The entry point {point.name} of {name or 'a plugin'} is no tool.",
            next="Remove the plugin.",
            code="plugin_broken",
        )
    return loaded
