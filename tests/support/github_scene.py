"""A workspace and a GitHub, put together as the wiring does: deliveries come in signed, and everything real follows."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from twins.github.fixtures import FULL_NAME, LOCATION, URL, Stand, stand
from twins.github.issues import comment
from twins.github.world import PullRequest, Ticket, User

from support.command import warehouse
from support.workspace import PEOPLE, approve
from twokey.channels import creation, wiring
from twokey.channels.routes import Delivery, Reply
from twokey.channels.workspace import Workspace

SECRET = "a secret of more than sixteen characters"
OLD_SECRET = "the secret that it takes the place of"


@dataclass
class Scene:
    """Both, running."""

    github: Stand
    workspace: Workspace
    count: Any = field(default_factory=itertools.count)

    # -- deliveries ---------------------------------------------------------------------------------------------------

    def send(self, kind: str, payload: Any, *, secret: str = SECRET, **headers: str) -> Reply:
        """Deliver a payload as GitHub does."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        given = {
            "content-type": "application/json",
            "x-github-event": kind,
            "x-github-delivery": f"00000000-0000-0000-0000-{next(self.count):012d}",
            "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        [route] = self.workspace.connected()["github"].routes
        return route.endpoint(
            Delivery(route.path, {name: value for name, value in (given | headers).items() if value}, body)
        )

    def outcome(self, kind: str, payload: Any) -> str:
        """Deliver something new and work it off; gives the code of what became of it."""
        before = set(self.waiting())
        reply = self.send(kind, payload)
        assert reply.status == 202
        new = [name for name in self.waiting() if name not in before]
        return self.workspace.inbox.handle(new[0]) if new else reply.body.decode()

    def waiting(self) -> list[str]:
        return self.workspace.inbox.waiting(before=2**52, limit=1000)

    def post(self) -> None:
        """Post what is wanted."""
        for message in self.workspace.postbox.waiting(before=2**52, limit=1000):
            self.workspace.postbox.post(message)

    # -- people and what they write -----------------------------------------------------------------------------------

    def user(self, login: str) -> User:
        return self.github.world.user(login)

    def link(self, login: str, name: str) -> str:
        """Link an account to a principal, as both of them would."""
        external = f"github:{self.user(login).id}"
        linking = self.workspace.linking
        linking.links.ask(external, name, "github")
        identity, credential = self.workspace.identify(name, "cli")
        linking.confirm(identity, credential, external)
        return external

    def issue(self, title: str = "Orders are late") -> Ticket:
        return self.github.world.ticket(self.github.repository, title, None, self.user("reporter"))

    def write(self, ticket: Ticket, login: str, text: str) -> dict[str, Any]:
        """Somebody comments; gives the payload that GitHub delivers for it."""
        user = self.user(login)
        made = comment(self.github.world, ticket, user, text)
        return self.about(user, "created", issue={"number": ticket.number}, comment={"id": made["id"], "body": text, "user": sender(user)})  # fmt: skip

    def about(self, user: User, action: str, **parts: Any) -> dict[str, Any]:
        """A payload."""
        return {"action": action, "sender": sender(user), "repository": {"full_name": FULL_NAME}} | parts

    def said(self, ticket: Ticket) -> list[str]:
        """What Twokey wrote under an issue or pull request."""
        return [str(made["body"]) for made in ticket.comments if made["user"][1]["login"] == "twokey"]

    def log(self, kind: str) -> list[Any]:
        """Every event of a kind in the log."""
        return [item.entry.event for item in self.workspace.ledger.log.entries(kind=kind, limit=1000)]

    def size(self) -> int:
        """How many entries the log has."""
        latest = self.workspace.ledger.checkpoint()
        return latest.size if latest else 0

    def counted(self, code: str) -> int:
        """How many refusals of a kind the log counts."""
        self.workspace.rejections.flush(everything=True)
        return sum(event.count for event in self.log("channel.rejected") if event.code == code)

    def run_all(self) -> None:
        """Drive every run that was left to the workers."""
        for record in self.workspace.service.runs():
            if record.state == "running":
                self.workspace.service.drive(record.id, lambda _: None)

    def pull(self) -> PullRequest:
        if not self.github.repository.pulls:
            assert (
                self.outcome("issue_comment", self.write(self.issue(), "ana-at-hub", "/twokey catalog people"))
                == "asked"
            )
            self.run_all()
            assert approve(self.workspace, self.workspace.service.waiting()[0].id) == "done"
        return next(reversed(self.github.repository.pulls.values()))


def sender(user: User) -> dict[str, Any]:
    return {"id": user.id, "login": user.login, "type": user.type}


@contextmanager
def scene(folder: Path, more: str = "") -> Generator[Scene]:
    """Both, running; ``more`` is put after the settings."""
    with stand(folder / "github") as github, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        patch.setenv("HUB_TOKEN", github.token)
        patch.setenv("HUB_SECRET", SECRET)
        patch.setenv("HUB_SECRET_OLD", OLD_SECRET)
        place = folder / "w"
        creation.create(place, PEOPLE)
        shop = warehouse(
            folder / "shop.db",
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)",
            "INSERT INTO people VALUES (1, NULL)",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)",
            "INSERT INTO orders VALUES (1, 5), (2, 7)",
        )
        with (place / "twokey.toml").open("a") as settings:
            settings.write(
                f'\n[github]\nurl = "{URL}"\napi = "{github.twin.api}"\ntoken_env = "HUB_TOKEN"\n'
                'webhook_secret_envs = ["HUB_SECRET", "HUB_SECRET_OLD"]\n'
                f'[places.dbt]\nkind = "repository"\nlocation = "{LOCATION}"\n'
                f'[places.shop]\nkind = "warehouse"\nlocation = "sqlite:///{shop}"\n'
                '[catalog]\nwarehouse = "shop"\nrepository = "dbt"\n' + more
            )
        with wiring.opened(place) as workspace:
            yield Scene(github, workspace)
