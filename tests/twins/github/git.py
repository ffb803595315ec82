"""The git data API of the twin, on a real bare repository."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dulwich.graph import can_fast_forward, find_merge_base
from dulwich.object_store import commit_tree_changes, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref, check_ref_format

from twins.github.routing import Answer, Asked, Refusal, route
from twins.github.world import Repository, World

GIT = "/repos/{owner}/{repo}/git"
_NO_REF = "Reference does not exist"


def ref_of(repository: Repository, name: str) -> str | None:
    value = dict(repository.git.refs.as_dict()).get(Ref(name.encode()))
    return value.decode() if value else None


def commit_at(repository: Repository, sha: str) -> Commit | None:
    return _object(repository, sha, Commit)


def _object(repository: Repository, sha: str, kind: type[Any]) -> Any:
    if not re.fullmatch(r"[0-9a-f]{40}", sha) or ObjectID(sha.encode()) not in repository.git.object_store:
        return None
    found = repository.git.object_store[ObjectID(sha.encode())]
    return found if isinstance(found, kind) else None


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _person(raw: bytes, seconds: int) -> dict[str, str]:
    name, _, email = raw.decode().removesuffix(">").partition(" <")
    return {"name": name, "email": email, "date": _when(seconds)}


def shown_commit(commit: Commit) -> dict[str, Any]:
    return {
        "sha": commit.id.decode(),
        "node_id": "C_",
        "url": "https://api.github.example/c",
        "html_url": "https://github.example/c",
        "author": _person(commit.author, commit.author_time),
        "committer": _person(commit.committer, commit.commit_time),
        "tree": {"sha": commit.tree.decode(), "url": "https://api.github.example/t"},
        "message": commit.message.decode(),
        "parents": [
            {"sha": parent.decode(), "url": "https://api.github.example/c", "html_url": "https://github.example/c"}
            for parent in commit.parents
        ],
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


def _shown_ref(name: str, sha: str) -> Answer:
    value = {
        "ref": name,
        "node_id": "REF_",
        "url": "https://api.github.example/r",
        "object": {"type": "commit", "sha": sha, "url": "https://api.github.example/c"},
    }
    return Answer(200, value, "git-ref")


@route("GET", GIT + "/ref/{ref}", "contents:read")
def get_ref(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    if not repository.git.refs.as_dict():
        raise Refusal(409, "Git Repository is empty.")
    name = f"refs/{asked.params['ref']}"
    sha = ref_of(repository, name)
    if sha is None:
        raise Refusal(404, "Not Found")
    return _shown_ref(name, sha)


@route("POST", GIT + "/refs", "contents:write")
def create_ref(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    name, sha = asked.text("ref") or "", asked.text("sha") or ""
    if not name.startswith("refs/") or name.count("/") < 2 or not check_ref_format(Ref(name.encode())):
        raise Refusal(422, "Reference name is invalid")
    if commit_at(repository, sha) is None:
        raise Refusal(422, "Object does not exist")
    if ref_of(repository, name) is not None:
        raise Refusal(422, "Reference already exists")
    repository.git.refs[Ref(name.encode())] = ObjectID(sha.encode())
    answer = _shown_ref(name, sha)
    answer.status = 201
    return answer


@route("DELETE", GIT + "/refs/{ref}", "contents:write")
def delete_ref(world: World, repository: Repository, asked: Asked) -> Answer:
    name = f"refs/{asked.params['ref']}"
    if ref_of(repository, name) is None:
        raise Refusal(422, _NO_REF)
    branch = name.removeprefix("refs/heads/")
    if branch in repository.protected:
        raise Refusal(422, "Cannot delete this branch")
    sync(world, repository)
    del repository.git.refs[Ref(name.encode())]
    for pull in repository.pulls.values():
        if pull.head == branch and pull.ticket.state == "open":
            pull.ticket.state, pull.ticket.closed_at = "closed", world.moment()
    return Answer(204)


def sync(world: World, repository: Repository) -> None:
    """Let open pull requests follow their branches."""
    del world
    for pull in repository.pulls.values():
        tip = ref_of(repository, f"refs/heads/{pull.head}")
        if pull.ticket.state == "open" and tip is not None:
            pull.head_sha = tip


@route("POST", GIT + "/blobs", "contents:write")
def create_blob(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    content = asked.text("content") or ""
    raw = base64.b64decode(content) if asked.text("encoding") == "base64" else content.encode()
    blob = Blob.from_string(raw)
    repository.git.object_store.add_object(blob)
    return Answer(201, {"url": "https://api.github.example/b", "sha": blob.id.decode()})


@route("GET", GIT + "/blobs/{file_sha}", "contents:read")
def get_blob(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    blob = _object(repository, asked.params["file_sha"], Blob)
    if blob is None:
        raise Refusal(404, "Not Found")
    raw = blob.as_raw_string()
    value = {
        "content": base64.encodebytes(raw).decode(),
        "encoding": "base64",
        "url": "https://api.github.example/b",
        "sha": blob.id.decode(),
        "size": len(raw),
        "node_id": "B_",
    }
    return Answer(200, value)


@route("GET", GIT + "/trees/{tree_sha}", "contents:read")
def get_tree(world: World, repository: Repository, asked: Asked) -> Answer:
    sha = asked.params["tree_sha"]
    commit = commit_at(repository, sha)
    tree = _object(repository, commit.tree.decode() if commit else sha, Tree)
    if tree is None:
        raise Refusal(404, "Not Found")
    recursive = "recursive" in asked.query
    entries = list(_listed(repository, tree, "", recursive=recursive))
    limit = world.truncate_at if recursive or world.cut_folders else None
    cut = limit is not None and len(entries) > limit
    value = {"sha": sha, "url": "https://api.github.example/t", "tree": entries[:limit], "truncated": cut}
    return Answer(200, value)


def _listed(repository: Repository, tree: Tree, above: str, *, recursive: bool) -> Iterator[dict[str, Any]]:
    for item in tree.iteritems():
        path, kind = f"{above}{item.path.decode()}", {0o040000: "tree", 0o160000: "commit"}.get(item.mode, "blob")
        shown: dict[str, Any] = {"path": path, "mode": f"{item.mode:06o}", "type": kind, "sha": item.sha.decode()}
        if kind == "blob":
            shown["size"] = len(repository.git.object_store[item.sha].as_raw_string())
        yield shown | ({} if kind == "commit" else {"url": "https://api.github.example/x"})
        if kind == "tree" and recursive:
            inner = _object(repository, item.sha.decode(), Tree)
            yield from _listed(repository, inner, f"{path}/", recursive=True)


@route("POST", GIT + "/trees", "contents:write")
def create_tree(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    store = repository.git.object_store
    base = asked.text("base_tree")
    tree = _object(repository, base, Tree) if base else Tree()
    if tree is None:
        raise Refusal(422, "base_tree is not a valid tree oid")
    changes: list[Any] = []
    for entry in asked.body["tree"]:
        path, mode = entry["path"].encode(), int(entry.get("mode", "100644"), 8)
        if entry.get("content") is not None:
            blob = Blob.from_string(entry["content"].encode())
            store.add_object(blob)
            changes.append((path, mode, blob.id))
        elif entry.get("sha") is None:
            if base and path not in {item.path for item in iter_tree_contents(store, tree.id)}:
                raise Refusal(422, "GitRPC::BadObjectState")
            changes.append((path, None, None))
        else:
            if ObjectID(entry["sha"].encode()) not in store:
                raise Refusal(422, f"tree.sha {entry['sha']} is not a valid blob")
            changes.append((path, mode, ObjectID(entry["sha"].encode())))
    store.add_object(tree)
    made = store[commit_tree_changes(store, tree.id, changes)]
    assert isinstance(made, Tree)
    value = {
        "sha": made.id.decode(),
        "url": "https://api.github.example/t",
        "tree": list(_listed(repository, made, "", recursive=False)),
        "truncated": False,
    }
    return Answer(201, value)


@route("POST", GIT + "/commits", "contents:write")
def create_commit(world: World, repository: Repository, asked: Asked) -> Answer:
    body = asked.body
    if _object(repository, str(body.get("tree")), Tree) is None:
        raise Refusal(422, "Tree SHA does not exist")
    if any(commit_at(repository, parent) is None for parent in body.get("parents", [])):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    commit = Commit()
    commit.tree = ObjectID(body["tree"].encode())
    commit.parents = [ObjectID(parent.encode()) for parent in body.get("parents", [])]
    assert asked.grant is not None
    mine = {"name": asked.grant.user.login, "email": "noreply@github.example", "date": world.moment()}
    author = body.get("author") or mine
    committer = body.get("committer") or author
    for who, given in (("author", author), ("committer", committer)):
        setattr(commit, who, f"{given['name']} <{given['email']}>".encode())
        at = datetime.fromisoformat(given.get("date", mine["date"]))
        setattr(commit, f"{'commit' if who == 'committer' else who}_time", int(at.timestamp()))
        setattr(commit, f"{'commit' if who == 'committer' else who}_timezone", 0)
    commit.message = body["message"].encode()
    repository.git.object_store.add_object(commit)
    return Answer(201, shown_commit(commit), "git-commit")


@route("GET", GIT + "/commits/{commit_sha}", "contents:read")
def get_commit(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    commit = commit_at(repository, asked.params["commit_sha"])
    if commit is None:
        raise Refusal(404, "Not Found")
    return Answer(200, shown_commit(commit), "git-commit")


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents:read")
def compare(world: World, repository: Repository, asked: Asked) -> Answer:
    del world
    before, _, after = asked.params["basehead"].partition("...")
    old, new = commit_at(repository, before), commit_at(repository, after)
    if old is None or new is None:
        raise Refusal(404, "Not Found")
    status = "diverged"
    if before == after:
        status = "identical"
    elif can_fast_forward(repository.git, old.id, new.id):
        status = "ahead"
    elif can_fast_forward(repository.git, new.id, old.id):
        status = "behind"
    shared = find_merge_base(repository.git, [old.id, new.id])
    value = {
        "status": status,
        "base_commit": {"sha": before},
        "merge_base_commit": {"sha": shared[0].decode() if shared else before},
    }
    return Answer(200, value, "commit-comparison")


def between(repository: Repository, base: str, head: str) -> list[Commit]:
    """The commits that ``head`` has beyond ``base``, oldest first."""
    walker = repository.git.get_walker(include=[ObjectID(head.encode())], exclude=[ObjectID(base.encode())])
    return [entry.commit for entry in walker][::-1]
