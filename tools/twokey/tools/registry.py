"""Which tools there are. Built-in tools and plugins come in by the entry point group ``twokey.tools``.

Rules: a name is given once; a plugin is code that runs with Twokey's rights, so it is loaded only where the workspace
pins the SHA-256 of its distribution, and refused where the installed files differ from that pin. What would be imported
must be one of the files that the pin covers: an editable installation, a folder earlier on the path and a distribution
without a list of its files are refused. Whoever calls their distribution ``twokey`` brings nothing that way: a built-in
tool is a module of this package's own folder.

The pin shows that a plugin is the one that was reviewed. It is no wall against somebody who can write to the
installation: they could change Twokey itself.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, TypeAlias

from twokey.core.errors import EnvironmentFault, NotFound
from twokey.core.values import Effect, ResourceKind, ToolName, Value, Version
from twokey.tools.contract import Guarantee, ReadTool, WriteTool

GROUP: Final = "twokey.tools"
OWN_DISTRIBUTION: Final = "twokey"
_OWN_PACKAGE: Final = "twokey.tools."
_OWN_FOLDER: Final = Path(__file__).resolve().parent
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
    """SHA-256 over the sorted names and bytes of a distribution's files, without what installers write beside them.

    Byte code is left out where an installer made it, and covered where the distribution brought it along.

    Raises:
        EnvironmentFault: the distribution has no list of its files, or lacks one of them.

    """
    whole = hashlib.sha256()
    files = sorted(distribution.files or (), key=str)
    if not files:
        raise _broken(distribution.name, "has no list of its files, so that nothing shows what it consists of")
    for file in files:
        compiled = file.suffix == ".pyc" and file.hash is None
        if compiled or file.name in _VOLATILE:
            continue
        try:
            content = file.read_binary()
        except OSError as error:
            raise _broken(distribution.name, "lacks a file that it lists") from error
        whole.update(hashlib.sha256(str(file).encode()).digest())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _load(point: EntryPoint, pins: Mapping[str, str]) -> AnyTool:
    distribution = point.dist
    if distribution is None:
        raise _broken("without a name", f"brings the tool {point.name[:40]!r}")
    name = distribution.name
    if name != OWN_DISTRIBUTION:
        _check_pin(point, distribution, pins)
    elif not _is_ours(point):
        raise EnvironmentFault(
            f"A distribution that calls itself {name} brings the tool {point.name[:40]!r}, which is not Twokey's.",
            next="Find it with `pip list` and on PYTHONPATH, and remove it.",
            code="plugin_not_pinned",
        )
    try:
        loaded: object = point.load()()
    except Exception as error:
        raise _broken(name, f"cannot be loaded ({point.name[:40]!r}: {type(error).__name__})") from error
    if not isinstance(loaded, ReadTool | WriteTool):
        raise _broken(name, f"brings {point.name[:40]!r}, which is no tool")
    _check_promise(name, point, loaded)
    return loaded


def _check_pin(point: EntryPoint, distribution: Distribution, pins: Mapping[str, str]) -> None:
    name = distribution.name
    pinned = pins.get(name)
    if pinned is None or pinned != distribution_digest(distribution):
        state = "is not pinned" if pinned is None else "is not the one that was pinned"
        raise EnvironmentFault(
            f"The plugin {name} brings the tool {point.name[:40]} and {state}.",
            next=f"Review it, then set tools.plugins.{name} in twokey.toml to its digest, or uninstall it.",
            code="plugin_not_pinned",
        )
    listed = {Path(str(distribution.locate_file(file))).resolve() for file in distribution.files or ()}
    if not _covered(point.module, listed):
        raise _broken(
            name, f"would import {point.module[:80]!r} from elsewhere than the files it lists (is it editable?)"
        )


def _covered(module: str, listed: set[Path]) -> bool:
    """Tell whether importing ``module`` runs listed files only. Looks where Python would, and imports nothing."""
    where: Sequence[str] | None = None
    found = False
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), where)
        if spec is None:
            return False
        found = spec.has_location and spec.origin is not None and Path(spec.origin).resolve() in listed
        if spec.has_location and not found:
            return False
        where = spec.submodule_search_locations or ()
    return found


def _is_ours(point: EntryPoint) -> bool:
    """Tell whether an entry point leads into this package's own folder (which is imported already)."""
    module = point.module
    if not module.startswith(_OWN_PACKAGE):
        return False
    path = _OWN_FOLDER.joinpath(*module.removeprefix(_OWN_PACKAGE).split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


class _Promise(Value):
    """What a tool says of itself."""

    name: ToolName
    version: Version
    effect: Effect
    kind: ResourceKind
    guarantee: Guarantee | None


def _check_promise(name: str, point: EntryPoint, tool: AnyTool) -> None:
    """Refuse a tool whose contract is incomplete: better now than in the middle of a write.

    The schemas of our own tools are digested when a call or a proposal names them, not for each command that starts.
    """
    writes = isinstance(tool, WriteTool)
    try:
        promise = _Promise(
            name=tool.name,
            version=tool.version,
            effect=tool.effect,
            kind=tool.kind,
            guarantee=tool.guarantee if writes else None,
        )
        if name != OWN_DISTRIBUTION:
            tool.schema_digest()
    except (AttributeError, TypeError, ValueError) as error:
        raise _broken(name, f"brings {point.name[:40]!r}, which does not fit the contract of a tool") from error
    if promise.effect != ("write" if writes else "read"):
        raise _broken(name, f"brings {point.name[:40]!r}, which does something else than it says")


def _broken(name: str, what: str) -> EnvironmentFault:
    return EnvironmentFault(f"The plugin {name} {what}.", next="Reinstall or remove the plugin.", code="plugin_broken")
