"""The log as commands show it: verified, listed, one entry proven to outsiders, and its latest checkpoint.

Rules: what is listed are rows of an index and no authority; an entry that is named, by its id or by its number, is
proven before it is shown. What the log holds about a proposal is found in the log alone, whatever became of its row.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from twokey.audit import proof
from twokey.audit.entry import Entry
from twokey.audit.proof import InclusionProof
from twokey.channels import wiring
from twokey.channels.card import moment
from twokey.core.errors import BadInput, NotFound
from twokey.core.values import Checkpoint
from twokey.store import proposals
from twokey.tools import entries
from twokey.tools.ledger import Ledger

MAX_PROOF_BYTES: Final = 1 << 20


def verify(
    folder: Path, key: str | None, old: Path | None, exported: Path | None = None, witnesses: Sequence[str] = ()
) -> dict[str, Any]:
    """Verify the whole log of a workspace, or an exported one, which needs no workspace where a key is given.

    ``witnesses`` are verifier keys (or files with them) of those who must have cosigned ``old``, or else the exported
    log's checkpoint. Raises ``BadInput`` where a key or checkpoint cannot be read.
    """
    try:
        held = old.read_text(encoding="utf-8") if old is not None else None
        keys = [one if "+" in one else Path(one).read_text(encoding="utf-8") for one in witnesses]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "The checkpoint or the key of a witness cannot be read.", next="Name files that hold them."
        ) from error
    if exported is not None:
        return wiring.verify_exported(folder, exported, key, held, keys)
    if keys and held is None:
        raise BadInput(
            "There is no checkpoint that a witness could have signed.",
            next="Give --checkpoint with the cosigned one, or --export with the folder.",
        )
    return wiring.verify_log(folder, key, held, keys)


def export(folder: Path, target: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Export the log of a workspace into a folder; see ``twokey.audit.export``."""
    done, key = wiring.export_log(folder, target, progress)
    return {
        "dir": str(target),
        "size": done.checkpoint.size,
        "root": done.checkpoint.root,
        "written": done.written,
        "entries": done.entries,
        "key": key,
    }


def lines(folder: Path, subject: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Give entries, oldest first, each as plain data with one line of text.

    ``subject`` is an entry, by id or number; a run, with all that it proposed; a proposal (a beginning of its id will
    do), with the run that made it; or whatever else entries are about.

    Raises:
        NotFound: the log holds nothing about it.
        CheckFailed: an entry that was named is not proven.

    """
    with wiring.opened_ledger(folder) as ledger:
        if subject is None:
            return [_entry(item.seq, item.entry) for item in ledger.log.entries(after=after, limit=limit)]
        if entries.is_name(subject):
            shown = entries.prove(ledger, subject)
            return [_entry(shown.index, Entry.decode(shown.body))]
        found = entries.about(ledger, _change(ledger, subject), after=after, limit=limit)
    return [_entry(number, entry) for number, entry in found]


def _change(ledger: Ledger, subject: str) -> list[str]:
    """Give what the entries of one change are about: a run and what it proposed, or a proposal and its run."""
    with ledger.look() as connection:
        if subject.startswith("r-"):
            wanted = [subject, *(record.id for record in proposals.proposals_of(connection, subject))]
        elif subject.startswith("p-"):
            wanted = [proposals.resolve_proposal(connection, subject)]
        else:
            wanted = [subject]
    first = entries.about(ledger, wanted, limit=1)
    if not first:
        raise NotFound(
            f"The log holds nothing about {subject[:40]!r}.",
            next="Name a run, a proposal or an entry; `twokey audit show` lists the log.",
        )
    run = getattr(first[0][1].event, "run", None)
    return [*wanted, run] if subject.startswith("p-") and isinstance(run, str) else wanted


def prove(folder: Path, entry: str) -> InclusionProof:
    """Give what shows an outsider that an entry is in the log; raises like ``entries.prove``."""
    with wiring.opened_ledger(folder) as ledger:
        return entries.prove(ledger, entry)


def check_proof(folder: Path, file: Path, key: str | None) -> tuple[int, Entry]:
    """Check a proof that was taken away, with this account's verifier key or the one given; never with the file's own.

    Gives the entry's number and the entry.

    Raises:
        BadInput: the file cannot be read or is no proof, or the key cannot be read.
        CheckFailed: it does not prove that the entry is in the log.

    """
    verifier = wiring.verifier_of(folder, key)
    try:
        with file.open("rb") as stream:
            held = orjson.loads(stream.read(MAX_PROOF_BYTES))
        text, body = held["proof"], held["entry"].encode("utf-8")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{file} cannot be read as a proof.", next="Give a file that `twokey audit prove ENTRY --json` wrote."
        ) from error
    if not isinstance(text, str):
        raise BadInput(f"{file} holds no proof.", next="Give a file that `twokey audit prove ENTRY --json` wrote.")
    return proof.check(text, body, verifier), Entry.decode(body)


def latest(folder: Path) -> Checkpoint:
    """Give the latest signed checkpoint; raises ``NotFound`` in an empty log."""
    with wiring.opened_log(folder) as log:
        checkpoint = log.latest()
    if checkpoint is None:
        raise NotFound("The log has no checkpoint yet.", next="Ask for something first.")
    return checkpoint


def _entry(number: int, entry: Entry) -> dict[str, Any]:
    event = entry.event.model_dump(mode="json")
    kind = event.pop("kind")
    return {
        "seq": number,
        "id": entry.id,
        "time": moment(entry.time_us),
        "kind": kind,
        "event": event,
        "text": _text(event),
    }


def _text(event: dict[str, Any]) -> str:
    """Give the fields of an event on one line; digests shortened. Entries hold nothing that needs escaping."""
    return "  ".join(f"{key}={_short(value)}" for key, value in event.items() if value not in (None, [], ""))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}={_short(item)}" for key, item in value.items() if item is not None) + "}"
    if isinstance(value, list):
        return ",".join(_short(item) for item in value)
    text = str(value)
    return text[:12] + "…" if len(text) >= 64 else text
