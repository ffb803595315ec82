"""GitHub as a channel: from a comment to a pull request and back, and everything that must not follow from one."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support import uncounted
from support.github_scene import LOCATION, OLD_SECRET, URL, Scene, scene
from support.workspace import approve
from twins.github.fixtures import data_folder
from twins.github.pulls import merge, review, review_comment
from twins.github.server import Fault
from twins.github.world import PullRequest
from typer.testing import CliRunner

from twokey.channels.cli import linking
from twokey.channels.cli.main import app
from twokey.channels.cli.session import SESSION
from twokey.channels.github import connection
from twokey.channels.inbox import Inbound
from twokey.channels.postbox import Message
from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, NotAuthenticated, TryLater, TwokeyError
from twokey.core.events import WriteEnded
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools import links
from twokey.tools.forge import PullRecord
from twokey.tools.opened import opened

DIGESTS = f"{'0' * 64} {'0' * 64}"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as made:
        made.link("ana-at-hub", "ana")
        made.link("sam-at-hub", "sam")
        yield made


def refused(there: Scene, kind: str, payload: Any, **headers: str) -> str:
    before = there.waiting()
    with pytest.raises(NotAuthenticated) as caught:
        there.send(kind, payload, **headers)
    assert there.waiting() == before
    return caught.value.code


def test_a_process_without_the_credential_leaves_deliveries_and_messages_to_another(there: Scene) -> None:
    asked: list[int] = []

    def github() -> Any:
        asked.append(1)
        raise BadInput("The variable is not set.", next="Set it.", code="github_no_token")

    made = connection.connected(there.workspace, github, SystemClock(), {})
    ticket = there.issue("Without a token")
    there.send("issue_comment", there.write(ticket, "ana-at-hub", "/twokey catalog people\nthank you"))
    (waiting,) = there.waiting()
    record = there.workspace.inbox.find(waiting)
    handler, poster = made.handler, made.poster
    assert handler is not None
    assert poster is not None
    assert record is not None
    assert record.body is not None
    given = Inbound(waiting, "github", record.key, record.kind, record.body, record.received_us, 1)
    message = Message("m-000000000001", "github", f"{LOCATION.removeprefix(URL + '/')}#1", "notice:x")
    for do in (lambda: handler.handle(given), lambda: poster.find(message)):
        with pytest.raises(EnvironmentFault, match="not set"):
            do()
    assert asked == [1, 1]
    assert there.workspace.inbox.handle(waiting) == "bad_table"


# -- the whole way ----------------------------------------------------------------------------------------------------


def suggests(there: Scene, record: ProposalRecord, pull: PullRequest) -> None:
    """A suggestion for lines that were proposed becomes a proposal of its own; one that does not fit is answered."""
    (path,) = [edit["path"] for edit in record.proposal.args["files"]][:1]
    suggestion = "Better so:\n```suggestion\nversion: 2  # by hand\n```"
    for at, outcome in ((None, "suggestion_unfit"), ((path, 1, 1), "asked")):
        made = review_comment(there.github.world, pull, there.user("ana-at-hub"), suggestion, at)
        payload = on_pull(there, "ana-at-hub", "created", comment=made)
        assert there.outcome("pull_request_review_comment", payload) == outcome
    stale = review_comment(
        there.github.world, pull, there.user("ana-at-hub"), suggestion, (path, 1, 1), commit_id="0" * 40
    )
    payload = on_pull(there, "ana-at-hub", "created", comment=stale)
    assert there.outcome("pull_request_review_comment", payload) == "suggestion_unfit"
    there.run_all()
    [amended] = there.workspace.service.waiting()
    assert (amended.proposal.requester, amended.proposal.agent) == ("ana", "amendment")
    assert amended.proposal.args["files"][0]["content"].startswith("version: 2  # by hand\n")
    assert record.id in amended.proposal.args["body"]


def test_from_a_comment_to_a_merged_pull_request_and_back(there: Scene) -> None:
    ticket = there.issue("Document the people table")
    payload = there.write(ticket, "ana-at-hub", "/twokey catalog people\nthank you")
    assert there.outcome("issue_comment", payload) == "bad_table"
    payload = there.write(ticket, "ana-at-hub", "/twokey catalog people")
    assert there.outcome("issue_comment", payload) == "asked"
    there.post()
    assert "asked for by `ana`: **running**" in there.said(ticket)[-1]
    there.run_all()
    [record] = there.workspace.service.waiting()
    assert (record.proposal.requester, record.proposal.tool) == ("ana", "open_pull_request")
    look = there.workspace.connected()["github"].look
    assert look is not None
    look()
    there.post()
    there.post()
    assert f"proposal `{record.id}`: **awaiting approval**" in there.said(ticket)[-1]
    assert approve(there.workspace, record.id) == "done"
    pull = there.pull()
    assert pull.ticket.body is not None
    assert f"<!-- twokey:pull {record.id} {record.digest} -->" in pull.ticket.body

    # a review comment of a linked person asks for a change; a stranger's is answered once, and politely
    for _ in range(2):
        made = review_comment(there.github.world, pull, there.user("stranger"), "I would not do that.")
        payload = on_pull(there, "stranger", "created", comment=made)
        assert there.outcome("pull_request_review_comment", payload) == "not_linked"
    there.post()
    assert len([text for text in there.said(pull.ticket) if "does not know who you are" in text]) == 1
    made = review_comment(there.github.world, pull, there.user("ana-at-hub"), "Please document the mail column only.")
    assert (
        there.outcome("pull_request_review_comment", on_pull(there, "ana-at-hub", "created", comment=made)) == "asked"
    )
    latest = there.workspace.service.runs()[0]
    assert latest.request.text == f"Change proposal {record.id}: Please document the mail column only."
    assert (latest.requester, latest.auth, latest.channel) == ("ana", "github", "github")

    suggests(there, record, pull)

    # merged: told by GitHub itself, recorded once, whatever order deliveries come in
    closed = on_pull(there, "sam-at-hub", "closed")
    assert there.outcome("pull_request", closed | {"x": 1}) == "known", "it is open still, whatever a delivery says"
    merge(there.github.world, there.github.repository, pull.ticket.number, there.user("sam-at-hub"))
    assert there.outcome("pull_request", closed) == "merged"
    assert there.outcome("pull_request", on_pull(there, "sam-at-hub", "reopened")) == "known"
    [ended] = there.log("pull_request.ended")
    assert (ended.proposal, ended.outcome, ended.head) == (record.id, "merged", pull.head_sha)
    assert ended.merge == pull.merge_commit
    made = review_comment(there.github.world, pull, there.user("ana-at-hub"), "Too late.")
    payload = on_pull(there, "ana-at-hub", "created", comment=made)
    assert there.outcome("pull_request_review_comment", payload) == "ignored_over"
    looked = len(there.github.twin.calls)
    look()
    there.post()
    assert f"proposal `{record.id}`: **done**" in there.said(ticket)[-1]
    look()
    assert there.workspace.postbox.waiting(before=2**52, limit=9) == []
    assert len(there.github.twin.calls) > looked


def test_what_is_said_about_other_pull_requests_asks_for_nothing(there: Scene) -> None:
    ticket = there.issue()
    made = review_comment(there.github.world, there.pull(), there.user("ana-at-hub"), "hm")
    user = there.user("ana-at-hub")
    about = {"number": ticket.number}
    payload = there.about(user, "created", pull_request=about, comment={"id": made["id"], "body": "hm"})
    assert there.outcome("pull_request_review_comment", payload) == "ignored_differs"
    closed = there.about(user, "closed", pull_request=about)
    assert there.outcome("pull_request", closed) == "ignored_not_ours"
    assert there.outcome("pull_request", {**closed, "action": "labeled"}) == "ignored_action"


@pytest.mark.parametrize("login", ["mallory", "twokey"])
@pytest.mark.parametrize(("branch", "base"), [("twokey/copy", "main"), (None, "other"), ("twokey/copy-of", "other")])
def test_a_look_alike_is_never_recorded_as_what_became_of_a_proposal(
    there: Scene, login: str, branch: str | None, base: str
) -> None:
    """Words of a pull request and of its commit can be copied; what the receipt in the log says cannot."""
    ours = there.pull()
    before = len(there.log("pull_request.ended"))
    copy = there.github.look_alike(ours, login, branch=branch and f"{branch}-{login}", base=base)
    about = {"number": copy.ticket.number}
    copy.ticket.state = "closed"
    payload = there.about(there.user(login), "closed", pull_request=about)
    assert there.outcome("pull_request", payload) == "ignored_not_ours"
    copy.merged_at, copy.merge_commit = "2026-01-01T00:00:00Z", copy.head_sha
    assert there.outcome("pull_request", payload | {"x": 1}) == "ignored_not_ours"
    made = review_comment(there.github.world, copy, there.user("ana-at-hub"), "Please change it.")
    shown = {"id": made["id"], "body": made["body"]}
    payload = there.about(there.user("ana-at-hub"), "created", pull_request=about, comment=shown)
    assert there.outcome("pull_request_review_comment", payload) == "ignored_not_ours"
    assert len(there.log("pull_request.ended")) == before
    del there.github.repository.pulls[copy.ticket.number]


def proposed_pull(there: Scene) -> tuple[ProposalRecord, PullRecord]:
    """The latest pull request of ours, and what is read of it."""
    pull = there.pull()
    record = there.workspace.service.find(str(pull.ticket.body).partition("twokey:pull ")[2][:14])
    seen: list[PullRecord] = []
    with there.github.forge().open(LOCATION) as repository:
        seen += [item for item in repository.pulls().records if item.id == record.id]
    return record, seen[0]


def test_what_is_followed_is_proven_by_the_receipt_in_every_part(there: Scene) -> None:
    record, seen = proposed_pull(there)
    proven = functools.partial(connection.proven, there.workspace)
    assert proven("acme/dbt", seen)
    assert proven("ACME/dbt", seen)
    assert not proven("acme/other", seen)
    for change in (
        {"head": "0" * 40},
        {"branch": "twokey/x"},
        {"base_branch": "x"},
        {"tree": "0" * 40},
        {"digest": "0" * 64},
    ):
        assert not proven("acme/dbt", seen.model_copy(update=change))
    assert not proven("acme/dbt", seen.model_copy(update={"id": "p-000000000000"}))
    engine = there.workspace.ledger.engine
    [receipt] = [event for event in there.log("write.ended") if event.proposal == record.id]
    with engine.begin() as changed:
        changed.execute(tables.proposals.update().where(tables.proposals.c.id == record.id).values(state="executing"))
    with pytest.raises(TryLater):
        proven("acme/dbt", seen)
    row = tables.openings.c.commitment == receipt.result
    with engine.begin() as changed:
        changed.execute(tables.proposals.update().where(tables.proposals.c.id == record.id).values(state="done"))
        value = changed.execute(select(tables.openings.c.value).where(row)).scalar_one()
        changed.execute(tables.openings.update().where(row).values(value=value.replace(b"twokey/", b"twokez/")))
    with pytest.raises(CheckFailed):
        proven("acme/dbt", seen)
    with engine.begin() as changed:
        changed.execute(tables.openings.update().where(row).values(value=value))
    assert proven("acme/dbt", seen)


def test_a_proposal_that_opened_nothing_proves_nothing(there: Scene) -> None:
    record, _ = proposed_pull(there)
    ledger = there.workspace.ledger
    assert opened(ledger, record) is not None
    assert opened(ledger, dataclasses.replace(record, digest="0" * 64)) is None
    other = record.proposal.model_copy(update={"tool": "update_ticket"})
    assert opened(ledger, dataclasses.replace(record, proposal=other, digest=other.digest())) is None
    waits = record.proposal.model_copy(update={"id": "p-000000000000"})
    assert opened(ledger, dataclasses.replace(record, id=waits.id, proposal=waits, digest=waits.digest())) is None
    word = WriteEnded(
        proposal="p-000000000000", run=record.run, digest=waits.digest(), executor="x-000000000001", outcome="written",
        code="by_word",
    )  # fmt: skip
    ledger.record(word, word.model_copy(update={"outcome": "unknown", "result": "0" * 64}))
    assert opened(ledger, dataclasses.replace(record, id=waits.id, proposal=waits, digest=waits.digest())) is None


def on_pull(there: Scene, login: str, action: str, **parts: Any) -> dict[str, Any]:
    user = there.user(login)
    shown = {name: {"id": made["id"], "body": made["body"]} for name, made in parts.items()}
    return there.about(user, action, pull_request={"number": there.pull().ticket.number}, **shown)


def test_a_request_is_made_once_and_shown_once_however_often_it_is_cut_off(there: Scene) -> None:
    there.post()
    ticket = there.issue()
    payload = there.write(ticket, "ana-at-hub", "/twokey ask document the people table")
    there.send("issue_comment", payload)
    [inbound] = there.waiting()
    there.github.twin.faults = [Fault("cut_before", "GET", times=3)]
    with pytest.raises(TwokeyError) as caught:
        there.workspace.inbox.handle(inbound)
    assert caught.value.code == "github_unreachable"
    before = len(there.workspace.service.runs())
    assert there.workspace.inbox.handle(inbound) == "asked"
    assert there.workspace.inbox.handle(inbound) == "over"
    assert len(there.workspace.service.runs()) == before + 1
    [message] = there.workspace.postbox.waiting(before=2**52, limit=10)
    there.github.twin.faults = [Fault("cut_after", "POST", "/comments")]
    with pytest.raises(TwokeyError):
        there.workspace.postbox.post(message)
    there.github.twin.faults = []
    assert there.workspace.postbox.post(message) == "posted"
    assert len(there.said(ticket)) == 1


def test_ordinary_chatter_costs_no_call(there: Scene) -> None:
    ticket = there.issue()
    said = there.write(ticket, "ana-at-hub", "Shall we ask /twokey about it?")
    pull = {"number": there.pull().ticket.number}
    empty = there.about(there.user("ana-at-hub"), "submitted", pull_request=pull, review={"id": 7, "body": None})
    before = len(there.github.twin.calls)
    assert there.outcome("issue_comment", said) == "ignored_not_for_us"
    assert there.outcome("pull_request_review", empty) == "ignored_empty"
    assert len(there.github.twin.calls) == before


def test_a_rate_limit_keeps_no_worker_waiting(there: Scene) -> None:
    """A stranger can bring it about, with as many comments as it takes."""
    ticket = there.issue()
    there.send("issue_comment", there.write(ticket, "ana-at-hub", "/twokey help"))
    [inbound] = there.waiting()
    there.github.twin.faults = [Fault("secondary", retry_after=500)]
    began = time.monotonic()
    with pytest.raises(TryLater) as caught:
        there.workspace.inbox.handle(inbound)
    assert (caught.value.code, caught.value.seconds) == ("github_rate_limit", 500.0)
    assert there.waiting() == [inbound]
    assert there.workspace.inbox.handle(inbound) == "help"
    [message] = there.workspace.postbox.waiting(before=2**52, limit=10)
    there.github.twin.faults = [Fault("secondary", "POST", retry_after=400)]
    with pytest.raises(TryLater):
        there.workspace.postbox.post(message)
    assert time.monotonic() - began < 400, "either limit alone is longer"
    waiting = there.workspace.postbox.find(message)
    assert waiting is not None
    assert (waiting.state, waiting.code, waiting.attempts) == ("wanted", "waits", 0)
    assert waiting.not_before_us > there.workspace.service._clock.now_us() + 300_000_000  # pyright: ignore[reportPrivateUsage]


def test_what_changes_while_a_comment_is_on_its_way_is_shown_afterwards(there: Scene) -> None:
    there.post()
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey ask what is this")) == "asked"
    run = there.workspace.service.runs()[0].id
    [message] = there.workspace.postbox.waiting(before=2**52, limit=10)

    def moved(value: Any) -> Any:
        now = tables.runs.update().where(tables.runs.c.id == run).values(updated_us=SystemClock().now_us())
        with there.workspace.ledger.engine.begin() as changed:
            changed.execute(now)
        return value

    there.github.twin.faults = [Fault("tamper", "POST", "/comments", change=moved)]
    assert there.workspace.postbox.post(message) == "posted"
    look = there.workspace.connected()["github"].look
    assert look is not None
    look()
    assert there.workspace.postbox.waiting(before=2**52, limit=10) == [message]
    there.post()
    look()
    assert there.workspace.postbox.waiting(before=2**52, limit=10) == []


# -- attacks ----------------------------------------------------------------------------------------------------------


def test_a_delivery_is_held_to_its_signature_before_anything_is_read(there: Scene) -> None:
    payload = there.write(there.issue(), "ana-at-hub", "/twokey ask something")
    assert refused(there, "issue_comment", payload, secret="another secret, and long enough") == "bad_signature"
    body = json.dumps(payload).encode()
    sha1 = "sha1=" + hashlib.sha1(body, usedforsecurity=False).hexdigest()
    only_sha1 = {"x-hub-signature-256": "", "x-hub-signature": sha1}
    assert refused(there, "issue_comment", payload, **only_sha1) == "no_signature"
    for odd in ("sha256=", "sha256=" + "0" * 63, "sha256=" + "G" * 64, "0" * 64):
        assert refused(there, "issue_comment", payload, **{"x-hub-signature-256": odd}) == "no_signature"
    assert refused(there, "issue_comment", b"{ not json", **{"x-hub-signature-256": ""}) == "no_signature"
    assert (
        refused(there, "issue_comment", payload, **{"content-type": "application/x-www-form-urlencoded"}) == "not_json"
    )
    assert refused(there, "issue_comment", b" " * (25 * 1024 * 1024 + 1)) == "body_too_large"


def test_the_old_secret_counts_while_it_is_changed_for_the_new(there: Scene) -> None:
    payload = there.write(there.issue(), "ana-at-hub", "just talking")
    assert there.send("issue_comment", payload, secret=OLD_SECRET).body == b"Taken."
    [inbound] = there.waiting()
    assert there.workspace.inbox.handle(inbound) == "ignored_not_for_us"


def test_signed_nonsense_is_taken_and_politely_ignored(there: Scene) -> None:
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"[" * 50_000, b"\xff\xfe", b'{"action": 7}', b'{"comment": []}'):
        assert there.outcome("issue_comment", body) == "ignored_unreadable"
    assert there.send("no_such_kind", b"{").body == b"Nothing follows from that."
    assert there.send("ping", b"{}").body == b"Hello."


def test_a_replayed_delivery_is_known_whatever_its_headers_say(there: Scene) -> None:
    payload = there.write(there.issue(), "ana-at-hub", "/twokey help")
    assert there.outcome("issue_comment", payload) == "help"
    assert there.send("issue_comment", payload).body == b"Known already."
    assert (
        there.send("pull_request_review_comment", payload, **{"x-github-delivery": "other"}).body == b"Known already."
    )


def test_what_was_written_long_ago_is_no_request_today(there: Scene) -> None:
    ticket = there.issue()
    payload = there.write(ticket, "ana-at-hub", "/twokey ask document people")
    ticket.comments[-1]["created_at"] = "2024-01-01T00:00:00Z"
    assert there.outcome("issue_comment", payload) == "ignored_stale"
    payload = there.write(ticket, "ana-at-hub", "/twokey ask document people")
    ticket.comments[-1]["created_at"] = "2124-01-01T00:00:00Z"
    assert there.outcome("issue_comment", payload) == "ignored_stale"


def test_a_delivery_that_github_does_not_bear_out_is_ignored(there: Scene) -> None:
    """Somebody has the secret and writes deliveries: what they say is not what counts."""
    ticket = there.issue()
    before = len(there.workspace.service.runs())
    forged = there.write(ticket, "stranger", "/twokey ask document people")
    ana = there.user("ana-at-hub")
    assert there.outcome("issue_comment", forged | {"sender": {"id": ana.id, "type": "User"}}) == "ignored_differs"
    other = {**forged["comment"], "body": "/twokey ask something else"}
    assert there.outcome("issue_comment", forged | {"comment": other}) == "ignored_changed"
    moved = {"number": there.issue().number}
    assert there.outcome("issue_comment", forged | {"issue": moved}) == "ignored_differs"
    gone = {**forged["comment"], "id": 1}
    assert there.outcome("issue_comment", forged | {"comment": gone}) == "ignored_gone"
    assert there.outcome("issue_comment", forged | {"action": "edited"}) == "ignored_action"
    elsewhere = {"full_name": "mallory/dbt"}
    assert there.outcome("issue_comment", forged | {"repository": elsewhere}) == "ignored_elsewhere"
    assert there.outcome("issue_comment", {"action": "created"}) == "ignored_elsewhere"
    assert len(there.workspace.service.runs()) == before


def test_bots_are_not_heard_and_twokey_does_not_talk_to_itself(there: Scene) -> None:
    ticket = there.issue()
    there.github.world.user("helper[bot]", "Bot")
    payload = there.write(ticket, "helper[bot]", "/twokey ask document people")
    assert there.outcome("issue_comment", payload) == "ignored_bot"
    lied = payload | {"sender": {**payload["sender"], "type": "User"}}
    assert there.outcome("issue_comment", lied) == "ignored_bot"


def test_a_stranger_is_told_once_and_noted(there: Scene, caplog: pytest.LogCaptureFixture) -> None:
    ticket = there.issue()
    for number in range(3):
        payload = there.write(ticket, "mallory", f"/twokey ask document table {number}")
        assert there.outcome("issue_comment", payload) == "not_linked"
    there.post()
    assert len(there.said(ticket)) == 1
    assert caplog.text.count("not_linked") == 3
    there.workspace.rejections.flush(everything=True)
    assert sum(event.count for event in there.log("channel.rejected") if event.code == "not_linked") >= 3


@pytest.mark.parametrize("login", ["mallory", "sam-at-hub"])
@pytest.mark.parametrize(
    "text",
    [
        "/twokey approve",
        "/twokey approve p-000000000001",
        "/twokey lgtm",
        "/twokey ask approve p-000000000001",
        "/twokey  REFUSE x",
    ],
)
def test_words_that_try_to_approve_are_refused_answered_and_recorded(there: Scene, login: str, text: str) -> None:
    ticket = there.issue()
    known = login == "sam-at-hub"
    before, counted = len(there.log("click.rejected")), there.counted("not_by_typing")
    runs = len(there.workspace.service.runs())
    assert there.outcome("issue_comment", there.write(ticket, login, text)) == "not_by_typing"
    there.post()
    assert "Nothing was approved or refused" in there.said(ticket)[-1]
    assert len(there.log("click.rejected")) == before + known
    assert there.counted("not_by_typing") == counted + (not known)
    if known:
        last = there.log("click.rejected")[-1]
        assert (last.principal, last.auth, last.channel) == ("sam", "github", "github")
    assert len(there.workspace.service.runs()) == runs


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("/twokey approve", "not_by_typing"),
        ("/twokey ask for number {}", "not_linked"),
        ("/twokey link ana", "principal_linked"),
        ("/twokey link who", "unknown_principal"),
    ],
)
def test_a_stranger_cannot_fill_the_log(there: Scene, text: str, counted: str) -> None:
    ticket = there.issue()
    size = there.size()
    codes = {
        there.outcome("issue_comment", there.write(ticket, "mallory", text.format(n) + "\n" * n)) for n in range(12)
    }
    assert len(codes) == 1
    assert there.size() - size <= 1, "one entry a minute, however many there are"
    assert there.counted(counted) >= 12


def test_an_approving_review_counts_only_where_policy_admits_it(there: Scene) -> None:
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey catalog orders")) == "asked"
    there.run_all()
    record, pull = there.workspace.service.waiting()[0], there.pull()
    text = f"/twokey approve {record.id} {record.digest} {record.decision_digest}"
    made = review(there.github.world, pull, there.user("sam-at-hub"), "APPROVED", text)
    assert there.outcome("pull_request_review", on_pull(there, "sam-at-hub", "submitted", review=made)) == "key_needed"
    assert there.workspace.service.find(record.id).state.value == "awaiting_approval"
    assert there.log("click.rejected")[-1].proposal == record.id


def test_a_review_counts_for_the_decision_that_it_names_and_no_other(there: Scene) -> None:
    """It lay around while policy changed: what stands there now was not what its author saw."""
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey catalog orders")) == "asked"
    there.run_all()
    record, pull = there.workspace.service.waiting()[0], there.pull()
    for digests in (f"{'0' * 16} {record.decision_digest}", f"{record.digest} {'0' * 16}"):
        made = review(
            there.github.world, pull, there.user("sam-at-hub"), "APPROVED", f"/twokey approve {record.id} {digests}"
        )
        payload = on_pull(there, "sam-at-hub", "submitted", review=made)
        assert there.outcome("pull_request_review", payload) == "card_changed"
        assert there.log("click.rejected")[-1].code == "card_changed"


def test_a_review_approves_nothing_unless_it_names_the_digests(there: Scene) -> None:
    pull = there.pull()
    for state, text in (
        ("APPROVED", "/twokey approve p-000000000001"),
        ("APPROVED", "/twokey approve p-000000000001 " + "0" * 64),
        ("COMMENTED", "/twokey approve p-000000000001 " + DIGESTS),
        ("CHANGES_REQUESTED", "/twokey approve p-000000000001 " + DIGESTS),
    ):
        made = review(there.github.world, pull, there.user("sam-at-hub"), state, text)
        payload = on_pull(there, "sam-at-hub", "submitted", review=made)
        assert there.outcome("pull_request_review", payload) == "not_by_typing"
    made = review(
        there.github.world, pull, there.user("sam-at-hub"), "APPROVED", "/twokey approve p-000000000001 " + DIGESTS
    )
    assert there.outcome("pull_request_review", on_pull(there, "sam-at-hub", "submitted", review=made)) == "not_found"


def test_an_account_is_called_what_github_calls_it_and_nothing_odd(there: Scene) -> None:
    called = there.workspace.connected()["github"].called
    assert called is not None
    assert called(f"github:{there.user('mallory').id}") == "mallory"
    assert called("github:1") is None
    assert called("slack:T1/U1") is None
    for change in ({"login": "\x1b[2J ana"}, {"id": 7}):
        there.github.twin.faults = [
            Fault("tamper", "GET", "/user/", change=lambda value, change=change: value | change)
        ]
        assert called(f"github:{there.user('mallory').id}") is None


def test_who_asks_to_be_linked_is_told_the_very_command_that_confirms_it(
    there: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as undo:
        undo.callback(there.link, "sam-at-hub", "sam")
        identity, credential = there.workspace.identify("sam", "cli")
        there.workspace.linking.remove(identity, credential, f"github:{there.user('sam-at-hub').id}")
        ticket = there.issue()
        for login in ("sam-again", "sam-otherwise", "sam-again"):
            assert there.outcome("issue_comment", there.write(ticket, login, "/twokey link sam")) == "link_asked"
            there.post()
        said = there.said(ticket)
        assert len(said) == 2, "one for each account and issue"
        for login, words in zip(("sam-again", "sam-otherwise"), said, strict=True):
            assert f"`twokey link confirm github:{there.user(login).id}`" in words
        asks = there.workspace.linking.asked(identity)
        latest = {f"github:{there.user(login).id}": login for login in ("sam-otherwise", "sam-again")}
        assert [ask.external for ask in asks] == list(latest)
        assert there.workspace.linking.called(asks) == latest
        there.github.twin.faults = [Fault("forbidden", "GET", "/user/")]
        assert there.workspace.linking.called(asks) == {}, "a name is a help; nothing hangs on it"
        monkeypatch.setenv("TWOKEY_HOME", str(there.workspace.folder.parent / "home"))
        monkeypatch.setattr(SESSION, "workspace", there.workspace.folder)
        monkeypatch.setattr(SESSION, "principal", "sam")
        listed = CliRunner().invoke(app, ["link", "list"]).output
        assert f"github:{there.user('sam-again').id}".ljust(32) + " asks to be you (sam-again): confirm" in listed
        monkeypatch.setattr(linking, "_at_a_terminal", lambda: True)
        offered = CliRunner().invoke(app, ["link", "confirm"], input="\n").output
        assert f"  github:{there.user('sam-otherwise').id} (sam-otherwise)" in offered


def test_linking_is_asked_for_here_and_confirmed_with_a_key(there: Scene) -> None:
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey link ana")) == "linked_already"
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey link sam")) == "linked_to_another"
    there.post()
    assert len(there.said(ticket)) == 2


def test_a_stranger_does_not_learn_who_there_is_by_asking_to_be_them(there: Scene) -> None:
    """Whether a name exists, is somebody's here, or is none: the answer is the same, and stands there once."""
    said: list[list[str]] = []
    for login, name in (("m1", "sam"), ("m2", "ana"), ("m3", "nobody-here"), ("m4", "@everyone **x**")):
        ticket = there.issue()
        for _ in range(2):
            payload = there.write(ticket, login, f"/twokey link {name}")
            assert there.outcome("issue_comment", payload) == "link_asked"
            there.post()
        said.append([text.replace(str(there.user(login).id), "NUMBER") for text in there.said(ticket)])
    assert [len(texts) for texts in said] == [1, 1, 1, 1]
    assert len({re.sub("m-[0-9a-z]+", "", texts[0]) for texts in said}) == 1
    assert not any("@" in text or "**x**" in text for texts in said for text in texts)
    assert there.counted("unknown_principal") >= 4


def test_a_stranger_does_not_fill_the_log_by_asking_to_be_one_and_another(there: Scene) -> None:
    with contextlib.ExitStack() as undo:
        for name in ("ana", "sam"):
            undo.callback(there.link, f"{name}-at-hub", name)
            identity, credential = there.workspace.identify(name, "cli")
            there.workspace.linking.remove(identity, credential, f"github:{there.user(f'{name}-at-hub').id}")
        ticket = there.issue()
        before = len(there.log("identity.link_asked"))
        for number in range(links.MOST_OF_ONE + 4):
            payload = there.write(ticket, "mallory-asks", f"/twokey link {('sam', 'ana')[number % 2]}")
            assert there.outcome("issue_comment", payload) == "link_asked"
        assert len(there.log("identity.link_asked")) - before == links.MOST_OF_ONE
        there.post()
        assert len(there.said(ticket)) == 1
        assert there.counted("too_many_asks") == 2, "the ask that is open stays so"


def test_what_a_stranger_is_told_stands_there_once_and_is_not_written_again(there: Scene) -> None:
    ticket = there.issue()
    for _ in range(3):
        assert there.outcome("issue_comment", there.write(ticket, "mallory", "/twokey ask for it")) == "not_linked"
        there.post()
    assert len(there.said(ticket)) == 1
    assert there.outcome("issue_comment", there.write(ticket, "mallory", "/twokey ask for it")) == "not_linked"
    assert there.workspace.postbox.waiting(before=2**52, limit=10) == []


def test_what_is_shown_does_not_hang_on_the_clocks_of_those_who_drive_and_post(there: Scene) -> None:
    there.post()
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey ask what is this")) == "asked"
    run = there.workspace.service.runs()[0].id
    look = there.workspace.connected()["github"].look
    assert look is not None
    for hours in (1, -1):  # the driver's clock is ahead of the poster's, then behind it
        changed_us = SystemClock().now_us() + hours * 3600 * 1_000_000
        with there.workspace.ledger.engine.begin() as connection:
            connection.execute(tables.runs.update().where(tables.runs.c.id == run).values(updated_us=changed_us))
        look()
        there.post()
        look()
        assert there.workspace.postbox.waiting(before=2**52, limit=10) == [], "what is shown is not shown again"
        (shown,) = there.workspace.postbox.shown(f"progress:{run}")
        assert (shown.state, shown.shown_us) == ("posted", changed_us)


def test_a_review_that_comes_again_has_answers_counted_that_a_dead_process_left(there: Scene) -> None:
    ticket = there.issue()
    assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", "/twokey catalog orders")) == "asked"
    there.run_all()
    record, pull = there.workspace.service.waiting()[0], there.pull()
    uncounted.store_signed(there.workspace, record, "sam")
    text = f"/twokey approve {record.id} {record.digest} {record.decision_digest}"
    made = review(there.github.world, pull, there.user("sam-at-hub"), "APPROVED", text)
    assert there.outcome("pull_request_review", on_pull(there, "sam-at-hub", "submitted", review=made)) == "answered"
    assert there.workspace.service.find(record.id).state.value == "approved"
    assert there.workspace.service.carry_out(record.id).state.value == "done"


def test_commands_that_are_none_are_answered_with_those_that_are(there: Scene) -> None:
    ticket = there.issue()
    for text, code in (
        ("/twokey", "help"),
        ("/twokey help", "help"),
        ("/twokey dance", "no_command"),
        ("/twokey ask", "bad_input"),
        ("/twokeys ask x", "ignored_not_for_us"),
        ("> /twokey ask x", "ignored_not_for_us"),
        ("hello\n/twokey ask x", "ignored_not_for_us"),
    ):
        assert there.outcome("issue_comment", there.write(ticket, "ana-at-hub", text)) == code
    there.post()
    assert len(there.said(ticket)) == 4


def test_installations_are_told_apart_from_what_is_none(there: Scene) -> None:
    assert there.outcome("installation", {"action": "suspend"}) == "installation_suspend"
    assert there.outcome("installation_repositories", {"action": "removed"}) == "installation_removed"
    assert there.outcome("installation", {"action": "explode"}) == "ignored_action"


def test_every_payload_of_the_official_collection_is_handled_or_politely_ignored(there: Scene) -> None:
    data = data_folder()
    if data is None:
        pytest.skip("development data is not here (TWOKEY_TEST_DATA)")
    files = sorted((data / "github" / "webhooks").glob("*/*.json"))
    seen: dict[str, int] = {}
    for file in files:
        body = file.read_bytes()
        for variant in (body, body.replace(b'"full_name":', b'"full_name": "acme/dbt", "was":')):
            reply = there.send(file.parent.name, variant)
            seen[reply.body.decode()] = seen.get(reply.body.decode(), 0) + 1
            assert reply.status in {200, 202}, file.name
    for inbound in there.waiting():
        code = there.workspace.inbox.handle(inbound)
        assert code == "known" or code.startswith(("ignored", "installation_")), code
    assert len({file.parent.name for file in files}) >= 51
    assert seen["Taken."] > 20


def test_the_official_example_of_a_signature_verifies() -> None:
    from twokey.channels.github.signing import Verifier

    data = data_folder()
    if data is None:
        pytest.skip("development data is not here (TWOKEY_TEST_DATA)")
    for vector in json.loads((data / "github" / "signature_vectors.json").read_text(encoding="utf-8")):
        headers = {"x-hub-signature-256": vector["x-hub-signature-256"], "content-type": "application/json"}
        Verifier([b"x" * 16, vector["secret"].encode()]).check(headers, vector["body"].encode())
        with pytest.raises(NotAuthenticated):
            Verifier([vector["secret"].encode()]).check(headers, vector["body"].encode() + b"!")


def test_without_its_secret_nothing_is_taken_and_the_worker_goes_on(
    there: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_SECRET")
    before = there.waiting()
    with pytest.raises(EnvironmentFault) as caught:
        there.send("issue_comment", there.write(there.issue(), "ana-at-hub", "/twokey ask document people"))
    assert caught.value.code == "github_no_secret"
    assert there.waiting() == before
    assert there.workspace.connected()["github"].handler is not None


def test_a_workspace_with_a_secret_that_is_none_says_so(tmp_path: Path) -> None:
    del tmp_path
    from twokey.channels.github.signing import secrets_of

    for environment in ({}, {"HUB": ""}, {"HUB": "short"}):
        with pytest.raises(TwokeyError) as caught:
            secrets_of(["HUB"], environment)
        assert caught.value.code == "github_no_secret"
    assert secrets_of(["HUB"], {"HUB": " sixteen characters \n"}) == (b"sixteen characters",)
