"""Turns what an engine gave back into a decision, or refuses it.

Rules: the answer has exactly the fields of a decision and nothing that had to be converted or filled in; a write is
denied or needs people, never allowed; a read needs no people; whoever asked for or shaped a write is excluded from
approving it; nothing is said twice; an obligation that the gate cannot carry out is a fault. Whatever breaks a rule is
no decision, and the caller denies.
"""

from collections.abc import Sequence
from typing import Final, Literal, cast

from pydantic import Field, ValidationError

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.values import ApprovalsNeeded, Call, Code, Decision, Reason, Value

FAULT_CODE: Final = "engine_fault"
FAULT_RULE: Final = "R00"
"""Kept for answers that Twokey gives in place of the engine; Rego may not use it."""
REVIEW: Final = "review_break_glass"
"""The obligation that an emergency is reviewed afterwards."""
MAX_ITEMS: Final = 100


class MalformedDecision(ValueError):  # noqa: N818 - says what the answer is
    """The engine's answer is no decision. The message shows nothing of it."""


class Answer(Value):
    """The result of ``data.twokey.decision``, before it is held against the call."""

    effect: Literal["allow", "require_approval", "deny"]
    approvals: ApprovalsNeeded | None
    reasons: tuple[Reason, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    obligations: tuple[Code, ...] = Field(max_length=MAX_ITEMS)
    warnings: tuple[Code, ...] = Field(max_length=MAX_ITEMS)


def parse(raw: object, call: Call, *, obligations: frozenset[str]) -> Answer:
    """Check the raw result for ``call``. ``obligations`` are the codes that the gate can carry out.

    Raises:
        MalformedDecision: it breaks one of the rules.

    """
    answer = _shape(raw)
    _check_repeats(answer)
    if not obligations.issuperset(answer.obligations):
        raise MalformedDecision("an obligation that the gate cannot carry out")
    if REVIEW in answer.obligations and call.break_glass is None:
        raise MalformedDecision("a review of an emergency that nobody declared")
    if any(reason.rule == FAULT_RULE or reason.code == FAULT_CODE for reason in answer.reasons):
        raise MalformedDecision("a reason that only Twokey itself gives")
    if call.effect == "read" or answer.effect == "deny":
        _check_needs_nobody(answer)
    else:
        _check_needs_people(answer, call)
    return answer


def decision(answer: Answer, *, engine: str, policy: str, data: str, input_digest: str) -> Decision:
    """Give the decision: the answer with what took it and on what."""
    return Decision(
        effect=answer.effect,
        approvals=answer.approvals,
        reasons=answer.reasons,
        obligations=answer.obligations,
        warnings=answer.warnings,
        engine=engine,
        policy_revision=policy,
        data_revision=data,
        input_digest=input_digest,
    )


def _shape(raw: object) -> Answer:
    if not isinstance(raw, dict):
        raise MalformedDecision("no object, or undefined")
    try:
        text = canonical.encode(cast("dict[str, Json]", raw))
        answer = Answer.model_validate_json(text, strict=True)
    except ValidationError:
        raise MalformedDecision("not the fields of a decision") from None
    except ValueError as error:
        raise MalformedDecision("not canonical") from error
    if text not in {canonical.encode_plain(form) for form in _forms(answer)}:
        raise MalformedDecision("a field is missing or of another type")
    return answer


def _forms(answer: Answer) -> list[dict[str, Json]]:
    """Give the forms that an answer may have had: a bundle from before there was ``auth`` does not say it."""
    whole = answer.model_dump(mode="json")
    if answer.approvals is None or answer.approvals.auth != ("key",):
        return [whole]
    return [whole, answer.model_dump(mode="json", exclude={"approvals": {"auth"}})]


def _check_repeats(answer: Answer) -> None:
    needed = answer.approvals or ApprovalsNeeded()
    lists: list[Sequence[str]] = [
        [reason.model_dump_json() for reason in answer.reasons],
        [quorum.group for quorum in needed.all_of],
        needed.exclude,
        needed.auth,
        answer.obligations,
        answer.warnings,
    ]
    if any(len(set(items)) != len(items) for items in lists):
        raise MalformedDecision("something is said twice")


def _check_needs_nobody(answer: Answer) -> None:
    if answer.effect == "require_approval" or answer.approvals is not None:
        raise MalformedDecision("approvals for a read or beside a deny")


def _check_needs_people(answer: Answer, call: Call) -> None:
    if answer.effect != "require_approval" or answer.approvals is None:
        raise MalformedDecision("a write that needs nobody")
    if not answer.approvals.all_of or not answer.approvals.distinct:
        raise MalformedDecision("a write without a quorum of different people")
    if "key" not in answer.approvals.auth:
        raise MalformedDecision("a write that nobody can approve with their key")
    shaped = {call.requester.name, *(call.change.contributors if call.change else ())}
    if not shaped.issubset(answer.approvals.exclude):
        raise MalformedDecision("the requester or a contributor could approve")


def fault(message: str) -> Answer:
    """Give the answer that stands in for an engine's: deny, for the given reason (a constant sentence)."""
    reason = Reason(code=FAULT_CODE, message=message, rule=FAULT_RULE)
    return Answer(effect="deny", approvals=None, reasons=(reason,), obligations=(), warnings=())
