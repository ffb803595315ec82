"""The texts of the sample that ship with the package: the dbt project, the runbooks and the tickets.

Rules: read through ``importlib.resources``, so that it works from a wheel; UTF-8; always in sorted order.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_ROOT: Final = files("twokey.channels.sample") / "files"


def read(name: str) -> bytes:
    """Bytes of the shipped file ``name`` (``/`` separates folders)."""
    return (_ROOT / name).read_bytes()


def tree(name: str) -> dict[str, bytes]:
    """All files under the shipped folder ``name``: path relative to it -> bytes, sorted by path."""
    return dict(sorted(_walk(_ROOT / name, "")))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            yield path, entry.read_bytes()
