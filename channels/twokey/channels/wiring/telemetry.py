"""Puts together the telemetry that a workspace can look at: incident bundles, and the sources of its settings.

Rules: a source of the settings is a place by its name; what is asked, of whom, and with which token follows from the
settings alone. It is made anew for each call, so that nothing of one call is left for the next.
"""

import functools
import os
import zoneinfo
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twokey.channels.connected import THREADS, Connected
from twokey.core.errors import BadInput
from twokey.core.ports import Clock
from twokey.core.settings import Settings
from twokey.core.telemetry_settings import TelemetrySection
from twokey.core.values import Resource
from twokey.tools.contract import Place
from twokey.tools.ledger import Ledger
from twokey.tools.local import bundles
from twokey.tools.read.telemetry.tool import QueryTelemetry
from twokey.tools.registry import Registry

if TYPE_CHECKING:
    from twokey.tools.github.hub import GitHub
    from twokey.tools.read.telemetry.asking import Asker
    from twokey.tools.read.telemetry.loki import Loki
    from twokey.tools.read.telemetry.prometheus import Prometheus
    from twokey.tools.read.telemetry.sources import EventPart, Live, Pages, Source

PREFIX: Final = "telemetry:"
"""What the location of a source of the settings begins with; no folder is named so, for theirs are absolute."""


def telemetry_places(config: Settings) -> list[Place]:
    """Give the places that the settings' sources are."""
    return [
        Place(
            Resource(kind="telemetry", id=name, granted_by="config", environment=section.environment),
            f"{PREFIX}{name}",
        )
        for name, section in config.telemetry.items()
    ]


def pages_of(config: Settings, ledger: Ledger, clock: Clock) -> "Callable[[str], Pages | None]":
    """Give what delivered alerts tell about each source of the settings; none where no trigger looks at it."""

    def pages(name: str) -> "Pages | None":
        triggers = {key: trigger for key, trigger in config.triggers.items() if trigger.telemetry == name}
        if not triggers:
            return None
        from twokey.channels.alerts.book import PageBook  # noqa: PLC0415 - numpy comes in where it is needed

        return PageBook(triggers, config.telemetry[name], ledger, clock)

    return pages


def of_incidents(config: Settings) -> Place | None:
    """Give the telemetry that incidents are looked up in: what the settings say, or the only one there is."""
    named = [
        Place(Resource(kind="telemetry", id=name, granted_by="config", environment=one.environment), one.location)
        for name, one in config.places.items()
        if one.kind == "telemetry"
    ]
    known = [*named, *telemetry_places(config)]
    wanted = config.incident.telemetry
    return next((one for one in known if one.resource.id == wanted or (not wanted and len(known) == 1)), None)


class Threads:
    """What people said in channels, as telemetry; the channels themselves come once the workspace is put together."""

    def __init__(self) -> None:
        self._connected: Callable[[], Mapping[str, Connected]] | None = None

    def through(self, connected: Callable[[], Mapping[str, Connected]]) -> None:
        """Say where the channels are."""
        self._connected = connected

    def open(self, location: str, beside: "Callable[[], Source | None]") -> "Source":
        """Open a thread; raises ``BadInput`` where its channel is not connected."""
        made = self._connected() if self._connected is not None else {}
        channel = made.get(THREADS.removesuffix(":"))
        if channel is None or channel.telemetry is None:
            raise BadInput(
                "Threads are read where Slack is connected, and it is not.",
                next="Set slack.mode in twokey.toml (docs/slack.md).",
                code="slack_off",
            )
        return channel.telemetry(location, beside)


def through_telemetry(tools: Registry, open_source: "Callable[[str], Source]") -> Registry:
    """Give ``tools`` with Twokey's own tool for telemetry put in front of the settings' sources."""
    return Registry(QueryTelemetry(open_source) if type(tool) is QueryTelemetry else tool for tool in tools.all())


def opener(
    folder: Path,
    config: Settings,
    pages: "Callable[[str], Pages | None]",
    deployed: "Callable[[str, str], EventPart]",
    environment: Mapping[str, str] | None = None,
    threads: "Threads | None" = None,
) -> "Callable[[str], Source]":
    """Give what opens the source at a location.

    ``pages`` gives what delivered alerts tell about a source; ``deployed`` what is deployed from a repository, of a
    service; ``threads`` opens what people said in channels.
    """
    variables = os.environ if environment is None else environment

    def beside() -> "Source | None":
        known = of_incidents(config)
        if known is None or known.location.startswith(PREFIX):
            return open_source(known.location) if known is not None else None
        return open_source(str((folder / known.location).resolve()))

    def open_source(location: str) -> "Source":
        if threads is not None and location.startswith(THREADS):
            return threads.open(location, beside)
        name = location.removeprefix(PREFIX)
        section = config.telemetry.get(name)
        if location == name or section is None:
            return bundles(location)
        return live(folder, config, section, variables, pages(name), deployed)

    return open_source


def live(
    folder: Path,
    config: Settings,
    section: TelemetrySection,
    variables: Mapping[str, str],
    pages: "Pages | None",
    deployed: "Callable[[str, str], EventPart]",
) -> "Live":
    """Put a source together.

    Raises:
        BadInput: a variable with a token is not set, or a zone or a file does not exist.

    """
    from twokey.tools.read.telemetry.files.logs import LogFiles  # noqa: PLC0415 - numpy comes in where it is needed
    from twokey.tools.read.telemetry.files.otlp import OtlpFiles  # noqa: PLC0415 - as above
    from twokey.tools.read.telemetry.files.told import edges_of, events_of  # noqa: PLC0415 - as above
    from twokey.tools.read.telemetry.sources import Live  # noqa: PLC0415 - as above

    event_parts: list[EventPart] = []
    if section.events:
        event_parts.append(functools.partial(events_of, folder, section.events))
    for place, service in section.deployments.items():
        location = config.places[place].location
        whole = location if "://" in location else str((folder / location).resolve())
        event_parts.append(deployed(whole, service))
    return Live(
        metrics=prometheus_of(folder, section, variables) if section.prometheus else None,
        lines=loki_of(folder, section, variables) if section.loki else None,
        log_parts=[LogFiles(folder, section.logs, zone_of(section.log_zone)).logs] if section.logs else [],
        span_parts=[OtlpFiles(folder, section.traces).spans] if section.traces else [],
        event_parts=event_parts,
        edge_parts=[functools.partial(edges_of, folder, section.topology)] if section.topology else [],
        pages=pages,
    )


def prometheus_of(folder: Path, section: TelemetrySection, variables: Mapping[str, str]) -> "Prometheus":
    """Give the Prometheus of a source; raises ``BadInput`` where its token or file is not there."""
    from twokey.tools.read.telemetry.prometheus import Prometheus  # noqa: PLC0415 - numpy comes in where it is needed

    asker = _asker("Prometheus", section.prometheus, folder, section, section.prometheus_token_env, variables)
    return Prometheus(asker, section.queries, section.service_labels, step_s=section.step_s)


def loki_of(folder: Path, section: TelemetrySection, variables: Mapping[str, str]) -> "Loki":
    """Give the Loki of a source; raises ``BadInput`` where its token or file is not there."""
    from twokey.tools.read.telemetry.loki import Loki  # noqa: PLC0415 - numpy comes in where it is needed

    asker = _asker("Loki", section.loki, folder, section, section.loki_token_env, variables)
    return Loki(asker, section.loki_query, section.service_labels)


def _asker(
    name: str, url: str, folder: Path, section: TelemetrySection, token_env: str | None, variables: Mapping[str, str]
) -> "Asker":
    from twokey.tools.read.telemetry.asking import Asker, Server  # noqa: PLC0415 - comes in where one is asked

    token = variables.get(token_env, "").strip() if token_env else ""
    if token_env and not token:
        raise BadInput(
            f"The variable {token_env}, which holds the token for {name}, is not set.", next=f"Set {token_env}."
        )
    headers = (("X-Scope-OrgID", section.loki_tenant),) if name == "Loki" and section.loki_tenant else ()
    return Asker(
        Server(
            name=name,
            url=url,
            token=token,
            headers=headers,
            ca_file=folder / section.ca_file if section.ca_file else None,
            timeout_s=section.timeout_s,
        )
    )


def deployed_by(github: "Callable[[], GitHub] | None") -> "Callable[[str, str], EventPart]":
    """Give what tells of deployments from a repository: on this disk by its history, on GitHub by its deployments.

    What it gives raises ``BadInput`` for an address where no GitHub is set up.
    """

    def deployed(location: str, service: str) -> "EventPart":
        if "://" not in location:
            from twokey.tools.read.telemetry.deployments import from_git  # noqa: PLC0415 - dulwich comes in where needed

            return functools.partial(from_git, location, service)
        if github is None:
            raise BadInput(
                "Deployments are looked for in a repository that lies elsewhere, and no GitHub is set up.",
                next="Set up the section github of twokey.toml (docs/github.md).",
                code="github_not_set_up",
            )
        from twokey.tools.github.deployments import from_github  # noqa: PLC0415 - comes in where GitHub is asked

        hub = github
        return functools.partial(from_github, lambda: hub().client(location), service)

    return deployed


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Give the zone of that name; raises ``BadInput`` where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise BadInput(
            f"There is no zone {name!r} here.", next="Write one such as Europe/Lisbon in log_zone.", code="bad_settings"
        ) from error
