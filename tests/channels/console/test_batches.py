"""Several proposals on one page: shown whole, answered with one gesture, each by itself and only as it was shown."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support import together
from support.console import Browser, Console

from twokey.channels import wiring
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput
from twokey.core.events import BatchShown
from twokey.core.lifecycle import State


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with together.opened(tmp_path_factory.mktemp("together")) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def house(desk: Workspace) -> Console:
    return Console(desk)


@pytest.fixture(scope="module")
def sam(house: Console) -> Browser:
    return house.browser("sam")


def address(proposals: list[str]) -> str:
    return "/batch?" + "&".join(f"p={each}" for each in proposals)


def digest_in(page: str) -> str:
    found = re.search(r'data-batch="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


def fields(proposals: list[str], digest: str, **more: str) -> dict[str, str]:
    return {"action": "approve", "reason": "", "digest": digest, "proposals": " ".join(proposals), **more}


def signed(browser: Browser, asked: Mapping[str, str], key: Ed25519PrivateKey | None = None) -> str:
    """Sign what the console asks to sign, as the page's script does."""
    answer = browser.post("/batch/statements", asked)
    assert answer.status_code == 200, answer.text
    statements: list[str] = answer.json()["statements"]
    return json.dumps(
        [{"statement": each, "signature": (key or browser.key).sign(each.encode()).hex()} for each in statements]
    )


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def states(desk: Workspace, proposals: list[str]) -> list[State]:
    return [desk.service.find(each).state for each in proposals]


def test_a_batch_is_offered_shown_whole_and_approved_with_one_gesture(desk: Workspace, house: Console, sam: Browser):
    made = together.triaged(desk, 3)
    inbox = sam.get("/inbox").text
    assert "Look at 3 together" in inbox
    assert "together" not in house.browser("ana").get("/inbox").text, "who asked is offered nothing"
    led = re.search(r'href="(/batch\?[^"]+)"', inbox)
    assert led
    page = sam.get(led[1].replace("&amp;", "&")).text
    for each in made:
        record = desk.service.find(each)
        assert f'data-digest="{record.digest}" data-decision="{record.decision_digest}"' in page
        for line in record.proposal.preview.splitlines():
            assert line.strip() in page
    asked = fields(made, digest_in(page))
    given = sam.post("/batch/answer", {**asked, "answers": signed(sam, asked)})
    assert given.status_code == 200, given.text
    assert {each["id"] for each in given.json()["answered"]} == set(made)
    assert all(each["counted"] for each in given.json()["answered"])
    assert states(desk, made) == [State.APPROVED] * 3
    again = sam.post("/batch/answer", {**asked, "answers": signed(sam, asked)})
    assert not any(each["counted"] for each in again.json()["answered"])
    assert all(each["why"] for each in again.json()["answered"])


def test_one_that_is_over_keeps_no_other_back_and_refusing_says_why(desk: Workspace, sam: Browser):
    made = together.triaged(desk, 3)
    digest = digest_in(sam.get(address(made)).text)
    ana, key = desk.identify("ana", "cli")
    desk.service.answer(ana, key, action="withdraw", proposal=made[1], tell=lambda _: None)
    silent = fields(made, digest, action="refuse")
    assert code(sam.post("/batch/statements", silent)) == "no_reason"
    asked = fields(made, digest, action="refuse", reason="Not now.")
    answered = sam.post("/batch/answer", {**asked, "answers": signed(sam, asked)}).json()["answered"]
    assert [each["counted"] for each in answered] == [True, False, True]
    assert answered[1]["why"]
    assert states(desk, made) == [State.REFUSED, State.WITHDRAWN, State.REFUSED]


@pytest.fixture(scope="module")
def waiting(desk: Workspace, sam: Browser) -> tuple[list[str], str]:
    """Proposals that wait, and the batch in which sam was shown them."""
    made = together.triaged(desk, 3)
    return made, digest_in(sam.get(address(made)).text)


def test_nobody_answers_a_batch_that_another_was_shown(
    desk: Workspace, house: Console, sam: Browser, waiting: tuple[list[str], str]
):
    made, digest = waiting
    kim, ana = house.browser("kim"), house.browser("ana")
    asked = fields(made, digest)
    answered = kim.post("/batch/answer", {**asked, "answers": signed(kim, asked)}).json()["answered"]
    assert {each["code"] for each in answered} == {"batch_not_shown"}
    stolen = signed(sam, asked)
    assert not any(
        each["counted"] for each in kim.post("/batch/answer", {**asked, "answers": stolen}).json()["answered"]
    )
    assert ana.get(address(made)).status_code == 409, "who asked is not even shown them as a batch"
    assert house.browser().get(address(made)).status_code == 303
    assert house.browser().post("/batch/answer", asked).status_code == 401
    assert sam.post("/batch/answer", {**asked, "answers": stolen}, csrf="0" * 64).status_code == 409
    assert states(desk, made) == [State.AWAITING_APPROVAL] * 3


def test_what_is_signed_by_another_key_or_says_something_else_does_not_count(
    desk: Workspace, sam: Browser, waiting: tuple[list[str], str]
):
    made, digest = waiting
    asked = fields(made, digest)
    other = sam.post("/batch/answer", {**asked, "answers": signed(sam, asked, Ed25519PrivateKey.generate())})
    assert not any(each["counted"] for each in other.json()["answered"])
    refusing = fields(made, digest, action="refuse", reason="No.")
    mixed = sam.post("/batch/answer", {**asked, "answers": signed(sam, refusing)})
    assert code(mixed) == "other_statement"
    fewer = json.dumps(json.loads(signed(sam, asked))[:2])
    assert code(sam.post("/batch/answer", {**asked, "answers": fewer})) == "other_statement"
    twice = json.dumps(json.loads(signed(sam, asked))[:2] + json.loads(signed(sam, asked))[:1])
    assert code(sam.post("/batch/answer", {**asked, "answers": twice})) == "other_statement"
    for broken in ("", "[]", "{}", "[1]", '[{"statement":"{","signature":""}]', "[" * 9000):
        assert sam.post("/batch/answer", {**asked, "answers": broken}).status_code == 400
    assert states(desk, made) == [State.AWAITING_APPROVAL] * 3


def test_only_the_list_that_was_shown_can_be_answered(desk: Workspace, sam: Browser, waiting: tuple[list[str], str]):
    made, digest = waiting
    for wrong, name in (
        (fields(made[:2], digest), "batch_not_shown"),
        (fields(made, "0" * 64), "batch_not_shown"),
        (fields([*made[:2], "p-000000000000"], digest), "not_found"),
        (fields(made[:1], digest), "bad_answer"),
        (fields(made, digest, action="withdraw"), "bad_answer"),
        (fields(made, digest, reason="x" * 1001), "bad_answer"),
    ):
        answer = sam.post("/batch/statements", wrong)
        assert code(answer) == name, wrong
    for path in ("/batch", "/batch?p=" + made[0], address([made[0], made[0]]), address(["../x", "<b>"])):
        assert sam.get(path).status_code in {400, 404}, path
    shown = len(list(desk.ledger.log.newest(kind="batch.shown")))
    assert sam.client.head(address(made)).status_code == 200
    assert len(list(desk.ledger.log.newest(kind="batch.shown"))) == shown, "who asks for the head was shown nothing"
    event = desk.ledger.log.newest(kind="batch.shown", limit=1)[0].entry.event
    assert isinstance(event, BatchShown)
    assert (event.batch.viewer, event.channel) == ("sam", "console")


def test_what_was_signed_is_held_against_what_was_shown(desk: Workspace, sam: Browser, waiting: tuple[list[str], str]):
    """Behind the page, too: an answer for another digest, or in no batch, is refused before any counts."""
    made, digest = waiting
    identity, key = desk.identify("sam", "cli")
    assert key is not None
    statements = desk.batching.statements(identity, action="approve", digest=digest, proposals=made)
    for change in ({"batch": None}, {"proposal_digest": "0" * 64}, {"decision_digest": "0" * 64}):
        altered = [key.sign(statements[0].model_copy(update=change)), *map(key.sign, statements[1:])]
        with pytest.raises(BadInput) as caught:
            desk.batching.answer_signed(identity, altered, action="approve", digest=digest)
        assert caught.value.code == "other_statement"
    assert states(desk, made) == [State.AWAITING_APPROVAL] * 3
    assert sam.get("/inbox").status_code == 200


def test_in_a_demo_nothing_is_signed_and_the_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path / "home"))
    with wiring.opened(together.create(tmp_path, demo=True)) as workspace:
        made = together.triaged(workspace, 2)
        sam = Console(workspace).browser("sam")
        page = sam.get(address(made)).text
        answered = sam.post("/batch/answer", fields(made, digest_in(page))).json()["answered"]
        assert [each["counted"] for each in answered] == [True, True]
        given = workspace.ledger.log.newest(kind="answer.given", limit=1)[0].entry.event
        assert '"auth":"asserted"' in given.model_dump_json()
