"""Documentation that fails: what it names exists, what exists is named, what it shows runs."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from twokey.channels.cli.main import app, hoist
from twokey.channels.cli.session import SESSION
from twokey.core.settings import FROM_FILE_ONLY, OWN_VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/SPEC.md")])


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of the settings, tables of names written as NAME."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        inner = [part for part in get_args(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += keys(field.annotation, f"{prefix}{name}.")
        elif inner:
            found += keys(inner[0], f"{prefix}{name}.NAME.")
        elif "dict" in str(field.annotation):
            found.append(f"{prefix}{name}.NAME")
        else:
            found.append(f"{prefix}{name}")
    return found


def test_every_setting_is_described_and_every_described_setting_exists():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    described = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    variables = {name for name in described if name.startswith("TWOKEY_")}
    assert described - variables == set(keys(Settings))
    assert variables <= OWN_VARIABLES


def test_the_sections_that_no_variable_changes_are_named():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    _, _, behind = text.partition("except in the sections that decide who may do what")
    assert set(re.findall(r"`(\w+)`", behind.partition("), which only the file may set.")[0])) == FROM_FILE_ONLY


def test_every_page_can_be_found_from_the_readme():
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
            places = [(page.parent / target).resolve() for target in targets if "://" not in target]
            todo += [path for place in places for path in ([place] if place.is_file() else place.glob("*.md"))
                     if path.suffix == ".md"]  # fmt: skip
    assert set((ROOT / "docs").rglob("*.md")) <= seen


def commands() -> list[tuple[str, str]]:
    """Every `twokey ...` line that a page shows as typed by a person."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            shown = re.match(r"^\s*(?:\$ )?(twokey [^#>|]+?)(?:\s{2,}#.*|\s+>.*)?$", line)
            if shown and "..." not in shown.group(1).split("--")[0].split(" p-")[0]:
                found.append((str(page.relative_to(ROOT)), shown.group(1)))
    return found


@cache
def program() -> Any:
    """The whole command, put together once."""
    return get_command(app)


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_that_a_page_shows_exists(page: str, line: str, monkeypatch: pytest.MonkeyPatch):
    for option in ("workspace", "as_json", "principal"):  # what the line says is not for the tests after this one
        monkeypatch.setattr(SESSION, option, getattr(SESSION, option))
    words = hoist(shlex.split(line)[1:])
    command = program()
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands") or not words, f"{page}: no such command: {line}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words if word.startswith("-")}
    assert used <= known | {"--help"}, f"{page}: no such option: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{target} is linked and does not exist"
