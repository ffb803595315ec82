"""Attacks on answers: what a browser signs is its own person's, for what the page showed, once, and while it may."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.console import Browser, Console, StillClock
from support.workspace import Place, ana

from twokey.channels.workspace import Workspace
from twokey.core import canonical
from twokey.core.errors import Refused
from twokey.core.values import Answer, GivenOrder, Order, Statement


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Place:
    return Place(tmp_path, sqlite_url)


@pytest.fixture
def opened(place: Place, clock: StillClock) -> Iterator[Workspace]:
    with place.opened(clock) as workspace:
        yield workspace


@pytest.fixture
def console(opened: Workspace, clock: StillClock) -> Console:
    return Console(opened, clock)


@pytest.fixture
def waiting(opened: Workspace, place: Place) -> str:
    made = opened.catalog(ana(opened), f"sqlite:///{place.warehouse}", str(place.repository), [], lambda _: None)
    return made.proposals[0].id.removeprefix("p-")


def code(answer: object) -> str:
    return str(answer.json()["error"]["code"])  # type: ignore[attr-defined]


def signed(browser: Browser, waiting: str, fields: dict[str, str]) -> tuple[dict[str, str], str]:
    """Ask what is to be signed, as the page does; gives the fields and the text."""
    page = browser.get(f"/p/{waiting}").text
    seen = page.partition('data-seen="')[2].partition('"')[0]
    sent = {"action": "approve", "reason": "", "typed": "", "seen": seen, **fields}
    return sent, browser.post(f"/p/{waiting}/statement", sent).json()["statement"]


def test_a_signature_of_another_key_does_not_count(console: Console, opened: Workspace, waiting: str):
    sam = console.browser("sam")
    sent, text = signed(sam, waiting, {})
    other = Ed25519PrivateKey.generate().sign(text.encode()).hex()
    answer = sam.post(f"/p/{waiting}/answer", {**sent, "statement": text, "signature": other})
    assert (answer.status_code, code(answer)) == (409, "not_authenticated")
    assert opened.service.find(waiting).state.value == "awaiting_approval"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("action", "refuse", "other_statement"),
        ("principal", "ana", "other_statement"),
        ("proposal", "p-000000000000", "other_statement"),
        ("proposal_digest", "0" * 64, "other_statement"),
        ("decision_digest", "0" * 64, "other_statement"),
        ("workspace", "w-000000000000", "not_authenticated"),
        ("at_us", 1, "not_authenticated"),
        ("reason_commitment", "0" * 64, "other_statement"),
    ],
)
def test_a_statement_that_says_something_else_does_not_count(
    console: Console, waiting: str, field: str, value: str | int, expected: str
):
    sam = console.browser("sam")
    sent, text = signed(sam, waiting, {})
    changed = canonical.encode({**json.loads(text), field: value}).decode()
    own = sam.key.sign(changed.encode()).hex()
    assert code(sam.post(f"/p/{waiting}/answer", {**sent, "statement": changed, "signature": own})) == expected


@pytest.mark.parametrize("statement", ["", "[]", "{", '{"type": "twokey/order/v1"}', "[" * 5000])
def test_what_is_no_statement_is_refused_with_a_sentence(console: Console, waiting: str, statement: str):
    sam = console.browser("sam")
    sent, _ = signed(sam, waiting, {})
    answer = sam.post(f"/p/{waiting}/answer", {**sent, "statement": statement, "signature": "00" * 64})
    assert (answer.status_code, code(answer)) == (400, "bad_answer")


def test_who_asked_cannot_approve_through_the_page_either(console: Console, waiting: str):
    answer = console.browser("ana").answer(waiting, "approve")
    assert code(answer) == "own_proposal"


def test_a_refusal_says_why_and_is_the_end(console: Console, waiting: str):
    sam = console.browser("sam")
    sent, _ = signed(sam, waiting, {})
    assert code(sam.answer(waiting, "refuse")) == "no_reason"
    assert sam.answer(waiting, "refuse", reason="not <now>").json()["state"] == "refused"
    assert code(sam.answer(waiting, "approve", seen=sent["seen"])) == "is_refused"
    assert "not &lt;now&gt;" in console.browser("ana").get(f"/p/{waiting}").text


def test_a_page_that_shows_something_else_is_not_answered(console: Console, waiting: str):
    sam = console.browser("sam")
    seen = f"p-{waiting}.{'0' * 32}.{'0' * 32}"
    assert code(sam.answer(waiting, "approve", seen=seen)) == "changed_proposal"
    assert code(sam.answer(waiting, "approve", seen="x")) == "button_value"
    assert code(sam.answer(waiting, "break_glass")) == "bad_answer"


def test_what_needs_a_second_look_needs_the_digest_typed_in(console: Console, opened: Workspace, waiting: str):
    identity, credential = opened.identify("sam", "cli")
    opened.controls.break_glass(identity, credential, proposal=waiting, ticket="INC-1", reason="x", minutes=5)
    sam = console.browser("sam")
    digest = opened.service.find(waiting).digest
    assert "Type the digest" in sam.get(f"/p/{waiting}").text
    assert code(sam.answer(waiting, "approve", typed="0000 0000")) == "digest_differs"
    typed = f"{digest[:4]} {digest[4:8].upper()}"
    assert sam.answer(waiting, "approve", typed=typed).json()["state"] == "approved"


def test_the_log_bears_out_what_a_browser_signed_after_its_session_is_over(
    console: Console, opened: Workspace, clock: StillClock, waiting: str
):
    """An approval stays one when its session has ended; the key signs nothing new then."""
    sam = console.browser("sam")
    assert sam.answer(waiting, "approve").json()["state"] == "approved"
    sam.submit("/logout", {})
    clock.advance(13 * 3600)
    assert opened.service.carry_out(f"p-{waiting}").state.value == "done"


def test_a_browsers_key_signs_no_more_after_its_time_and_no_other_orders(
    console: Console, opened: Workspace, clock: StillClock, waiting: str
):
    sam = console.browser("sam")
    session = sam.client.cookies["twokey_session"].partition(".")[0]
    identity, _ = opened.identify("sam", "console")
    late = opened.service.statement(identity, action="approve", proposal=waiting)

    def given(statement: Statement) -> Answer:
        signature = sam.key.sign(canonical.encode(statement.canonical())).hex()
        return Answer(statement=statement, auth="key", key=session, signature=signature)

    now = clock.now_us()
    for order in ("sign_policy", "break_glass"):
        said = Order.model_validate(
            {
                "workspace": opened.config.workspace.id,
                "order": order,
                "principal": "sam",
                "at_us": now,
                "words": "0" * 64,
            }
        )
        signature = sam.key.sign(canonical.encode(said.canonical())).hex()
        assert not opened.sessions.vouches(
            GivenOrder(statement=said, auth="key", key=session, signature=signature), identity.principal
        )
    assert opened.sessions.vouches(given(late), identity.principal)
    ana_there = opened.directory.principal("ana")
    assert ana_there is not None
    assert not opened.sessions.vouches(given(late), ana_there)
    clock.advance(13 * 3600)
    late = opened.service.statement(identity, action="approve", proposal=waiting)
    with pytest.raises(Refused) as refused:
        opened.service.answer_signed(identity, given(late), reason="")
    assert refused.value.code == "not_authenticated"


def test_the_kill_switch_is_turned_by_a_signed_order(console: Console, clock: StillClock, waiting: str):
    ana_there, sam = console.browser("ana"), console.browser("sam")

    def turn(browser: Browser, way: str, **changed: str) -> object:
        fields = {"turn": way, "reason": "because"}
        text = browser.post("/freeze/order", fields).json()["order"]
        signature = browser.key.sign(text.encode()).hex()
        return browser.post("/freeze", {**fields, "order": text, "signature": signature, **changed})

    assert code(turn(ana_there, "on", turn="off")) == "other_statement"
    assert code(turn(ana_there, "on", order="{}")) == "bad_order"
    assert code(turn(ana_there, "on", signature="00" * 64)) == "not_authenticated"
    assert code(ana_there.post("/freeze", {"turn": "sideways"})) == "bad_order"
    assert turn(ana_there, "on").json() == {"freeze": True}  # type: ignore[attr-defined]
    assert "Writes are stopped" in sam.get(f"/p/{waiting}").text
    assert code(sam.answer(waiting, "approve")) == "frozen"
    assert code(turn(ana_there, "off")) == "not_an_owner"
    clock.advance(1)
    assert turn(sam, "off").json() == {"freeze": False}  # type: ignore[attr-defined]
    assert "by sam" in sam.get("/freeze").text.replace("<strong>", "").replace("</strong>", "")


def test_only_evidence_that_a_proposal_cites_is_opened_from_it(console: Console, opened: Workspace, waiting: str):
    sam = console.browser("sam")
    cited = opened.service.find(waiting).proposal.evidence[0].id
    assert sam.get(f"/p/{waiting}/evidence/{cited}").status_code == 200
    assert "<html" not in sam.get(f"/p/{waiting}/evidence/{cited}", **{"x-part": "yes"}).text
    for other in ("e-000000000000", "p-000000000000", "..%2f.."):
        assert sam.get(f"/p/{waiting}/evidence/{other}").status_code == 404


def test_only_who_asked_cancels_a_run(console: Console, opened: Workspace, waiting: str):
    run = opened.service.find(waiting).run
    answer = console.browser("sam").post(f"/runs/{run}/cancel", {})
    assert code(answer) == "not_requester"


def test_a_write_is_undone_through_a_proposal_that_others_approve(console: Console, opened: Workspace, waiting: str):
    """Asked for with the token of a session, and only where something was written; who asks is its requester."""
    sam, ana_there = console.browser("sam"), console.browser("ana")
    early = ana_there.submit(f"/p/{waiting}/undo", {})
    assert early.status_code == 409
    assert "There is nothing to undo" in early.text
    assert "Propose to undo it" not in ana_there.get(f"/p/{waiting}").text
    assert sam.answer(waiting, "approve").json()["state"] == "approved"
    opened.worker().once(concurrency=1)
    assert "Propose to undo it" in ana_there.get(f"/p/{waiting}").text
    assert ana_there.submit(f"/p/{waiting}/undo", {"csrf": "0" * 64}).status_code == 409
    assert console.browser().post(f"/p/{waiting}/undo", {}).status_code == 401
    led = ana_there.submit(f"/p/{waiting}/undo", {})
    assert led.status_code == 303
    opened.worker().once(concurrency=1)
    (made,) = opened.service.outcome(led.headers["location"].rpartition("/")[2]).proposals
    assert (made.proposal.reverts, made.proposal.requester) == (f"p-{waiting}", "ana")
