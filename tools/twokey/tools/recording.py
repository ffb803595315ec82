"""Puts a decision of policy into the log, and keeps what it was taken on, in one transaction.

Rules: the log holds salted commitments to the exact bytes that the engine was given and to the canonical bytes of the
answer; the bytes themselves and the salt lie in the store, in one row. So a decision can be taken again later, and a
row that was changed since is found out (``twokey policy replay``).
"""

from twokey.core import canonical
from twokey.core.events import ToolCalled
from twokey.core.values import Call, Decision
from twokey.policies.decision import Answer
from twokey.policies.input import build
from twokey.store import decisions
from twokey.store.decisions import Kept, commitment
from twokey.tools import calls
from twokey.tools.calls import Occasion
from twokey.tools.ledger import Unit

_ANSWER = set(Answer.model_fields)


def record(unit: Unit, call: Call, decision: Decision, *, occasion: Occasion, call_id: str | None = None) -> str:
    """Record ``decision`` on ``call`` in the open transaction; gives the entry's id."""
    document, salt = build(call).text, unit.salt()
    answer = canonical.encode_plain(decision.model_dump(mode="json", include=_ANSWER))
    event = calls.decided(
        call,
        decision,
        occasion=occasion,
        commitment=commitment(salt, document),
        answer=commitment(salt, answer),
        call_id=call_id,
    )
    entry = unit.record(event)
    decisions.add_decision(unit.connection, Kept(entry, salt, document, answer), at_us=call.now_us)
    return entry


def called(call: Call, call_id: str, args: str) -> ToolCalled:
    """Give the entry of a read that is about to be done, or that an earlier one answers; ``args`` is a commitment."""
    return ToolCalled(
        run=call.run,
        step=call.step,
        call=call_id,
        tool=call.tool,
        version=call.version,
        tool_schema=call.tool_schema,
        args=args,
    )
