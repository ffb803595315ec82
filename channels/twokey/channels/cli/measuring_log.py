"""``bench audit``: how fast the log is written and verified."""

from typing import Annotated

import typer

from twokey.channels.cli.session import SESSION


def bench_audit(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer entries.")] = False) -> None:
    """Measure appending to the log, and verifying it. Beside one flush of this disk."""
    from twokey.channels.bench_audit import audit

    result = audit(entries=500 if quick else 5_000)
    for key, value in result.items():
        SESSION.say(f"{key:<24} {value}")
    SESSION.give(result)
