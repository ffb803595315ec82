"""Applies a write. Importable by ``tools.gate`` alone (an import contract holds that).

Rules: it is handed a permit that only the gate can make, after policy, people and the intent entry; it applies what
was rendered, once; an error while writing is not taken for "nothing written": the target is asked.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import Refused, TwokeyError
from twokey.core.values import Value
from twokey.tools.contract import Context, Marker, Outcome, Rendered, WriteTool
from twokey.tools.faults import code_of, fault

PARTLY: Final = "partly_written"
"""Code where some of a write is there, whatever went wrong: it is neither written nor not written."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Everything one write needs. ``intent`` is the id of the log entry that covers it."""

    tool: WriteTool[Any, Any]
    args: Value
    rendered: Rendered
    marker: Marker
    intent: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of it. ``not_written`` is said only where the target itself shows that nothing was written."""

    outcome: Literal["written", "not_written", "unknown"]
    code: str
    result: Json = None


def apply(permit: Permit, context: Context) -> Applied:
    """Write, then look at the target to see what is there."""
    failure: TwokeyError | None = None
    try:
        permit.tool.apply(permit.args, permit.rendered, permit.marker, context)
    except TwokeyError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - whatever a tool raises, the write may have happened: look, never guess
        failure = fault(permit.tool.name, error)
    return settle(permit, context, failure)


def settle(permit: Permit, context: Context, failure: TwokeyError | None) -> Applied:
    """Look whether the write is there. Used after an apply and by whoever takes over a write that was interrupted."""
    code = code_of(failure) if failure else None
    try:
        seen: Outcome[Any] = permit.tool.reconcile(permit.args, permit.rendered, permit.marker, context)
        result: Json = seen.result.canonical() if seen.result is not None else None
        canonical.encode(result)
    except Exception:  # noqa: BLE001 - a target that cannot be asked leaves the outcome unknown; a person decides
        return Applied("unknown", code or "cannot_reconcile")
    if seen.seen == "written":
        return Applied("written", "written_despite_error" if failure else "written", result)
    if seen.seen == "partly":
        return Applied("unknown", PARTLY)
    if code is None:
        return Applied("unknown", "written_not_found" if seen.seen == "absent" else "target_differs")
    # A keyed target shows its key or was not written. Where something else lies there, the tool must say that it
    # refused: an error half-way leaves something else, too.
    proven = seen.seen == "absent" or isinstance(failure, Refused)
    return Applied("not_written" if proven and permit.tool.guarantee == "keyed" else "unknown", code)
