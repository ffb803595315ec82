"""Puts the channel of alerts together for a workspace: one address for each trigger of the settings."""

import functools
from collections.abc import Mapping

from twokey.channels.alerts.handler import Handler
from twokey.channels.alerts.intake import MAX_BODY, PATH, Intake
from twokey.channels.alerts.signing import secrets_of
from twokey.channels.connected import Connected
from twokey.channels.routes import Route
from twokey.channels.workspace import Workspace
from twokey.core.ports import Clock


def connected(workspace: Workspace, clock: Clock, environment: Mapping[str, str]) -> Connected:
    """Put it together. Without a secret in its variable a trigger's deliveries are refused, and no others."""
    config = workspace.config
    routes: list[Route] = []
    for name, trigger in config.triggers.items():
        secrets = functools.partial(secrets_of, trigger.secret_envs, environment)
        intake = Intake(workspace.inbox, name, trigger.kind, secrets)
        routes.append(Route(f"{PATH}{name}", intake.deliver, "alerts", max_bytes=MAX_BODY))
    handler = Handler(
        config.triggers,
        config.telemetry,
        leave=workspace.leave_incident,
        settle=workspace.inbox.settle,
        principal=workspace.directory.principal,
        clock=clock,
    )
    return Connected(handler=handler, routes=routes)
