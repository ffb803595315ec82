"""What one invocation of the command line was told, and how it speaks.

Rules: with ``--json`` exactly one object goes to standard output and everything else to standard error; every error is
a sentence with what to do next; text from outside is made harmless before it is printed.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from twokey.core.errors import TwokeyError


@dataclass(slots=True)
class Session:
    """The global options."""

    workspace: Path = field(default_factory=Path.cwd)
    as_json: bool = False
    principal: str | None = None

    def say(self, text: str = "") -> None:
        """Print one line for people: to standard output, or to standard error when a program reads the output."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def give(self, value: dict[str, Any]) -> None:
        """Print the result for a program."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, sort_keys=False))

    def fail(self, error: TwokeyError) -> NoReturn:
        """Say what went wrong and end with the error's exit code."""
        if self.as_json:
            print(json.dumps(error.as_json(), ensure_ascii=False))
        else:
            print(f"{error.message}\n  next: {error.next}", file=sys.stderr)
        sys.exit(error.exit_code)


def from_environment() -> Session:
    """Give the session that ``TWOKEY_WORKSPACE`` and ``TWOKEY_AS`` ask for."""
    return Session(
        workspace=Path(os.environ.get("TWOKEY_WORKSPACE") or Path.cwd()),
        principal=os.environ.get("TWOKEY_AS") or None,
    )


SESSION = from_environment()
"""The session of this process; ``main`` fills it before any command runs."""
