"""Which dashboards and applications use which tables, as the exposures of a dbt project say."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from twokey.agents.catalog.lineage import template
from twokey.agents.catalog.lineage.schema import source_name
from twokey.agents.catalog.lineage.template import Call
from twokey.agents.catalog.lineage.values import Edge, Thing
from twokey.agents.catalog.yaml_tree import Plain, Unreadable, parse, plain

_SUFFIXES: Final = (".yml", ".yaml")


def exposed(files: Mapping[str, bytes], also: Collection[str]) -> Iterator[Edge]:
    """Give what every property file says is used; ``also`` are paths that hold properties whatever they are called."""
    for path in sorted({*also, *(path for path in files if path.endswith(_SUFFIXES))}):
        for exposure in _exposures(files.get(path, b"")):
            target = Thing("exposure", str(exposure["name"]))
            depends = exposure.get("depends_on")
            for item in depends if isinstance(depends, list) else ():
                for call in _called(item):
                    yield Edge(Thing("table", call_name(call)), target, "documented", path)


def call_name(call: Call) -> str:
    """Give the name under which lineage knows what a template names."""
    return source_name(*call.parts[1:]) if call.parts[0] == "source" else call.parts[-1].casefold()


def _called(item: Plain) -> tuple[Call, ...]:
    return template.named(item)[:1] if isinstance(item, str) else ()


def _exposures(data: bytes) -> Iterator[Mapping[str, Plain]]:
    if b"exposures" not in data:
        return
    try:
        root = parse(data).root
    except Unreadable:  # whoever reads properties says so
        return
    content = None if root is None else plain(root)
    found = content.get("exposures") if isinstance(content, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item
