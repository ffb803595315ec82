"""One tree of errors. Each says what happened and why, and what to do next, in words that can be shown to anybody.

Rules: a message holds nothing private (no secrets, cell values or full URLs); ``code`` is stable and machine-readable;
``exit_code`` is what the command line ends with (1 refused or failed check, 2 bad input, 3 environment).
Errors that an agent may react to derive from ``ToolRetry``; every other error stops the run.
"""

from typing import ClassVar


class TwokeyError(Exception):
    """Base of every error that reaches a person."""

    exit_code: ClassVar[int] = 3
    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, next: str, code: str | None = None) -> None:  # noqa: A002 - the JSON key of the contract
        super().__init__(message)
        self.message = message
        self.next = next
        self.code = code or self.default_code

    def as_json(self) -> dict[str, dict[str, str]]:
        """Give the form the command line prints with ``--json``."""
        return {"error": {"code": self.code, "message": self.message, "next": self.next}}


class Refused(TwokeyError):  # noqa: N818 - a refusal is an answer of the gate, not a fault
    """Policy, the gate or a person said no. Nothing was written."""

    exit_code = 1
    default_code = "refused"


class CheckFailed(TwokeyError):  # noqa: N818 - a failed check is a result
    """A verification was carried out and did not hold."""

    exit_code = 1
    default_code = "check_failed"


class BadInput(TwokeyError):  # noqa: N818 - names what the person gave
    """What the person gave cannot be used. Nothing was lost and nothing half-written."""

    exit_code = 2
    default_code = "bad_input"


class NotFound(BadInput):
    """A thing named by the person does not exist here."""

    default_code = "not_found"


class NotAuthenticated(Refused):
    """The caller did not prove to be the principal they named."""

    default_code = "not_authenticated"


class LeaseLost(Refused):
    """Another process has taken over what this one was working on. This one must not go on; nothing is amiss."""

    default_code = "lease_lost"


class Halted(Refused):
    """A run was left at a step's boundary because its process is coming to an end. It goes on elsewhere, or later."""

    default_code = "halted"


class EnvironmentFault(TwokeyError):  # noqa: N818 - a fault of the surroundings
    """Something outside Twokey is missing, broken or unreachable."""

    exit_code = 3
    default_code = "environment"


class TryLater(EnvironmentFault):
    """The other side asks to wait. Nothing was done; it is no failed attempt."""

    default_code = "try_later"

    def __init__(
        self,
        message: str,
        *,
        next: str,  # noqa: A002 - as above
        code: str | None = None,
        seconds: float = 60.0,
    ) -> None:
        """``seconds`` is how long to wait."""
        super().__init__(message, next=next, code=code)
        self.seconds = seconds


class EngineFault(EnvironmentFault):
    """The policy engine gave no valid decision. The caller must treat it as deny."""

    default_code = "policy_engine"


class LogUnavailable(EnvironmentFault):
    """The audit log cannot be written or does not verify. Nothing may run."""

    default_code = "log_unavailable"


class ToolRetry(TwokeyError):  # noqa: N818 - an instruction to the agent
    """A tool call was not understood; the agent may correct its arguments and call again. No write happened."""

    exit_code = 2
    default_code = "tool_arguments"
