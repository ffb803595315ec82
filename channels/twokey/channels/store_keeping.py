"""The encryption of a workspace's database: how things stand, sealing what is there, new keys and old ones.

Rules: what the settings say is what is done; a key that a value may still be sealed with is never dropped; what cannot
be done is said, with what is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twokey.channels import wiring
from twokey.channels.replay_saving import REPLAYS
from twokey.core import settings
from twokey.core.errors import BadInput, CheckFailed
from twokey.store import resealing, sealing

DERIVED: Final = (
    f"{wiring.TICKETS}/*.db*",
    f"{wiring.RUNBOOKS}/*.db*",
    f"{wiring.TRIAGE}/*.model",
    f"{REPLAYS}/*",
)
"""Files of the state that hold words, are not sealed, and are made again where they are missing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand."""

    encrypts: bool
    keys: int
    stale: dict[str, int]
    """Rows, by table, with a value that is not sealed with the newest key; none are counted without a key."""

    def as_json(self) -> dict[str, Any]:
        """Give the form the command line prints with ``--json``."""
        return {"encrypt": self.encrypts, "keys": self.keys, "not_sealed": self.stale}


def standing(folder: Path) -> Standing:
    """Look at the database of a workspace; raises ``EnvironmentFault`` where its key's file cannot be used."""
    config = settings.load(folder)
    with wiring.opened_ledger(folder) as ledger:
        sealer = sealing.sealer_in(ledger.engine)
        if sealer is None:
            return Standing(config.store.encrypt, 0, {})
        stale = resealing.count_stale(ledger.engine, sealer.keys.newest().name)
        return Standing(config.store.encrypt, len(sealer.keys.names()), stale)


def seal(folder: Path, tell: Callable[[int], None]) -> dict[str, Any]:
    """Seal everything with the newest key, and have the database forget what was there before.

    Raises:
        BadInput: the settings do not ask for encryption.
        CheckFailed: values are left that are not sealed, or the database's files still hold what was there before.
        EnvironmentFault: a key is missing.

    """
    with wiring.opened_ledger(folder) as ledger:
        sealer = sealing.sealer_in(ledger.engine)
        if sealer is None or not sealer.seals:
            raise BadInput(
                "The settings do not ask for an encrypted database, so nothing is sealed.",
                next="Set store.encrypt = true in twokey.toml, restart what runs, then try again.",
                code="not_encrypted",
            )
        done = resealing.reseal(ledger.engine, sealer, tell)
        if done.broken:
            where = ", ".join(f"{count} of {table}" for table, count in sorted(done.broken.items()))
            raise CheckFailed(
                f"{done.sealed} rows were sealed; others are not as Twokey wrote them, and were left: {where}.",
                next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
                code="rows_tampered",
            )
        if done.left > 0:
            raise CheckFailed(
                f"{done.sealed} rows were sealed, and {done.left} are not: somebody holds them or writes unsealed.",
                next="Restart what runs with other settings, then run `twokey store seal` again.",
                code="not_all_sealed",
            )
        _forget(folder / wiring.STATE_FOLDER)
        if not resealing.sweep(ledger.engine):
            raise CheckFailed(
                f"{done.sealed} rows were sealed, but the database's files still hold what was there before.",
                next="Stop what uses the database, then run `twokey store seal` again.",
                code="not_swept",
            )
        return {"sealed": done.sealed}


def new_key(folder: Path) -> int:
    """Make a new key, which seals from now on; gives how many there are.

    Raises:
        EnvironmentFault: the key's file cannot be used or written.
        BadInput: it holds as many keys as it may.

    """
    workspace = settings.load(folder).workspace.id
    return sealing.add_key(settings.home(workspace) / wiring.STORE_KEY, workspace)


def drop_keys(folder: Path) -> int:
    """Remove the keys that nothing is sealed with, but for the newest; gives how many went.

    Raises:
        EnvironmentFault: there is no key, or its file cannot be used.

    """
    config = settings.load(folder)
    workspace = config.workspace.id
    with wiring.opened_ledger(folder) as ledger:
        sealer = sealing.sealer_in(ledger.engine)
        if sealer is None:
            raise sealing.no_key()
        used = resealing.used_keys(ledger.engine, sealer.keys.names())
    return sealing.drop_keys(settings.home(workspace) / wiring.STORE_KEY, workspace, used)


def _forget(state: Path) -> None:
    """Remove what was worked out and kept before anything was sealed; it is worked out again."""
    for pattern in DERIVED:
        for path in state.glob(pattern):
            path.unlink(missing_ok=True)
