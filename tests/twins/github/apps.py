"""Users, Apps and their installations in the twin."""

from datetime import UTC, datetime
from typing import Any

import jwt

from twins.github.issues import shown_user
from twins.github.routing import Answer, Asked, Refusal, route
from twins.github.world import App, Installation, Repository, World


def authenticated(world: World, token: str) -> App:
    """Check a JWT as GitHub does."""
    try:
        issuer = int(jwt.decode(token, options={"verify_signature": False})["iss"])
        app = world.apps[issuer]
        claims = jwt.decode(
            token, app.key.public_key(), algorithms=["RS256"], options={"verify_iat": False, "verify_exp": False}
        )
    except (jwt.PyJWTError, KeyError, ValueError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    now = world.now()
    if claims["iat"] > now + 5:
        raise Refusal(
            401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    if claims["exp"] < now:
        raise Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
    if claims["exp"] - claims["iat"] > 600:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def _app_of(world: World, asked: Asked) -> App:
    return authenticated(world, asked.headers["authorization"].split(" ", 1)[1])


@route("GET", "/user", None)
def get_user(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del world, repository
    assert asked.grant is not None
    return Answer(200, shown_user(asked.grant.user) | {"user_view_type": "private"}, "private-user")


@route("GET", "/user/{account_id}", None)
def get_user_by_id(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del repository
    found = [user for user in world.users.values() if str(user.id) == asked.params["account_id"]]
    if not found:
        raise Refusal(404, "Not Found")
    return Answer(200, shown_user(found[0]) | {"user_view_type": "public"}, "public-user")


@route("GET", "/app", "app")
def get_app(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del repository
    app = _app_of(world, asked)
    value = {"id": app.id, "slug": app.slug, "name": app.slug, "permissions": app.permissions, "events": app.events}
    return Answer(200, value, "integration")


@route("GET", "/app/hook/config", "app")
def get_hook(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del repository
    return Answer(200, _app_of(world, asked).hook, "webhook-config")


def _installed(world: World, app: App, repository: Repository | None) -> Installation:
    for installation in world.installations.values():
        if installation.app is app and repository is not None and repository.full_name in installation.repositories:
            return installation
    raise Refusal(404, "Not Found")


def _shown(installation: Installation) -> dict[str, Any]:
    return {
        "id": installation.id,
        "app_id": installation.app.id,
        "permissions": installation.app.permissions,
        "events": installation.app.events,
        "suspended_at": "2026-01-01T00:00:00Z" if installation.suspended else None,
    }


@route("GET", "/repos/{owner}/{repo}/installation", "app")
def get_installation(world: World, repository: Repository | None, asked: Asked) -> Answer:
    return Answer(200, _shown(_installed(world, _app_of(world, asked), repository)), "installation")


@route("POST", "/app/installations/{installation_id}/access_tokens", "app")
def create_token(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del repository
    app = _app_of(world, asked)
    installation = world.installations.get(int(asked.params["installation_id"]))
    if installation is None or installation.app is not app:
        raise Refusal(404, "Not Found")
    if installation.suspended:
        raise Refusal(403, "This installation has been suspended")
    names = asked.body.get("repositories")
    wanted = {name for name in installation.repositories if names is None or name.split("/")[1] in names}
    if names is not None and len(wanted) != len(names):
        raise Refusal(422, "There is at least one repository that does not exist or is not accessible")
    token, until = world.installation_token(installation, wanted)
    expires = datetime.fromtimestamp(until, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Answer(201, {"token": token, "expires_at": expires, "permissions": app.permissions}, "installation-token")
