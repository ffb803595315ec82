"""Makes what an earlier run read evidence of this one, so that what did not change is not read again.

Rules
- An earlier reading counts only where the log bears it out under a verified checkpoint: that exactly this tool (name,
  version, schema digest) was called with exactly these arguments, and that exactly this content came back. Rows of the
  database only say where to look; the content is compared with the commitment in the log.
- The reading is decided by policy anew, for who asks now, and leaves the entries of a read: the decision, the call, and
  its return with the code ``unchanged``, which commits to the content under a fresh salt.
- Whether the content still holds is for the caller to judge; here it is only proven where it came from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import NotFound
from twokey.core.events import Event, ToolCalled, ToolReturned
from twokey.core.ports import Ids
from twokey.core.values import Call, Decision, Evidence, Value
from twokey.store import evidence
from twokey.tools import recording
from twokey.tools.contract import ReadTool
from twokey.tools.ledger import Ledger, Unit

UNCHANGED: Final = "unchanged"
"""Code of the return of a read that was answered from an earlier one."""
_READ: Final = frozenset({"ok", UNCHANGED})
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece of evidence of an earlier run, and the arguments it must have been read with."""

    evidence: str
    args: Value


@dataclass(frozen=True, slots=True)
class Found:
    """A reading that the log bears out."""

    evidence: Evidence
    text: bytes
    """The canonical bytes of ``content``."""
    content: Json


class Adopter:
    """Looks earlier readings up and proves them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, tool: ReadTool[Any, Any], wanted: Sequence[Wanted]) -> list[tuple[Found, Value]]:
        """Give what is borne out, with its arguments, in the order of ``wanted``.

        Raises:
            CheckFailed: a row of evidence, or of the log, is not as it was written.
            LogUnavailable: the log cannot be read or does not verify.

        """
        held: list[tuple[Found, Value]] = []
        for each in wanted:
            try:
                with self._ledger.look() as connection:
                    held.append((Found(*evidence.get_evidence_text(connection, each.evidence)), each.args))
            except NotFound:
                continue  # pruned since: it has to be read again
        proven: list[tuple[Found, Value]] = []
        runs = dict.fromkeys(found.evidence.run for found, _ in held)
        called = {
            run: self._called(tool, run, [found for found, _ in held if found.evidence.run == run]) for run in runs
        }
        for found, args in held:
            commitment = called[found.evidence.run].get(found.evidence.id)
            if commitment is not None and self._opens(commitment, args):
                proven.append((found, args))
        return proven

    def _called(self, tool: ReadTool[Any, Any], run: str, found: Sequence[Found]) -> dict[str, str]:
        """Give the commitment to the arguments of the call that each piece came from, by its id; unproven ones miss."""
        pieces = {(each.evidence.id, each.evidence.commitment) for each in found}
        calls: dict[str, str] = {}

        def returned(event: Event) -> bool:
            return isinstance(event, ToolReturned) and event.code in _READ and (event.evidence, event.content) in pieces

        for event in self._proven(run, "tool.returned", returned):
            if isinstance(event, ToolReturned):
                calls[event.call] = str(event.evidence)

        def by_this_tool(event: Event) -> bool:
            return (
                isinstance(event, ToolCalled)
                and event.call in calls
                and (event.tool, event.version, event.tool_schema) == (tool.name, tool.version, tool.schema_digest())
            )

        return {
            calls[event.call]: event.args
            for event in self._proven(run, "tool.called", by_this_tool)
            if isinstance(event, ToolCalled)
        }

    def _proven(self, run: str, kind: str, chosen: Callable[[Event], bool]) -> list[Event]:
        events: list[Event] = []
        after: int | None = -1
        while after is not None:
            entries, after = self._ledger.log.proven_about(run, kind, chosen, after=after, limit=_PAGE)
            events += [entry.event for entry in entries]
        return events

    def _opens(self, commitment: str, args: Value) -> bool:
        """Whether the call was made with exactly these arguments."""
        with self._ledger.look() as connection:
            try:
                opened = evidence.get_opening(connection, commitment)
            except NotFound:
                return False
        return canonical.encode(opened) == canonical.encode(args.model_dump(mode="json"))


def adopt(unit: Unit, found: Found, call: Call, decision: Decision, ids: Ids, now_us: int) -> Evidence:
    """Keep what was found as evidence of the run that ``call`` belongs to, with the entries of a read."""
    call_id = ids.new("c")
    earlier, salt = found.evidence, unit.salt()
    value = earlier.model_copy(
        update={
            "id": ids.new("e"),
            "run": call.run,
            "summary": f"{earlier.summary[:340]} (unchanged since {earlier.run} read it)",
            "salt": salt,
            "commitment": canonical.commitment_to_text(salt, found.text),
            "created_us": now_us,
        }
    )
    args = unit.commit_to(call.args)
    recording.record(unit, call, decision, occasion="read", call_id=call_id)
    unit.record(recording.called(call, call_id, args))
    evidence.add_evidence(unit.connection, value, found.text)
    unit.record(ToolReturned(run=call.run, call=call_id, code=UNCHANGED, evidence=value.id, content=value.commitment))
    return value
