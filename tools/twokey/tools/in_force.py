"""The policy in force: each decision is taken on the bundle that may decide at that moment, for as long as one runs.

Rules:
- before each decision it is looked whether the files of the bundle, or what was put in force, are other than before. If
  so, the bundle is loaded and checked as in a process that starts (``twokey.tools.enforcing``) before it decides;
- while a bundle may not decide, is half written or missing, or no engine takes it, every call is denied (reason code
  ``engine_fault``): what decided before does not decide again;
- the exceptions that a call rests on have to hold in the very bundle that decides on it;
- calls of several threads go one after the other, so an engine is closed when nobody waits for it.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from twokey.core.errors import EngineFault, TwokeyError
from twokey.core.ports import PolicyEngine, Revisions
from twokey.core.values import Call, Decision
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.guard import Guard
from twokey.tools.waivers import Exceptions

_NONE: Final = BundleRevisions(policy="0" * 64, data="0" * 64)
"""What a deny is recorded with that no bundle gave."""
_NEXT: Final = "Look at `twokey policy status`; nothing is decided until a bundle is in force that may decide."


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle, the engine that decides on it, and the exceptions in its data."""

    bundle: Bundle
    engine: PolicyEngine
    waivers: Exceptions


class PolicyInForce:
    """The ports ``Policy``, ``PolicyEngine`` and ``Exceptions`` over whichever bundle is in force."""

    def __init__(
        self, *, seen: Callable[[], Hashable], load: Callable[[], Bundle], hold: Callable[[Bundle], Held]
    ) -> None:
        """``seen`` gives another value once ``load`` could give another bundle; ``hold`` makes an engine on one."""
        self._seen = seen
        self._load = load
        self._hold = hold
        self._lock = threading.RLock()
        self._held: Held | None = None
        self._guard: Guard | None = None
        self._mark: Hashable = None

    @property
    def name(self) -> str:
        """Name and version of the engine; raises ``TwokeyError`` where no bundle may decide."""
        return self.current().engine.name

    def decide(self, call: Call) -> Decision:
        """Decide on a call; never raises."""
        with self._lock:
            return self._guarding(call).decide(call)

    def evaluate(self, document: bytes) -> object:
        """Give the raw result for a document; raises ``TwokeyError``."""
        with self._lock:
            return self.current().engine.evaluate(document)

    def revisions(self) -> Revisions:
        """Say what decides now; raises ``TwokeyError`` where nothing may."""
        return self.current().engine.revisions()

    def in_force(self, now_us: int) -> tuple[str, ...]:
        """Give the exceptions that hold; none where no bundle may decide, because nothing goes on then anyway."""
        try:
            return self.current().waivers.in_force(now_us)
        except TwokeyError:
            return ()

    def current(self) -> Held:
        """Give the bundle in force, loaded anew where it is another one than before.

        Raises:
            TwokeyError: there is none that may decide.

        """
        with self._lock:
            # Looked at before it is loaded: what changes in between is met by the next look.
            mark = self._seen()
            if self._held is not None and mark == self._mark:
                return self._held
            bundle = self._load()
            if self._held is None or self._held.bundle.revisions != bundle.revisions:
                fresh = self._hold(bundle)
                guard = Guard(fresh.engine)
                self.close()
                self._held, self._guard = fresh, guard
            self._mark = mark
            return self._held

    def close(self) -> None:
        """End the engine. The next question starts one again."""
        with self._lock:
            if self._held is not None:
                self._held.engine.close()
                self._held, self._guard = None, None

    def _guarding(self, call: Call) -> Guard:
        try:
            held = self.current()
            lost = set(call.exceptions) - set(held.waivers.in_force(call.now_us)) if call.exceptions else None
        except TwokeyError as error:
            return _denying(error.message)
        except Exception as error:  # noqa: BLE001 - the port promises a deny for every fault, foreseen or not
            return _denying(type(error).__name__)
        if lost:
            return _denying("an exception that the call rests on does not hold in the bundle that decides")
        return self._guard or Guard(held.engine)


class _NoBundle:
    """What stands where no bundle may decide: an engine that gives no answer."""

    name = "none"

    def __init__(self, why: str) -> None:
        self._why = why

    def evaluate(self, document: bytes) -> object:
        del document
        raise EngineFault(self._why, next=_NEXT)

    def revisions(self) -> BundleRevisions:
        return _NONE

    def close(self) -> None:
        """Do nothing."""


def _denying(why: str) -> Guard:
    return Guard(_NoBundle(why))
