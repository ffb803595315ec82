"""Makes a workspace: settings, policies, database, log key and credentials.

Rules: a folder becomes a workspace only when everything in it works (``twokey.toml`` is written last); keys lie outside
it; what a failed attempt wrote is removed again; an existing workspace is never touched.
"""

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
from twokey.core.settings import StoreSection
from twokey.core.values import Principal
from twokey.tools.identity import KeyRing, fingerprint, wipe

POLICY_FOLDER: Final = "policies"


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


def create(
    folder: Path,
    people: Sequence[tuple[str, tuple[str, ...]]],
    *,
    demo: bool = False,
    sections: Mapping[str, Mapping[str, str]] | None = None,
) -> Made:
    """Make a workspace in ``folder``, which may exist but must not be one already.

    ``sections`` are further tables of ``twokey.toml`` (name to keys). In a demo workspace people have no credentials:
    their identity is asserted, and the log's first entry says so.

    Raises:
        BadInput: there is a workspace already.
        EnvironmentFault: the folder or the keys' folder cannot be written.

    """
    path = folder / settings.FILE_NAME
    if path.exists():
        raise BadInput(f"{folder} is a workspace already.", next="Use it with -C, or choose another folder.")
    ids = RandomIds()
    identifier = ids.new("w")
    home = settings.home(identifier)
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in (folder / wiring.STATE_FOLDER, folder / POLICY_FOLDER):
            part.mkdir(mode=0o700)
            made.append(part)
        home.mkdir(mode=0o700, parents=True)
        made.append(home)
        _write(folder / wiring.STATE_FOLDER / ".gitignore", "*\n")
        return _fill(folder, identifier, home, people, demo=demo, sections=sections or {})
    except FileExistsError as error:
        _undo(made, path)
        raise BadInput(
            f"{folder} holds a {Path(str(error.filename)).name} already.", next="Choose an empty folder."
        ) from error
    except OSError as error:
        _undo(made, path)
        raise EnvironmentFault(
            f"The workspace cannot be written: {error.strerror}.",
            next="Choose a folder you can write, and check the free space.",
            code="not_writable",
        ) from error
    except BaseException:
        _undo(made, path)
        raise


def _fill(
    folder: Path,
    identifier: str,
    home: Path,
    people: Sequence[tuple[str, tuple[str, ...]]],
    *,
    demo: bool,
    sections: Mapping[str, Mapping[str, str]],
) -> Made:
    ring = KeyRing(home / "keys")
    principals = [
        Principal(name=name, groups=groups, key=None if demo else ring.create(name).public) for name, groups in people
    ]
    groups = sorted({group for principal in principals for group in principal.groups})
    wiring.write_policies(folder / POLICY_FOLDER, groups)
    text = toml(identifier, principals, demo=demo, sections=sections)
    with wiring.new_ledger(folder, identifier, home, StoreSection().url) as ledger:
        ledger.record(
            WorkspaceCreated(workspace=identifier, demo=demo, version=version("twokey")),
            *(
                CredentialCreated(principal=principal.name, key=fingerprint(principal.key))
                for principal in principals
                if principal.key
            ),
        )
    _write(folder / settings.FILE_NAME, text)
    return Made(identifier, folder, tuple(principals), ring.folder)


def toml(
    identifier: str,
    principals: Iterable[Principal],
    *,
    demo: bool,
    sections: Mapping[str, Mapping[str, str]],
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


def _write(path: Path, text: str) -> None:
    """Write a new file completely or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def _undo(made: Iterable[Path], path: Path) -> None:
    for part in made:
        shutil.rmtree(part, ignore_errors=True)
    wipe(path)
    wipe(path.with_name(path.name + ".part"))
