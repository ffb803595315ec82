"""A change of a ticket is edited in the browser, and somebody else approves what became of it."""

from collections.abc import Iterator

import pytest
from support import together
from support.console import Browser, Console, text_of

from twokey.channels.workspace import Workspace
from twokey.core.lifecycle import State


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with together.opened(tmp_path_factory.mktemp("editing")) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def house(desk: Workspace) -> Console:
    return Console(desk)


@pytest.fixture(scope="module")
def waiting(desk: Workspace) -> list[str]:
    return together.triaged(desk, 2)


def sent(desk: Workspace, proposal: str, **parts: str) -> dict[str, str]:
    return {"digest": desk.service.find(proposal).digest, **parts}


def test_an_edit_takes_the_place_of_what_was_proposed_and_needs_another_person(
    desk: Workspace, house: Console, waiting: list[str]
):
    name, sam, kim = waiting[0], house.browser("sam"), house.browser("kim")
    assert f"/p/{name[2:]}/edit" in sam.get(f"/p/{name[2:]}").text
    page = sam.get(f"/p/{name[2:]}/edit").text
    assert desk.service.find(name).digest in page
    led = sam.submit(f"/p/{name[2:]}/edit", sent(desk, name, labels="feature\n <b>odd</b> \n", comment="We look."))
    assert led.status_code == 303, led.text
    desk.worker().once(concurrency=1)
    (made,) = desk.service.outcome(led.headers["location"].rpartition("/")[2]).proposals
    assert (desk.service.find(name).state, made.state) == (State.SUPERSEDED, State.AWAITING_APPROVAL)
    assert made.proposal.supersedes == name
    assert list(made.proposal.args["labels"]["add"]) == ["feature", "<b>odd</b>"]
    assert made.proposal.args["comment"] == "We look."
    shown = sam.get(f"/p/{made.id[2:]}").text
    assert "which sam edited" in text_of(shown)
    assert "<b>odd" not in shown
    assert "&lt;b&gt;odd" in sam.get(f"/p/{made.id[2:]}/edit").text
    assert sam.answer(made.id[2:], "approve").json()["error"]["code"] == "own_proposal"
    assert kim.answer(made.id[2:], "approve").json()["state"] == "approved"
    assert "not yours to edit" in sam.get(f"/p/{name[2:]}/edit").text, "what is over is not edited"


def test_an_edit_is_refused_from_who_has_no_part_in_it_and_where_it_does_not_fit(
    desk: Workspace, house: Console, waiting: list[str]
):
    name, sam = waiting[1], house.browser("sam")
    address = f"/p/{name[2:]}/edit"
    rita = house.browser("rita")
    assert rita.submit(address, sent(desk, name, comment="x")).status_code == 409
    assert address not in rita.get(f"/p/{name[2:]}").text
    assert house.browser("ana").get(address).status_code == 200, "who asked for it may edit it"
    assert house.browser().post(address, {}).status_code == 401
    assert sam.submit(address, sent(desk, name, csrf="0" * 64, comment="x")).status_code == 409
    assert sam.submit(address, {"digest": "0" * 64, "comment": "x"}).status_code == 409
    for parts, said in (
        ({}, "Nothing was put otherwise"),
        ({"labels": "x" * 51}, "labels"),
        ({"labels": "\n".join(f"l{number}" for number in range(21))}, "labels"),
    ):
        answer = sam.submit(address, sent(desk, name, **parts))
        assert answer.status_code == 400, parts
        assert said in text_of(answer.text)
    assert desk.service.find(name).state is State.AWAITING_APPROVAL


def test_only_a_change_of_a_ticket_is_edited(house: Console, sam_of_the_house: Browser):
    assert sam_of_the_house.get("/p/abcdefghjkmn/edit").status_code == 404
    assert house.browser().get("/p/abcdefghjkmn/edit").status_code == 303


@pytest.fixture(scope="module")
def sam_of_the_house(house: Console) -> Browser:
    return house.browser("sam")
