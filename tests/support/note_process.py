"""A process of its own that executes or recovers a note, and may be ended or held at one step of the tool.

``python -m support.note_process FOLDER URL ID TIME_US [STEP SIGNAL]``; it prints state and code. At ``STEP`` it sends
itself ``SIGNAL``.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import FixedClock

from support.bench import GROUPS, WORKSPACE, People
from support.notes import WRITERS, notes_policy
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.entropy import RandomIds
from twokey.core.values import Principal
from twokey.store import database
from twokey.tools.authority import Rules
from twokey.tools.gate import Gate
from twokey.tools.identity import KeyRing
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook
from twokey.tools.registry import Registry
from twokey.tools.steps import Steps


def gate(folder: str, url: str, time_us: int, at: dict[str, Callable[[], None]]) -> Gate:
    """The gate of a bench that another process has built, at its time."""
    ring, ids, clock = KeyRing(Path(folder) / "home" / "keys"), RandomIds(), FixedClock(time_us)
    people = People(
        *(Principal(name=name, groups=groups, key=ring.load(name).public) for name, groups in GROUPS.items())
    )
    engine = database.open_engine(url)
    log = Log(engine, workspace=WORKSPACE, clock=clock, ids=ids, key=LogKey.load(Path(folder) / "home" / "log.key"))
    steps = Steps(
        ledger=Ledger(engine, log, ids),
        policy=notes_policy(),
        registry=Registry(writer(at) for writer in WRITERS),
        directory=people,
        clock=clock,
        book=PlaceBook(),
    )
    return Gate(steps, ids=ids, rules=Rules(workspace=WORKSPACE, demo=False))


def main() -> None:
    folder, url, proposal, time_us, *fault = sys.argv[1:]
    at: dict[str, Callable[[], None]] = {}
    if fault:
        at[fault[0]] = lambda: os.kill(os.getpid(), signal.Signals[fault[1]])
    result = gate(folder, url, int(time_us), at).execute(proposal)
    sys.stdout.write(f"{result.state.value} {result.code}\n")


if __name__ == "__main__":
    main()
