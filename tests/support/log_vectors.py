"""Makes audit/vectors/log.json: ``PYTHONPATH=tests python -m support.log_vectors > audit/vectors/log.json``."""

import base64
import copy
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twokey.audit import merkle
from twokey.audit.entry import Entry
from twokey.audit.keys import LogKey
from twokey.audit.merkle import Frontier, Node
from twokey.core.events import EVENT

WORKSPACE = "w-000000000001"
SEED = bytes(range(32))
KEY = LogKey(WORKSPACE, SEED)
EVENTS: list[dict[str, Any]] = [
    {"kind": "workspace.created", "workspace": WORKSPACE, "demo": False, "version": "0.1.0"},
    {"kind": "step.started", "run": "r-000000000001", "step": 1, "agent": "catalog"},
    {"kind": "step.ended", "run": "r-000000000001", "step": 1, "agent": "catalog", "code": "ok", "findings": 12},
    {"kind": "card.shown", "proposal": "p-000000000001", "digest": "a" * 64, "decision_digest": None}
    | {"channel": "console", "viewer": "sam"},
    {"kind": "run.ended", "run": "r-000000000001", "state": "done", "code": "ok"},
    {"kind": "identity.used", "principal": "sam", "auth": "key", "channel": "cli", "accepted": True, "code": "ok"},
    {"kind": "step.started", "run": "r-000000000002", "step": 1, "agent": "triage"},
]
BATCHES = (1, 3, 4, 7)
"""Sizes at which a checkpoint was signed."""


class Leaves:
    """Stored hashes of the vectors' tree."""

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self.leaves = [merkle.leaf_hash(body) for body in bodies]
        self.nodes: list[bytes] = []
        growing = Frontier()
        for leaf in self.leaves:
            self.nodes += growing.append(leaf)

    def __call__(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        return {node: self.nodes[merkle.position(node)] if node[0] else self.leaves[node[1]] for node in nodes}


def log_of(bodies: list[bytes], sizes: Iterable[int], key: LogKey = KEY) -> dict[str, Any]:
    """Give the rows of a log with these entries, signed at these sizes."""
    stored = Leaves(bodies)
    rows: list[dict[str, Any]] = []
    for seq, body in enumerate(bodies):
        entry = Entry.decode(body)
        row = {"seq": seq, "id": entry.id, "subject": entry.subject, "kind": entry.kind, "body": body.decode()}
        rows.append(row | {"leaf_hash": merkle.leaf_hash(body).hex()})
    checkpoints = [key.signer.checkpoint(size, merkle.root(size, stored)) for size in sizes]
    return {
        "entries": rows,
        "nodes": [{"pos": pos, "hash": value.hex()} for pos, value in enumerate(stored.nodes)],
        "checkpoints": [{"size": one.size, "root": one.root, "note": one.note} for one in checkpoints],
    }


def bodies() -> list[bytes]:
    """The entries of the good log."""
    return [
        Entry(id=f"l-{number:012d}", time_us=1_767_225_600_000_000 + number, workspace=WORKSPACE, event=event).encode()
        for number, event in enumerate(map(EVENT.validate_python, EVENTS))
    ]


def _rehash(log: dict[str, Any], seq: int, old: str, new: str) -> None:
    row = log["entries"][seq]
    row["body"] = row["body"].replace(old, new)
    row["leaf_hash"] = merkle.leaf_hash(row["body"].encode()).hex()


def _renumber(log: dict[str, Any]) -> None:
    for seq, row in enumerate(log["entries"]):
        row["seq"] = seq


def _byte(log: dict[str, Any]) -> None:
    log["entries"][2]["body"] = log["entries"][2]["body"].replace('"findings":12', '"findings":13')


def _rehashed_byte(log: dict[str, Any]) -> None:
    _rehash(log, 3, '"viewer":"sam"', '"viewer":"ana"')


def _rehashed_all(log: dict[str, Any]) -> None:
    """Everything that needs no key is made to fit the changed entry 3."""
    _rehash(log, 3, '"viewer":"sam"', '"viewer":"ana"')
    again = log_of([row["body"].encode() for row in log["entries"]], BATCHES)
    log["nodes"] = again["nodes"]
    for row, other in zip(log["checkpoints"], again["checkpoints"], strict=True):
        row["root"] = other["root"]
        text, _, signature = row["note"].rpartition("\n\n")
        lines = text.split("\n")
        lines[2] = base64.b64encode(bytes.fromhex(other["root"])).decode()
        row["note"] = "\n".join(lines) + "\n\n" + signature


def _swapped(log: dict[str, Any]) -> None:
    entries = log["entries"]
    entries[1], entries[3] = entries[3], entries[1]
    _renumber(log)


def _middle(log: dict[str, Any]) -> None:
    del log["entries"][4]


def _middle_closed(log: dict[str, Any]) -> None:
    del log["entries"][4]
    _renumber(log)


def _last(log: dict[str, Any]) -> None:
    del log["entries"][-1]


def _extra(log: dict[str, Any]) -> None:
    log["entries"] = log_of([*bodies(), bodies()[6].replace(b"l-000000000006", b"l-000000000007")], BATCHES)["entries"]


def _other_key(log: dict[str, Any]) -> None:
    log["checkpoints"] = log_of(bodies(), BATCHES, LogKey(WORKSPACE, bytes(32)))["checkpoints"]


def _checkpoint_moved(log: dict[str, Any]) -> None:
    log["checkpoints"][1]["size"] = 2


def _older(log: dict[str, Any]) -> None:
    log.update(log_of(bodies()[:4], BATCHES[:3]))


def _rewritten(log: dict[str, Any]) -> None:
    changed = [body.replace(b'"viewer":"sam"', b'"viewer":"ana"') for body in bodies()]
    log.update(log_of(changed, BATCHES))


TAMPERED: list[tuple[str, Callable[[dict[str, Any]], None], bool, int | None]] = [
    ("a byte of entry 2 changed", _byte, False, 2),
    ("entry 3 changed, its own hash made to fit", _rehashed_byte, False, 3),
    ("entry 3 changed, every hash made to fit, without the key", _rehashed_all, False, 3),
    ("entries 1 and 3 swapped", _swapped, False, 1),
    ("entry 4 deleted", _middle, False, 4),
    ("entry 4 deleted, the rest renumbered", _middle_closed, False, 4),
    ("the last entry deleted", _last, False, 6),
    ("an entry added that no checkpoint covers", _extra, False, 7),
    ("checkpoints signed with another key", _other_key, False, 0),
    ("a checkpoint stored under another size", _checkpoint_moved, False, 1),
    ("an older state put back (shows only against a checkpoint held elsewhere)", _older, True, None),
    ("rewritten and signed by a holder of the key (likewise)", _rewritten, True, None),
]


def make() -> dict[str, Any]:
    """Give the whole file."""
    good = log_of(bodies(), BATCHES)
    stored = Leaves(bodies())
    size = len(EVENTS)
    tampered: list[dict[str, Any]] = []
    for name, change, accepted, first_bad in TAMPERED:
        log = copy.deepcopy(good)
        change(log)
        tampered.append({"what": name, "accepted_without_old_checkpoint": accepted, "first_bad": first_bad, "log": log})
    return {
        "about": "A small log as its tables hold it, proofs for it, and tampered copies. See ../SPEC.md.",
        "seed": SEED.hex(),
        "vkey": KEY.verifier.vkey,
        "log": good,
        "held_elsewhere": good["checkpoints"][-1]["note"],
        "inclusion": [
            {"index": index, "size": size, "proof": [one.hex() for one in merkle.inclusion_proof(index, size, stored)]}
            for index in range(size)
        ],
        "consistency": [
            {"old": old, "size": size, "proof": [one.hex() for one in merkle.consistency_proof(old, size, stored)]}
            for old in range(1, size + 1)
        ],
        "tampered": tampered,
    }


def text() -> str:
    """Give the file's text."""
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
