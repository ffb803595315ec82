"""``audit export`` and ``audit witness`` from outside: a log, its export, two witnesses, and what an attacker tries."""

import http.client
import os
import shutil
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support import witness_vectors
from support.command import PATIENCE_S, Command, account

from twokey.audit.keys import LogKey
from twokey.audit.verify_cosigned import Witness
from twokey.audit.witness import request

NAME = "witness.example/w1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return account(tmp_path_factory.mktemp("log"))


@pytest.fixture
def twokey(made: Command, tmp_path: Path) -> Command:
    """A workspace with a few entries, on an account of its own."""
    assert made.workspace is not None
    shutil.copytree(made.workspace, tmp_path / "w")
    shutil.copytree(made.home, tmp_path / "home")
    return replace(made, workspace=tmp_path / "w", home=tmp_path / "home", folder=tmp_path)


@pytest.fixture
def auditor(tmp_path: Path) -> Command:
    """Somebody with another account and no workspace."""
    (tmp_path / "auditor").mkdir()
    return Command(home=tmp_path / "auditor/home", folder=tmp_path / "auditor")


def grow(twokey: Command) -> None:
    """Have the log get a few entries more."""
    assert twokey("freeze", "on", "--as", "sam").code == 0
    assert twokey("freeze", "off", "--as", "sam").code == 0


def key_of(twokey: Command) -> str:
    (path,) = twokey.home.glob("*/log.key")
    return LogKey.load(path).verifier.vkey


@contextmanager
def serving(witness: Command, *logs: str, file: str = "witness.key") -> Generator[str]:
    """Have a witness listen while the block runs; gives its address."""
    arguments = [part for log in logs for part in ("--log", log)]
    process = witness.start("audit", "witness", "serve", "--key", file, "--port", 0, *arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert " listens at http://127.0.0.1:" in line, line + process.stderr.read() if process.stderr else line
        yield line.split(" listens at ")[1].split()[0]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def configure(twokey: Command, **witnesses: tuple[str, str]) -> None:
    assert twokey.workspace is not None
    with (twokey.workspace / "twokey.toml").open("a", encoding="utf-8") as file:
        for name, (url, key) in witnesses.items():
            file.write(f'\n[audit.witnesses.{name}]\nurl = "{url}"\nkey = "{key}"\n')


@pytest.fixture
def export(twokey: Command) -> Path:
    done = twokey.json("audit", "export", "out")
    assert set(done) == {"dir", "size", "root", "written", "entries", "key"}
    assert (done["dir"], done["size"], done["key"]) == ("out", done["entries"], key_of(twokey))
    return twokey.folder / "out"


def test_an_outsider_verifies_an_exported_log_without_a_workspace(twokey: Command, auditor: Command, export: Path):
    key = key_of(twokey)
    found = auditor.json("audit", "verify", "--export", export, "--key", key)
    assert set(found) == {"ok", "size", "root", "first_bad", "reason", "rollback_checked", "remarks"}
    assert (found["ok"], found["rollback_checked"]) == (True, False)
    assert "ok: " in auditor.ok("audit", "verify", "--export", export, "--key", key).out
    assert "takes the log's verifier key" in auditor.refused("audit", "verify", "--export", export, code=2)
    assert "no folder there" in auditor.refused("audit", "verify", "--export", "none", "--key", key, code=2)
    assert "not a verifier key" in auditor.refused("audit", "verify", "--export", export, "--key", "a+b", code=2)
    assert twokey.json("audit", "verify", "--export", "out")["ok"], "with this account's key"


def test_a_folder_that_was_changed_is_named_and_left_as_it_is(twokey: Command, auditor: Command, export: Path):
    old = export.parent / "old.txt"
    shutil.copy(export / "checkpoint", old)
    grow(twokey)
    twokey.ok("audit", "export", "out")
    found = auditor.json("audit", "verify", "--export", export, "--key", key_of(twokey), "--checkpoint", old)
    assert (found["ok"], found["rollback_checked"]) == (True, True)
    (bundle,) = export.glob(f"tile/entries/000.p/{found['size']}")
    bundle.write_bytes(bundle.read_bytes().replace(b'"demo":false', b'"demo":true '))
    done = auditor("audit", "verify", "--export", export, "--key", key_of(twokey), "--json")
    assert (done.code, done.json["ok"], done.json["first_bad"]) == (1, False, 0)
    assert "NOT ok at entry 0" in auditor("audit", "verify", "--export", export, "--key", key_of(twokey)).out
    assert "differs from the log" in twokey.refused("audit", "export", "out", code=1)


def test_what_cannot_be_an_export_is_told_in_a_sentence(twokey: Command, export: Path):
    assert "is not empty and holds no exported log" in twokey.refused("audit", "export", "home", code=2)
    assert "There can be no folder" in twokey.refused("audit", "export", "none/none", code=2)
    (twokey.folder / "else").mkdir()
    other = account(twokey.folder / "else")
    assert "holds the log of another key" in other.refused("audit", "export", export, code=1)
    (export / "checkpoint").unlink()
    (export / "checkpoint").symlink_to("/etc/passwd")
    assert "links are not followed" in twokey.refused("audit", "export", "out", code=1)


@pytest.mark.usefixtures("export")
def test_an_export_that_is_killed_is_finished_by_the_next(twokey: Command):
    grow(twokey)
    process = twokey.start("audit", "export", "out")
    process.kill()
    process.communicate()
    assert twokey.json("audit", "verify", "--export", "out")["ok"]
    twokey.ok("audit", "export", "out")
    assert twokey.json("audit", "verify", "--export", "out")["ok"]


def test_a_witness_signs_a_folder_and_the_log_is_verified_with_that(twokey: Command, auditor: Command, export: Path):
    made = auditor.json("audit", "witness", "new", "witness.key", "--name", NAME)
    log = export.parent / "log.vkey"
    log.write_text(key_of(twokey))
    note = auditor.ok("audit", "witness", "sign", export, "--key", "witness.key", "--log", log).out
    (twokey.folder / "cosigned.txt").write_text(note, encoding="utf-8")
    (twokey.folder / "w1.vkey").write_text(made["key"])
    for witness in (made["key"], "w1.vkey"):
        found = twokey.json("audit", "verify", "--checkpoint", "cosigned.txt", "--witness", witness)
        assert found["ok"]
        assert f"{NAME} cosigned the checkpoint of size {found['size']} at 20" in found["remarks"][-1]
    shown = auditor.json("audit", "witness", "show", "--key", "witness.key")
    assert shown["logs"][0]["size"] == found["size"]
    assert "size" in auditor.ok("audit", "witness", "show", "--key", "witness.key").out
    done = twokey("audit", "verify", "--checkpoint", "out/checkpoint", "--witness", made["key"], "--json")
    assert (done.code, done.json["reason"][:39]) == (1, "the checkpoint carries no cosignature t")
    assert "no checkpoint that a witness" in twokey.refused("audit", "verify", "--witness", made["key"], code=2)
    assert "cannot be read" in twokey.refused("audit", "verify", "--checkpoint", "x", "--witness", "none", code=2)
    done = auditor("audit", "verify", "--export", export, "--key", log, "--witness", made["key"], "--json")
    assert (done.code, done.json["ok"]) == (1, False), "the folder has not got the cosignature"
    shutil.copy(twokey.folder / "cosigned.txt", export / "checkpoint")
    assert auditor.json("audit", "verify", "--export", export, "--key", log, "--witness", made["key"])["ok"]


def test_what_a_witness_does_not_sign_it_says(twokey: Command, auditor: Command, export: Path):
    auditor.ok("audit", "witness", "new", "witness.key", "--name", NAME)
    sign = ("audit", "witness", "sign", export, "--key", "witness.key", "--log")
    stranger = LogKey("w-000000000001", bytes(32)).verifier.vkey
    assert "does not know this log" in auditor.refused(*sign, stranger, code=1)
    forged = LogKey(key_of(twokey).partition("+")[0].removeprefix("twokey/"), bytes(32)).verifier.vkey
    assert "signature is missing or does not fit" in auditor.refused(*sign, forged, code=1)
    older = (export / "checkpoint").read_text("utf-8")
    auditor.ok(*sign, key_of(twokey))
    grow(twokey)
    twokey.ok("audit", "export", "out")
    auditor.ok(*sign, key_of(twokey))
    (export / "checkpoint").write_text(older, encoding="utf-8")
    assert "the old size lies above" in auditor.refused(*sign, key_of(twokey), code=1)
    (auditor.folder / "witness.key.state").unlink()
    assert "it is missing" in auditor.refused(*sign, key_of(twokey), code=1)
    assert "it is missing" in auditor.refused(
        "audit", "witness", "serve", "--key", "witness.key", "--log", stranger, code=1
    )
    assert "cannot be used" in auditor.refused("audit", "witness", "show", "--key", "none", code=3)
    assert "There is a key file already" in auditor.refused(
        "audit", "witness", "new", "witness.key", "--name", "x", code=2
    )
    assert "A witness's name" in auditor.refused("audit", "witness", "new", "other.key", "--name", "a b", code=2)


def test_two_witnesses_sign_over_http_and_find_a_rollback(twokey: Command, auditor: Command, export: Path):
    keys = {
        name: auditor.json("audit", "witness", "new", f"{name}.key", "--name", f"witness.example/{name}")["key"]
        for name in ("w1", "w2")
    }
    assert "No witness is configured" in twokey.refused("audit", "witness", "ask", code=2)
    log = key_of(twokey)
    with serving(auditor, log, file="w1.key") as first, serving(auditor, log, file="w2.key") as second:
        configure(twokey, w1=(first, keys["w1"]), w2=(second, keys["w2"]))
        done = twokey.json("audit", "witness", "ask", "out")
        assert [answer["state"] for answer in done["witnesses"]] == ["cosigned", "cosigned"]
        assert (export / "checkpoint").read_text("utf-8") == done["note"]
        for name, key in keys.items():
            assert Witness.parse(key).time_of(done["note"]) == next(
                answer["time"] for answer in done["witnesses"] if answer["name"] == name
            )
        witnesses = [part for key in keys.values() for part in ("--witness", key)]
        assert auditor.json("audit", "verify", "--export", export, "--key", log, *witnesses)["ok"]

        before = twokey.database.parent.with_name("before")
        shutil.copytree(twokey.database.parent, before)
        grow(twokey)
        asked = twokey.ok("audit", "witness", "ask")
        assert asked.out.startswith(log.partition("+")[0])
        assert asked.err.splitlines() == [f"ok     {name} cosigned size {asked.out.split()[1]}" for name in keys]
        seen = [line for line in twokey("doctor").out.splitlines() if "witnesses" in line]
        assert len([line for line in seen if "ok" in line and "which this log continues" in line]) == 2

        # Somebody puts an older database back, with the pin: this machine cannot tell, the witnesses can.
        shutil.rmtree(twokey.database.parent)
        before.rename(twokey.database.parent)
        for pin in twokey.home.glob("*/log.key.pin"):
            pin.unlink()
        assert twokey.json("audit", "verify")["ok"]
        failed = twokey("audit", "witness", "ask", "--json")
        assert (failed.code, {answer["state"] for answer in failed.json["witnesses"]}) == (1, {"ahead"})
        assert failed.json["witnesses"][0]["evidence"].startswith(log.partition("+")[0])
        assert "ALARM" in twokey("audit", "witness", "ask").err
        assert "it was rolled back" in twokey("doctor").out
    gone = twokey("audit", "witness", "ask", "--json")
    assert (gone.code, gone.json["witnesses"][0]["state"]) == (3, "unreachable")
    assert "cannot be reached" in twokey("doctor").out


def test_two_processes_with_one_state_sign_one_tree_of_each_size(twokey: Command, auditor: Command):
    """As two servers behind one name would run, or one that was started twice by mistake."""
    auditor.ok("audit", "witness", "new", "witness.key", "--name", NAME)
    (path,) = twokey.home.glob("*/log.key")
    signer, statuses = LogKey.load(path).signer, list[int]()
    with (
        serving(auditor, key_of(twokey), file="witness.key") as first,
        serving(auditor, key_of(twokey), file="witness.key") as second,
    ):

        def ask(number: int) -> None:
            connection = http.client.HTTPConnection(
                urlsplit(first if number % 2 else second).netloc, timeout=PATIENCE_S
            )
            body = request(0, [], signer.checkpoint(9, bytes([number]) * 32).note)
            connection.request("POST", "/add-checkpoint", body)
            statuses.append(connection.getresponse().status)
            connection.close()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] + [409] * 11


def test_a_folder_that_is_not_of_the_log_as_it_is_is_not_put_before_witnesses(twokey: Command, export: Path):
    configure(twokey, w1=("http://127.0.0.1:9", "x+00000000+AAAA"))
    assert "audit.witnesses.w1.key does not fit" in twokey.refused("audit", "witness", "ask", code=2)
    assert "witnesses" in twokey("doctor").out
    assert twokey.workspace is not None
    toml = twokey.workspace / "twokey.toml"
    toml.write_text(toml.read_text("utf-8").replace("x+00000000+AAAA", witness_vectors.WITNESS.vkey), encoding="utf-8")
    (path,) = twokey.home.glob("*/log.key")
    for size in (3, 1_000):
        (export / "checkpoint").write_text(LogKey.load(path).signer.checkpoint(size, bytes(32)).note, encoding="utf-8")
        assert "is none of this log as it is now" in twokey.refused("audit", "witness", "ask", "out", code=1)
    (export / "checkpoint").unlink()
    assert "no checkpoint yet" in twokey.refused("audit", "witness", "ask", "out", code=2)
    assert "cannot be read or written" in twokey.refused("audit", "witness", "ask", "none", code=3)


@pytest.mark.usefixtures("export")
def test_a_witness_that_is_killed_while_it_serves_goes_on_where_it_was(twokey: Command, auditor: Command):
    key = auditor.json("audit", "witness", "new", "witness.key", "--name", NAME)["key"]
    process = auditor.start("audit", "witness", "serve", "--key", "witness.key", "--port", 0, "--log", key_of(twokey))
    assert process.stdout is not None
    configure(twokey, w1=(process.stdout.readline().split(" listens at ")[1].split()[0], key))
    twokey.ok("audit", "witness", "ask", "out")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    size = auditor.json("audit", "witness", "show", "--key", "witness.key")["logs"][0]["size"]
    assert size == twokey.json("audit", "verify", "--export", "out")["size"]
