"""What a tool raises, made fit to be shown and logged.

Rules: an error that a tool did not foresee becomes a ``tool_fault`` that names its kind and nothing of its text, which
may hold what the tool has read; only a well-formed code reaches the log.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from twokey.core.errors import EnvironmentFault, TwokeyError

TOOL_FAULT: Final = "tool_fault"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def code_of(error: TwokeyError) -> str:
    """Give the code of ``error`` for the log; ``tool_fault`` where what it carries is no code."""
    return error.code if _CODE.fullmatch(error.code) else TOOL_FAULT


def fault(tool: str, error: Exception) -> EnvironmentFault:
    """Give the error that stands for one that ``tool`` did not foresee."""
    return EnvironmentFault(
        f"The tool {tool} failed with {type(error).__name__[:80]}.",
        next="Report it to whoever keeps the tool.",
        code=TOOL_FAULT,
    )


@contextmanager
def contained(tool: str) -> Generator[None]:
    """Run a tool's code: a ``TwokeyError`` passes, anything else becomes an ``EnvironmentFault``."""
    try:
        yield
    except TwokeyError:
        raise
    except Exception as error:
        raise fault(tool, error) from error
