"""Issues, labels, comments and search of the twin."""

import json
import re
from typing import Any

from twins.github.routing import Answer, Asked, Refusal, invalid, paged, route
from twins.github.world import Repository, Ticket, User, World

ISSUES = "/repos/{owner}/{repo}/issues"


def shown_user(user: User) -> dict[str, Any]:
    return {"login": user.login, "id": user.id, "type": user.type, "site_admin": False}


def shown_issue(world: World, repository: Repository, ticket: Ticket) -> dict[str, Any]:
    url = f"{world.api}/repos/{repository.full_name}/issues/{ticket.number}"
    shown: dict[str, Any] = {
        "url": url,
        "comments_url": f"{url}/comments",
        "number": ticket.number,
        "id": 20_000 + ticket.number,
        "title": ticket.title,
        "body": ticket.body,
        "state": ticket.state,
        "state_reason": ticket.state_reason,
        "user": ("simple-user", shown_user(ticket.user)),
        "labels": [("label", {"id": 1, "name": name, "color": "ededed", "description": ""}) for name in ticket.labels],
        "assignee": None,
        "assignees": [("simple-user", shown_user(user)) for user in ticket.assignees],
        "comments": len(ticket.comments),
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "closed_at": ticket.closed_at,
    }
    if ticket.number in repository.pulls:
        shown["pull_request"] = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"))
    return shown


def ticket_at(repository: Repository, number: str) -> Ticket:
    found = repository.tickets.get(int(number))
    if found is None:
        raise Refusal(404, "Not Found")
    return found


@route("GET", ISSUES, "issues:read")
def list_issues(world: World, repository: Repository, asked: Asked) -> Answer:
    query = asked.query
    found = list(repository.tickets.values())
    found = [ticket for ticket in found if query.get("state", "open") in {"all", ticket.state}]
    if "labels" in query:
        found = [ticket for ticket in found if set(query["labels"].split(",")) <= set(ticket.labels)]
    if "since" in query:
        found = [ticket for ticket in found if ticket.updated_at >= query["since"]]
    found.sort(
        key=lambda ticket: (ticket.updated_at, ticket.number) if query.get("sort") == "updated" else ticket.number
    )
    if query.get("direction", "desc") == "desc":
        found.reverse()
    page, headers = paged(asked, [shown_issue(world, repository, ticket) for ticket in found])
    return Answer(200, page, "issue", headers)


@route("POST", ISSUES, "issues:write")
def create_issue(world: World, repository: Repository, asked: Asked) -> Answer:
    assert asked.grant is not None
    title = asked.text("title")
    if not title:
        raise invalid("Issue", "title", "missing_field")
    ticket = world.ticket(repository, title, asked.text("body"), asked.grant.user)
    ticket.labels += asked.body.get("labels", [])
    return Answer(201, shown_issue(world, repository, ticket), "issue")


@route("GET", ISSUES + "/{issue_number}", "issues:read")
def get_issue(world: World, repository: Repository, asked: Asked) -> Answer:
    return Answer(200, shown_issue(world, repository, ticket_at(repository, asked.params["issue_number"])), "issue")


@route("PATCH", ISSUES + "/{issue_number}", "issues:write")
def update_issue(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    body = asked.body
    if "state" in body:
        ticket.state = body["state"]
        ticket.state_reason = body.get("state_reason")
        ticket.closed_at = world.moment() if ticket.state == "closed" else None
    ticket.title = body.get("title", ticket.title)
    ticket.body = body.get("body", ticket.body)
    ticket.updated_at = world.moment()
    return Answer(200, shown_issue(world, repository, ticket), "issue")


def _labels(ticket: Ticket) -> list[Any]:
    return [
        {
            "id": 1,
            "node_id": "L_",
            "url": "https://api.github.example/l",
            "name": name,
            "description": None,
            "color": "ededed",
            "default": False,
        }
        for name in ticket.labels
    ]


@route("POST", ISSUES + "/{issue_number}/labels", "issues:write")
def add_labels(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    given = json.loads(asked.raw or b"[]")
    names = given["labels"] if isinstance(given, dict) else given  # a bare list is fine, too
    if any(len(name) > 50 for name in names):
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    ticket.labels += [name for name in names if name not in ticket.labels]
    ticket.updated_at = world.moment()
    return Answer(200, _labels(ticket))


@route("DELETE", ISSUES + "/{issue_number}/labels/{name}", "issues:write")
def remove_label(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    if asked.params["name"] not in ticket.labels:
        raise Refusal(404, "Label does not exist")
    ticket.labels.remove(asked.params["name"])
    ticket.updated_at = world.moment()
    return Answer(200, _labels(ticket))


@route("POST", ISSUES + "/{issue_number}/assignees", "issues:write")
def add_assignees(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    # GitHub takes those who may be assigned and passes over the others without a word
    known = [name for name in asked.body["assignees"] if name in repository.collaborators]
    ticket.assignees += [world.user(name) for name in known if name not in {user.login for user in ticket.assignees}]
    ticket.updated_at = world.moment()
    return Answer(201, shown_issue(world, repository, ticket), "issue")


@route("DELETE", ISSUES + "/{issue_number}/assignees", "issues:write")
def remove_assignees(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    ticket.assignees = [user for user in ticket.assignees if user.login not in asked.body["assignees"]]
    ticket.updated_at = world.moment()
    return Answer(200, shown_issue(world, repository, ticket), "issue")


@route("GET", ISSUES + "/{issue_number}/comments", "issues:read")
def list_comments(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    ticket = ticket_at(repository, asked.params["issue_number"])
    page, headers = paged(asked, ticket.comments)
    return Answer(200, page, "issue-comment", headers)


@route("POST", ISSUES + "/{issue_number}/comments", "issues:write")
def create_comment(world: World, repository: Repository, asked: Asked) -> Answer:
    ticket = ticket_at(repository, asked.params["issue_number"])
    assert asked.grant is not None
    return Answer(201, comment(world, ticket, asked.grant.user, asked.text("body") or ""), "issue-comment")


def _comment_at(repository: Repository, number: str) -> dict[str, Any]:
    for ticket in repository.tickets.values():
        for made in ticket.comments:
            if str(made["id"]) == number:
                return made
    raise Refusal(404, "Not Found")


@route("GET", ISSUES + "/comments/{comment_id}", "issues:read")
def get_comment(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    return Answer(200, _comment_at(repository, asked.params["comment_id"]), "issue-comment")


@route("PATCH", ISSUES + "/comments/{comment_id}", "issues:write")
def update_comment(world: World, repository: Repository, asked: Asked) -> Answer:
    made = _comment_at(repository, asked.params["comment_id"])
    made["body"], made["updated_at"] = asked.text("body") or "", world.moment()
    return Answer(200, made, "issue-comment")


@route("DELETE", ISSUES + "/comments/{comment_id}", "issues:write")
def delete_comment(world: World, repository: Repository, asked: Asked) -> Answer:
    made = _comment_at(repository, asked.params["comment_id"])
    for ticket in repository.tickets.values():
        if made in ticket.comments:
            ticket.comments.remove(made)
            ticket.updated_at = world.moment()
    return Answer(204)


def comment(world: World, ticket: Ticket, user: User, text: str) -> dict[str, Any]:
    """Put a comment under an issue."""
    if not text or len(text) > 65_536:
        raise invalid("IssueComment", "body", "custom", "body is too long (maximum is 65536 characters)")
    moment = world.moment()
    made = {
        "id": world.next_id(),
        "body": text,
        "user": ("simple-user", shown_user(user)),
        "issue_url": f"https://api.github.example/repos/x/y/issues/{ticket.number}",
        "created_at": moment,
        "updated_at": moment,
    }
    ticket.comments.append(made)
    ticket.updated_at = moment
    return made


@route("GET", "/search/issues", None)
def search(world: World, repository: Repository | None, asked: Asked) -> Answer:
    del repository
    text = asked.query.get("q", "")
    phrases = re.findall(r'"([^"]*)"', text)
    words = dict(word.split(":", 1) for word in re.sub(r'"[^"]*"', "", text).split() if ":" in word)
    grant = asked.grant
    assert grant is not None
    found: list[Any] = []
    for name in grant.repositories & ({words["repo"]} if "repo" in words else grant.repositories):
        repository = world.repositories[name]
        for ticket in repository.tickets.values():
            whole = f"{ticket.title}\n{ticket.body}".casefold()
            if words.get("is") == "issue" and ticket.number in repository.pulls:
                continue
            if "state" in words and words["state"] != ticket.state:
                continue
            if all(phrase.casefold() in whole for phrase in phrases):
                found.append(shown_issue(world, repository, ticket))
    page, headers = paged(asked, found)
    value = {
        "total_count": len(found),
        "search_type": "lexical",
        "incomplete_results": False,
        "items": [("issue-search-result-item", item | {"body": item["body"] or ""}) for item in page],
    }
    return Answer(200, value, None, headers)
