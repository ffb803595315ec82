"""Applies a write. Importable by ``tools.gate`` alone (an import contract holds that).

Rules: it is handed a permit that only the gate can make, after policy, people and the intent entry; it applies what
was rendered, once; an error while writing is not taken for "nothing written": the target is asked.
"""

from dataclasses import dataclass
from typing import Any, Literal

from twokey.core.canonical import Json
from twokey.core.errors import TwokeyError
from twokey.core.values import Value
from twokey.tools.contract import Context, Marker, Outcome, Rendered, WriteTool


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
        failure = TwokeyError(
            f"The tool {permit.tool.name} failed with {type(error).__name__}.",
            next="Look at the target.",
            code="tool_fault",
        )
    return settle(permit, context, failure)


def settle(permit: Permit, context: Context, failure: TwokeyError | None) -> Applied:
    """Look whether the write is there. Used after an apply and by whoever takes over a write that was interrupted."""
    try:
        seen: Outcome[Any] = permit.tool.reconcile(permit.args, permit.rendered, permit.marker, context)
    except Exception:  # noqa: BLE001 - a target that cannot be asked leaves the outcome unknown; a person decides
        return Applied("unknown", failure.code if failure else "cannot_reconcile")
    if seen.seen == "written":
        result = seen.result.canonical() if seen.result is not None else None
        return Applied("written", "written" if failure is None else "written_despite_error", result)
    if failure is None:
        return Applied("unknown", "written_not_found" if seen.seen == "absent" else "target_differs")
    if permit.tool.guarantee == "keyed":
        # A keyed target shows its key or was not written: absence, or somebody else's content, is proof here.
        return Applied("not_written", failure.code)
    return Applied("unknown", failure.code)
