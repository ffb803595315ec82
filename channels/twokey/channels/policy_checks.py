"""Strict checks of a bundle: its form and data, the built-ins it uses, and that both engines compile it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from twokey.channels import opa_program
from twokey.core.errors import BadInput, EngineFault
from twokey.policies import bundle
from twokey.policies.bundle import Bundle


class Startable(Protocol):
    """An engine that says whether it compiles its bundle."""

    def start(self) -> None:
        """Compile it; raises ``EngineFault``."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: for each part, what is wrong with it; ``opa`` is ``None`` where there is no such program."""

    bundle: Bundle | None
    load: str
    embedded: str
    opa: tuple[str, ...] | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong as far as it could be looked at."""
        return not (self.load or self.embedded or self.opa)


def checked(folder: Path, program: Path | None, engine: Callable[[Bundle], Startable]) -> Checked:
    """Check the bundle in ``folder``; ``program`` is ``opa``, where it is here."""
    found = tuple(opa_program.problems(program, folder)) if program else None
    try:
        held = bundle.load(folder)
    except BadInput as error:
        return Checked(None, error.message, "", found)
    embedded = engine(held)
    try:
        embedded.start()
    except EngineFault as fault:
        return Checked(held, "", fault.message, found)
    finally:
        embedded.close()
    return Checked(held, "", "", found)
