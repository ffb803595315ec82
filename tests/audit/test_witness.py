"""A witness signs only what continues what it signed, whoever asks, whatever fails, and in however many processes."""

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from support import witness_vectors
from support.dying_disk import in_a_child
from support.exported import Faulty, broken, full
from support.log_vectors import KEY
from support.log_world import WORKSPACE
from support.witness_vectors import TIME, checkpoint, cosigned, entries, exported, text

from twokey.audit import merkle, verify, verify_cosigned, witness
from twokey.audit.disk import Folder
from twokey.audit.keys import LogKey
from twokey.audit.merkle import Frontier
from twokey.audit.note import Signer
from twokey.audit.verify import BadArgument
from twokey.audit.verify_cosigned import Witness
from twokey.audit.witness import Declined, WitnessDesk, WitnessKey, parse_request, request, state_path
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, LogUnavailable

VECTORS: dict[str, Any] = json.loads((witness_vectors.FOLDER / "witness.json").read_text("utf-8"))
NAME = "witness.example/w1"


@dataclass
class Clock:
    """A clock that stands still until told to move. Microseconds."""

    time_us: int = TIME * 1_000_000

    def now_us(self) -> int:
        return self.time_us


class Bench:
    """A witness with a fresh state, and what it takes to ask it."""

    def __init__(self, folder: Path, clock: Clock, key: WitnessKey = witness_vectors.WITNESS) -> None:
        self.state = folder / "witness.key.state"
        self.state.write_bytes(b'{"notes":[],"v":"twokey/witness-state/v1"}')
        self.state.chmod(0o600)
        self.key = key
        self.clock = clock

    def open(self, **changes: Any) -> WitnessDesk:
        return WitnessDesk(self.key, self.state, [KEY.verifier], self.clock, **changes)

    def ask(self, desk: WitnessDesk, old: int, size: int, steps: Sequence[bytes] | None = None) -> str:
        proof = witness_vectors._proof(old, size) if steps is None and old else list(steps or ())  # pyright: ignore[reportPrivateUsage]
        return desk.add(old, proof, checkpoint(size).note)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bench(tmp_path: Path, clock: Clock) -> Bench:
    return Bench(tmp_path, clock)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_files_are_what_the_code_makes():
    assert (witness_vectors.FOLDER / "witness.json").read_text("utf-8") == text()
    held = {str(path.relative_to(witness_vectors.EXPORT)): path.read_bytes()
            for path in witness_vectors.EXPORT.rglob("*") if path.is_file()}  # fmt: skip
    assert held == exported()


def test_the_published_exchanges_are_what_a_witness_answers(bench: Bench):
    desk = bench.open()
    bench.clock.time_us = TIME * 1_000_000
    for case in VECTORS["exchanges"]:
        try:
            old, proof, note = parse_request(case["body"].encode())
            status, answer = 200, desk.add(old, proof, note)
        except Declined as declined:
            status, answer = declined.status, "" if declined.size is None else f"{declined.size}\n"
        assert (status, answer) == (case["status"], case["answer"]), case["what"]
    assert desk.notes() == {KEY.verifier.name: VECTORS["cosigned"][1]}


def test_a_cosignature_is_that_of_the_specification():
    """Taken apart by hand, after C2SP tlog-cosignature."""
    import base64
    import hashlib

    name, key_id, public = VECTORS["vkey"].split("+", 2)
    raw = base64.b64decode(public)
    assert (name, raw[0], len(raw)) == (NAME, 4, 33)
    assert hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8] == key_id
    body, _, tail = VECTORS["cosigned"][1].rpartition("\n\n")
    line = tail.splitlines()[1]
    assert line.startswith(f"\u2014 {NAME} ")
    signature = base64.b64decode(line.rpartition(" ")[2])
    assert (signature[:4].hex(), int.from_bytes(signature[4:12], "big"), len(signature)) == (key_id, TIME, 76)
    signed = f"cosignature/v1\ntime {TIME}\n{body}\n".encode()
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[12:], signed)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[12:], signed.replace(b"260", b"261"))


def test_a_log_is_signed_as_it_grows(bench: Bench):
    desk = bench.open()
    assert (desk.size(KEY.verifier.name), desk.origins) == (0, [KEY.verifier.name])
    for old, size in ((0, 1), (1, 5), (5, 5), (5, 260)):
        line = bench.ask(desk, old, size, () if old == size else None)
        note = checkpoint(size).note + line
        assert Witness.parse(bench.key.vkey).time_of(note) == bench.clock.now_us() // 1_000_000
        assert desk.notes() == {KEY.verifier.name: note}
        assert bench.open().size(KEY.verifier.name) == size
    assert bench.state.stat().st_mode & 0o777 == 0o600


def test_a_log_with_extension_lines_and_several_signatures_is_signed_as_it_stands(bench: Bench):
    plain = checkpoint(3).note.rpartition("\n\n")[0] + "\nextension\n"
    signed = KEY.signer.sign(plain)
    other = Signer("somebody.example/else", bytes(32)).sign(plain).rpartition("\n\n")[2]
    line = bench.open().add(0, [], signed + other)
    assert bench.key.verifier.time_of(signed + line) == bench.clock.now_us() // 1_000_000
    assert bench.open().notes() == {KEY.verifier.name: signed + line}


def test_an_empty_log_can_be_signed_and_grows_from_there(bench: Bench):
    desk = bench.open()
    with pytest.raises(Declined, match="is not proven to continue") as wrong:
        desk.add(0, [], KEY.signer.checkpoint(0, bytes(32)).note)
    assert wrong.value.status == 422
    desk.add(0, [], KEY.signer.checkpoint(0, merkle.EMPTY_ROOT).note)
    with pytest.raises(Declined):
        desk.add(0, [bytes(32)], checkpoint(3).note)
    desk.add(0, [], checkpoint(3).note)
    assert desk.size(KEY.verifier.name) == 3


def test_a_forked_log_is_signed_once_and_the_fork_is_told_of(bench: Bench, caplog: pytest.LogCaptureFixture):
    desk = bench.open()
    bench.ask(desk, 0, 5)
    forked = KEY.signer.checkpoint(5, bytes(32))
    with pytest.raises(Declined) as refused:
        desk.add(5, [], forked.note)
    assert (refused.value.status, refused.value.exit_code) == (422, 1)
    assert f"The log twokey/{WORKSPACE} signed two trees of size 5" in caplog.text
    assert "0" * 64 in caplog.text


def test_a_fork_shown_to_two_witnesses_cannot_be_shown_to_either_again(tmp_path: Path, clock: Clock):
    """Each signs its half; where the halves are compared, or either is shown the other, it comes out."""
    keys = [WitnessKey(f"witness.example/w{number}", bytes([number]) * 32) for number in (1, 2)]
    desks: list[WitnessDesk] = []
    for key in keys:
        (tmp_path / key.verifier.name[-2:]).mkdir()
        desks.append(Bench(tmp_path / key.verifier.name[-2:], clock, key).open())
    grown = Frontier()
    for number, body in enumerate(entries()[:9]):
        grown.append(merkle.leaf_hash(body if number != 4 else b"forked"))
    true, false = checkpoint(9), KEY.signer.checkpoint(9, grown.root())
    lines = [desk.add(0, [], one.note) for desk, one in zip(desks, (true, false), strict=True)]
    for desk, one in zip(desks, (false, true), strict=True):
        with pytest.raises(Declined):
            desk.add(9, [], one.note)
        with pytest.raises(Declined):
            desk.add(9, witness_vectors._proof(9, 20), checkpoint(20).note if one is true else false.note)  # pyright: ignore[reportPrivateUsage]
    # A cosignature fits only the checkpoint it was made for.
    assert keys[0].verifier.time_of(true.note + lines[0]) is not None
    assert keys[0].verifier.time_of(false.note + lines[0]) is None
    assert keys[1].verifier.time_of(true.note + lines[1]) is None


def test_a_forged_key_of_the_log_is_refused(bench: Bench):
    forged = LogKey(WORKSPACE, bytes(32)).signer
    for note in (forged.checkpoint(3, bytes(32)).note,
                 checkpoint(3).note.rpartition("\n\n")[0] + "\n\n" + checkpoint(4).note.rpartition("\n\n")[2]):  # fmt: skip
        with pytest.raises(Declined, match="signature is missing or does not fit") as refused:
            bench.open().add(0, [], note)
        assert refused.value.status == 403


HOSTILE: list[bytes] = [
    b"", b"old", b"old 0", b"old 0\n", b"old 0\n\n", b"old -1\n\nx", b"old 00\n\nx", b"old 1e3\n\nx", b"\xff\xfe\n\n",
    b"old 0\n\n" + b"A" * 100_000, b"old 99999999999999999999\n\nx", b"old 0\r\n\r\nx", b"old 0\n\n\n\n\n",
    b"old 0\nAAAA\n\nx", b"old 0\n" + b"!" * 44 + b"\n\nx", b"old 0\n\na\n1\nAAAA\n\n\xe2\x80\x94 a AAAAAAAA\n",
    b"old 0\n\na\n99999999999999999\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 a AAAAAAAA\n",
    b"old 0\n\na\n9999999999999999\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 a AAAAAAAA\n",
    b"old 0\n\n\n1\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 a AAAAAAAA\n", b"old 0\n\na\n\n\xe2\x80\x94 a AAAAAAAA\n",
    b"old 0\n\na\x00\n1\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 a AAAAAAAA\n",
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE)
def test_what_is_no_request_is_a_bad_request(bench: Bench, body: bytes):
    with pytest.raises(Declined) as refused:
        bench.open().add(*parse_request(body))
    assert refused.value.status == 400
    assert bench.open().notes() == {}


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda value: b"old 0\n\n" + value.encode("utf-8", "replace"))
)
def test_whatever_is_sent_is_a_request_or_declined(body: bytes):
    status = 200
    try:
        old, proof, note = parse_request(body)
        witness.head_of(note)
        assert request(old, proof, note) == body
    except Declined as declined:
        status = declined.status
    assert status in {200, 400}


def test_a_witness_without_its_state_signs_nothing(bench: Bench):
    desk = bench.open()
    bench.ask(desk, 0, 5)
    good = bench.state.read_bytes()
    bench.state.unlink()
    with pytest.raises(CheckFailed, match="The state of this witness cannot be used: it is missing"):
        bench.ask(desk, 0, 3)
    note = checkpoint(3).note
    for content, why in {
        b"": "it is damaged", good[:-1]: "it is damaged", b"[]": "it is damaged", b"{}": "it is damaged",
        good.replace(b"state/v1", b"state/v2"): "it is damaged",
        b'{"notes":3,"v":"twokey/witness-state/v1"}': "it is damaged",
        b'{"notes":[3],"v":"twokey/witness-state/v1"}': "it is damaged",
        json.dumps({"notes": [note], "v": "twokey/witness-state/v1"}, separators=(",", ":"), ensure_ascii=False).encode():
            "it holds what this witness did not cosign",
        good.replace(b"\\n5\\n", b"\\n4\\n"): "it holds what this witness did not cosign",
    }.items():  # fmt: skip
        bench.state.write_bytes(content)
        with pytest.raises(CheckFailed, match=why):
            bench.ask(desk, 0, 3)
        assert bench.state.read_bytes() == content
    bench.state.unlink()
    bench.state.symlink_to(bench.state.parent / "elsewhere")
    with pytest.raises(CheckFailed, match="links are not followed"):
        desk.notes()
    bench.state.unlink()
    bench.state.write_bytes(b"x" * (witness.MAX_STATE_BYTES + 1))
    with pytest.raises(CheckFailed, match="longer than it can be"):
        desk.notes()


def test_a_witness_without_its_folder_or_without_a_clock_signs_nothing(bench: Bench, tmp_path: Path):
    desk = WitnessDesk(bench.key, tmp_path / "none" / "state", [KEY.verifier], bench.clock)
    with pytest.raises(EnvironmentFault) as gone:
        desk.notes()
    assert gone.value.code == "disk"
    bench.clock.time_us = 0
    with pytest.raises(EnvironmentFault, match="clock shows no time"):
        bench.ask(bench.open(), 0, 3)
    assert bench.open().notes() == {}


@pytest.mark.parametrize("fail", [broken, full])
def test_no_signature_leaves_before_the_state_is_on_the_disk(bench: Bench, fail: Callable[[], None]):
    bench.ask(bench.open(), 0, 3)
    moment = 0
    while True:
        moment += 1
        before = bench.state.read_bytes()
        steps = Faulty(moment, fail)
        code = "done"
        try:
            bench.ask(bench.open(steps=steps), 3, 9)
        except EnvironmentFault as fault:
            code = fault.code
        size = bench.open().size(KEY.verifier.name)
        if code == "done":
            assert size == 9
            break
        assert (code, steps.count) == ("disk", moment), "nothing was tried after the fault"
        assert size in {3, 9}
        bench.state.write_bytes(before)  # where it was renamed, and the name not known to be on the disk
    assert moment > 3


def test_a_witness_that_is_killed_between_any_two_steps_neither_forgets_nor_contradicts_itself(
    tmp_path: Path, clock: Clock
):
    moment = 0
    while True:
        moment += 1
        (tmp_path / str(moment)).mkdir()
        bench = Bench(tmp_path / str(moment), clock)
        bench.ask(bench.open(), 0, 3)

        def work(bench: Bench = bench, moment: int = moment) -> str:
            return bench.ask(bench.open(steps=Faulty(moment, kill)), 3, 9)

        status, said = in_a_child(work)
        size = bench.open().size(KEY.verifier.name)
        assert size in ({3, 9} if os.WIFSIGNALED(status) else {9})
        forked = KEY.signer.checkpoint(9, bytes(32))
        with pytest.raises(Declined):
            bench.open().add(size, [], forked.note)
        bench.ask(bench.open(), size, 9, () if size == 9 else None)
        if not os.WIFSIGNALED(status):
            assert said.startswith("\u2014 ")
            break
    assert moment > 3


def test_of_many_at_once_on_one_state_only_one_signs_each_size(bench: Bench):
    """Two forks of one size, and a race for the next: whoever signs second sees what the first wrote."""
    bench.ask(bench.open(), 0, 3)
    notes = [checkpoint(9).note] + [KEY.signer.checkpoint(9, bytes([number]) * 32).note for number in range(1, 8)]
    signed: list[str] = []
    statuses: list[int] = []
    together = threading.Barrier(len(notes))

    def ask(note: str) -> None:
        desk = bench.open()
        together.wait()
        try:
            signed.append(note + desk.add(3, witness_vectors._proof(3, 9), note))  # pyright: ignore[reportPrivateUsage]
        except Declined as declined:
            statuses.append(declined.status)

    threads = [threading.Thread(target=ask, args=(note,)) for note in notes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [note.rpartition("\n\n")[0] for note in signed] == [notes[0].rpartition("\n\n")[0]]
    assert set(statuses) <= {409, 422}
    assert len(statuses) == 7
    assert bench.open().notes() == {KEY.verifier.name: signed[0]}


def test_a_process_that_holds_the_state_is_waited_for_a_bounded_time(bench: Bench):
    with Folder(bench.state.parent) as held:
        held.lock(1, EnvironmentFault("busy", next=""))
        with pytest.raises(EnvironmentFault, match="Another process cosigns") as busy:
            bench.ask(bench.open(wait_s=0.05), 0, 3)
    assert busy.value.code == "witness_busy"


def test_a_key_is_made_once_with_its_empty_state(tmp_path: Path):
    path = tmp_path / "witness.key"
    made = WitnessKey.create(path, NAME)
    assert WitnessKey.load(path).vkey == made.vkey
    assert Witness.parse(made.vkey) == made.verifier
    assert path.stat().st_mode & 0o777 == state_path(path).stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match=r"There is a key file already: witness\.key"):
        WitnessKey.create(path, NAME)
    path.unlink()
    WitnessKey.create(path, NAME)  # what a killed process left: a state in which nothing stands
    path.unlink()
    state_path(path).write_text("x")
    with pytest.raises(BadInput, match=r"There is a key file already: witness\.key\.state"):
        WitnessKey.create(path, NAME)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "é", "x" * 201, "a\nb"])
def test_a_name_that_no_note_can_hold_is_refused(tmp_path: Path, name: str):
    with pytest.raises(BadInput, match="A witness's name"):
        WitnessKey.create(tmp_path / "key", name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_is_refused_where_others_read_it_or_it_is_none(tmp_path: Path):
    path = tmp_path / "witness.key"
    WitnessKey.create(path, NAME)
    path.chmod(0o644)
    with pytest.raises(LogUnavailable, match="others can read or write it"):
        WitnessKey.load(path)
    path.chmod(0o600)
    path.write_text("twokey/log-key/v1 twokey/w-000000000001 " + "0" * 64 + "\n")
    with pytest.raises(BadInput, match="is not a witness's key file"):
        WitnessKey.load(path)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        KEY.verifier.vkey,
        VECTORS["vkey"].replace("w1", "w2"),
        VECTORS["vkey"][:-4],
        VECTORS["vkey"].replace("witness", "wítness"),
        "+" + VECTORS["vkey"].partition("+")[2],
    ],
)
def test_what_is_no_witness_key_is_refused(vkey: str):
    with pytest.raises(BadArgument):
        Witness.parse(vkey)


def test_a_cosignature_with_an_odd_time_or_length_counts_as_none():
    note = checkpoint(7).note
    body = note.rpartition("\n\n")[0] + "\n"
    key = witness_vectors.WITNESS
    assert key.verifier.time_of(note) is None
    for time in (0, verify_cosigned.LATEST + 1, 2**63):
        assert key.verifier.time_of(f"{note}{key.cosign(body, time)}\n") is None
    assert key.verifier.time_of(f"{note}{key.cosign(body, 5)}\n{key.cosign(body, 9)}\n") == 9
    assert key.verifier.time_of(f"{note}{key.cosign(body, 5)[:-4]}\n") is None
    assert key.verifier.time_of(f"{note}{key.cosign(body, 5)[2:]}\n") is None
    assert key.verifier.time_of(f"{note}{key.cosign(body, 5).replace('w1', 'w2')}\n") is None


def test_a_verification_tells_who_has_cosigned_and_who_has_not():
    report = verify.Report(ok=True, size=7, root="", first_bad=None, reason="good", rollback_checked=True)
    stranger = WitnessKey("witness.example/w2", bytes(32))
    good = verify_cosigned.witnessed(report, cosigned(7), [VECTORS["vkey"]])
    assert good.ok
    assert good.remarks == (f"{NAME} cosigned the checkpoint of size 7 at 2026-01-01T00:00:00Z",)
    bad = verify_cosigned.witnessed(report, cosigned(7), [VECTORS["vkey"], stranger.vkey])
    assert (bad.ok, bad.reason) == (
        False, "the checkpoint carries no cosignature that fits of witness.example/w2",
    )  # fmt: skip
    worse = verify.Report(ok=False, size=7, root="", first_bad=1, reason="entry 1", rollback_checked=True)
    assert verify_cosigned.witnessed(worse, "", [VECTORS["vkey"]]) == worse
