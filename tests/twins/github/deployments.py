"""Deployments of the twin, and what became of them."""

from dataclasses import dataclass, field
from typing import Any

from twins.github.issues import shown_user
from twins.github.routing import Answer, Asked, Refusal, paged, route
from twins.github.world import Repository, User, World

DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"


@dataclass
class Deployed:
    """One deployment; ``statuses`` are (state, time), as they came."""

    id: int
    sha: str
    environment: str
    creator: User
    created_at: str
    description: str | None = None
    statuses: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@route("GET", DEPLOYMENTS, "deployments:read")
def list_deployments(world: World, repository: Repository, asked: Asked) -> Answer:
    newest = sorted(repository.deployments, key=lambda one: (one.created_at, one.id), reverse=True)
    page, headers = paged(asked, newest)
    return Answer(200, [_shown(world, repository, one) for one in page], "deployment", headers)


@route("GET", DEPLOYMENTS + "/{deployment_id}/statuses", "deployments:read")
def list_statuses(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    found = next((one for one in repository.deployments if str(one.id) == asked.params["deployment_id"]), None)
    if found is None:
        raise Refusal(404, "Not Found")
    page, headers = paged(asked, list(reversed(found.statuses)))
    shown = [
        {
            "id": number,
            "state": state,
            "creator": ("simple-user", shown_user(found.creator)),
            "description": "",
            "environment": found.environment,
            "created_at": at,
            "updated_at": at,
        }
        for number, (state, at) in enumerate(page, 1)
    ]
    return Answer(200, shown, "deployment-status", headers)


def _shown(world: World, repository: Repository, one: Deployed) -> dict[str, Any]:
    url = f"{world.api}/repos/{repository.full_name}/deployments/{one.id}"
    return {
        "url": url,
        "statuses_url": f"{url}/statuses",
        "id": one.id,
        "sha": one.sha,
        "ref": "main",
        "task": "deploy",
        "environment": one.environment,
        "description": one.description,
        "creator": ("simple-user", shown_user(one.creator)),
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "payload": {},
    }
