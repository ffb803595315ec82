"""Finds the table that something outside calls by a path, an address or a longer name.

Rules: the whole name of a known table has to end the name that is given; the longest such table is meant. A table of
another schema is never taken for it because the last part is the same. Endings of files are no part of a name.
"""

from collections.abc import Collection, Mapping
from typing import Final

_ENDINGS: Final = frozenset(
    {"avro", "bz2", "csv", "delta", "feather", "gz", "json", "jsonl", "lz4", "ndjson", "orc", "parquet", "snappy"}
    | {"tsv", "txt", "zip", "zst"}
)
MAX_PARTS: Final = 40


class Tables:
    """The tables that lineage knows: their names in lower case, or what each may be called and its name."""

    def __init__(self, names: Collection[str] | Mapping[str, str]) -> None:
        pairs = names.items() if isinstance(names, Mapping) else ((name, name) for name in names)
        self._known = {other.casefold(): name for other, name in pairs}

    def find(self, name: str) -> str | None:
        """Give the table whose name ends this one; none where there is none."""
        parts = _parts(name)
        for start in range(len(parts)):
            found = self._known.get(".".join(parts[start:]))
            if found is not None:
                return found
        return None

    def name(self, name: str) -> str:
        """Give the table whose name ends this one, else the name itself, as lineage writes names."""
        return self.find(name) or ".".join(_parts(name))


def _parts(name: str) -> list[str]:
    parts = name.casefold().replace("\\", "/").replace("/", ".").split(".")
    parts = [part for part in parts if part]
    while len(parts) > 1 and parts[-1] in _ENDINGS:
        parts.pop()
    return parts[-MAX_PARTS:]
