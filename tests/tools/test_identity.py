"""Credentials in files, and what a signature stands for."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from twokey.core.errors import BadInput, EnvironmentFault, NotAuthenticated, TwokeyError
from twokey.core.values import Answer, Principal, Statement
from twokey.tools.identity import Credential, KeyRing, auth_of, fingerprint, verify

STATEMENT = Statement(
    workspace="w-000000000000",
    action="approve",
    proposal="p-000000000001",
    proposal_digest="1" * 64,
    decision_digest="2" * 64,
    principal="sam",
    at_us=1,
)


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "home" / "keys")


def person(credential: Credential, **changes: Any) -> Principal:
    return Principal(name=credential.name, key=credential.public).model_copy(update=changes)


# -- signatures ---------------------------------------------------------------------------------------------------


def test_a_signed_answer_is_theirs(ring: KeyRing):
    sam = ring.create("sam")
    answer = sam.sign(STATEMENT)
    assert verify(answer, person(sam))
    assert (answer.auth, answer.key) == ("key", fingerprint(sam.public))


def test_an_answer_signed_with_another_key_is_not_theirs(ring: KeyRing):
    sam, kim = ring.create("sam"), ring.create("kim")
    assert not verify(kim.sign(STATEMENT), person(sam))
    passed_off = kim.sign(STATEMENT).model_copy(update={"key": fingerprint(sam.public)})
    assert not verify(passed_off, person(sam))


def test_the_signature_of_another_statement_proves_nothing(ring: KeyRing):
    sam = ring.create("sam")
    other = sam.sign(STATEMENT.model_copy(update={"action": "refuse"}))
    moved = other.model_copy(update={"statement": STATEMENT})
    assert not verify(moved, person(sam))


def test_an_answer_is_not_theirs_where_the_directory_names_no_key_another_key_or_another_name(ring: KeyRing):
    sam, kim = ring.create("sam"), ring.create("kim")
    answer = sam.sign(STATEMENT)
    assert not verify(answer, person(sam, key=None))
    assert not verify(answer, person(sam, key=kim.public))
    assert not verify(answer, person(sam, name="kim"))
    assert not verify(Answer(statement=STATEMENT, auth="asserted"), person(sam))
    assert not verify(Answer(statement=STATEMENT, auth="system"), person(sam))


def test_a_key_is_never_shown(ring: KeyRing):
    sam = ring.create("sam")
    secret = ring.path("sam").read_text().strip()
    assert sam.secret() == secret
    assert secret not in repr(sam) + str(vars(sam)["name"]) + sam.public


def test_how_an_identity_was_proven_is_named(ring: KeyRing):
    assert auth_of(ring.create("sam")) == "key"
    assert auth_of(None) == "asserted"


# -- files --------------------------------------------------------------------------------------------------------


def test_a_credential_file_is_its_owners_alone(ring: KeyRing):
    before = os.umask(0)
    try:
        ring.create("sam")
    finally:
        os.umask(before)
    assert stat.S_IMODE(ring.path("sam").stat().st_mode) == 0o600
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700


def test_a_credential_is_read_back(ring: KeyRing):
    assert ring.names() == []
    sam = ring.create("sam")
    assert ring.load("sam").public == sam.public
    assert ring.names() == ["sam"]


def test_a_credential_is_never_overwritten(ring: KeyRing):
    sam = ring.create("sam")
    with pytest.raises(BadInput):
        ring.create("sam")
    assert ring.load("sam").public == sam.public


def test_a_credential_that_is_not_here_proves_nothing(ring: KeyRing):
    with pytest.raises(NotAuthenticated) as caught:
        ring.load("sam")
    assert caught.value.code == "no_credential"


@pytest.mark.parametrize(
    "name", ["", "../sam", "a/b", "..", ".", "a.b", "sam.key", "/etc/passwd", "Sam", "sam\n", "sam\0", "x" * 41, "säm"]
)
def test_a_name_does_not_lead_out_of_the_ring(ring: KeyRing, name: str):
    ring.create("sam")
    destination = ring.folder.parent / "given"
    acts = (ring.path, ring.create, ring.load)
    for act in acts:
        with pytest.raises(BadInput):
            act(name)
    with pytest.raises(BadInput):
        ring.give(name, destination)
    with pytest.raises(BadInput):
        ring.take(name, ring.path("sam"), Principal(name="sam"))
    assert not destination.exists()
    assert [path.name for path in ring.folder.iterdir()] == ["sam.key"]


def test_files_that_are_no_credentials_are_not_named(ring: KeyRing):
    ring.create("sam")
    for name in ("Sam.key", "a.b.key", ".key", "note.txt"):
        (ring.folder / name).write_text("x")
    assert ring.names() == ["sam"]


def refused(ring: KeyRing) -> TwokeyError:
    with pytest.raises(EnvironmentFault) as caught:
        ring.load("sam")
    return caught.value


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o610])
def test_a_file_that_others_can_reach_is_refused(ring: KeyRing, mode: int):
    ring.create("sam")
    ring.path("sam").chmod(mode)
    assert refused(ring).code == "credential_exposed"


def test_a_link_is_refused(ring: KeyRing):
    ring.create("sam")
    real = ring.folder.parent / "real"
    ring.path("sam").rename(real)
    ring.path("sam").symlink_to(real)
    assert refused(ring).code == "credential_unreadable"


def test_a_folder_or_a_pipe_in_the_files_place_is_refused_and_holds_nobody(ring: KeyRing):
    ring.folder.mkdir(parents=True)
    ring.path("sam").mkdir(mode=0o700)
    assert refused(ring).code == "credential_exposed"
    ring.path("sam").rmdir()
    os.mkfifo(ring.path("sam"), mode=0o600)
    assert refused(ring).code == "credential_exposed"


@pytest.mark.parametrize("content", [b"", b"\n", b"zz" * 32, b"ab" * 31, b"ab" * 33, b"\xff" * 64, b"ab" * 4000])
def test_a_damaged_file_is_refused_and_not_shown(ring: KeyRing, content: bytes):
    ring.create("sam")
    ring.path("sam").write_bytes(content)
    error = refused(ring)
    assert error.code == "credential_damaged"
    assert content.decode(errors="replace").strip() == "" or content[:8].decode(errors="replace") not in error.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_somebody_else_is_refused(ring: KeyRing):
    ring.create("sam")
    os.chown(ring.path("sam"), 65534, 65534)
    assert refused(ring).code == "credential_exposed"


def test_a_ring_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(EnvironmentFault) as caught:
        KeyRing(tmp_path / "home" / "keys").create("sam")
    assert caught.value.code == "credential_not_written"


# -- handing over -------------------------------------------------------------------------------------------------


def test_a_credential_given_and_taken_is_in_one_place_at_a_time(ring: KeyRing, tmp_path: Path):
    sam = ring.create("sam")
    handed = tmp_path / "sam.handed"
    ring.give("sam", handed)
    assert (handed.exists(), ring.names()) == (True, [])
    assert stat.S_IMODE(handed.stat().st_mode) == 0o600
    other = KeyRing(tmp_path / "elsewhere")
    assert other.take("sam", handed, person(sam)).public == sam.public
    assert (handed.exists(), other.names()) == (False, ["sam"])
    assert other.load("sam").public == sam.public


def test_what_is_not_the_key_of_the_directory_is_not_taken(ring: KeyRing, tmp_path: Path):
    sam, kim = ring.create("sam"), ring.create("kim")
    handed = tmp_path / "handed"
    ring.give("sam", handed)
    for principal in (person(kim), person(sam, key=None)):
        with pytest.raises(NotAuthenticated) as caught:
            ring.take("sam", handed, principal)
        assert caught.value.code == "wrong_key"
    assert handed.exists()


def test_a_file_that_is_not_there_is_not_taken(ring: KeyRing, tmp_path: Path):
    with pytest.raises(BadInput):
        ring.take("sam", tmp_path / "nothing", Principal(name="sam"))


def test_neither_taking_nor_giving_overwrites_another_credential(ring: KeyRing, tmp_path: Path):
    sam = ring.create("sam")
    handed = tmp_path / "handed"
    ring.give("sam", handed)
    newer = ring.create("sam")
    with pytest.raises(BadInput):
        ring.take("sam", handed, person(sam))
    with pytest.raises(BadInput):
        ring.give("sam", handed)
    assert ring.load("sam").public == newer.public
    assert KeyRing(tmp_path / "third").take("sam", handed, person(sam)).public == sam.public


def test_a_damaged_file_in_the_way_is_not_overwritten(ring: KeyRing, tmp_path: Path):
    sam = ring.create("sam")
    (tmp_path / "handed").write_text("half a k")
    (tmp_path / "handed").chmod(0o600)
    with pytest.raises(BadInput):
        ring.give("sam", tmp_path / "handed")
    assert ring.load("sam").public == sam.public


@pytest.mark.parametrize("indirect", [False, True])
def test_a_credential_moved_onto_itself_is_not_lost(ring: KeyRing, tmp_path: Path, *, indirect: bool):
    sam = ring.create("sam")
    (tmp_path / "link").symlink_to(ring.folder)
    itself = tmp_path / "link" / "sam.key" if indirect else ring.path("sam")
    ring.give("sam", itself)
    assert ring.take("sam", itself, person(sam)).public == sam.public
    assert ring.load("sam").public == sam.public


def test_a_destination_that_cannot_be_written_leaves_the_credential_where_it_is(ring: KeyRing, tmp_path: Path):
    sam = ring.create("sam")
    (tmp_path / "file").write_text("x")
    for destination in (tmp_path / "file" / "sam", tmp_path / ("x" * 300)):
        with pytest.raises(EnvironmentFault) as caught:
            ring.give("sam", destination)
        assert caught.value.code == "credential_not_written"
    assert ring.load("sam").public == sam.public


def test_a_full_disk_leaves_the_credential_where_it_is_and_no_half_copy(ring: KeyRing, tmp_path: Path):
    """The limit on the size of files stands in for the disk."""
    sam = ring.create("sam")
    program = (
        "import resource, signal, sys; from pathlib import Path; from twokey.tools.identity import KeyRing\n"
        "from twokey.core.errors import EnvironmentFault\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))\n"
        "try:\n"
        "    KeyRing(Path(sys.argv[1])).give('sam', Path(sys.argv[2]))\n"
        "except EnvironmentFault as error:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "    sys.exit(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, ring.folder, tmp_path / "given"], check=False, capture_output=True, text=True
    )
    assert done.stderr.strip().endswith("credential_not_written"), done.stderr
    assert not (tmp_path / "given").exists()
    assert ring.load("sam").public == sam.public


@pytest.mark.parametrize("direction", ["give", "take"])
def test_a_move_that_broke_off_between_copy_and_removal_is_finished_by_doing_it_again(
    ring: KeyRing, tmp_path: Path, direction: str
):
    sam = ring.create("sam")
    handed = tmp_path / "handed"
    handed.write_bytes(ring.path("sam").read_bytes())
    handed.chmod(0o600)
    if direction == "give":
        ring.give("sam", handed)
        assert (ring.names(), handed.exists()) == ([], True)
    else:
        ring.take("sam", handed, person(sam))
        assert (ring.names(), handed.exists()) == (["sam"], False)


KILLED = """
import os, signal, sys
from pathlib import Path
from twokey.core.values import Principal
from twokey.tools.identity import KeyRing

def audit(event, arguments):
    if event == sys.argv[4] and str(arguments[0]).endswith(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)

ring = KeyRing(Path(sys.argv[1]))
sys.addaudithook(audit)
if sys.argv[3] == "give":
    ring.give("sam", Path(sys.argv[2]))
else:
    ring.take("sam", Path(sys.argv[2]), Principal(name="sam", key=sys.argv[6]))
"""


@pytest.mark.parametrize(
    ("direction", "event", "place"),
    [("give", "os.remove", "sam.key"), ("give", "open", "handed"), ("take", "os.remove", "handed")],
)
def test_a_process_killed_while_it_moves_a_credential_leaves_it_whole(
    ring: KeyRing, tmp_path: Path, direction: str, event: str, place: str
):
    sam = ring.create("sam")
    handed = tmp_path / "handed"
    if direction == "take":
        ring.give("sam", handed)
    arguments = [ring.folder, handed, direction, event, place, sam.public]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    if direction == "take":
        assert ring.take("sam", handed, person(sam)).public == sam.public
        assert (ring.names(), handed.exists()) == (["sam"], False)
    else:
        assert ring.load("sam").public == sam.public
        ring.give("sam", handed)
        assert (ring.names(), KeyRing(tmp_path / "e").take("sam", handed, person(sam)).public) == ([], sam.public)


def test_a_copy_that_cannot_be_removed_is_told(ring: KeyRing, tmp_path: Path):
    """The credential is safe in its new place; that there are two is said, and where."""
    sam = ring.create("sam")
    program = (
        "import sys; from pathlib import Path; from twokey.tools.identity import KeyRing\n"
        "from twokey.core.errors import EnvironmentFault\n"
        "def audit(event, arguments):\n"
        "    if event == 'os.remove' and str(arguments[0]).endswith('sam.key'): raise PermissionError('read-only')\n"
        "ring = KeyRing(Path(sys.argv[1])); sys.addaudithook(audit)\n"
        "try:\n"
        "    ring.give('sam', Path(sys.argv[2]))\n"
        "except EnvironmentFault as error:\n"
        "    sys.exit(error.code + ' ' + error.next)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, ring.folder, tmp_path / "given"], check=False, capture_output=True, text=True
    )
    assert done.stderr.strip() == f"credential_twice Remove {ring.path('sam')}."
    assert ring.load("sam").public == sam.public
    ring.give("sam", tmp_path / "given")
    assert ring.names() == []
