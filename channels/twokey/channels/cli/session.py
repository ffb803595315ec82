"""What one invocation of the command line was told, and how it speaks.

Rules: with ``--json`` exactly one object goes to standard output and everything else to standard error; every error is
a sentence with what to do next; whatever is printed for people is made harmless here, once more and for all commands;
a reader that has gone away (``| head -1``) ends what is told, not what is being done.
"""

import io
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

from twokey.channels import plain
from twokey.core.errors import TwokeyError

if TYPE_CHECKING:
    from twokey.channels.rendering.model import Document

INTERRUPTED: Final = 130
"""What a command that was interrupted ends with, as shells have it: 128 and the number of SIGINT."""


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # the current folder was removed; no command but those that need a workspace minds
        return Path()


@dataclass(slots=True)
class Session:
    """The global options."""

    workspace: Path = field(default_factory=_here)
    as_json: bool = False
    principal: str | None = None

    def say(self, text: str = "") -> None:
        """Print one line for people: to standard output, or to standard error when a program reads the output."""
        _print(plain.block(text), sys.stderr if self.as_json else sys.stdout)

    def show(self, document: "Document") -> None:
        """Print a document for people, broken at the width of the terminal where there is one."""
        from twokey.channels.rendering import terminal

        for text in terminal.lines(document, columns()):
            self.say(text)

    def give(self, value: dict[str, Any]) -> None:
        """Print the result for a program."""
        if self.as_json:
            _print(json.dumps(value), sys.stdout)

    def fail(self, error: TwokeyError, status: int | None = None) -> NoReturn:
        """Say what went wrong and end with ``status``, by default the error's exit code."""
        self.give(error.as_json())
        if not self.as_json:
            _print(plain.block(f"{error.message}\n  next: {error.next}"), sys.stderr)
        sys.exit(error.exit_code if status is None else status)


def columns() -> int | None:
    """Give the width of the terminal that a person looks at, also where a pager stands between."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            return os.get_terminal_size(stream.fileno()).columns if stream is not None else None
        except (OSError, ValueError):
            continue
    return None


def prepare_output() -> None:
    """Let no character end a command: what the terminal's encoding lacks is written as its escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        # What is still in the stream's buffer, and what comes later, has nobody to read it.
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, stream.fileno())
        os.close(nobody)


def from_environment() -> Session:
    """Give the session that ``TWOKEY_WORKSPACE`` and ``TWOKEY_AS`` ask for."""
    return Session(
        workspace=Path(os.environ.get("TWOKEY_WORKSPACE") or _here()),
        principal=os.environ.get("TWOKEY_AS") or None,
    )


SESSION = from_environment()
"""The session of this process; ``main`` fills it before any command runs."""
