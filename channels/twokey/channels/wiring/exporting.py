"""The log as outsiders get it: exported into a folder, verified there, and put before witnesses.

Rules: a folder's own key is never believed; what is asked of a witness is the folder's checkpoint where one is named,
else the newest; an exported log can be verified where there is no workspace at all.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twokey.audit import export as exporting
from twokey.audit import merkle, storage
from twokey.audit.disk import Folder, disk_fault
from twokey.audit.export import Exported, Progress
from twokey.audit.log import Log
from twokey.audit.merkle import BadProof
from twokey.audit.note import Verifier
from twokey.audit.verify import BadArgument
from twokey.audit.verify_folder import verify_folder
from twokey.channels.wiring.stores import opened_log, verifier_of
from twokey.core.errors import BadInput, CheckFailed, NotFound
from twokey.core.values import Checkpoint


@dataclass(frozen=True, slots=True)
class Standing:
    """A checkpoint of this workspace's log, and what proves that it continues an older one.

    Each question is a short look into the database: nothing is held open while somebody else is waited for.
    """

    checkpoint: Checkpoint
    verifier: Verifier
    log: Log

    def proof(self, old: int) -> list[bytes]:
        """Give the consistency proof from a smaller size, not 0; raises ``CheckFailed`` where hashes are missing."""
        with self.log.view() as (connection, _):
            try:
                return merkle.consistency_proof(old, self.checkpoint.size, storage.fetch(connection))
            except BadProof as error:
                raise _gap() from error

    def root(self, size: int) -> str:
        """Give the root of so many entries, in hexadecimal; raises ``CheckFailed`` where hashes are missing."""
        with self.log.view() as (connection, _):
            try:
                return merkle.root(size, storage.fetch(connection)).hex()
            except BadProof as error:
                raise _gap() from error


def export_log(folder: Path, target: Path, progress: Progress) -> tuple[Exported, str]:
    """Export the log of a workspace; gives what was done and the verifier key. Raises like ``audit.export.export``.

    Raises:
        NotFound: the log has no checkpoint yet.

    """
    verifier = verifier_of(folder, None)
    with opened_log(folder) as log, log.view() as (connection, checkpoint):
        if checkpoint is None:
            raise _empty()
        return exporting.export(connection, checkpoint, verifier, target, progress=progress), verifier.vkey


def verify_exported(
    folder: Path, exported: Path, key: str | None, old: str | None, witnesses: Sequence[str]
) -> dict[str, Any]:
    """Verify an exported log with ``key``, or with the one of this account where ``folder`` is a workspace.

    Raises:
        BadInput: a key or checkpoint cannot be read, or no key is given and there is no workspace.

    """
    try:
        verifier = verifier_of(folder, key)
    except NotFound as error:
        raise BadInput(
            "It takes the log's verifier key to verify it, and there is no workspace here to take it from.",
            next="Give --key with the key as the log's owner published it; the one in the folder proves nothing.",
        ) from error
    try:
        return verify_folder(exported, key=verifier.vkey, old=old, witnesses=witnesses).as_json()
    except BadArgument as error:
        raise BadInput(str(error), next="See docs/audit.md for what can be given.") from error


@contextmanager
def standing(folder: Path, exported: Path | None) -> Generator[Standing]:
    """Open the log of a workspace with its newest checkpoint, or with that of an exported folder.

    Raises:
        NotFound: there is no checkpoint.
        CheckFailed: the folder's is not signed by this log's key, or is none of this log as it is now.

    """
    verifier = verifier_of(folder, None)
    with opened_log(folder) as log:
        newest = log.latest()
        checkpoint = newest if exported is None else _exported_checkpoint(exported, verifier)
        if checkpoint is None or newest is None:
            raise _empty()
        made = Standing(checkpoint, verifier, log)
        if checkpoint.size > newest.size or made.root(checkpoint.size) != checkpoint.root:
            raise CheckFailed(
                "The folder's checkpoint is none of this log as it is now: one of them was rolled back or rewritten.",
                next="Run `twokey audit verify --checkpoint DIR/checkpoint`. The folder is evidence: keep it as it is.",
            )
        yield made


def _exported_checkpoint(exported: Path, verifier: Verifier) -> Checkpoint | None:
    """Give the checkpoint of an exported folder; raises ``CheckFailed`` where the key did not sign it."""
    try:
        with Folder(exported) as folder:
            return exporting.read_checkpoint(folder, verifier)
    except OSError as error:
        raise disk_fault(error) from error


def _gap() -> CheckFailed:
    return CheckFailed(
        "The log's stored tree has gaps, so nothing can be proven from it.",
        next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
    )


def _empty() -> NotFound:
    return NotFound("The log has no checkpoint yet.", next="Ask for something first, or export the log.")
