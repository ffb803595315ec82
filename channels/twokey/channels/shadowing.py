"""The shadow bundle: it looks at decisions after they were taken, and decides nothing.

Rules: it works on what the store keeps of each decision, in an engine of its own, after whatever the process had to
do, and for a bounded time; so it cannot change, delay or spoil a decision, and what one process did not get to, the
next one does. Each decision since the shadow began is looked at once. A shadow that gives no answer is logged as the
deny that it would be. Whatever goes wrong here ends here, with a warning.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from twokey.channels.replaying import Engine
from twokey.core import canonical
from twokey.core.events import PolicyShadowBegun, PolicyShadowed
from twokey.policies import decision
from twokey.policies.bundle import Bundle
from twokey.policies.decision import FAULT_CODE, Answer
from twokey.policies.replay import answer_to
from twokey.store import decisions
from twokey.tools import history
from twokey.tools.history import Past
from twokey.tools.ledger import Ledger

BUDGET_S: Final = 0.5
"""How long a process may go on for the shadow's sake after its own work, in seconds."""
BATCH: Final = 25
GIVE_UP_AFTER: Final = 3
"""Faults in a row after which the rest is left to the next process."""
_LOG: Final = logging.getLogger(__name__)


class Shadow:
    """One shadow bundle over one workspace."""

    def __init__(self, workspace: str, ledger: Ledger, load: Callable[[], tuple[Bundle, Engine]]) -> None:
        """``load`` gives the bundle and a fresh engine over it; it is called when it is first needed."""
        self._workspace = workspace
        self._ledger = ledger
        self._load = load
        self._loaded: tuple[Bundle, Engine] | None = None

    def begin(self) -> None:
        """Note in the log from where on the shadow looks, if it is not the one that looked before. Raises nothing."""
        self._contained(lambda: self._since(self._parts()[0]))

    def catch_up(self, budget_s: float = BUDGET_S) -> None:
        """Look at decisions that no shadow has looked at, for at most ``budget_s`` seconds. Raises nothing."""
        self._contained(lambda: self._catch_up(time.monotonic() + budget_s))

    def close(self) -> None:
        """End the engine."""
        if self._loaded is not None:
            self._loaded[1].close()
            self._loaded = None

    def _contained(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever a shadow does, the work it shadows goes on
            _LOG.warning("the shadow policy could not look: %s", type(error).__name__)

    def _parts(self) -> tuple[Bundle, Engine]:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _since(self, held: Bundle) -> int:
        with self._ledger.look() as connection:
            entry = self._ledger.last(connection, self._workspace, "policy.shadow_begun")
        begun = self._ledger.proven(entry) if entry else None
        if begun is not None and isinstance(begun.event, PolicyShadowBegun):
            named = (begun.event.policy_revision, begun.event.data_revision)
            if named == (held.revisions.policy, held.revisions.data):
                return begun.time_us
        event = PolicyShadowBegun(
            workspace=self._workspace, policy_revision=held.revisions.policy, data_revision=held.revisions.data
        )
        (made,) = self._ledger.record(event)
        return self._ledger.proven(made).time_us

    def _catch_up(self, until: float) -> None:
        held, engine = self._parts()
        name, since = canonical.digest([held.revisions.policy, held.revisions.data]), self._since(held)
        faults = 0
        while time.monotonic() < until and faults < GIVE_UP_AFTER:
            with self._ledger.look() as connection:
                waiting = decisions.not_shadowed(connection, name, since_us=since, limit=BATCH)
            if not waiting:
                return
            seen: list[tuple[str, PolicyShadowed | None]] = []
            for entry in waiting:
                past = history.find(self._ledger, entry)
                event = _look(past, held, engine) if past is not None and past.kept is not None else None
                seen.append((entry, event))
                faults = faults + 1 if event is not None and FAULT_CODE in event.reasons else 0
                if time.monotonic() >= until or faults >= GIVE_UP_AFTER:
                    break
            self._record(name, seen)

    def _record(self, name: str, seen: list[tuple[str, PolicyShadowed | None]]) -> None:
        with self._ledger.change() as unit:
            mine = set(decisions.take_for_shadow(unit.connection, name, [entry for entry, _ in seen]))
            for entry, event in seen:
                if entry in mine and event is not None:
                    unit.record(event)


def _look(past: Past, held: Bundle, engine: Engine) -> PolicyShadowed:
    kept = past.kept
    if kept is None:
        raise ValueError("a shadow looks only at what was kept")
    (raw,) = engine.evaluate_many([kept.document])
    answer: dict[str, Any] = answer_to(raw, kept.document)
    made = decision.decision(
        Answer.model_validate(answer),
        engine=past.event.engine,
        policy=held.revisions.policy,
        data=held.revisions.data,
        input_digest="0" * 64,
    )
    return PolicyShadowed(
        run=past.event.run,
        proposal=past.event.proposal,
        entry=past.entry,
        decision=made.effect,
        decision_digest=made.digest(),
        agrees=made.digest() == past.event.decision_digest,
        reasons=tuple(reason.code for reason in made.reasons),
        rules=tuple(reason.rule for reason in made.reasons),
        policy_revision=held.revisions.policy,
        data_revision=held.revisions.data,
    )
