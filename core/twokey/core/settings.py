"""Settings of a workspace: ``twokey.toml``, overridden by ``TWOKEY_SECTION__KEY`` variables.

Rules: an unknown key is an error that suggests the nearest known one; a variable overrides one key that exists and adds
none; what decides who may do what (workspace, people and groups, plugins) is read from the file alone, never from the
environment; a secret is never a setting but the name of an environment variable; two people never share a credential.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

from pydantic import (
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
)

from twokey.core.errors import BadInput, EnvironmentFault, NotFound
from twokey.core.sections import (
    AuditSection,
    CatalogSection,
    ConsoleSection,
    ControlsSection,
    GitHubSection,
    IncidentSection,
    ModelSection,
    OperationsSection,
    People,
    PlaceName,
    PlaceSection,
    PluginsSection,
    PolicySection,
    PrincipalSection,
    ScheduleSection,
    ScorecardSection,
    Section,
    ServerSection,
    SlackSection,
    StoreSection,
    TriageSection,
    WorkspaceSection,
)
from twokey.core.telemetry_settings import TelemetrySection, TriggerName, TriggerSection
from twokey.core.values import Code, Principal

FILE_NAME: Final = "twokey.toml"
PREFIX: Final = "TWOKEY_"
OWN_VARIABLES: Final = frozenset({"TWOKEY_HOME", "TWOKEY_WORKSPACE", "TWOKEY_AS", "TWOKEY_TEST_DATA", "TWOKEY_OPA"})
"""Variables with this prefix that are no settings."""

_PEOPLE: Final[TypeAdapter[dict[str, PrincipalSection]]] = TypeAdapter(People)


class Settings(Section):
    """Everything a workspace can be told."""

    workspace: WorkspaceSection
    store: StoreSection = StoreSection()
    audit: AuditSection = AuditSection()
    policy: PolicySection = PolicySection()
    catalog: CatalogSection = CatalogSection()
    triage: TriageSection = TriageSection()
    incident: IncidentSection = IncidentSection()
    operations: OperationsSection = OperationsSection()
    controls: ControlsSection = ControlsSection()
    model: ModelSection = ModelSection()
    server: ServerSection = ServerSection()
    console: ConsoleSection = ConsoleSection()
    scorecard: ScorecardSection = ScorecardSection()
    tools: PluginsSection = PluginsSection()
    github: GitHubSection = GitHubSection()
    places: dict[PlaceName, PlaceSection] = Field(default_factory=dict)
    principals: People = Field(default_factory=dict)
    schedules: dict[Code, ScheduleSection] = Field(default_factory=dict)
    slack: SlackSection = SlackSection()
    telemetry: dict[Code, TelemetrySection] = Field(default_factory=dict)
    triggers: dict[TriggerName, TriggerSection] = Field(default_factory=dict)

    def deployed_from(self) -> dict[str, str]:
        """Give the repositories from which services are deployed, with the service; ``incident`` counts more."""
        named = {place: service for one in self.telemetry.values() for place, service in one.deployments.items()}
        return named | self.incident.deployments


FROM_FILE_ONLY: Final = frozenset(
    {
        "audit",
        "console",
        "controls",
        "github",
        "incident",
        "operations",
        "places",
        "policy",
        "principals",
        "schedules",
        "scorecard",
        "slack",
        "telemetry",
        "tools",
        "triage",
        "triggers",
        "workspace",
    }
)
"""Sections that decide who may do what: a variable in somebody's shell must not change them."""

KEYS_FROM_FILE_ONLY: Final = frozenset({("store", "encrypt")})
"""Keys of other sections for which the same holds: a shell must not have customers' values written in the clear."""

_MODELS: Final[dict[str, type[BaseModel]]] = {
    name: cast("type[BaseModel]", (get_args(field.annotation) or (None, field.annotation))[1])
    for name, field in Settings.model_fields.items()
}
"""What the keys of each section are; of ``places``, ``principals`` and ``schedules``: of each table in it."""


def read_file(folder: Path) -> dict[str, Any]:
    """Read ``twokey.toml`` of a workspace as plain data.

    Raises:
        NotFound: there is no workspace at ``folder``.
        BadInput: the file is no TOML.

    """
    return _parsed(folder, _bytes(folder))


def _bytes(folder: Path) -> bytes:
    path = folder / FILE_NAME
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"There is no workspace at {folder}: {FILE_NAME} is missing.",
            next="Make one with `twokey init DIR --principal NAME:GROUP`, or name another with -C.",
            code="no_workspace",
        ) from None
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", next="Check the file and its permissions.", code="bad_settings"
        ) from error


def _parsed(folder: Path, text: bytes) -> dict[str, Any]:
    path = folder / FILE_NAME
    try:
        return tomllib.loads(text.decode("utf-8"))
    except RecursionError:
        raise BadInput(
            f"{path} is damaged: it is nested too deeply.",
            next="Correct the file; nothing was changed.",
            code="bad_settings",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path} is damaged: {str(error)[:200]}.",
            next="Correct the file; nothing was changed.",
            code="bad_settings",
        ) from error


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings of a workspace; ``environment`` stands for the variables of the process.

    Raises:
        NotFound: there is no workspace at ``folder``.
        BadInput: the file is damaged, a key or variable is unknown, or a value does not fit.

    """
    data = read_file(folder)
    variables = _override(data, os.environ if environment is None else environment)
    try:
        found = Settings.model_validate(data)
    except ValidationError as error:
        raise _explain(error, variables) from error
    for name, schedule in found.schedules.items():
        if schedule.asked_by not in found.principals:
            raise BadInput(
                f"{FILE_NAME}: the schedule {name!r} asks in the name of {schedule.asked_by!r}, who is no principal.",
                next="Name somebody of the section principals.",
                code="bad_settings",
            )
    _check_telemetry(found)
    if found.triage.asked_by and found.triage.asked_by not in found.principals:
        raise BadInput(
            f"{FILE_NAME}: triage asks in the name of {found.triage.asked_by!r}, who is no principal.",
            next="Name somebody of the section principals.",
            code="bad_settings",
        )
    return found


def _check_telemetry(found: Settings) -> None:
    """Hold sources of telemetry and triggers to the places and people that they name; raises ``BadInput``."""
    for name in found.telemetry:
        if name in found.places:
            raise BadInput(
                f"{FILE_NAME}: {name!r} is the name of a place and of a source of telemetry.",
                next="Give one of them another name.",
                code="bad_settings",
            )
    named = {f"telemetry.{name}": section.deployments for name, section in found.telemetry.items()}
    for name, deployments in {**named, "incident": found.incident.deployments}.items():
        for place in deployments:
            if place not in found.places or found.places[place].kind != "repository":
                raise BadInput(
                    f"{FILE_NAME}: {name} looks for deployments in {place!r}, which is no repository.",
                    next="Name a place of kind repository.",
                    code="bad_settings",
                )
    for name, trigger in found.triggers.items():
        if trigger.asked_by not in found.principals:
            raise BadInput(
                f"{FILE_NAME}: the trigger {name!r} asks in the name of {trigger.asked_by!r}, who is no principal.",
                next="Name somebody of the section principals.",
                code="bad_settings",
            )
        if trigger.telemetry not in found.telemetry:
            raise BadInput(
                f"{FILE_NAME}: the trigger {name!r} names the telemetry {trigger.telemetry!r}, which is not there.",
                next=f"Add a section telemetry.{trigger.telemetry}, or name one that is there.",
                code="bad_settings",
            )


def _override(data: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put the values of variables into ``data``; gives which key each variable set.

    Any spelling of the prefix counts as ours, so that none slips past the rules that hold for the others.
    """
    names = _variables()
    used: dict[tuple[str, ...], str] = {}
    for name, value in environment.items():
        if not name.lower().startswith(PREFIX.lower()) or name in OWN_VARIABLES:
            continue
        section = name.lower().removeprefix(PREFIX.lower()).split("__")[0]
        if section in FROM_FILE_ONLY:
            raise BadInput(
                f"The variable {name!r} would change the section {section!r}, which only {FILE_NAME} may set.",
                next="Unset it.",
                code="bad_settings",
            )
        if tuple(name.lower().removeprefix(PREFIX.lower()).split("__")) in KEYS_FROM_FILE_ONLY:
            raise BadInput(
                f"The variable {name!r} would change a key that only {FILE_NAME} may set.",
                next="Unset it.",
                code="bad_settings",
            )
        if name not in names:
            raise BadInput(
                f"The variable {name!r} sets nothing that Twokey knows.{_near(name.upper(), sorted(names))}",
                next=f"Correct or unset it; a key of {FILE_NAME} is named {PREFIX}SECTION__KEY.",
                code="bad_settings",
            )
        location = names[name]
        table: Any = data
        for part in location[:-1]:
            table = table.setdefault(part, {})
        if isinstance(table, dict):  # else the file is wrong here, which its check will say
            table[location[-1]] = value
        used[location] = name
    return used


def _variables() -> dict[str, tuple[str, ...]]:
    """Give the variables that override a key, and the key."""
    locations = [
        (section, key)
        for section, model in _MODELS.items()
        if section not in FROM_FILE_ONLY
        for key in model.model_fields
        if (section, key) not in KEYS_FROM_FILE_ONLY
    ]
    return {PREFIX + "__".join(location).upper(): location for location in locations}


def _explain(error: ValidationError, variables: Mapping[tuple[str, ...], str], *above: str) -> BadInput:
    """Say in one sentence what does not fit; ``above`` is where in the file the checked value stands."""
    errors = error.errors(include_input=False, include_url=False)
    # A misspelt key is often also a missing one: the spelling is what helps.
    first = next((found for found in errors if found["type"] == "extra_forbidden"), errors[0])
    location = (*above, *(str(part) for part in first["loc"] if part != "[key]"))
    where = ".".join(location)
    source = f"The variable {variables[location]}" if location in variables else FILE_NAME
    if first["type"] == "extra_forbidden":
        known = sorted((_MODELS[location[0]] if location[:-1] else Settings).model_fields)
        return BadInput(
            f"{source} has an unknown key {where!r}.{_near(location[-1], known)}",
            next="Correct or remove the key.",
            code="bad_settings",
        )
    if first["type"] == "missing":
        return BadInput(f"{source} lacks {where!r}.", next="Add the key.", code="bad_settings")
    table = first["type"] in {"model_type", "dict_type"}
    why = "It should be a table" if table else first["msg"].removeprefix("Value error, ")
    return BadInput(f"{source}: {where!r} does not fit: {why}.", next="Correct the value.", code="bad_settings")


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else f" Known here: {', '.join(known)}."


class FileDirectory:
    """The directory of people, read from ``twokey.toml`` each time it is asked, so that a change counts at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[bytes, tuple[Principal, ...]] | None = None
        """The file as it was last read, and who is in it: the same bytes name the same people."""

    def principal(self, name: str) -> Principal | None:
        """Look a principal up by name."""
        return next((principal for principal in self.all() if principal.name == name), None)

    def all(self) -> tuple[Principal, ...]:
        """Every principal, by name.

        Raises:
            BadInput: the file was damaged meanwhile.

        """
        text, last = _bytes(self._folder), self._last
        if last is not None and last[0] == text:
            return last[1]
        try:
            sections = _PEOPLE.validate_python(_parsed(self._folder, text).get("principals", {}))
        except ValidationError as error:
            raise _explain(error, {}, "principals") from error
        people = tuple(
            Principal(name=name, groups=section.groups, key=section.key) for name, section in sorted(sections.items())
        )
        self._last = text, people
        return people


def home(workspace: str, environment: Mapping[str, str] | None = None) -> Path:
    """Give this account's folder for a workspace's keys: outside the workspace, and nobody else's business.

    After the XDG base directory specification, which has relative paths ignored.

    Raises:
        BadInput: ``TWOKEY_HOME`` is relative: keys would be looked for wherever the process stands.
        EnvironmentFault: the account has no home folder.

    """
    variables = os.environ if environment is None else environment
    base = variables.get("TWOKEY_HOME")
    if base:
        if not Path(base).is_absolute():
            raise BadInput(
                "TWOKEY_HOME is no absolute path.", next="Write the whole path, beginning with /.", code="bad_settings"
            )
        return Path(base) / workspace
    config = variables.get("XDG_CONFIG_HOME", "")
    if Path(config).is_absolute():
        return Path(config) / "twokey" / workspace
    try:
        return Path.home() / ".config" / "twokey" / workspace
    except RuntimeError as error:
        raise EnvironmentFault(
            "This account has no home folder, so there is no place for keys.", next="Set TWOKEY_HOME to a folder."
        ) from error
