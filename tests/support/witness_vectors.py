"""Makes audit/vectors/export and audit/vectors/witness.json: ``PYTHONPATH=tests python -m support.witness_vectors``."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.log_vectors import KEY, SEED, WORKSPACE, Leaves, bodies
from twokey.audit import merkle, tiles
from twokey.audit.entry import Entry
from twokey.audit.tiles import ENTRIES, Tile
from twokey.audit.witness import WitnessKey, request
from twokey.core.events import StepStarted
from twokey.core.values import Checkpoint

FOLDER = Path(__file__).resolve().parents[2] / "audit/vectors"
EXPORT = FOLDER / "export"
WITNESS = WitnessKey("witness.example/w1", bytes(range(32, 64)))
TIME = 1_767_225_600
SIZES = (7, 260)
"""Sizes at which the witness was asked."""


def entries() -> list[bytes]:
    """The entries of ``log.json``, and more behind them, so that one tile is whole."""
    first = bodies()
    return first + [
        Entry(
            id=f"l-{number:012d}",
            time_us=1_767_225_600_000_000 + number,
            workspace=WORKSPACE,
            event=StepStarted(run="r-000000000003", step=number, agent="catalog"),
        ).encode()
        for number in range(len(first), SIZES[-1])
    ]


def checkpoint(size: int) -> Checkpoint:
    """The checkpoint of so many entries."""
    return KEY.signer.checkpoint(size, merkle.root(size, Leaves(entries()[:size])))


def cosigned(size: int) -> str:
    """The checkpoint with the witness's cosignature."""
    note = checkpoint(size).note
    return f"{note}{WITNESS.cosign(note.rpartition(chr(10) * 2)[0] + chr(10), TIME)}\n"


def exported() -> dict[str, bytes]:
    """The files of the exported log."""
    held, size = entries(), SIZES[-1]
    levels = [[merkle.leaf_hash(body) for body in held]]
    while len(levels[-1]) >= tiles.WIDTH:
        below = levels[-1]
        levels.append([tiles.subtree(below[n * 256 : n * 256 + 256]) for n in range(len(below) // 256)])
    found = {"checkpoint": cosigned(size).encode(), "log.vkey": f"{KEY.verifier.vkey}\n".encode()}
    for level, hashes in enumerate(levels):
        for tile in tiles.tiles(level, size):
            place = tile.index * tiles.WIDTH
            found[tile.path] = b"".join(hashes[place : place + tile.width])
            if level == 0:
                bundle = Tile(ENTRIES, tile.index, tile.width)
                found[bundle.path] = tiles.bundle(held[place : place + tile.width])
    return found


def _proof(old: int, size: int) -> list[bytes]:
    return merkle.consistency_proof(old, size, Leaves(entries()))


def _case(what: str, body: bytes, status: int, answer: str = "") -> dict[str, Any]:
    return {"what": what, "body": body.decode(), "status": status, "answer": answer}


def exchanges() -> list[dict[str, Any]]:
    """Requests in the order in which the witness gets them, and its answers; its clock stands still."""
    small, large = checkpoint(7), checkpoint(260)
    forked = KEY.signer.checkpoint(260, bytes(32))
    stranger = WitnessKey("witness.example/w2", bytes(32))
    proof = _proof(7, 260)

    def line(one: Checkpoint) -> str:
        return WITNESS.cosign(one.note.rpartition("\n\n")[0] + "\n", TIME) + "\n"

    def other(origin: str) -> str:
        return large.note.replace(f"twokey/{WORKSPACE}\n260", f"{origin}\n260")

    return [
        _case("the first checkpoint needs no proof", request(0, [], small.note), 200, line(small)),
        _case("the request again: it begins at another size by now", request(0, [], small.note), 409, "7\n"),
        _case("the same checkpoint again", request(7, [], small.note), 200, line(small)),
        _case("a proof where none is needed", request(7, proof, small.note), 422),
        _case("no proof", request(7, [], large.note), 422),
        _case("a proof with a hash missing", request(7, proof[:-1], large.note), 422),
        _case("two hashes of the proof swapped", request(7, [proof[1], proof[0], *proof[2:]], large.note), 422),
        _case("another root of the signed size", request(7, proof, forked.note), 422),
        _case("an old size above the checkpoint's", request(8, [], small.note), 400),
        _case("a log that is not known", request(7, proof, other("twokey/w-000000000002")), 404),
        _case("no signature of the log", request(7, proof, _signed_by(stranger, large)), 403),
        _case("a signature of another checkpoint", request(7, proof, _moved(small, large)), 403),
        _case("the proof and the checkpoint", request(7, proof, large.note), 200, line(large)),
        _case("back to the smaller one", request(260, [], small.note), 400),
        _case("the smaller one as it was asked before", request(7, [], small.note), 409, "260\n"),
        _case("another root of the size that was cosigned", request(260, [], forked.note), 422),
        _case("a line too many before the proof", b"old 260\n\n\n" + large.note.encode(), 400),
        _case("a size with a leading zero", b"old 0260\n\n" + large.note.encode(), 400),
        _case("64 hashes", request(260, [bytes(32)] * 64, large.note), 400),
        _case("a hash of 31 bytes", request(260, [bytes(31)], large.note), 400),
    ]


def _signed_by(key: WitnessKey, one: Checkpoint) -> str:
    text = one.note.rpartition("\n\n")[0] + "\n"
    return f"{text}\n{key.cosign(text, TIME)}\n"


def _moved(one: Checkpoint, other: Checkpoint) -> str:
    return other.note.rpartition("\n\n")[0] + "\n\n" + one.note.rpartition("\n\n")[2]


def made() -> dict[str, Any]:
    """The content of witness.json."""
    return {
        "about": "A witness of the log in export/, what it was asked and what it answered. See ../SPEC.md, section 10.",
        "seed": bytes(range(32, 64)).hex(),
        "vkey": WITNESS.vkey,
        "log_seed": SEED.hex(),
        "log_vkey": KEY.verifier.vkey,
        "time": TIME,
        "cosigned": [cosigned(size) for size in SIZES],
        "exchanges": exchanges(),
    }


def text() -> str:
    """Give the file's text."""
    return json.dumps(made(), indent=1, ensure_ascii=False) + "\n"


def write(files: Sequence[tuple[str, bytes]]) -> None:
    """Write the vectors anew."""
    shutil.rmtree(EXPORT, ignore_errors=True)
    for name, content in files:
        (EXPORT / name).parent.mkdir(parents=True, exist_ok=True)
        (EXPORT / name).write_bytes(content)
    (FOLDER / "witness.json").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write(list(exported().items()))
