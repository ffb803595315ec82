"""``store``: whether the database is encrypted, and with what."""

import sys

import typer

from twokey.channels.cli.session import SESSION


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Encrypt what the database holds of words and values.")
    group.command("status")(status)
    group.command("seal")(seal)
    group.command("new-key")(new_key)
    group.command("drop-keys")(drop_keys)
    app.add_typer(group, name="store")


def status() -> None:
    """Say whether the database is encrypted, and which rows are not."""
    from twokey.channels.store_keeping import standing

    found = standing(SESSION.workspace)
    on = "are sealed with the newest of this account's keys" if found.encrypts else "are stored as they are"
    SESSION.say(f"New values {on}; {found.keys} in its file.")
    if found.keys and not found.stale:
        SESSION.say("Every value is sealed with the newest key.")
    for table, count in found.stale.items():
        SESSION.say(f"  {table:<14} {count:>9,} rows are not sealed with the newest key")
    SESSION.give(found.as_json())


def seal() -> None:
    """Seal everything with the newest key.

    May be cut off and run again, beside anything; the end needs some quiet.
    """
    from twokey.channels.store_keeping import seal as seal_all

    def tell(count: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{count:,} rows sealed", end="", file=sys.stderr, flush=True)

    done = seal_all(SESSION.workspace, tell)
    SESSION.say(f"{done['sealed']:,} rows were sealed; every value is sealed with the newest key.")
    SESSION.give(done)


def new_key() -> None:
    """Make a new key, which seals from now on.

    Older keys still open what they sealed.
    """
    from twokey.channels.store_keeping import new_key as make

    count = make(SESSION.workspace)
    SESSION.say("A new key seals from now on. Keep a copy of store.key where the database's backups are not:")
    SESSION.say("without it, nothing that is sealed can be read again.")
    SESSION.give({"keys": count})


def drop_keys() -> None:
    """Remove keys that nothing is sealed with any more.

    Backups of the database may still need them.
    """
    from twokey.channels.store_keeping import drop_keys as drop

    gone = drop(SESSION.workspace)
    SESSION.say(f"{gone} {'key was' if gone == 1 else 'keys were'} removed.")
    SESSION.give({"dropped": gone})
