"""Asks ``search_runbooks``, and checks that every answer can be evidence."""

import time
from pathlib import Path
from typing import Any

from twokey.core import canonical
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.local import search_runbooks
from twokey.tools.read.runbooks import RunbooksArgs, RunbooksResult, SearchRunbooks

LIBRARY = Path(__file__).resolve().parent / "runbook_library"
"""Runbooks of a made-up team, and ``questions.jsonl`` with the section that answers each."""


def ask(folder: Path, tool: SearchRunbooks | None = None, *, now_us: int | None = None, **asked: Any) -> Any:
    """Ask about a folder; the time is the machine's where none is given."""
    place = Place(Resource(kind="runbooks", id="books", granted_by="config"), str(folder))
    args = RunbooksArgs.model_validate({"runbooks": "books", "ask": asked})
    now = time.time_ns() // 1_000 if now_us is None else now_us
    result = (tool or search_runbooks()).call(args, Context(Places((place,)), now))
    assert RunbooksResult.model_validate(result.canonical()) == result
    canonical.encode(result.canonical())
    return result.answer


def search(folder: Path, text: str, tool: SearchRunbooks | None = None, *, now_us: int | None = None) -> Any:
    """Search a folder."""
    return ask(folder, tool, now_us=now_us, kind="search", text=text)
