"""Looks for the usual mistakes in what the incident job and the ops review are told by the settings.

Rules: as in ``telemetry_health``: what is named is really opened, nothing is changed, one look that fails does not stop
the others, and nothing of what files hold is shown but names of the settings' own. Sources of telemetry themselves are
looked at there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twokey.channels.wiring.incident import tracker_of
from twokey.channels.wiring.operations import book_of
from twokey.channels.wiring.telemetry_health import Seen
from twokey.core.errors import TwokeyError
from twokey.core.settings import Settings
from twokey.core.telemetry_settings import TelemetrySection
from twokey.core.values import ResourceKind

if TYPE_CHECKING:
    from twokey.agents.incident.operations.book import Book

MOST_NAMED: Final = 10
_INCIDENT: Final = "incident"
_OPERATIONS: Final = "operations"


def incident_health(folder: Path, config: Settings) -> Iterator[Seen]:
    """Give what every look finds; nothing where neither job is set up."""
    yield from _places(config)
    for name, section in config.telemetry.items():
        yield from _queries(f"telemetry {name}", section)
    for name, place in config.places.items():
        if place.kind == "telemetry":
            yield _bundles(f"place {name}", folder / place.location)
    if config.incident.runbooks:
        yield from _runbooks(folder, config)
    for place, service in config.deployed_from().items():
        yield from _deployed(folder, config, place, service)
    yield from _operations(folder, config)


def _places(config: Settings) -> Iterator[Seen]:
    """Tell which names mean nothing, or something else."""
    incident = config.incident
    wanted: tuple[tuple[str, str, ResourceKind], ...] = (
        ("incident.telemetry", incident.telemetry, "telemetry"),
        ("incident.tickets", tracker_of(config), "tickets"),
        ("incident.repository", incident.repository, "repository"),
        ("incident.runbooks", incident.runbooks, "runbooks"),
        ("operations.telemetry", config.operations.telemetry, "telemetry"),
    )
    for key, name, kind in wanted:
        if name and not _is(config, name, kind):
            text = f"{key} names {name!r}, which is no place of kind {kind}"
            yield Seen(key.partition(".")[0], "FAIL", text, f"Name one in twokey.toml, or correct {key}.")
    if incident.repository and not tracker_of(config):
        text = "post-mortems are drafted, and no ticket: neither incident.tickets nor triage.tickets is set"
        yield Seen(_INCIDENT, "warn", text, "Set incident.tickets.")


def _is(config: Settings, name: str, kind: ResourceKind) -> bool:
    if kind == "telemetry" and name in config.telemetry:
        return True
    return name in config.places and config.places[name].kind == kind


def _queries(name: str, section: TelemetrySection) -> Iterator[Seen]:
    """Tell which metrics' names say nothing, and what travels in the open."""
    from twokey.tools.read.telemetry.changes.meanings import sense  # noqa: PLC0415 - comes in where there are queries

    plain = sorted(metric for metric in section.queries if sense(metric).meaning == "other")
    if plain:
        text = f"names that say neither latency, errors, availability, saturation nor traffic: {_listed(plain)}"
        yield Seen(name, "warn", text, "Name queries in plain words, such as latency_p95_ms or error_rate.")
    if section.insecure and any(url.startswith("http:") for url in (section.prometheus, section.loki)):
        text = "it is asked over plain HTTP: names, lines and tokens can be read and changed on the way"
        yield Seen(name, "warn", text, "Use https, and take insecure away.")
    if section.ca_file and not section.prometheus and not section.loki:
        yield Seen(name, "warn", "ca_file is set, and nothing is asked over the network", "Take ca_file away.")


def _bundles(name: str, place: Path) -> Seen:
    from twokey.tools.read.telemetry.bundle import find_bundles  # noqa: PLC0415 - numpy comes in where it is needed

    try:
        return Seen(name, "ok", f"incident bundles: {len(find_bundles(place))}")
    except TwokeyError as error:
        return Seen(name, "warn", error.message, error.next)


def _runbooks(folder: Path, config: Settings) -> Iterator[Seen]:
    """Tell whether the folder is there, and whether what the job itself writes is found again."""
    place = config.places.get(config.incident.runbooks)
    if place is None or place.kind != "runbooks":
        return
    here = (folder / place.location).resolve()
    if not here.is_dir():
        yield Seen(
            _INCIDENT, "FAIL", "the folder of the runbooks is not there", f"Check places.{config.incident.runbooks}."
        )
        return
    repository = config.places.get(config.incident.repository)
    if repository is None or "://" in repository.location:
        return
    written = (folder / repository.location).resolve() / config.incident.folder
    if not written.is_relative_to(here):
        text = "post-mortems are put where no runbook is looked for, so that no later incident finds them"
        yield Seen(
            _INCIDENT, "warn", text, "Let the folder of incident.folder lie below the place of incident.runbooks."
        )


def _deployed(folder: Path, config: Settings, place: str, service: str) -> Iterator[Seen]:
    location = config.places[place].location
    if "://" in location:  # what is wrong with it is found where GitHub is looked at
        return
    from twokey.tools.write.local_git import LocalGit  # noqa: PLC0415 - dulwich comes in where a repository is named

    try:
        base = LocalGit().describe(str((folder / location).resolve()))
    except TwokeyError as error:
        yield Seen(
            _INCIDENT, "FAIL", f"the repository {place}, from which {service} comes: {error.message}", error.next
        )
        return
    yield Seen(_INCIDENT, "ok", f"{service} is deployed from {base.branch} of {place}")


def _operations(folder: Path, config: Settings) -> Iterator[Seen]:
    operations = config.operations
    if not operations.file:
        if operations.telemetry:
            text = "operations.telemetry is set, and no operations file that it could be compared with"
            yield Seen(_OPERATIONS, "FAIL", text, "Set operations.file; docs/ops-review.md shows one.")
        return
    try:
        book = book_of(folder, config)
    except TwokeyError as error:
        yield Seen(_OPERATIONS, "FAIL", error.message, error.next)
        return
    if book is None:
        return
    yield Seen(_OPERATIONS, "ok", f"{operations.file}: {len(book.endpoints)} endpoints")
    if not operations.telemetry:
        text = "no operations.telemetry: a request has to name the source"
        yield Seen(_OPERATIONS, "warn", text, "Set operations.telemetry.")
    yield from _compared(config, book)


def _compared(config: Settings, book: "Book") -> Iterator[Seen]:
    """Hold the file against the people of the workspace and the metrics of its source."""
    groups = {group for person in config.principals.values() for group in person.groups}
    named = {book.owners.model, book.owners.platform, book.owners.risk, *(each.owner for each in book.endpoints)}
    unknown = sorted(owner for owner in named if owner is not None and owner not in groups)
    if unknown:
        text = f"owners that are no group of anybody: {_listed(unknown)}"
        yield Seen(_OPERATIONS, "warn", text, "Correct owners, or the groups of the section principals.")
    section = config.telemetry.get(config.operations.telemetry)
    if section is None or not section.prometheus:
        return
    asked = {metric for endpoint in book.endpoints for metric in endpoint.metrics.named()}
    missing = sorted(asked - section.queries.keys())
    if missing:
        text = f"metrics that no query of telemetry.{config.operations.telemetry} gives: {_listed(missing)}"
        yield Seen(_OPERATIONS, "warn", text, "Correct metrics of the operations file, or add queries.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(map(repr, names[:MOST_NAMED]))}{more}"
