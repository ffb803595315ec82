"""A workspace whose database is encrypted: whoever copies everything it keeps learns none of its words and values."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.command import Command, account, repository, warehouse
from support.sealed import everything

TABLE, COLUMN, REQUEST, TICKET, REASON, OTHER = (
    "zirkon4711",
    "quarzit0815",
    "feldspat2222",
    "granit3333",
    "basalt4444",
    "gneis5555",
)
SECRETS = (TABLE, COLUMN, REQUEST, TICKET, REASON, OTHER)
FRONT = (
    "---\nid: {key}\ntitle: {title}\nauthor: jo\ncreated_at: '2026-01-0{day}T09:00:00Z'\nstate: open\n---\n\n{body}\n"
)


def settings(twokey: Command, *, encrypt: bool) -> None:
    """Turn encryption on or off, in the file."""
    assert twokey.workspace is not None
    path = twokey.workspace / "twokey.toml"
    text = path.read_text(encoding="utf-8").replace("encrypt = true\n", "").replace("encrypt = false\n", "")
    if "[store]\n" not in text:
        text += "\n[store]\n"
    text = text.replace("[store]\n", f"[store]\nencrypt = {str(encrypt).lower()}\n")
    path.write_text(text, encoding="utf-8")


def made(tmp_path: Path, url: str | None, *, encrypt: bool) -> Command:
    """A workspace with tickets."""
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners", *(("--store", url) if url else ()))
    assert twokey.workspace is not None
    desk = tmp_path / "desk"
    desk.mkdir()
    for number, title in enumerate((f"It crashes, {TICKET}", "Please add an option"), 1):
        text = FRONT.format(key=f"OPS-{number}", title=title, day=number, body=f"An error, {TICKET} fails. " * 9)
        (desk / f"OPS-{number}.md").write_text(text, encoding="utf-8")
    with (twokey.workspace / "twokey.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[places.desk]\nkind = "tickets"\nlocation = "{desk}"\n\n[triage]\ntickets = "desk"\n')
    settings(twokey, encrypt=encrypt)
    return twokey


def work(twokey: Command, name: str) -> str:
    """Everything a team does: asked in words, scanned, proposed, approved, written, refused, sorted and stopped."""
    folder = twokey.folder
    repo = repository(folder / f"repo-{name}")
    source = warehouse(
        folder / f"{name}.db",
        f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, {COLUMN} TEXT)",
        *(f"INSERT INTO {TABLE} VALUES ({number}, '{number}@example.com')" for number in range(9)),
    )
    twokey("ask", f"look for runbooks and tickets about {REQUEST}", "--as", "ana")
    first = twokey.json("catalog", "propose", source, "--repo", repo, "--as", "ana")["proposals"][0]["id"]
    assert twokey.json("approvals", "approve", first, "--as", "sam")["state"] == "done"
    more = warehouse(folder / f"{name}-2.db", f"CREATE TABLE {OTHER} (id INTEGER PRIMARY KEY)")
    second = twokey.json("catalog", "propose", more, "--repo", repo, "--as", "ana")["proposals"][0]["id"]
    assert twokey.json("approvals", "refuse", second, "--reason", REASON, "--as", "sam")["state"] == "refused"
    twokey.json("triage", "OPS-1", "--as", "ana")
    twokey.ok("freeze", "on", "--reason", REASON, "--as", "sam")
    twokey.ok("freeze", "off", "--as", "sam")
    twokey.ok("freeze", "on", "--reason", REASON, "--as", "sam")
    assert TABLE in twokey.ok("approvals", "show", first).out
    assert REASON in twokey.ok("freeze").out
    assert twokey.json("audit", "verify")["ok"]
    return str(first)


def kept(twokey: Command, url: str | None) -> bytes:
    """Everything that whoever copies the workspace's state and database has."""
    assert twokey.workspace is not None
    state = twokey.workspace / ".twokey"
    files = b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())
    names = " ".join(str(path) for path in state.rglob("*")).encode()
    return files + names + everything(url or f"sqlite:///{twokey.database}")


def test_nothing_of_what_was_said_or_read_is_found_anywhere(tmp_path: Path, store: str | None):
    twokey = made(tmp_path, store, encrypt=True)
    proposal = work(twokey, "one")
    held = kept(twokey, store)
    assert [secret for secret in SECRETS if secret.encode() in held] == []
    assert proposal.encode() in held, "ids are no secret, and show that something was looked at"
    assert twokey.json("store", "status") == {"encrypt": True, "keys": 1, "not_sealed": {}}
    checks = {check["name"]: check["level"] for check in twokey("doctor", "--json").json["checks"]}
    assert checks["encryption"] == "ok"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest) -> str | None:
    """The address of the store, where it is not a file of the workspace."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("empty_postgresql_url"))


def test_a_workspace_that_was_not_encrypted_becomes_so(tmp_path: Path, store: str | None):
    twokey = made(tmp_path, store, encrypt=False)
    assert twokey.workspace is not None
    first = work(twokey, "one")
    held = kept(twokey, store)
    assert [secret for secret in SECRETS if secret.encode() not in held] == [], "the test would see it"
    told = twokey.refused("store", "seal", code=2)
    assert told == "The settings do not ask for an encrypted database, so nothing is sealed."

    settings(twokey, encrypt=True)
    twokey.ok("freeze", "off", "--as", "sam")
    assert sum(twokey.json("store", "status")["not_sealed"].values()) > 10
    checks = {check["name"]: check["level"] for check in twokey("doctor", "--json").json["checks"]}
    assert checks["encryption"] == "warn"
    assert twokey.json("store", "seal")["sealed"] > 10
    held = kept(twokey, store)
    assert [secret for secret in SECRETS if secret.encode() in held] == []

    # A new key, everything under it, and the old one gone: all is read as before.
    assert twokey.json("store", "new-key") == {"keys": 2}
    assert twokey.json("store", "drop-keys") == {"dropped": 0}, "the old key still opens what it sealed"
    twokey.json("store", "seal")
    assert twokey.json("store", "drop-keys") == {"dropped": 1}
    assert twokey.json("store", "status") == {"encrypt": True, "keys": 1, "not_sealed": {}}
    assert TABLE in twokey.ok("approvals", "show", first).out
    second = work(twokey, "two")
    assert twokey.json("approvals", "show", second)["state"] == "done"

    # Turned off again, what is sealed is still read, as long as the key is there.
    settings(twokey, encrypt=False)
    assert TABLE in twokey.ok("approvals", "show", first).out


def test_without_its_key_a_workspace_says_one_sentence(tmp_path: Path):
    twokey = made(tmp_path, None, encrypt=True)
    repo = repository(tmp_path / "repo")
    twokey.json("catalog", "propose", warehouse(tmp_path / "a.db"), "--repo", repo, "--as", "ana")
    (key,) = twokey.home.glob("*/store.key")
    key.chmod(0o644)
    told = "The key file store.key of the database cannot be used: others can read or write it."
    assert twokey.refused("approvals", "list", code=3) == told
    key.chmod(0o600)
    text = key.read_text()
    key.unlink()
    assert twokey.refused("approvals", "list", code=3) == "The key file store.key of the database is missing."
    settings(twokey, encrypt=False)
    told = "The database holds encrypted values, and this account has no key for them."
    assert twokey.refused("runs", "list", code=3) == told
    assert twokey.refused("store", "drop-keys", code=3) == told
    assert twokey.json("store", "status") == {"encrypt": False, "keys": 0, "not_sealed": {}}
    settings(twokey, encrypt=True)
    twokey.ok("store", "new-key")
    told = "The database holds values that were encrypted with a key that store.key does not hold."
    assert twokey.refused("runs", "list", code=3) == told
    key.write_text(text)
    twokey.ok("runs", "list")


def test_a_variable_does_not_turn_it_off(tmp_path: Path):
    twokey = made(tmp_path, None, encrypt=True)
    told = twokey.refused("approvals", "list", code=2, TWOKEY_STORE__ENCRYPT="false")
    assert told == "The variable 'TWOKEY_STORE__ENCRYPT' would change a key that only twokey.toml may set."


def test_rows_that_do_not_open_are_named_and_left(tmp_path: Path):
    twokey = made(tmp_path, None, encrypt=True)
    repo = repository(tmp_path / "repo")
    twokey.json("catalog", "propose", warehouse(tmp_path / "a.db"), "--repo", repo, "--as", "ana")
    engine = create_engine(f"sqlite:///{twokey.database}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET request = substr(request, 1, length(request) - 1)"))
    engine.dispose()
    twokey.ok("store", "new-key")
    told = twokey.refused("store", "seal", code=1)
    assert told.endswith("others are not as Twokey wrote them, and were left: 1 of runs.")
