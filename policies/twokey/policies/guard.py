"""Policy as the rest of Twokey meets it: a call goes in, a checked decision comes out, whatever happens in between.

Rules: one engine, chosen when the guard is made; nothing stands in for it. A fault of any kind (no answer in time, an
answer that is no decision, a call that cannot be put into words) is a deny with reason code ``engine_fault`` (R00),
and is logged by its kind alone.
"""

import logging
from typing import Final

from twokey.core.errors import TwokeyError
from twokey.core.ports import PolicyEngine
from twokey.core.values import Call, Decision
from twokey.policies import decision
from twokey.policies.decision import REVIEW, Answer, MalformedDecision
from twokey.policies.input import build

NO_INPUT: Final = "0" * 64
"""Stands for the digest of a call that has no canonical form."""
_LOG: Final = logging.getLogger(__name__)


class Guard:
    """The port ``Policy`` over one engine. ``obligations`` are the codes that the gate can carry out."""

    def __init__(self, engine: PolicyEngine, *, obligations: frozenset[str] = frozenset({REVIEW})) -> None:
        self._engine = engine
        self._obligations = obligations
        self._revisions = engine.revisions()

    def decide(self, call: Call) -> Decision:
        """Evaluate ``call``; never raises."""
        digest = NO_INPUT
        try:
            document = build(call)
            digest = document.digest
            answer = decision.parse(self._engine.evaluate(document.text), call, obligations=self._obligations)
        except MalformedDecision as error:
            answer = self._fault("The policy engine gave an answer that is no decision.", str(error))
        except TwokeyError as error:
            answer = self._fault("The policy engine gave no answer.", error.message)
        except Exception as error:  # noqa: BLE001 - the port promises a deny for every fault, foreseen or not
            answer = self._fault("The call could not be put before policy.", type(error).__name__)
        return decision.decision(
            answer,
            engine=self._engine.name,
            policy=self._revisions.policy,
            data=self._revisions.data,
            input_digest=digest,
        )

    def _fault(self, message: str, kind: str) -> Answer:
        _LOG.error("policy fault, the call is denied: %s", kind)
        return decision.fault(message)
