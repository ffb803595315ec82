"""Signed notes: the examples of C2SP, strict reading, and what happens to a note that was touched."""

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.audit import merkle, note
from twokey.audit.note import Signer, Verifier
from twokey.core.errors import BadInput, CheckFailed

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
LOG = "twokey/w-000000000001"
SIGNER = Signer(LOG, b"\x07" * 32)
ROOT = merkle.leaf_hash(b"")
CHECKPOINT = SIGNER.checkpoint(1, ROOT)


def _trap(text: str) -> str:
    """A note signed by the log's own key over any text."""
    return SIGNER.sign(text)


def test_the_example_of_the_specification_verifies():
    assert Verifier.parse(VKEY).open(NOTE) == "This is an example message.\n"
    assert Verifier.parse(VKEY).vkey == VKEY


def test_the_examples_in_the_published_text_are_the_ones_used_here(data: Path):
    text = (data / "audit/c2sp/signed-note.md").read_text("utf-8")
    assert VKEY in text
    assert NOTE in text


def test_a_checkpoint_has_fixed_bytes_and_reads_back():
    body = f"{LOG}\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"
    assert CHECKPOINT.note.startswith(body + f"\n— {LOG} ")
    assert SIGNER.verifier.checkpoint(CHECKPOINT.note) == CHECKPOINT
    assert Verifier.parse(SIGNER.verifier.vkey) == SIGNER.verifier
    assert (CHECKPOINT.size, CHECKPOINT.root) == (1, ROOT.hex())


@given(st.data())
def test_no_changed_character_survives(data: st.DataObject):
    place = data.draw(st.integers(0, len(CHECKPOINT.note) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda new: new != CHECKPOINT.note[place]))
    with pytest.raises(CheckFailed):
        SIGNER.verifier.checkpoint(CHECKPOINT.note[:place] + letter + CHECKPOINT.note[place + 1 :])


@given(st.text(max_size=300))
def test_any_text_is_refused_without_a_crash(text: str):
    with pytest.raises(CheckFailed):
        SIGNER.verifier.checkpoint(text)
    with pytest.raises(BadInput):
        Verifier.parse(text)


def test_signatures_of_unknown_keys_are_ignored_and_at_least_16_are_accepted():
    others = [Signer(f"witness-{number}.example", bytes([number]) * 32) for number in range(15)]
    text, _, own = CHECKPOINT.note.partition("\n\n")
    lines = [other.sign(text + "\n").partition("\n\n")[2] for other in others]
    crowded = f"{text}\n\n{''.join(lines)}{own}"
    assert SIGNER.verifier.checkpoint(crowded).size == 1
    imposter = Signer(LOG, b"\x08" * 32).sign(text + "\n").partition("\n\n")[2]
    assert SIGNER.verifier.checkpoint(f"{text}\n\n{imposter}{own}").size == 1
    with pytest.raises(CheckFailed, match="more than 32 signatures"):
        SIGNER.verifier.checkpoint(crowded + "".join(lines) * 2)


def test_one_bad_signature_of_the_known_key_refuses_the_note():
    text, _, own = CHECKPOINT.note.partition("\n\n")
    raw = base64.b64decode(own.split()[-1])
    forged = base64.b64encode(raw[:4] + bytes(64)).decode()
    with pytest.raises(CheckFailed, match="does not fit"):
        SIGNER.verifier.checkpoint(f"{text}\n\n{own}— {LOG} {forged}\n")


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (CHECKPOINT.note.rstrip("\n"), "no signature lines"),
        (CHECKPOINT.note + "\n", "no signature|malformed"),
        (CHECKPOINT.note.replace("\n\n", "\n"), "no signature lines"),
        (CHECKPOINT.note.replace("—", "-"), "malformed"),
        (CHECKPOINT.note.replace("— ", "—  "), "malformed"),
        (CHECKPOINT.note.replace("\n", "\r\n"), "control characters"),
        (CHECKPOINT.note.replace("1", "1\x00", 1), "control characters"),
        (CHECKPOINT.note.replace("1", "\ud800", 1), "not UTF-8"),
        ("x" * 70_000, "more than 65536 bytes"),
        (f"x\n\n— {LOG} AAAA\n", "malformed"),
        (f"x\n\n— {LOG} AAAAAAA\n", "malformed"),
        ("x\n\n\n", "no signature lines|malformed"),
    ],
)
def test_a_malformed_note_is_refused(broken: str, why: str):
    with pytest.raises(CheckFailed, match=why):
        SIGNER.verifier.open(broken)


def test_a_note_of_another_key_is_refused():
    with pytest.raises(CheckFailed, match=f"no signature of {LOG}"):
        SIGNER.verifier.open(NOTE)


def test_a_signature_may_cover_only_what_the_reader_sees():
    """A text with an empty line inside: the last blank line parts text and signatures."""
    signed = _trap(f"{LOG}\n1\n\nsecond\n")
    assert SIGNER.verifier.open(signed) == f"{LOG}\n1\n\nsecond\n"
    with pytest.raises(CheckFailed, match="no others"):
        SIGNER.verifier.checkpoint(signed)


GOOD = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{LOG}\n1\n{GOOD}\nextension\n", "no others"),
        (f"{LOG}\n1\n", "no others"),
        (f"\n1\n{GOOD}\n", "no others"),
        (f"{LOG}\n01\n{GOOD}\n", "plain decimal"),
        (f"{LOG}\n+1\n{GOOD}\n", "plain decimal"),
        (f"{LOG}\n-1\n{GOOD}\n", "plain decimal"),
        (f"{LOG}\n\u0661\n{GOOD}\n", "plain decimal"),
        (f"{LOG}\n9007199254740992\n{GOOD}\n", "below 2\\*\\*53"),
        (f"{LOG}\n1\n{GOOD[:-1]}\n", "32 bytes"),
        (f"{LOG}\n1\n{GOOD[:-2]}1=\n", "32 bytes"),
        (f"{LOG}\n1\n{base64.b64encode(ROOT[:31]).decode()}\n", "32 bytes"),
        (f"{LOG}\n1\n {GOOD}\n", "32 bytes"),
        (f"twokey/w-000000000002\n1\n{GOOD}\n", "another log"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str, why: str):
    with pytest.raises(CheckFailed, match=why):
        SIGNER.verifier.checkpoint(_trap(text))


@pytest.mark.parametrize(
    ("vkey", "why"),
    [
        ("", "NAME.ID.KEY"),
        ("example.com/foo+530d903a", "NAME.ID.KEY"),
        (VKEY.replace("530d903a", "530D903A"), "does not belong"),
        (VKEY.replace("foo", "bar"), "does not belong"),
        (VKEY[:-4], "32 bytes|does not belong"),
        (VKEY.replace("+Ae", "+Be"), "not an Ed25519 key"),
        (VKEY + "=", "not an Ed25519 key"),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "name is empty"),
        ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "blank"),
        ("a\x01b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "blank"),
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey: str, why: str):
    with pytest.raises(BadInput, match=why):
        Verifier.parse(vkey)


@pytest.mark.parametrize("text", ["no line break", "tab\there\n", ""])
def test_only_a_well_formed_text_is_signed(text: str):
    with pytest.raises(CheckFailed, match="must end in a line break"):
        SIGNER.sign(text)


def test_a_signer_shows_nothing_of_its_key():
    assert not re.search("0707|x07", repr(SIGNER) + str(vars(SIGNER)))
    assert note.ED25519 == b"\x01"
