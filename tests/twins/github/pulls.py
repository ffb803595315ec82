"""Repositories, pull requests and reviews of the twin."""

from typing import Any

from dulwich.objects import Commit, ObjectID
from dulwich.refs import Ref

from twins.github.git import between, commit_at, ref_of, shown_commit, sync
from twins.github.issues import shown_user, ticket_at
from twins.github.routing import Answer, Asked, Refusal, invalid, paged, route
from twins.github.world import PullRequest, Repository, User, World

PULLS = "/repos/{owner}/{repo}/pulls"


@route("GET", "/repos/{owner}/{repo}", "metadata:read")
def get_repository(world: World, repository: Repository, asked: Asked) -> Answer:
    grant = asked.grant
    writes = grant is not None and grant.permissions.get("contents") == "write"
    value = {
        "url": f"{world.api}/repos/{repository.full_name}",
        "id": repository.id,
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": shown_user(world.users[repository.owner]),
        "default_branch": repository.default_branch,
        "permissions": {"admin": False, "push": writes, "pull": True},
    }
    return Answer(200, value, "full-repository")


def _side(world: World, repository: Repository, ref: str, sha: str) -> dict[str, Any]:
    owner = world.users[repository.owner]
    return {
        "label": f"{repository.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": ("simple-user", shown_user(owner)),
        "repo": (
            "repository",
            {
                "id": repository.id,
                "name": repository.name,
                "full_name": repository.full_name,
                "owner": shown_user(owner),
            },
        ),
    }


def shown_pull(world: World, repository: Repository, pull: PullRequest) -> dict[str, Any]:
    ticket = pull.ticket
    base = f"{world.api}/repos/{repository.full_name}"
    return {
        "url": f"{base}/pulls/{ticket.number}",
        "issue_url": f"{base}/issues/{ticket.number}",
        "commits_url": f"{base}/pulls/{ticket.number}/commits",
        "number": ticket.number,
        "id": 10_000 + ticket.number,
        "state": ticket.state,
        "title": ticket.title,
        "body": ticket.body,
        "user": ("simple-user", shown_user(ticket.user)),
        "head": _side(world, repository, pull.head, pull.head_sha),
        "base": _side(world, repository, pull.base, pull.base_sha),
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "closed_at": ticket.closed_at,
        "labels": [("label", {"id": 1, "name": name, "color": "ededed", "description": ""}) for name in ticket.labels],
        "requested_reviewers": [("simple-user", shown_user(user)) for user in pull.reviewers],
        "requested_teams": [("team", {"slug": team, "name": team}) for team in pull.teams],
        "_links": {
            name: {"href": "https://api.github.example/x"}
            for name in (
                "self html issue comments review_comments review_comment commits statuses".split()  # noqa: SIM905
            )
        },
    }


def _whole(world: World, repository: Repository, pull: PullRequest) -> dict[str, Any]:
    return shown_pull(world, repository, pull) | {"merged": pull.merged_at is not None}


def pull_at(world: World, repository: Repository, number: str) -> PullRequest:
    sync(world, repository)
    found = repository.pulls.get(int(number))
    if found is None:
        raise Refusal(404, "Not Found")
    return found


@route("GET", PULLS, "pull_requests:read")
def list_pulls(world: World, repository: Repository, asked: Asked) -> Answer:
    sync(world, repository)
    found = list(repository.pulls.values())
    state = asked.query.get("state", "open")
    found = [pull for pull in found if state in {"all", pull.ticket.state}]
    if "head" in asked.query:
        found = [pull for pull in found if f"{repository.owner}:{pull.head}" == asked.query["head"]]
    if "base" in asked.query:
        found = [pull for pull in found if pull.base == asked.query["base"]]
    if asked.query.get("direction", "desc") == "desc":
        found.reverse()
    page, headers = paged(asked, [shown_pull(world, repository, pull) for pull in found])
    return Answer(200, page, "pull-request-simple", headers)


@route("POST", PULLS, "pull_requests:write")
def create_pull(world: World, repository: Repository, asked: Asked) -> Answer:
    body = asked.body
    head, base = str(body.get("head")).removeprefix(f"{repository.owner}:"), str(body.get("base"))
    tip, base_tip = ref_of(repository, f"refs/heads/{head}"), ref_of(repository, f"refs/heads/{base}")
    if not body.get("title"):
        raise invalid("PullRequest", "title", "missing_field")
    if tip is None:
        raise invalid("PullRequest", "head", "invalid")
    if base_tip is None:
        raise invalid("PullRequest", "base", "invalid")
    if len(str(body.get("body") or "")) > 65_536:
        raise invalid("PullRequest", "body", "custom", "body is too long (maximum is 65536 characters)")
    sync(world, repository)
    if any((pull.head, pull.base, pull.ticket.state) == (head, base, "open") for pull in repository.pulls.values()):
        message = f"A pull request already exists for {repository.owner}:{head}."
        raise Refusal(422, "Validation Failed", {"resource": "PullRequest", "code": "custom", "message": message})
    if not between(repository, base_tip, tip):
        message = f"No commits between {base} and {head}"
        raise Refusal(422, "Validation Failed", {"resource": "PullRequest", "code": "custom", "message": message})
    assert asked.grant is not None
    ticket = world.ticket(repository, body["title"], body.get("body"), asked.grant.user)
    pull = repository.pulls[ticket.number] = PullRequest(ticket, head, base, tip, base_tip)
    return Answer(201, _whole(world, repository, pull), "pull-request")


@route("GET", PULLS + "/{pull_number}", "pull_requests:read")
def get_pull(world: World, repository: Repository, asked: Asked) -> Answer:
    return Answer(
        200, _whole(world, repository, pull_at(world, repository, asked.params["pull_number"])), "pull-request"
    )


@route("PATCH", PULLS + "/{pull_number}", "pull_requests:write")
def update_pull(world: World, repository: Repository, asked: Asked) -> Answer:
    pull = pull_at(world, repository, asked.params["pull_number"])
    body, ticket = asked.body, pull.ticket
    if "state" in body and body["state"] != ticket.state:
        if pull.merged_at is not None:
            raise invalid("PullRequest", "state", "invalid")
        if body["state"] == "open" and ref_of(repository, f"refs/heads/{pull.head}") is None:
            raise invalid("PullRequest", "state", "invalid", "The branch was deleted.")
        ticket.state = body["state"]
        ticket.closed_at = world.moment() if ticket.state == "closed" else None
    ticket.title = body.get("title", ticket.title)
    ticket.body = body.get("body", ticket.body)
    ticket.updated_at = world.moment()
    return Answer(200, _whole(world, repository, pull), "pull-request")


@route("GET", PULLS + "/{pull_number}/commits", "pull_requests:read")
def list_commits(world: World, repository: Repository, asked: Asked) -> Answer:
    pull = pull_at(world, repository, asked.params["pull_number"])
    found = [
        {
            "sha": commit.id.decode(),
            "commit": (
                "commit.commit",
                {
                    "author": shown_commit(commit)["author"],
                    "committer": shown_commit(commit)["committer"],
                    "message": commit.message.decode(),
                    "tree": shown_commit(commit)["tree"],
                    "url": "https://api.github.example/c",
                    "comment_count": 0,
                },
            ),
            "parents": shown_commit(commit)["parents"],
        }
        for commit in between(repository, pull.base_sha, pull.head_sha)[:250]
    ]
    page, headers = paged(asked, found)
    return Answer(200, page, "commit", headers)


@route("POST", PULLS + "/{pull_number}/requested_reviewers", "pull_requests:write")
def request_reviewers(world: World, repository: Repository, asked: Asked) -> Answer:
    pull = pull_at(world, repository, asked.params["pull_number"])
    people = asked.body.get("reviewers", [])
    teams = asked.body.get("team_reviewers", [])
    if not set(people) <= repository.collaborators or not set(teams) <= repository.teams:
        raise Refusal(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a "
            f"collaborator of the {repository.full_name} repository.",
        )
    if pull.ticket.user.login in people:
        raise Refusal(422, "Review cannot be requested from pull request author.")
    pull.reviewers += [world.user(name) for name in people if name not in {user.login for user in pull.reviewers}]
    pull.teams += [team for team in teams if team not in pull.teams]
    return Answer(201, shown_pull(world, repository, pull), "pull-request-simple")


@route("GET", PULLS + "/{pull_number}/reviews/{review_id}", "pull_requests:read")
def get_review(world: World, repository: Repository, asked: Asked) -> Answer:
    pull = pull_at(world, repository, asked.params["pull_number"])
    found = [review for review in pull.reviews if str(review["id"]) == asked.params["review_id"]]
    if not found:
        raise Refusal(404, "Not Found")
    return Answer(200, found[0], "pull-request-review")


@route("GET", PULLS + "/comments/{comment_id}", "pull_requests:read")
def get_review_comment(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    for pull in repository.pulls.values():
        for made in pull.review_comments:
            if str(made["id"]) == asked.params["comment_id"]:
                return Answer(200, made, "pull-request-review-comment")
    raise Refusal(404, "Not Found")


def review(world: World, pull: PullRequest, user: User, state: str, text: str) -> dict[str, Any]:
    """Review a pull request."""
    made = {
        "id": world.next_id(),
        "body": text,
        "state": state,
        "user": ("simple-user", shown_user(user)),
        "submitted_at": world.moment(),
        "commit_id": pull.head_sha,
        "_links": {"html": {"href": "https://github.example/"}, "pull_request": {"href": "https://github.example/"}},
    }
    pull.reviews.append(made)
    return made


def review_comment(
    world: World, pull: PullRequest, user: User, text: str, at: tuple[str, int, int] | None = None, **changes: Any
) -> dict[str, Any]:
    """Comment on a line of a pull request; ``at`` gives the file and the first and last line of its new side."""
    made = {
        "id": world.next_id(),
        "body": text,
        "user": ("simple-user", shown_user(user)),
        "pull_request_url": f"https://api.github.example/repos/x/y/pulls/{pull.ticket.number}",
        "created_at": world.moment(),
        "updated_at": world.moment(),
        "_links": {name: {"href": "https://github.example/"} for name in ("self", "html", "pull_request")},
    }
    if at is not None:
        path, first, last = at
        start = None if first == last else first
        made |= {"path": path, "start_line": start, "line": last, "side": "RIGHT", "commit_id": pull.head_sha}
    made |= changes
    pull.review_comments.append(made)
    return made


def merge(world: World, repository: Repository, number: int, by: User, *, squash: bool = False) -> None:
    """Merge a pull request, as somebody would with the button."""
    pull = pull_at(world, repository, str(number))
    base = ref_of(repository, f"refs/heads/{pull.base}") or ""
    head = commit_at(repository, pull.head_sha)
    assert head is not None
    commit = Commit()
    commit.tree = head.tree
    commit.parents = [ObjectID(base.encode())] + ([] if squash else [head.id])
    commit.author = commit.committer = f"{by.login} <{by.login}@example.org>".encode()
    commit.author_time = commit.commit_time = int(world.now())
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = f"Merge pull request #{number}".encode()
    repository.git.object_store.add_object(commit)
    repository.git.refs[Ref(f"refs/heads/{pull.base}".encode())] = commit.id
    pull.merged_at = pull.ticket.closed_at = pull.ticket.updated_at = world.moment()
    pull.merge_commit = commit.id.decode()
    pull.ticket.state = "closed"
    assert ticket_at(repository, str(number)) is pull.ticket
