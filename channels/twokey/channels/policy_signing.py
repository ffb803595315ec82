"""Signing a policy bundle, putting it in force, and saying where that stands.

Rules: no engine is needed, so that all of it works where no bundle starts; a person signs with their own credential and
in their own name; files are put in place so that at each moment there is the old bundle, the new one, or none, and
without one nothing starts.
"""

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from twokey.channels import wiring
from twokey.channels.wiring import Rulebook
from twokey.core import settings
from twokey.core.entropy import SystemClock
from twokey.core.errors import CheckFailed, EnvironmentFault, Refused, TwokeyError
from twokey.core.events import PolicyEnforced, PolicyShadowed
from twokey.core.values import GivenOrder, Order
from twokey.policies import bundle, opa_signature
from twokey.policies.bundle import SIGNATURES
from twokey.tools import bundle_approvals, enforcing
from twokey.tools.bundle_approvals import ORDER

BEFORE: Final = ".before"
STAGED: Final = ".staged"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bundle is signed."""

    number: int
    policy: str
    data: str
    signers: tuple[str, ...]
    needed: int

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return asdict(self) | {"signers": list(self.signers)}


def sign(workspace: Path, folder: Path | None, name: str | None, number: int | None) -> Standing:
    """Add a person's signature to a bundle.

    Raises:
        Refused: the person is in no group whose signatures count.
        BadInput: it is no bundle.

    """
    with wiring.opened_rulebook(workspace) as rulebook:
        section = rulebook.config.policy
        where = _where(workspace, folder, rulebook)
        identity, credential = rulebook.people.identify(name, "cli")
        if not set(section.signer_groups) & set(identity.principal.groups):
            raise Refused(
                f"A signature of {identity.principal.name} on a policy does not count.",
                next=f"Ask somebody of {', '.join(section.signer_groups)}.",
                code="not_owner",
            )
        held, path = bundle.load(where), bundle_approvals.path_of(where)
        statement = enforcing.statement(held, number or _number(rulebook, held, path))
        order = Order(
            workspace=rulebook.config.workspace.id,
            order=ORDER,
            principal=identity.principal.name,
            at_us=SystemClock().now_us(),
            words=statement.digest(),
        )
        given = credential.order(order) if credential else GivenOrder(statement=order, auth=identity.auth)
        made = bundle_approvals.add(path, statement, given)
        names = rulebook.enforcement.count(made)
        return Standing(statement.number, statement.policy, statement.data, names, section.signers)


def sign_for_opa(workspace: Path, folder: Path | None, key: Path) -> Path:
    """Write ``.signatures.json`` into a bundle folder; gives its path. Works without a workspace where one is named."""
    where = folder if folder is not None else workspace / settings.load(workspace).policy.bundle
    bundle.load(where)
    text = opa_signature.sign(bundle.files_of(where), opa_signature.load_key(key))
    part = where.with_name(f"{where.name}.signatures.part")
    part.write_bytes(text)
    part.replace(where / SIGNATURES)
    return where / SIGNATURES


def verify(workspace: Path, folder: Path | None) -> Standing:
    """Check a bundle's signatures; raises ``CheckFailed`` where they are not what the workspace demands."""
    with wiring.opened_rulebook(workspace) as rulebook:
        found = rulebook.enforcement.signed(_where(workspace, folder, rulebook))
        revisions = found.bundle.revisions
        return Standing(found.number, revisions.policy, revisions.data, found.signers, rulebook.config.policy.signers)


def enforce(workspace: Path, folder: Path | None, name: str | None) -> PolicyEnforced:
    """Put a bundle in force, and its files where the workspace looks for them.

    Raises:
        Refused: this person may not.
        CheckFailed: it is not signed, is older than the last one, or no engine compiles it.
        EnvironmentFault: the files cannot be put there; doing it again mends it.

    """
    with wiring.opened_rulebook(workspace) as rulebook:
        source, target = _where(workspace, folder, rulebook), workspace / rulebook.config.policy.bundle
        identity, _ = rulebook.people.identify(name, "cli")
        engine = wiring.batch_engine(bundle.load(source))
        try:
            engine.start()
        finally:
            engine.close()
        return rulebook.enforcement.enforce(identity, source, lambda: _install(source, target))


def status(workspace: Path) -> dict[str, Any]:
    """Say which bundle lies there, whether it may start, what is in force, and what the shadow has seen."""
    with wiring.opened_rulebook(workspace) as rulebook:
        where = _where(workspace, None, rulebook)
        revisions, refused = bundle.load(where).revisions, None
        try:
            rulebook.enforcement.accepted(where)
        except TwokeyError as error:
            refused = error.message
        last = rulebook.enforcement.last()
        return {
            "policy_revision": revisions.policy,
            "data_revision": revisions.data,
            "refused": refused,
            "enforced": last.model_dump(mode="json", exclude={"kind"}) if last else None,
            "shadow": _shadow(workspace, rulebook),
        }


def _shadow(workspace: Path, rulebook: Rulebook) -> dict[str, Any] | None:
    if not rulebook.config.policy.shadow:
        return None
    revisions = bundle.load(workspace / rulebook.config.policy.shadow).revisions
    looked = differs = 0
    for entry in rulebook.ledger.every("policy.shadowed"):
        event = entry.event
        if isinstance(event, PolicyShadowed) and event.policy_revision == revisions.policy:
            mine = event.data_revision == revisions.data
            looked += mine
            differs += mine and not event.agrees
    return {
        "policy_revision": revisions.policy,
        "data_revision": revisions.data,
        "looked_at": looked,
        "differs": differs,
    }


def _where(workspace: Path, folder: Path | None, rulebook: Rulebook) -> Path:
    return folder if folder is not None else workspace / rulebook.config.policy.bundle


def _number(rulebook: Rulebook, held: bundle.Bundle, path: Path) -> int:
    """Give the number others have signed for this bundle already, else the next one."""
    approvals = bundle_approvals.read(path)
    if approvals is not None and approvals.statement == enforcing.statement(held, approvals.statement.number):
        return approvals.statement.number
    last = rulebook.enforcement.last()
    return last.number + 1 if last else 1


def _install(source: Path, target: Path) -> None:
    """Put the files of ``source``, and the signatures beside it, in the place of those of ``target``."""
    if source.resolve() == target.resolve():
        return
    staged, before = (target.with_name(target.name + suffix) for suffix in (STAGED, BEFORE))
    try:
        shutil.rmtree(staged, ignore_errors=True)
        for name, content in bundle.files_of(source).items():
            path = staged / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if bundle.load(staged).revisions != bundle.load(source).revisions:
            raise CheckFailed("The bundle changed while it was put in force.", next="Do it again.")
        approvals = bundle_approvals.path_of(source)
        if approvals.is_file():
            shutil.copyfile(approvals, bundle_approvals.path_of(target))
        shutil.rmtree(before, ignore_errors=True)
        if target.exists():
            target.rename(before)
        staged.rename(target)
    except OSError as error:
        raise EnvironmentFault(
            f"The files of the bundle cannot be put in place: {error.strerror}.",
            next="Mend that, then run `twokey policy enforce` again; nothing is decided until then.",
        ) from error
