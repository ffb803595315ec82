"""The doctor really tries what it reports on, and says what to do."""

import json
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from twokey.channels.creation import POLICY_FOLDER, Made, create
from twokey.channels.doctor import Check, examine

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",))]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A workspace whose account holds the credentials of ana and sam."""
    return create(tmp_path / "w", PEOPLE)


def checks(folder: Path) -> dict[str, Check]:
    """What the doctor found, by name."""
    return {check.name: check for check in examine(folder)}


def test_a_healthy_workspace_is_well_but_for_who_holds_what(made: Made):
    found = checks(made.folder)
    assert {name: check.level for name, check in found.items()} == snapshot(
        {
            "python": "ok",
            "settings": "ok",
            "identity": "warn",
            "log": "ok",
            "encryption": "ok",
            "policy": "ok",
            "tools": "ok",
            "freeze": "ok",
            "reading": "ok",
            "model": "ok",
        }
    )
    assert found["identity"].text == snapshot(
        "this account holds the credentials of 2 people (ana, sam): it can act as each"
    )
    assert all(check.next for check in found.values() if check.level != "ok")
    (made.keys / "sam.key").unlink()
    assert checks(made.folder)["identity"].text == snapshot("this account acts as ana")
    (made.keys / "ana.key").unlink()
    assert checks(made.folder)["identity"].text == snapshot("this account holds no credential")


def test_it_says_who_reads_what_is_private_and_where_nobody_said_so(made: Made):
    assert checks(made.folder)["reading"].text == snapshot(
        "what is private is read by its parties and platform-owners; everything by no further group"
    )
    path = made.folder / POLICY_FOLDER / "data.json"
    document = json.loads(path.read_bytes())
    del document["twokey_data"]["reading"]
    path.write_text(json.dumps(document), encoding="utf-8")
    found = checks(made.folder)["reading"]
    assert (found.level, found.next[:13]) == ("warn", "Add `reading`")
    assert "read by who asked and who is asked alone" in found.text
    path.write_text("{", encoding="utf-8")
    assert checks(made.folder)["reading"].level == "FAIL"


def test_a_demo_says_that_identities_are_asserted(tmp_path: Path):
    demo = create(tmp_path / "demo", PEOPLE, demo=True)
    assert checks(demo.folder)["identity"].level == "warn"
    assert "asserted" in checks(demo.folder)["identity"].text


def test_one_person_alone_can_have_nothing_approved(tmp_path: Path):
    found = checks(create(tmp_path / "w", PEOPLE[:1]).folder)
    assert found["people"].level == "FAIL"


def test_each_part_that_is_broken_is_named_and_the_others_are_still_looked_at(made: Made):
    settings = made.folder / "twokey.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[principals.sam]", "[principals.kim]\n\n[principals.sam]"), encoding="utf-8")
    assert "kim" in checks(made.folder)["people"].text
    settings.write_text(text + '\n[model]\nbase_url = "http://127.0.0.1:1"\nname = "small"\n', encoding="utf-8")
    assert checks(made.folder)["model"].text == snapshot("model small is configured; it is asked when needed")
    settings.write_text("damaged", encoding="utf-8")
    assert checks(made.folder)["settings"].level == "FAIL"
    settings.write_text(text, encoding="utf-8")
    data = made.folder / "policies" / "data.json"
    kept = data.read_text(encoding="utf-8")
    data.write_text(kept.replace('"query_warehouse"', '"query_nothing"'), encoding="utf-8")
    found = checks(made.folder)
    assert (found["log"].level, found["tools"].level) == ("ok", "FAIL")
    data.write_text("{", encoding="utf-8")
    found = checks(made.folder)
    assert (found["settings"].level, found["policy"].level) == ("ok", "FAIL")
    data.write_text(kept, encoding="utf-8")
    (made.keys.parent / "log.key").unlink()
    found = checks(made.folder)
    assert (found["settings"].level, found["log"].level) == ("ok", "FAIL")
    assert all(check.next for check in found.values() if check.level == "FAIL")
