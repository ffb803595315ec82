"""A witness over HTTP, with real sockets, and what a log makes of its answers, however odd."""

import hashlib
import http.client
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import FixedClock
from support import witness_vectors
from support.log_vectors import KEY
from support.odd_server import Asked, Told, odd_server
from support.ports import free_port
from support.witness_vectors import checkpoint, exported

from twokey.audit import merkle
from twokey.audit.keys import LogKey
from twokey.audit.verify_cosigned import Witness
from twokey.audit.witness import Declined, WitnessDesk, WitnessKey, request, state_path
from twokey.channels import witness_asking, witnessing
from twokey.channels.serving import serving
from twokey.channels.wiring import Standing
from twokey.channels.witness_asking import Answer, ask, look, with_lines
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.core.sections import WitnessSection
from twokey.core.values import Checkpoint

NAME = "witness.example/w1"


class Log(Standing):
    """The log of the vectors, without a database (what ``Standing`` asks one for follows from its entries)."""

    def __init__(self, size: int, note: Checkpoint | None = None) -> None:
        object.__setattr__(self, "checkpoint", note or checkpoint(size))
        object.__setattr__(self, "verifier", KEY.verifier)

    def proof(self, old: int) -> list[bytes]:
        return witness_vectors._proof(old, self.checkpoint.size)  # pyright: ignore[reportPrivateUsage]

    def root(self, size: int) -> str:
        return checkpoint(size).root


@pytest.fixture
def desk(tmp_path: Path, clock: FixedClock) -> WitnessDesk:
    witnessing.create(tmp_path / "witness.key", NAME)
    return witnessing.desk(tmp_path / "witness.key", [KEY.verifier.vkey], clock)


@contextmanager
def served(desk: WitnessDesk) -> Generator[str]:
    with serving(witnessing.routes(desk), witnessing.Untallied(), host="127.0.0.1", port=0) as address:
        yield address


def exchange(address: str, method: str, path: str, body: bytes = b"") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.headers["content-type"], response.read().decode()
    finally:
        connection.close()


def latest(address: str, origin: str = KEY.verifier.name) -> tuple[int, str, str]:

    return exchange(address, "GET", f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint")


def test_the_published_exchanges_go_over_http(desk: WitnessDesk, clock: FixedClock):
    held = json.loads((witness_vectors.FOLDER / "witness.json").read_text("utf-8"))
    vectors = WitnessDesk(witness_vectors.WITNESS, desk._state, [KEY.verifier], clock)  # pyright: ignore[reportPrivateUsage]
    clock.time_us = witness_vectors.TIME * 1_000_000
    with served(vectors) as address:
        assert latest(address)[0] == 404
        for case in held["exchanges"]:
            status, kind, text = exchange(address, "POST", "/add-checkpoint", case["body"].encode())
            assert status == case["status"], case["what"]
            assert kind == ("text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
            assert text == case["answer"] or (case["answer"] == "" and text.startswith("The witness does not cosign: "))
        assert latest(address) == (200, "text/plain; charset=utf-8", held["cosigned"][1])


def test_huge_and_odd_requests_are_refused(desk: WitnessDesk):
    with served(desk) as address:
        assert exchange(address, "POST", "/add-checkpoint", b"x" * (witnessing.MAX_BODY + 1))[0] == 413
        assert exchange(address, "POST", "/add-checkpoint", b"x" * witnessing.MAX_BODY)[0] == 400
        assert exchange(address, "GET", "/add-checkpoint")[0] == 405
        assert exchange(address, "POST", "/add-checkpoint/../x")[0] == 404
        assert latest(address, "twokey/w-000000000002")[0] == 404
        assert latest(address)[0] == 404
        planted = b"old 0\n\nplanted-secret\n1\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 a AAAAAAAA\n"
        status, _, text = exchange(address, "POST", "/add-checkpoint", planted)
        assert (status, "planted" in text) == (404, False)


def test_a_witness_that_lost_its_state_answers_nobody(desk: WitnessDesk, tmp_path: Path):
    state_path(tmp_path / "witness.key").unlink()
    with served(desk) as address:
        body = request(0, [], checkpoint(3).note)
        status, _, text = exchange(address, "POST", "/add-checkpoint", body)
        assert (status, text) == (503, "Twokey cannot take this now; try again later.\n")
        assert latest(address)[0] == 503


def test_many_at_once_get_one_tree(desk: WitnessDesk):
    """Every one of them asks as if nothing had been signed, for a tree of its own."""
    statuses: list[int] = []
    with served(desk) as address:

        def one(number: int) -> None:
            note = KEY.signer.checkpoint(9, bytes([number]) * 32).note
            statuses.append(exchange(address, "POST", "/add-checkpoint", request(0, [], note))[0])

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] + [409] * 7


def test_a_log_gets_its_signatures_as_it_grows(desk: WitnessDesk):
    key = desk.key.verifier
    with served(desk) as address:
        for size in (3, 3, 100, 260):
            answer = ask("w1", address, key, Log(size))
            assert (answer.state, answer.text) == ("cosigned", f"w1 cosigned size {size:,}")
            note = with_lines(checkpoint(size).note, [answer.line])
            assert key.time_of(note) == answer.time
            assert KEY.verifier.checkpoint(note).size == size
        assert look("w1", address, key, Log(260)).text == "w1 signed size 260, which this log continues"
        behind = look("w1", address, key, Log(100))
        assert (behind.state, behind.alarms) == ("ahead", True)
        assert KEY.verifier.checkpoint(behind.evidence).size == 260


def test_a_log_that_was_rolled_back_is_told_of_with_its_own_signature(desk: WitnessDesk):
    with served(desk) as address:
        ask("w1", address, desk.key.verifier, Log(260))
        answer = ask("w1", address, desk.key.verifier, Log(100))
    assert (answer.state, answer.line, answer.time) == ("ahead", "", None)
    assert "has seen 260 entries of this log, and there are 100: it was rolled back" in answer.text
    assert KEY.verifier.checkpoint(answer.evidence).size == 260


def test_a_log_that_was_rewritten_is_told_of_with_its_own_signature(desk: WitnessDesk):
    with served(desk) as address:
        desk.add(0, [], KEY.signer.checkpoint(100, bytes(32)).note)
        for asked in (ask, look):
            answer = asked("w1", address, desk.key.verifier, Log(260))
            assert (answer.state, answer.alarms) == ("contradicts", True)
            assert "has seen another log of size 100 with this one's signature" in answer.text
            assert KEY.verifier.checkpoint(answer.evidence).root == "0" * 64


def test_an_empty_tree_that_was_signed_says_nothing_against_the_log(desk: WitnessDesk):
    with served(desk) as address:
        desk.add(0, [], KEY.signer.checkpoint(0, merkle.EMPTY_ROOT).note)
        assert look("w1", address, desk.key.verifier, Log(3)).state == "cosigned"


def test_a_witness_that_does_not_know_the_log_or_its_key_says_so(tmp_path: Path, clock: FixedClock):
    witnessing.create(tmp_path / "witness.key", NAME)
    for logs, why in (([], "does not know this log"),
                      ([LogKey("w-000000000001", bytes(32)).verifier.vkey], "does not accept the log's signature")):  # fmt: skip
        desk = witnessing.desk(tmp_path / "witness.key", logs, clock)
        with served(desk) as address:
            answer = ask("w1", address, desk.key.verifier, Log(3))
        assert (answer.state, answer.alarms) == ("refused", False)
        assert why in answer.text


def _text(status: int, body: str) -> Told:
    return Told(body.encode(), status, {"Content-Type": "text/plain"})


STRANGER = WitnessKey("witness.example/w2", bytes(32))
TEXT = checkpoint(7).note.rpartition("\n\n")[0] + "\n"
ODD: dict[str, tuple[Callable[[Asked], Told], str, str]] = {
    "a signature of somebody else": (
        lambda _: _text(200, STRANGER.cosign(TEXT, 5) + "\n"), "refused", "without a signature of its key that fits"),
    "a signature of another checkpoint": (
        lambda _: _text(200, witness_vectors.cosigned(260)), "refused", "without a signature of its key that fits"),
    "nothing": (lambda _: _text(200, ""), "refused", "without a signature of its key that fits"),
    "bytes that are no text": (lambda _: Told(b"\xff\xfe\x00", 200), "refused", "without a signature"),
    "more than there is to say": (lambda _: _text(200, "x" * 100_000), "unreachable", "more than a witness has to say"),
    "an alarm that it does not show": (
        lambda asked: _text(404, "") if asked.method == "GET" else _text(422, "no"), "refused",
        "finds that this checkpoint does not continue the one of size 0; it shows no checkpoint"),
    "a size that it does not show": (
        lambda asked: _text(200, "x") if asked.method == "GET" else _text(409, "9000000\n"), "refused",
        "says that it has signed size 9,000,000, and there are 7 entries; it shows no checkpoint"),
    "sizes without end": (
        lambda asked: _text(409, f"{1 + int(asked.body.split()[1])}\n"), "refused", "signs other sizes meanwhile"),
    "a size that is none": (lambda _: _text(409, "-5\n"), "refused", "status 409"),
    "a redirect": (lambda _: Told(b"", 302, {"Location": "http://127.0.0.1:9/"}), "refused", "status 302"),
    "an error": (lambda _: _text(500, ""), "refused", "status 500"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "state", "why"), ODD.values(), ids=ODD)
def test_an_odd_answer_is_no_signature_and_no_alarm(answer: Callable[[Asked], Told], state: str, why: str):
    with odd_server(answer) as server:
        got = ask("w1", server.url, witness_vectors.WITNESS.verifier, Log(7))
    assert (got.state, got.line, got.alarms) == (state, "", False)
    assert why in got.text


@pytest.mark.parametrize(
    ("note", "state", "why"),
    [
        (witness_vectors.cosigned(7), "cosigned", "signed size 7"),
        (checkpoint(7).note, "refused", "its own key did not sign"),
        (KEY.signer.checkpoint(7, bytes(32)).note, "contradicts", "another log of size 7"),
        (LogKey("w-000000000001", bytes(32)).signer.checkpoint(9, bytes(32)).note, "refused", "no checkpoint of this"),
        ("x", "refused", "no checkpoint of this log (status 200)"),
    ],
)
def test_what_a_witness_shows_counts_only_with_signatures(note: str, state: str, why: str):
    with odd_server(lambda _: _text(200, note)) as server:
        got = look("w1", server.url, witness_vectors.WITNESS.verifier, Log(7))
    assert got.state == state
    assert why in got.text
    assert bool(got.evidence) is got.alarms


def test_who_cannot_be_reached_is_told_from_who_is_slow():
    key = witness_vectors.WITNESS.verifier
    for asked in (ask, look):
        gone = asked("w1", f"http://127.0.0.1:{free_port()}", key, Log(7))
        assert (gone.state, gone.text) == (
            "unreachable",
            "w1 cannot be reached, or stopped in the middle of its answer",
        )

    def drip(ended: threading.Event) -> Generator[bytes]:
        while not ended.wait(0.02):
            yield b"x"

    with odd_server(lambda _: Told(parts=drip)) as server:
        slow = ask("w1", server.url, key, Log(7), timeout_s=0.3)
    assert (slow.state, slow.text) == ("unreachable", "w1 did not answer in time")
    with odd_server(lambda _: _text(200, "")) as server:
        plain = ask("w1", server.url.replace("http:", "https:"), key, Log(7))
    assert plain.state == "unreachable"


def test_signatures_take_the_place_of_older_ones_of_the_same_key_only():
    key, other = witness_vectors.WITNESS, STRANGER
    note = checkpoint(7).note
    first = with_lines(note, [key.cosign(TEXT, 5) + "\n", other.cosign(TEXT, 5) + "\n"])
    second = with_lines(first, [key.cosign(TEXT, 9) + "\n"])
    assert (key.verifier.time_of(second), other.verifier.time_of(second)) == (9, 5)
    assert second.count("\n\u2014 ") == 3
    assert KEY.verifier.checkpoint(second).size == 7
    named = WitnessKey(KEY.verifier.name, bytes(32))  # whoever takes the log's own name does not push its line out
    assert KEY.verifier.checkpoint(with_lines(note, [named.cosign(TEXT, 5) + "\n"])).size == 7


def test_the_settings_of_witnesses_have_to_fit():
    with pytest.raises(BadInput, match="No witness is configured"):
        witness_asking.known({})
    section = WitnessSection(url="http://127.0.0.1:1/", key=KEY.verifier.vkey)
    with pytest.raises(BadInput, match=r"audit\.witnesses\.one\.key does not fit"):
        witness_asking.known({"one": section})
    good = WitnessSection(url="https://witness.example/log/", key=witness_vectors.WITNESS.vkey)
    found = witness_asking.known({"one": good})
    assert found == {"one": ("https://witness.example/log", Witness.parse(witness_vectors.WITNESS.vkey))}


@pytest.mark.parametrize(
    "url", ["http://witness.example", "ftp://witness.example", "https://a@b", "https://a?b", "", "x"]
)
def test_a_witness_elsewhere_is_asked_over_https(url: str):
    with pytest.raises(ValueError, match="https://HOST/PATH, or http on this machine"):
        WitnessSection(url=url, key=witness_vectors.WITNESS.vkey)


def test_the_ends_of_asking():
    def asked(*states: witness_asking.State) -> int:
        answers = tuple(Answer("w", state, "") for state in states)
        return witness_asking.Asked(1, "", "", answers).exit_code

    assert [asked("cosigned"), asked("cosigned", "unreachable"), asked("unreachable", "refused"), asked("ahead")] == [
        0, 3, 1, 1,
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in exported().items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(content)
    return tmp_path / "out"


def test_an_exported_log_is_cosigned_from_its_files(desk: WitnessDesk, folder: Path):
    desk.add(0, [], checkpoint(7).note)
    done = witnessing.sign(desk, folder)
    assert (done["size"], done["root"]) == (260, checkpoint(260).root)
    assert desk.key.verifier.time_of(done["note"]) == done["time"]
    assert KEY.verifier.checkpoint(done["note"]).size == 260
    assert witnessing.sign(desk, folder)["size"] == 260


@pytest.mark.parametrize("how", ["gone", "cut", "changed", "linked"])
def test_an_exported_log_that_proves_nothing_is_not_cosigned(desk: WitnessDesk, folder: Path, how: str):
    desk.add(0, [], checkpoint(7).note)
    tile = folder / "tile/0/000"
    if how == "gone":
        tile.unlink()
    elif how == "cut":
        tile.write_bytes(tile.read_bytes()[:-1])
    elif how == "changed":
        tile.write_bytes(bytes(8192))
    else:
        tile.rename(folder / "elsewhere")
        tile.symlink_to(folder / "elsewhere")
    with pytest.raises((CheckFailed, Declined)):
        witnessing.sign(desk, folder)
    assert desk.size(KEY.verifier.name) == 7


def test_an_exported_log_that_went_back_is_not_cosigned(desk: WitnessDesk, folder: Path):
    witnessing.sign(desk, folder)
    (folder / "checkpoint").write_text(checkpoint(7).note, encoding="utf-8")
    with pytest.raises(Declined, match="old size lies above"):
        witnessing.sign(desk, folder)
    (folder / "checkpoint").write_text(KEY.signer.checkpoint(260, bytes(32)).note, encoding="utf-8")
    with pytest.raises(Declined, match="not proven to continue"):
        witnessing.sign(desk, folder)
    (folder / "checkpoint").unlink()
    with pytest.raises(BadInput, match="no exported log in that folder"):
        witnessing.sign(desk, folder)
    with pytest.raises(EnvironmentFault):
        witnessing.sign(desk, folder / "none")


def test_two_keys_of_one_log_are_refused(tmp_path: Path):
    witnessing.create(tmp_path / "witness.key", NAME)
    other = LogKey("w-000000000001", bytes(32)).verifier.vkey
    with pytest.raises(BadInput, match="Two different keys are given"):
        witnessing.desk(tmp_path / "witness.key", [KEY.verifier.vkey, other])
    assert witnessing.desk(tmp_path / "witness.key", [other, other]).origins == [KEY.verifier.name]


def test_what_was_signed_is_shown(desk: WitnessDesk, tmp_path: Path):
    desk.add(0, [], checkpoint(7).note)
    assert witnessing.shown(tmp_path / "witness.key") == {
        "key": desk.key.vkey,
        "logs": [{"origin": KEY.verifier.name, "size": 7, "root": checkpoint(7).root}],
    }
