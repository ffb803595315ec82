"""A witness as commands run it: it signs the checkpoints of other people's logs, from a folder or over HTTP.

Rules: a witness needs no workspace, only its key file, its state beside it, and the verifier keys of the logs that it
looks after, each given by its owner. What it serves is C2SP ``tlog-witness``; bodies are bounded, and nothing of a
request is in an answer.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from twokey.audit import export, merkle, tiles
from twokey.audit.disk import Folder, disk_fault
from twokey.audit.keys import load_verifier
from twokey.audit.merkle import BadProof
from twokey.audit.note import MAX_NOTE_BYTES, Verifier
from twokey.audit.witness import Declined, WitnessDesk, WitnessKey, head_of, parse_request, state_path
from twokey.channels.routes import Delivery, Reply, Route
from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.core.ports import Clock
from twokey.core.values import Channel

MAX_BODY: Final = 128 * 1024


def create(path: Path, name: str) -> str:
    """Make a witness's key and its empty state; gives the verifier key. Raises ``BadInput``."""
    return WitnessKey.create(path, name).vkey


def desk(path: Path, logs: Sequence[str], clock: Clock | None = None) -> WitnessDesk:
    """Open a witness with the verifier keys (or files with them) of the logs that it looks after.

    Raises:
        BadInput: a key cannot be read, or two of them are of one log.
        LogUnavailable: the witness's key cannot be used.

    """
    known: dict[str, Verifier] = {}
    for log in map(load_verifier, logs):
        if known.setdefault(log.name, log) != log:
            raise BadInput(f"Two different keys are given for the log {log.name}.", next="Give the one that it uses.")
    return WitnessDesk(WitnessKey.load(path), state_path(path), list(known.values()), clock or SystemClock())


def shown(path: Path) -> dict[str, Any]:
    """Give a witness's verifier key, and what it signed last of each log."""
    witness = desk(path, [])
    heads = [head_of(note) for note in witness.notes().values()]
    return {
        "key": witness.key.vkey,
        "logs": [{"origin": head.origin, "size": head.size, "root": head.root.hex()} for head in heads],
    }


def sign(witness: WitnessDesk, exported: Path) -> dict[str, Any]:
    """Cosign the checkpoint of an exported log, if its tiles prove that it continues the one signed before.

    Raises:
        Declined: it does not, or the log is none of this witness's.
        BadInput: there is no exported log.
        CheckFailed: the folder or the witness's state is not what it should be.
        EnvironmentFault: either cannot be read or written.

    """
    try:
        with Folder(exported) as folder:
            content = folder.read(export.CHECKPOINT, MAX_NOTE_BYTES)
            if content is None:
                raise BadInput("There is no exported log in that folder.", next="Name a folder with a `checkpoint`.")
            note = content.decode("utf-8", errors="replace")
            head = head_of(note)
            old = witness.size(head.origin)
            proof = _proof(folder, old, head.size) if 0 < old < head.size else []
    except OSError as error:
        raise disk_fault(error) from error
    line = witness.add(old, proof, note)
    time = witness.key.verifier.time_in(head.text, line.rstrip("\n"))
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "time": time,
        "witness": witness.key.vkey,
        "note": witness.notes()[head.origin],
    }


def _proof(folder: Folder, old: int, size: int) -> list[bytes]:
    try:
        return merkle.consistency_proof(old, size, tiles.fetch(size, export.reader(folder)))
    except BadProof as error:
        raise CheckFailed(
            f"The folder does not hold what would prove that the log continues: {error}.",
            next="Ask the log's owner for a whole export.",
        ) from error


def routes(witness: WitnessDesk) -> list[Route]:
    """Give the addresses of a witness that is asked over HTTP."""

    def add(delivery: Delivery) -> Reply:
        return _answered(lambda: witness.add(*parse_request(delivery.body)))

    made = [Route("/add-checkpoint", add, "api", "POST", MAX_BODY)]
    for origin in witness.origins:
        name = hashlib.sha256(origin.encode()).hexdigest()
        made.append(Route(f"/{name}/checkpoint", _latest(witness, origin), "api", "GET", 0))
    return made


def _latest(witness: WitnessDesk, origin: str) -> Callable[[Delivery], Reply]:
    def latest(_: Delivery) -> Reply:
        return _answered(lambda: witness.notes().get(origin))

    return latest


def _answered(answer: Callable[[], str | None]) -> Reply:
    try:
        text = answer()
    except Declined as declined:
        if declined.size is not None:
            return Reply(declined.status, f"{declined.size}\n".encode(), headers={"content-type": "text/x.tlog.size"})
        return Reply(declined.status, f"{declined.message}\n".encode())
    except CheckFailed as error:
        # Its own state: nothing that the one who asked could mend, and nothing of theirs to be told.
        raise EnvironmentFault(error.message, next=error.next, code="witness_state") from error
    if text is None:
        return Reply(404, b"This witness has not signed a checkpoint of this log.\n")
    return Reply(200, text.encode())


class Untallied:
    """Counts nothing: a witness keeps no log of who asked in vain (``serving.Tally``)."""

    def count(self, channel: Channel, code: str) -> None:
        """Take no note."""

    def flush(self, *, everything: bool = False) -> None:
        """Write nothing."""
