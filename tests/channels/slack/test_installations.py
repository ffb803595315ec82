"""Tokens of workspaces lie sealed in the database, and only of workspaces that the settings name."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.error import BoltError
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import select, update
from support.workspace import PEOPLE

from twokey.channels import creation, wiring
from twokey.channels.slack.installations import STATE_S, SealedInstallations, SealedStates
from twokey.channels.slack.sealing import Seal
from twokey.channels.slack.teams import InstalledTeams
from twokey.core.entropy import SystemClock
from twokey.core.errors import EnvironmentFault
from twokey.store.tables import slack_teams
from twokey.tools.ledger import Ledger


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("installed")
        creation.create(folder / "w", PEOPLE)
        (folder / "home").write_text(os.environ["TWOKEY_HOME"])
    return folder


@pytest.fixture
def ledger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setenv("TWOKEY_HOME", (folder / "home").read_text())
    with wiring.opened_ledger(folder / "w") as opened:
        yield opened


def installation(team: str = "T1", held: str = "xoxb-secret", *, org: bool = False) -> Installation:
    return Installation(
        app_id="A1",
        team_id=team,
        user_id="U1",
        user_token="xoxp-personal",
        bot_token=held,
        bot_id="B1",
        bot_user_id="UBOT",
        bot_scopes="chat:write,commands",
        is_enterprise_install=org,
    )


def store(ledger: Ledger, seal: Seal, *allowed: str) -> SealedInstallations:
    return SealedInstallations(ledger, seal, allowed or ("T1", "T2"), SystemClock())


def test_a_token_comes_back_and_nothing_of_it_is_in_the_database(ledger: Ledger, folder: Path) -> None:
    kept = store(ledger, Seal(b"k" * 32))
    asyncio.run(kept.async_save(installation()))
    asyncio.run(kept.async_save(installation(held="xoxb-newer")))
    bot = asyncio.run(kept.async_find_bot(enterprise_id=None, team_id="T1"))
    assert bot is not None
    assert (bot.bot_token, bot.bot_user_id, list(bot.bot_scopes)) == ("xoxb-newer", "UBOT", ["chat:write", "commands"])
    assert kept.teams() == ["T1"]
    team = InstalledTeams(kept).find("T1")
    assert team is not None
    assert "xoxb" not in repr(team)
    assert InstalledTeams(kept).find("T9") is None
    files = list((folder / "w" / ".twokey").glob("twokey.db*"))
    assert files
    assert not [file for file in files if b"xoxb" in file.read_bytes() or b"xoxp" in file.read_bytes()]
    asyncio.run(kept.async_delete_all(enterprise_id=None, team_id="T1"))
    assert kept.find("T1") is None


def test_another_workspace_is_not_taken(ledger: Ledger) -> None:
    kept = store(ledger, Seal(b"k" * 32), "T1")
    for stranger in (installation("T2"), installation("T1", org=True)):
        with pytest.raises(BoltError):
            asyncio.run(kept.async_save(stranger))
    assert kept.teams() == []
    asyncio.run(kept.async_save(installation()))
    assert store(ledger, Seal(b"k" * 32), "T2").find("T1") is None  # taken out of the settings since
    kept.forget("T1")


def test_a_late_word_of_an_uninstallation_takes_nothing_from_the_one_after_it(ledger: Ledger) -> None:
    kept = store(ledger, Seal(b"k" * 32))
    asyncio.run(kept.async_save(installation("T1")))
    with ledger.look() as connection:
        at = connection.execute(select(slack_teams.c.installed_us)).scalar_one()
    kept.forget("T1", before_us=at)
    assert kept.find("T1") is not None
    kept.forget("T1", before_us=at + 1)
    assert kept.find("T1") is None


def test_a_row_that_is_put_elsewhere_or_changed_does_not_open(ledger: Ledger) -> None:
    kept = store(ledger, Seal(b"k" * 32))
    asyncio.run(kept.async_save(installation("T1")))
    asyncio.run(kept.async_save(installation("T2", "xoxb-second")))
    with ledger.change() as unit:
        first = unit.connection.execute(select(slack_teams.c.sealed).where(slack_teams.c.team == "T1")).scalar_one()
        unit.connection.execute(update(slack_teams).where(slack_teams.c.team == "T2").values(sealed=first))
    assert kept.find("T2") is None
    assert store(ledger, Seal(b"j" * 32)).find("T1") is None  # another key
    with ledger.change() as unit:
        unit.connection.execute(update(slack_teams).values(sealed=b"short"))
    assert kept.find("T1") is None
    for team in kept.teams():
        kept.forget(team)


def test_a_key_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "slack.key"
    sealed = Seal.at(path).seal("x", b"content")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Seal.at(path).open("x", sealed) == b"content"
    with pytest.raises(EnvironmentFault, match="does not open"):
        Seal.at(path).open("y", sealed)
    path.chmod(0o644)
    with pytest.raises(EnvironmentFault, match="Others"):
        Seal.at(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(EnvironmentFault, match="no key"):
        Seal.at(path)
    assert [item.name for item in path.parent.iterdir()] == ["slack.key"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault, match="cannot be used"):
        Seal.at(tmp_path / "file" / "slack.key")


def test_a_state_is_good_for_ten_minutes(clock: Any) -> None:
    states = SealedStates(Seal(b"k" * 32), clock)
    state = asyncio.run(states.async_issue())
    assert asyncio.run(states.async_consume(state))
    assert not asyncio.run(states.async_consume("ff" * 40))
    assert not asyncio.run(states.async_consume("not hexadecimal"))
    assert not asyncio.run(SealedStates(Seal(b"j" * 32), clock).async_consume(state))
    clock.advance(STATE_S + 1)
    assert not asyncio.run(states.async_consume(state))
