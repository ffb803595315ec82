"""Settings of a workspace: ``twokey.toml``, overridden by ``TWOKEY_*`` variables.

Rules: an unknown key is an error that suggests the nearest known one; a secret is never a setting but the name of an
environment variable; people and groups are read from the file alone, never from the environment.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from twokey.core.errors import BadInput, NotFound
from twokey.core.values import Digest, GroupName, Principal, PrincipalName, PublicKey, ResourceKind, WorkspaceId

FILE_NAME: Final = "twokey.toml"
PREFIX: Final = "TWOKEY_"
OWN_VARIABLES: Final = frozenset({"TWOKEY_HOME", "TWOKEY_WORKSPACE", "TWOKEY_AS", "TWOKEY_TEST_DATA", "TWOKEY_OPA"})
"""Variables with this prefix that are no settings."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkspaceSection(_Section):
    """Which workspace this is."""

    id: WorkspaceId
    demo: bool = False


class StoreSection(_Section):
    """Where state and log live. A relative SQLite path is relative to the workspace."""

    url: str = "sqlite:///.twokey/twokey.db"


class PolicySection(_Section):
    """Which engine decides, on which bundle."""

    engine: Literal["embedded", "opa-managed", "opa"] = "embedded"
    bundle: str = "policies"
    """Folder of the bundle, relative to the workspace."""
    deadline_ms: Annotated[int, Field(ge=10, le=10_000)] = 100
    opa_path: str = ""
    opa_sha256: Digest | None = None
    url: str = "http://127.0.0.1:8181"
    token_env: VariableName = "OPA_TOKEN"  # noqa: S105 - the name of a variable, not a token


class PlaceSection(_Section):
    """One place that runs may touch without the request naming it."""

    kind: ResourceKind
    location: str
    environment: str = "default"
    password_env: VariableName | None = None


class CatalogSection(_Section):
    """Defaults of the catalog job: names of places."""

    warehouse: str = ""
    repository: str = ""


class ModelSection(_Section):
    """An OpenAI-compatible endpoint. Without ``base_url`` only the built-in tier works."""

    base_url: str = ""
    name: str = ""
    key_env: VariableName = "OPENAI_API_KEY"
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 30
    max_tokens: Annotated[int, Field(ge=16, le=32_768)] = 1024


class PluginsSection(_Section):
    """Pinned plugins: name of the distribution to its digest."""

    plugins: dict[str, Digest] = Field(default_factory=dict)


class PrincipalSection(_Section):
    """A person: groups, and the public half of their credential."""

    groups: tuple[GroupName, ...] = ()
    key: PublicKey | None = None


class Settings(BaseSettings):
    """Everything a workspace can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__")

    workspace: WorkspaceSection
    store: StoreSection = StoreSection()
    policy: PolicySection = PolicySection()
    catalog: CatalogSection = CatalogSection()
    model: ModelSection = ModelSection()
    tools: PluginsSection = PluginsSection()
    places: dict[str, PlaceSection] = Field(default_factory=dict)
    principals: dict[PrincipalName, PrincipalSection] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file; read nothing else."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


FROM_FILE_ONLY: Final = frozenset({"workspace", "principals", "tools"})
"""Sections that decide who may do what: a variable in somebody's shell must not change them."""


def read_file(folder: Path) -> dict[str, Any]:
    """Read ``twokey.toml`` of a workspace as plain data.

    Raises:
        NotFound: there is no workspace at ``folder``.
        BadInput: the file is no TOML.

    """
    path = folder / FILE_NAME
    try:
        text = path.read_bytes().decode("utf-8")
        return tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"There is no workspace at {folder}: {FILE_NAME} is missing.",
            next="Make one with `twokey init DIR --principal NAME:GROUP`, or name another with -C.",
            code="no_workspace",
        ) from None
    except PermissionError:
        raise BadInput(f"{path} cannot be read.", next="Check the file's permissions.", code="bad_settings") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path} is damaged: {str(error)[:200]}.",
            next="Correct the file; nothing was changed.",
            code="bad_settings",
        ) from error


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings of a workspace.

    Raises:
        NotFound: there is no workspace at ``folder``.
        BadInput: the file is damaged, a key is unknown, or a value does not fit.

    """
    data = read_file(folder)
    _check_variables(os.environ if environment is None else environment)
    try:
        return Settings(**data)
    except ValidationError as error:
        raise _explain(error, folder / FILE_NAME) from error


def _check_variables(environment: Mapping[str, str]) -> None:
    known = sorted(Settings.model_fields)
    for name in environment:
        if not name.startswith(PREFIX) or name in OWN_VARIABLES:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        if section in FROM_FILE_ONLY:
            raise BadInput(
                f"The variable {name} would change the section {section!r}, which only {FILE_NAME} may set.",
                next=f"Unset {name}.",
                code="bad_settings",
            )
        if section not in known:
            raise BadInput(
                f"The variable {name} sets nothing that Twokey knows.{_near(section, known)}",
                next=f"Correct or unset {name}.",
                code="bad_settings",
            )
        fields = _fields(Settings, (section,))
        if key and fields and key.split("__")[0] not in fields:
            raise BadInput(
                f"The variable {name} sets nothing that Twokey knows.{_near(key, fields)}",
                next=f"Correct or unset {name}.",
                code="bad_settings",
            )


def _explain(error: ValidationError, path: Path) -> BadInput:
    first = error.errors(include_input=False, include_url=False)[0]
    location = tuple(str(part) for part in first["loc"])
    where = ".".join(location)
    if first["type"] == "extra_forbidden":
        known = _fields(Settings, location[:-1])
        return BadInput(
            f"{path.name} has an unknown key {where!r}.{_near(location[-1], known)}",
            next="Correct or remove the key.",
            code="bad_settings",
        )
    if first["type"] == "missing":
        return BadInput(f"{path.name} lacks {where!r}.", next="Add the key.", code="bad_settings")
    return BadInput(
        f"{path.name}: {where!r} does not fit: {first['msg']}.", next="Correct the value.", code="bad_settings"
    )


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else f" Known here: {', '.join(known)}." if known else ""


def _fields(model: type[BaseModel], location: tuple[str, ...]) -> list[str]:
    """Give the names of the fields at ``location``; names of tables such as principals stand for themselves."""
    current: type[BaseModel] = model
    rest = list(location)
    while rest:
        field = current.model_fields.get(rest.pop(0))
        if field is None:
            return []
        annotation: object = field.annotation
        inner = [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        if inner:
            if not rest:
                return []
            rest.pop(0)
            current = inner[0]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            current = annotation
        else:
            return []
    return sorted(current.model_fields)


class FileDirectory:
    """The directory of people, read from ``twokey.toml`` each time it is asked, so that a change counts at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def principal(self, name: str) -> Principal | None:
        """Look a principal up by name."""
        return next((principal for principal in self.all() if principal.name == name), None)

    def all(self) -> tuple[Principal, ...]:
        """Every principal, by name.

        Raises:
            BadInput: the file was damaged meanwhile.

        """
        data = read_file(self._folder).get("principals", {})
        try:
            sections = {name: PrincipalSection.model_validate(section) for name, section in data.items()}
            people = tuple(
                Principal(name=name, groups=section.groups, key=section.key) for name, section in sections.items()
            )
        except ValidationError as error:
            raise _explain(error, self._folder / FILE_NAME) from error
        return tuple(sorted(people, key=lambda principal: principal.name))


def home(workspace: str, environment: Mapping[str, str] | None = None) -> Path:
    """Give this account's folder for a workspace's keys: outside the workspace, and nobody else's business."""
    variables = os.environ if environment is None else environment
    base = variables.get("TWOKEY_HOME")
    if base:
        return Path(base) / workspace
    config = variables.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "twokey" / workspace
