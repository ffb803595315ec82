"""Which packages a dbt project has said it uses, so that only tests it can run are proposed.

Rules: what ``packages.yml`` or ``dependencies.yml`` of the project names counts; a package that lies around does not.
Format: https://docs.getdbt.com/docs/build/packages
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from twokey.agents.catalog.yaml_tree import plain_of

FILES: Final = ("packages.yml", "packages.yaml", "dependencies.yml", "dependencies.yaml")
KNOWN: Final = frozenset({"dbt_utils", "dbt_expectations"})
_NAME: Final = re.compile(r"(?:.*[/:])?([a-z][a-z0-9_-]*?)(?:\.git)?/?", re.DOTALL)


def used(files: Mapping[str, bytes], project: str) -> frozenset[str]:
    """Give the packages whose tests we know and that the project at ``project`` (a folder) uses."""
    found: set[str] = set()
    for name in FILES:
        data = files.get(str(PurePosixPath(project, name)))
        tree = plain_of(data) if data is not None else None
        listed = tree.get("packages") if isinstance(tree, dict) else None
        for entry in listed if isinstance(listed, list) else []:
            for key in ("package", "git", "name"):
                value = entry.get(key) if isinstance(entry, dict) else None
                match = _NAME.fullmatch(value.strip().casefold()) if isinstance(value, str) else None
                if match is not None:
                    found.add(match[1].replace("-", "_"))
    return frozenset(found) & KNOWN
