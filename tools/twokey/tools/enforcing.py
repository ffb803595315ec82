"""Which policy bundle may decide: signed as the workspace demands, and the last one that was put in force.

Rules:
- where the settings ask for signatures, a bundle without enough of them, or that was changed after it was signed, does
  not start;
- a bundle is put in force by a person, once, with a log entry that names its number, its revisions and its signers;
  its number is larger than that of each one before. Afterwards only this one starts: an older one, signed as it may be,
  is a rollback and is refused;
- nothing here falls back to another bundle: what is refused decides nothing, and so nothing runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twokey.core.errors import CheckFailed, Refused
from twokey.core.events import PolicyEnforced
from twokey.core.ports import Directory
from twokey.core.settings import PolicySection
from twokey.core.values import Identity
from twokey.policies import bundle, opa_signature
from twokey.policies.bundle import Bundle
from twokey.tools import bundle_approvals
from twokey.tools.authority import Rules
from twokey.tools.bundle_approvals import BundleApprovals, BundleStatement
from twokey.tools.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Signed:
    """A bundle with the number and the signers that were found for it."""

    bundle: Bundle
    number: int
    signers: tuple[str, ...]


class Enforcement:
    """The bundles of one workspace. ``section`` are its settings."""

    def __init__(
        self, workspace: Path, section: PolicySection, *, ledger: Ledger, directory: Directory, rules: Rules
    ) -> None:
        self._workspace = workspace
        self._section = section
        self._ledger = ledger
        self._directory = directory
        self._rules = rules

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

    def enforce(self, identity: Identity, folder: Path, install: Callable[[], None]) -> PolicyEnforced:
        """Put the bundle in ``folder`` in force; ``install`` puts its files where the workspace looks for them.

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
        if last is not None and (last.policy_revision, last.data_revision) == (revisions.policy, revisions.data):
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
        self._ledger.record(event)
        install()
        return event

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
