"""Asks the ``opa`` program about a bundle folder: does it compile, do its tests pass, what do they cover.

Rules: the program is the one that ``policy.opa_path`` names, else the one of the variable ``TWOKEY_OPA``, else the one
beside this interpreter, else the one on PATH; it is run with fixed arguments, without our environment, for a bounded
time. Where there is none, that is said and never taken for a success.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twokey.core.errors import CheckFailed, EnvironmentFault
from twokey.core.settings import Settings

PATIENCE_S: Final = 300
_EACH_TEST: Final = ("--timeout", "60s")
"""How long one test of a bundle may take: OPA's own 5 s are too few on a busy machine."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What ``opa test`` found. ``uncovered`` are pairs of file and line."""

    passed: int
    failed: tuple[str, ...]
    coverage: float
    uncovered: tuple[tuple[str, int], ...]


def find(config: Settings | None) -> Path | None:
    """Give the program, where there is one."""
    named = (config.policy.opa_path if config else "") or os.environ.get("TWOKEY_OPA", "")
    if named:
        return Path(named) if Path(named).is_file() else None
    beside = Path(sys.executable).with_name("opa")
    found = str(beside) if beside.is_file() else shutil.which("opa")
    return Path(found) if found else None


def needed(config: Settings | None) -> Path:
    """Give the program.

    Raises:
        EnvironmentFault: there is none.

    """
    program = find(config)
    if program is None:
        raise EnvironmentFault(
            "The program opa is not here, and this needs it.",
            next="Install OPA, or name it with policy.opa_path in twokey.toml or the variable TWOKEY_OPA.",
            code="no_opa",
        )
    return program


def problems(program: Path, folder: Path) -> list[str]:
    """Give what ``opa check --strict`` finds wrong in a bundle folder, tests included."""
    done = _run(program, "check", "--strict", "--format", "json", "--bundle", str(folder))
    if done.returncode == 0:
        return []
    try:
        errors: list[dict[str, Any]] = json.loads(done.stdout or done.stderr)["errors"]
        return [_problem(error, folder) for error in errors] or ["it does not compile"]
    except (ValueError, KeyError, TypeError):
        return [" ".join(done.stderr.split())[:300] or "it does not compile"]


def test(program: Path, folder: Path) -> Tested:
    """Run the tests of a bundle folder.

    Raises:
        CheckFailed: it does not compile, or holds no test.

    """
    done = _run(program, "test", "--format", "json", *_EACH_TEST, "--bundle", str(folder))
    try:
        results: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        found = problems(program, folder) or [" ".join(done.stderr.split())[:300]]
        raise CheckFailed(
            f"The tests of the bundle do not run: {found[0]}.", next="Correct the bundle; `twokey policy check` helps."
        ) from None
    if not results:
        raise CheckFailed(
            "The bundle holds no test.",
            next="Write rules whose names begin with test_ in files that end in _test.rego.",
        )
    failed = tuple(str(result["name"]) for result in results if result.get("fail") or result.get("error"))
    again = ("test", "--coverage", *_EACH_TEST, "--bundle", str(folder))
    covered = {} if failed else json.loads(_run(program, *again).stdout)
    lines = [
        (Path(name).name, row)
        for name, report in covered.get("files", {}).items()
        for span in report.get("not_covered", ())
        for row in range(span["start"]["row"], span["end"]["row"] + 1)
    ]
    return Tested(len(results) - len(failed), failed, float(covered.get("coverage", 0)), tuple(lines))


def _problem(error: dict[str, Any], folder: Path) -> str:
    where = error.get("location") or {}
    name = str(where.get("file", ""))
    shown = name.removeprefix(str(folder)).lstrip("/") if name else "?"
    return f"{shown}:{where.get('row', '?')}: {error.get('message', 'wrong')}"[:300]


def _run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, env={}, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(
            f"The program opa does not run ({type(error).__name__}).", next="Install OPA again.", code="no_opa"
        ) from error
