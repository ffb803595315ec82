"""Credentials on an account: made, moved and taken over, never printed, never taken for somebody else's."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from twokey.channels.creation import Made, create
from twokey.channels.logins import manage
from twokey.core.errors import BadInput, NotAuthenticated, NotFound, TwokeyError


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A workspace whose account holds the credentials of ana and sam."""
    return create(tmp_path / "w", [("ana", ("analysts",)), ("sam", ("platform-owners",))])


def login(
    made: Made, name: str | None = None, *, new: bool = False, take: Path | None = None, give: Path | None = None
) -> tuple[list[str], dict[str, Any]]:
    """What ``twokey login`` does."""
    lines, result = manage(made.folder, name, new=new, take=take, give=give)
    return [line.replace(str(made.keys), "KEYS") for line in lines], result


def test_an_account_lists_what_it_holds_and_shows_no_key(made: Made):
    lines, result = login(made)
    assert lines == snapshot(["ana  KEYS/ana.key", "sam  KEYS/sam.key"])
    assert result == {"held": ["ana", "sam"]}
    lines, result = login(made, "sam")
    assert lines == snapshot(["sam: this account holds the credential that the directory names"])
    secrets = [path.read_text(encoding="ascii").strip() for path in made.keys.iterdir()]
    assert not any(secret in str((lines, result)) for secret in secrets)
    for path in made.keys.iterdir():
        path.unlink()
    assert login(made) == (["This account holds no credential."], {"held": []})


def test_a_credential_is_handed_over_and_taken(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "log.key").write_bytes((made.keys.parent / "log.key").read_bytes())
    assert login(made, "sam", give=tmp_path / "sam")[1] == {"held": ["ana"]}
    with pytest.raises(NotAuthenticated):
        login(made, "sam")
    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path / "sams-home"))
    with pytest.raises(NotAuthenticated) as caught:
        manage(made.folder, "ana", new=False, take=tmp_path / "sam", give=None)
    assert caught.value.code == "wrong_key"
    assert (tmp_path / "sam").is_file(), "what is refused stays where it was"
    _, result = manage(made.folder, "sam", new=False, take=tmp_path / "sam", give=None)
    assert result["held"] == ["sam"]
    assert not (tmp_path / "sam").exists()


def test_a_new_credential_counts_only_once_the_directory_names_it(made: Made):
    (made.keys / "sam.key").unlink()
    lines, result = login(made, "sam", new=True)
    assert [line.replace(result["key"], "KEY") for line in lines] == snapshot(
        [
            "sam: new credential in KEYS/sam.key",
            "Send this to who keeps twokey.toml; it is the public half. They add the groups:",
            "[principals.sam]",
            'key = "KEY"',
            "groups = []",
        ]
    )
    assert tomllib.loads("\n".join(lines[2:]))["principals"] == {"sam": {"key": result["key"], "groups": []}}
    with pytest.raises(NotAuthenticated) as caught:
        login(made, "sam")
    assert caught.value.message == snapshot(
        "The credential of sam on this account is not the one that the directory names."
    )
    with pytest.raises(BadInput, match="never overwritten"):
        login(made, "sam", new=True)


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("eve", {}, NotFound),
        ("eve", {"take": Path("nowhere")}, NotFound),
        ("ana", {"take": Path("nowhere")}, BadInput),
        ("ana", {"new": True, "give": Path("there")}, BadInput),
        ("../ana", {"new": True}, BadInput),
        ("ana", {"new": True}, BadInput),
    ],
)
def test_what_cannot_be_done_changes_nothing(made: Made, name: str, options: dict[str, Any], kind: type[TwokeyError]):
    before = {path.name: path.read_bytes() for path in made.keys.iterdir()}
    with pytest.raises(kind) as caught:
        login(made, name, **options)
    assert caught.value.next
    assert {path.name: path.read_bytes() for path in made.keys.iterdir()} == before


def test_a_demo_workspace_has_no_credentials(tmp_path: Path):
    demo = create(tmp_path / "demo", [("ana", ("analysts",)), ("sam", ("platform-owners",))], demo=True)
    with pytest.raises(BadInput, match="A demo workspace has no credentials"):
        login(demo, "sam", new=True)
    assert not demo.keys.exists()
