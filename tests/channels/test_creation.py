"""Making a workspace: who is in it, what is written, and that a failed attempt leaves nothing."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from twokey.channels import creation, wiring
from twokey.channels.creation import create, of_this_account, parse_people, toml
from twokey.core import settings
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.values import Principal

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",))]


def test_people_are_read_in_the_order_given():
    assert parse_people(["ana:analysts, sam:platform-owners+risk-owners", "eve:guests"]) == [
        ("ana", ("analysts",)),
        ("sam", ("platform-owners", "risk-owners")),
        ("eve", ("guests",)),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "ana", "ana:", ":analysts", "ana:+", "Ana:analysts", "ana:Analysts", "ana:a b", "ana:a:b", "a/b:c", "ana:x,"],
)
def test_what_names_nobody_is_refused(text: str):
    with pytest.raises(BadInput, match="does not name a person and a group"):
        parse_people([text])


def test_who_names_nobody_is_the_first_person_and_owns_the_controls(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGNAME", "kim")
    assert of_this_account() == ("kim", ("platform-owners",))
    monkeypatch.setenv("LOGNAME", "DOMAIN\\Kim Müller")
    with pytest.raises(BadInput, match="The name of this account is no name of a person here"):
        of_this_account()


def test_a_person_is_named_once():
    with pytest.raises(BadInput, match="The person ana is named twice"):
        parse_people(["ana:analysts", "ana:guests"])


def test_the_settings_are_written_as_toml_and_read_back_as_meant():
    hostile = 'C:\\new "folder"\n[principals.eve]\u202e\x7f'
    people = [Principal(name="ana", groups=("analysts",), key="ed25519:" + "a" * 64), Principal(name="sam")]
    text = toml(
        "w-000000000000", people, demo=True, sections={"places.app": {"kind": "warehouse", "location": hostile}}
    )
    read = tomllib.loads(text)
    assert read["places"]["app"]["location"] == hostile
    assert set(read["principals"]) == {"ana", "sam"}
    assert read["workspace"] == {"id": "w-000000000000", "demo": True}


def test_a_workspace_is_complete_and_its_keys_are_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path / "home"))
    made = create(tmp_path / "deep" / "w", PEOPLE)
    assert made.keys == tmp_path / "home" / made.id / "keys"
    assert sorted(path.name for path in made.keys.iterdir()) == ["ana.key", "sam.key"]
    assert not [path for path in made.folder.rglob("*") if path.suffix in {".key", ".part"}]
    config = settings.load(made.folder)
    assert {name: person.groups for name, person in config.principals.items()} == dict(PEOPLE)
    with wiring.opened(made.folder) as workspace:
        assert workspace.config.workspace.id == made.id
    assert wiring.verify_log(made.folder, None, None)["size"] == 3


FAULTS: list[Any] = [BadInput("no", next="no"), OSError(28, "No space left on device"), KeyboardInterrupt()]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_on_the_way_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException):
    """The people are handed over by something that fails only when the last of them is asked for."""

    class Failing(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield PEOPLE[0]
            raise fault

    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path / "home"))
    (tmp_path / "there").mkdir()
    for folder in ("new/w", "there"):
        with pytest.raises((BadInput, EnvironmentFault, KeyboardInterrupt)):
            create(tmp_path / folder, Failing(PEOPLE))
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["home", "there"]


def test_a_password_is_never_written_into_the_settings(tmp_path: Path):
    with pytest.raises(BadInput) as caught:
        create(tmp_path / "w", PEOPLE, store="postgresql://ana:planted@127.0.0.1/db")
    assert caught.value.message == snapshot(
        "The store's address holds a password, and none is written into the settings."
    )
    assert "planted" not in str(caught.value.as_json())
    assert not (tmp_path / "w").exists()


def test_a_store_beside_the_workspace_can_be_named(tmp_path: Path):
    made = create(tmp_path / "w", PEOPLE, store=f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert wiring.verify_log(made.folder, None, None)["ok"]
    assert (tmp_path / "elsewhere.db").is_file()
    assert not list((tmp_path / "w").rglob("*.db"))
    with pytest.raises(BadInput) as caught:
        create(tmp_path / "other", PEOPLE, store=f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert caught.value.code == "store_in_use"
    assert not (tmp_path / "other").exists()
    assert wiring.verify_log(made.folder, None, None)["ok"]


def test_folders_of_another_are_not_taken_for_a_new_workspace(tmp_path: Path):
    (tmp_path / "w" / creation.POLICY_FOLDER).mkdir(parents=True)
    (tmp_path / "w" / creation.POLICY_FOLDER / "mine.rego").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="holds a policies already"):
        create(tmp_path / "w", PEOPLE)
    assert [path.name for path in (tmp_path / "w").rglob("*")] == ["policies", "mine.rego"]
