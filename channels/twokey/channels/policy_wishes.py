"""What somebody asks to be proposed as the new policy.

Rules: a bundle is named by its revisions, so that what is proposed is what was asked for; it goes into a folder in
which every change counts as one of the policy.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twokey.core.errors import BadInput
from twokey.policies import bundle
from twokey.tools.git_paths import fault
from twokey.tools.write.change_labels import POLICY_FOLDERS


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants proposed: the bundle in ``folder``, as it is now, for ``path`` of a repository."""

    folder: Path
    path: str
    policy: str
    data: str

    def args(self) -> dict[str, Any]:
        """Give it as the arguments of a request."""
        return {
            "bundle": str(self.folder),
            "path": self.path,
            "policy_revision": self.policy,
            "data_revision": self.data,
        }

    @classmethod
    def of(cls, args: dict[str, Any]) -> "Wish":
        """Read it back from a request's arguments."""
        return cls(Path(args["bundle"]), args["path"], args["policy_revision"], args["data_revision"])


def wish(folder: Path, path: str) -> Wish:
    """Check what is asked for.

    Raises:
        BadInput: it is no bundle, or the path is no folder of policies.

    """
    inside = path.strip("/")
    reason = fault(inside)
    if reason is not None or not POLICY_FOLDERS & set(inside.split("/")):
        raise BadInput(
            f"{path[:80]!r} is no folder of a policy: {reason or 'no part of it is called policies or policy'}.",
            next="Name the bundle's folder inside the repository with --path, for instance --path policies.",
        )
    revisions = bundle.load(folder).revisions
    return Wish(folder.resolve(), inside, revisions.policy, revisions.data)
