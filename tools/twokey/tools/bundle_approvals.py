"""People's signatures on a policy bundle, in a file beside its folder.

Rules: a person signs the number and the revisions of a bundle for one workspace, with the credential that also signs
answers; a signature counts only while the directory names that key for that person, for nobody else, and has them in a
group whose signatures count; each person counts once. The file proves nothing by itself: whoever can write it can only
add what somebody signed. One bundle has one file: signatures of another number or revision are left out of it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from twokey.core import canonical
from twokey.core.errors import BadInput, CheckFailed
from twokey.core.ports import Directory
from twokey.core.values import Count, Digest, GivenOrder, Value
from twokey.tools.authority import Rules, authentic_by_key

ORDER: Final = "sign_policy"
MAX_BYTES: Final = 64 * 1024


class BundleStatement(Value):
    """What is signed: which bundle, and which number it has."""

    type: Literal["twokey/bundle/v1"] = "twokey/bundle/v1"
    number: Count
    policy: Digest
    data: Digest

    def digest(self) -> str:
        """SHA-256 of the canonical bytes; stands in the order that a person signs."""
        return canonical.digest(self.canonical())


class BundleApprovals(Value):
    """The file: the statement, and the orders that sign it."""

    statement: BundleStatement
    orders: Annotated[tuple[GivenOrder, ...], Field(max_length=20)]


def path_of(folder: Path) -> Path:
    """Where the signatures of the bundle in ``folder`` lie."""
    resolved = folder.resolve()
    return resolved.with_name(f"{resolved.name}.approvals.json")


def read(path: Path) -> BundleApprovals | None:
    """Read a file of signatures; ``None`` where there is none.

    Raises:
        CheckFailed: it is not as Twokey writes it.

    """
    try:
        with path.open("rb") as file:
            # What is cut off is no JSON any more.
            return BundleApprovals.model_validate_json(file.read(MAX_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise CheckFailed(
            f"The signatures in {path.name} cannot be read.", next="Remove the file and have the bundle signed again."
        ) from error


def add(path: Path, statement: BundleStatement, order: GivenOrder) -> BundleApprovals:
    """Add a signature; those on another statement go.

    Raises:
        BadInput: the file cannot be written.
        CheckFailed: what is there cannot be read.

    """
    held = read(path)
    kept = held.orders if held is not None and held.statement == statement else ()
    others = tuple(item for item in kept if item.statement.principal != order.statement.principal)
    made = BundleApprovals(statement=statement, orders=(*others, order))
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(canonical.encode(made.canonical()))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written.", next="Check the folder, and try again.") from error
    return made


def signers(approvals: BundleApprovals, directory: Directory, rules: Rules, groups: Iterable[str]) -> tuple[str, ...]:
    """Give the people whose signatures on the statement count now, by name."""
    digest, wanted = approvals.statement.digest(), frozenset(groups)
    return tuple(
        sorted(
            {
                order.statement.principal
                for order in approvals.orders
                if order.statement.order == ORDER
                and order.statement.words == digest
                and _counts(order, directory, rules, wanted)
            }
        )
    )


def _counts(order: GivenOrder, directory: Directory, rules: Rules, groups: frozenset[str]) -> bool:
    principal = directory.principal(order.statement.principal)
    if principal is None or not groups.intersection(principal.groups):
        return False
    return authentic_by_key(order, principal, directory, rules)
