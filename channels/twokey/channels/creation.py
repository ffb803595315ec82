"""Makes a workspace: settings, policies, database, log key and credentials.

Rules: a folder becomes a workspace only when everything in it works (``twokey.toml`` is written last); keys lie outside
it; what a failed attempt wrote is removed again (in a database elsewhere, empty tables may stay); an existing workspace
is never touched, nor a database that holds one; no password is written into the settings.
"""

import contextlib
import getpass
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from twokey.channels import wiring
from twokey.core import settings
from twokey.core.entropy import RandomIds
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.core.events import CredentialCreated, WorkspaceCreated
from twokey.core.sections import StoreSection
from twokey.core.values import Principal
from twokey.tools.identity import KeyRing, fingerprint, wipe

POLICY_FOLDER: Final = "policies"
FIRST_GROUP: Final = "platform-owners"
"""The group of somebody who makes a workspace and names nobody."""
_STORE_VARIABLE: Final = f"{settings.PREFIX}STORE__URL"


@dataclass(frozen=True, slots=True)
class Made:
    """A new workspace: its id, where it is, and whose credentials lie on this account."""

    id: str
    folder: Path
    people: tuple[Principal, ...]
    keys: Path


def parse_people(texts: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Read ``NAME:GROUP`` items, separated by commas; several groups of one person are joined by ``+``.

    Raises:
        BadInput: an item is not of that form, or a name occurs twice.

    """
    people: dict[str, tuple[str, ...]] = {}
    for item in (part.strip() for text in texts for part in text.split(",")):
        name, colon, groups = item.partition(":")
        try:
            person = Principal(name=name, groups=tuple(group for group in groups.split("+") if group))
        except ValueError:
            person = None
        if person is None or not colon or not person.groups:
            raise BadInput(
                f"{item[:60]!r} does not name a person and a group.",
                next="Write NAME:GROUP with small letters, digits, - and _; join groups by +, people by commas.",
            )
        if name in people:
            raise BadInput(f"The person {name} is named twice.", next="Join their groups: NAME:GROUP+GROUP.")
        people[name] = person.groups
    return list(people.items())


def of_this_account() -> tuple[str, tuple[str, ...]]:
    """Give whoever this account belongs to, as the first person of a workspace: one who may own its controls.

    Raises:
        BadInput: the account's name is no name of a person here.

    """
    try:
        name = getpass.getuser()
        Principal(name=name)
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(
            "The name of this account is no name of a person here.",
            next="Say who may ask and approve with --principal NAME:GROUP.",
        ) from error
    return name, (FIRST_GROUP,)


def create(
    folder: Path,
    people: Sequence[tuple[str, tuple[str, ...]]],
    *,
    demo: bool = False,
    store: str | None = None,
    sections: Mapping[str, Mapping[str, str | int]] | None = None,
    files: Mapping[str, str] | None = None,
) -> Made:
    """Make a workspace in ``folder``, which may exist but must not be one already.

    ``store`` is the address of the database of state and log, written into the settings; by default a SQLite file in
    the workspace, or what the variable TWOKEY_STORE__URL names now and later. ``sections`` are further tables of
    ``twokey.toml`` (name to keys), ``files`` further files beside it (name to text). In a demo workspace people have no
    credentials: their identity is asserted, and the log's first entry says so.

    Raises:
        BadInput: there is a workspace already, or the address cannot be the store's.
        EnvironmentFault: the folder, the keys' folder or the store cannot be used.

    """
    tables: dict[str, Mapping[str, str | int]] = dict(sections or {})
    if store is not None:
        tables = {"store": {"url": _without_password(store)}} | tables
    url = store or os.environ.get(_STORE_VARIABLE) or StoreSection().url
    wiring.store_has_password(url)  # refuses what cannot be a store before anything is made
    identifier = RandomIds().new("w")
    home = settings.home(identifier)
    made: list[Path] = []
    try:
        _make_folder(folder, made)
        for part in (folder / wiring.STATE_FOLDER, folder / POLICY_FOLDER, home):
            part.mkdir(mode=0o700, parents=part == home)
            made.append(part)
        _write(folder / wiring.STATE_FOLDER / ".gitignore", "*\n", made)
        for name, text in (files or {}).items():
            _write(folder / name, text, made)
        return _fill(folder, identifier, home, people, made, url, demo=demo, sections=tables)
    except FileExistsError as error:
        _undo(made)
        raise BadInput(
            f"{folder} holds a {Path(str(error.filename)).name} already.", next="Choose an empty folder."
        ) from error
    except OSError as error:
        _undo(made)
        raise EnvironmentFault(
            f"The workspace cannot be written: {error.strerror}.",
            next="Choose a folder you can write, and check the free space.",
            code="not_writable",
        ) from error
    except BaseException:  # an interrupt, too, leaves nothing half made
        _undo(made)
        raise


def _without_password(url: str) -> str:
    """Let only an address without a password into the settings."""
    if wiring.store_has_password(url):
        raise BadInput(
            "The store's address holds a password, and none is written into the settings.",
            next="Leave it out, and give it to the driver: PGPASSWORD or ~/.pgpass, or all of TWOKEY_STORE__URL.",
        )
    return url


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make ``folder`` and what is missing above it, unless it is a workspace already."""
    if (folder / settings.FILE_NAME).exists():
        raise BadInput(f"{folder} is a workspace already.", next="Use it with -C, or choose another folder.")
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir()
        made.append(part)
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder.", next="Name a new folder.")


def _fill(
    folder: Path,
    identifier: str,
    home: Path,
    people: Sequence[tuple[str, tuple[str, ...]]],
    made: list[Path],
    url: str,
    *,
    demo: bool,
    sections: Mapping[str, Mapping[str, str | int]],
) -> Made:
    ring = KeyRing(home / "keys")
    principals = [
        Principal(name=name, groups=groups, key=None if demo else ring.create(name).public) for name, groups in people
    ]
    groups = sorted({group for principal in principals for group in principal.groups})
    wiring.write_policies(folder / POLICY_FOLDER, groups)
    text = toml(identifier, principals, demo=demo, sections=sections)
    with wiring.new_ledger(folder, identifier, home, StoreSection(url=url)) as ledger:
        if ledger.log.entries(limit=1):
            raise BadInput(
                "That database holds the log of another workspace already.",
                next="Name an empty database with --store.",
                code="store_in_use",
            )
        ledger.record(
            WorkspaceCreated(workspace=identifier, demo=demo, version=version("twokey")),
            *(
                CredentialCreated(principal=principal.name, key=fingerprint(principal.key))
                for principal in principals
                if principal.key
            ),
        )
    _write(folder / settings.FILE_NAME, text, made)
    return Made(identifier, folder, tuple(principals), ring.folder)


def toml(
    identifier: str,
    principals: Iterable[Principal],
    *,
    demo: bool,
    sections: Mapping[str, Mapping[str, str | int]],
) -> str:
    """Give the text of ``twokey.toml``. JSON strings are valid TOML basic strings."""
    lines = [
        "# Settings of this workspace. Unknown keys are errors; every key is described in docs/settings.md.",
        "",
        "[workspace]",
        f'id = "{identifier}"',
    ]
    if demo:
        lines.append("demo = true  # identities are asserted here, not proven; the log's first entry says so")
    for name, keys in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    for principal in principals:
        lines += ["", f"[principals.{principal.name}]", f"groups = {json.dumps(list(principal.groups))}"]
        if principal.key:
            lines.append(f'key = "{principal.key}"')
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str, made: list[Path]) -> None:
    """Write a new file completely or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("x", encoding="utf-8") as file:
        made.append(part)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def _undo(made: Sequence[Path]) -> None:
    """Remove what was made, the latest first. What cannot be removed stays; the error that led here counts more."""
    for part in reversed(made):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                wipe(part)
