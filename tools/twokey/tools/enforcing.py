"""Which policy bundle may decide: signed as the workspace demands, and the last one that was put in force.

Rules:
- where the settings ask for signatures, a bundle without enough of them, or that was changed after it was signed, does
  not start;
- a bundle is put in force by a person, once, with a log entry that names its number, its revisions and its signers;
  its number is larger than that of each one before. Afterwards only this one starts: an older one, signed as it may be,
  is a rollback and is refused;
- while one is put in force, whoever wants to know waits for it, a few seconds at most, and is refused after that;
- nothing here falls back to another bundle: what is refused decides nothing, and so nothing runs.
"""

import os
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.core.errors import CheckFailed, EnvironmentFault, Refused
from twokey.core.events import PolicyEnforced
from twokey.core.ports import Directory
from twokey.core.sections import PolicySection
from twokey.core.values import Identity
from twokey.policies import bundle, opa_signature
from twokey.policies.bundle import Bundle
from twokey.tools import bundle_approvals, file_locks
from twokey.tools.authority import Rules
from twokey.tools.bundle_approvals import BundleApprovals, BundleStatement
from twokey.tools.ledger import Ledger

WAIT_S: Final = 5.0
"""How long a bundle that is being put in force is waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A bundle with the number and the signers that were found for it."""

    bundle: Bundle
    number: int
    signers: tuple[str, ...]


class Enforcement:
    """The bundles of one workspace. ``section`` are its settings."""

    def __init__(
        self,
        workspace: Path,
        section: PolicySection,
        *,
        ledger: Ledger,
        directory: Directory,
        rules: Rules,
        wait_s: float = WAIT_S,
    ) -> None:
        """``wait_s`` is how long a bundle that is being put in force is waited for, in seconds."""
        self._workspace = workspace
        self._section = section
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._wait_s = wait_s

    def signed(self, folder: Path) -> Signed:
        """Load a bundle and check its signatures.

        Raises:
            BadInput: it is no bundle, or the verification key cannot be read.
            CheckFailed: it is not signed as the workspace demands.

        """
        held = bundle.load(folder)
        if self._section.verification_key:
            key = opa_signature.load_public(self._workspace / self._section.verification_key)
            opa_signature.verify(bundle.files_of(folder), key)
        approvals = bundle_approvals.read(bundle_approvals.path_of(folder))
        number, names = 0, tuple[str, ...]()
        if approvals is not None:
            number = approvals.statement.number
            if approvals.statement == statement(held, number):
                names = self.count(approvals)
        if len(names) < self._section.signers:
            raise CheckFailed(
                f"The policy bundle has the signatures of {len(names)} of the {self._section.signers} people that "
                f"this workspace demands ({', '.join(self._section.signer_groups)}).",
                next="Have it signed with `twokey policy sign`; nothing is decided with it until then.",
                code="policy_signature",
            )
        return Signed(held, number, names)

    def count(self, approvals: BundleApprovals) -> tuple[str, ...]:
        """Give the people whose signatures count."""
        return bundle_approvals.signers(approvals, self._directory, self._rules, self._section.signer_groups)

    def accepted(self, folder: Path) -> Bundle:
        """Give the bundle in ``folder`` if it may decide.

        Raises:
            BadInput: it is no bundle.
            CheckFailed: it is not signed, was not put in force, or is older than the one that was.

        """
        with self._alone(_lock(folder), make=False):
            found = self.signed(folder)
            if self._section.signers:
                self._check_in_force(found)
            return found.bundle

    def last(self) -> PolicyEnforced | None:
        """Give the last bundle that was put in force, proven; raises ``CheckFailed``."""
        with self._ledger.look() as connection:
            entry = self._ledger.last(connection, self._rules.workspace, "policy.enforced")
        event = self._ledger.proven(entry).event if entry else None
        return event if isinstance(event, PolicyEnforced) else None

    def seen(self, folder: Path) -> Hashable:
        """Give what is another value once ``accepted`` could give another answer: the files, and what is in force.

        Signers who leave their group, and settings, count from the next bundle or the next process on.

        Raises:
            LogUnavailable: the log cannot be read.

        """
        files = (bundle.stamp(folder), bundle.stamp_of(bundle_approvals.path_of(folder)))
        if not self._section.signers:
            return files
        with self._ledger.look() as connection:
            return files, self._ledger.last(connection, self._rules.workspace, "policy.enforced")

    def enforce(self, identity: Identity, folder: Path, install: Callable[[], None]) -> PolicyEnforced:
        """Put the bundle in ``folder`` in force; ``install`` puts its files where the workspace looks for them.

        Processes that run decide on it from their next decision on.

        Raises:
            Refused: this person may not.
            CheckFailed: it is not signed, or its number is not larger than the last one.

        """
        name, groups = identity.principal.name, self._section.signer_groups
        if not set(groups) & set(identity.principal.groups):
            raise Refused(
                f"{name} may not put a policy in force.", next=f"Ask somebody of {', '.join(groups)}.", code="not_owner"
            )
        found, last = self.signed(folder), self.last()
        revisions = found.bundle.revisions
        lock = _lock(self._workspace / self._section.bundle)
        if last is not None and (last.policy_revision, last.data_revision) == (revisions.policy, revisions.data):
            with self._alone(lock, make=True):
                install()
            return last
        number = found.number or (last.number + 1 if last else 1)
        if last is not None and number <= last.number:
            raise _rollback(number, last.number)
        event = PolicyEnforced(
            workspace=self._rules.workspace,
            principal=name,
            number=number,
            policy_revision=revisions.policy,
            data_revision=revisions.data,
            signers=found.signers,
        )
        # The log first: a bundle that lies in its place without an entry does not start; the other way round is mended
        # by doing it again.
        with self._alone(lock, make=True):
            self._ledger.record(event)
            install()
        return event

    @contextmanager
    def _alone(self, path: Path, *, make: bool) -> Generator[None]:
        """Hold the lock at ``path``; without one there (and without ``make``) nobody has ever put anything in force."""
        busy = EnvironmentFault(
            "A policy bundle is being put in force.", next="Try again in a moment.", code="policy_busy"
        )
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if make else 0), 0o600)
        except FileNotFoundError:
            yield
            return
        except OSError as error:
            raise EnvironmentFault(
                "The lock beside the policy bundle cannot be used.", next=f"Look at {path.name} in the workspace."
            ) from error
        try:
            file_locks.hold(handle, self._wait_s, busy)
            yield
        finally:
            os.close(handle)

    def _check_in_force(self, found: Signed) -> None:
        last, revisions = self.last(), found.bundle.revisions
        if last is not None and (last.policy_revision, last.data_revision) == (revisions.policy, revisions.data):
            return
        if last is not None and found.number <= last.number:
            raise _rollback(found.number, last.number)
        raise CheckFailed(
            "The policy bundle is signed, and nobody has put it in force yet.",
            next="Do it with `twokey policy enforce`; nothing is decided until then.",
            code="policy_not_enforced",
        )


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def statement(held: Bundle, number: int) -> BundleStatement:
    """Say what is signed of a bundle."""
    return BundleStatement(number=number, policy=held.revisions.policy, data=held.revisions.data)


def _rollback(number: int, last: int) -> CheckFailed:
    return CheckFailed(
        f"The policy bundle has the number {number}, and number {last} was put in force already: this would be a step "
        "back.",
        next="Sign it again with a larger number, if going back is what is wanted.",
        code="policy_rollback",
    )
