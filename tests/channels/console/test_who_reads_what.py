"""What somebody may not read looks like what is not there: on every page, in the API, in lists, streams and the log."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from support import secrets_house
from support.console import ADDRESS, JSON, Browser, Console
from support.secrets_house import WORDS, House, reading, without_group

from twokey.channels.console import app, inbox, seeing
from twokey.channels.console.site import Site
from twokey.channels.passes import program_token
from twokey.channels.routes import Served
from twokey.core.entropy import SystemClock
from twokey.store import evidence

SHOW_NOTHING = {
    "/assets/{name:path}",
    "/login",
    "/login/offer",
    "/login/open",
    "/login/oidc",
    "/login/oidc/callback",
    "/login/oidc/ask",
    "/logout",
    "/",
    "/freeze",
    "/freeze/order",
    "/controls",
    "/ask POST",
    "/log/verify",
    "/log/entry/{entry}/proof",
    "/api/requests",
    "/api/log-state",
    "/api/log/{entry}/proof",
    "/api/controls",
    "/api/{anything:path}",
}
"""Addresses that show nothing that anybody asked for, read or proposed. The log's proofs are for everybody."""
NOBODYS = "zzzzzzzzzzzz"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with secrets_house.opened(tmp_path_factory.mktemp("secrets")) as made:
        yield made


class Hurried(SystemClock):
    """The machine's clock, for who asks for more in a minute than anybody may."""

    ahead_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us

    def hurry(self) -> None:
        self.ahead_us += 61_000_000


@pytest.fixture(scope="module")
def clock() -> Hurried:
    return Hurried()


@pytest.fixture(scope="module")
def console(house: House, clock: Hurried) -> Console:
    return Console(house.workspace, clock)


@pytest.fixture(scope="module")
def browsers(console: Console) -> Mapping[str, Browser]:
    return {name: console.browser(name) for name, _ in secrets_house.PEOPLE}


@pytest.fixture(scope="module")
def tokens(house: House) -> Mapping[str, str]:
    """What programs of mia and lone show."""
    found: dict[str, str] = {}
    for name in ("mia", "lone"):
        identity, credential = house.workspace.identify(name, "cli")
        found[name] = program_token(house.workspace, identity, credential, clock=SystemClock())[0]
    return found


def routes(console: Console) -> list[APIRoute]:
    made: Any = getattr(console.app, "_app")  # noqa: B009 - the application behind its guard
    included = [
        each for router in made.routes for each in getattr(getattr(router, "original_router", None), "routes", ())
    ]
    return [route for route in (*made.routes, *included) if isinstance(route, APIRoute)]


def asks(dependant: Dependant) -> bool:
    return dependant.call is seeing.reader_of or any(asks(each) for each in dependant.dependencies)


def test_every_address_asks_what_its_visitor_may_read_or_shows_nothing(console: Console):
    found = {(route.path, *(route.methods or ())): asks(route.dependant) for route in routes(console)}
    silent = {(path, f"{path} {method}") for (path, method), asked in found.items() if not asked}
    assert all(set(names) & SHOW_NOTHING for names in silent), silent
    assert sum(found.values()) > 40


def private_ids(house: House) -> dict[str, list[str]]:
    """Ids of what is private, by the names that parameters of addresses have: of each kind, whole and short."""
    runs = [run.run.id for run in house.private]
    with house.workspace.ledger.look() as connection:
        read = [each.id for run in runs for each in evidence.list_evidence(connection, run)]
    first, last = house.hidden[0], house.hidden[-1]
    proposals = [first, first[2:], first[2:8], last]
    return {
        "name": proposals,
        "proposal": proposals,
        "run": runs,
        "wanted": [read[0], read[-1], runs[0], first],
        "change": [*runs, first, last],
        "picture": ["timeline"],
    }


def filled(path: str, ids: Mapping[str, list[str]], at: int) -> tuple[str, str]:
    """Fill an address with private ids, and once more with ids of the same form that nobody has."""
    hidden, absent = path, path
    for name in re.findall(r"{(\w+)}", path):
        value = ids[name][at % len(ids[name])]
        form = re.fullmatch(r"([a-z]-)?([0-9a-z]{6,12})", value)
        nobodys = value if form is None else (form[1] or "") + NOBODYS[: len(form[2])]
        hidden, absent = hidden.replace(f"{{{name}}}", value), absent.replace(f"{{{name}}}", nobodys)
    return hidden, absent


def told(path: str, answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    """What an answer tells: all of it but the moment and the ids that were asked for."""
    text = re.sub(r"<time[^>]*>.*?</time>", "", answer.text)
    for part in path.split("/"):
        text = text.replace(part, "") if re.search("[0-9z]{4}", part) else text
    kept = sorted((name, value) for name, value in answer.headers.items() if name not in {"content-length", "date"})
    return answer.status_code, text, kept


@pytest.mark.parametrize("name", ["mia", "lone"])
def test_what_may_not_be_read_is_answered_like_what_is_not_there(
    house: House,
    console: Console,
    clock: Hurried,
    browsers: Mapping[str, Browser],
    tokens: Mapping[str, str],
    name: str,
):
    """Each address that takes an id, with each id of what is private: by cookie, and below the API by a token."""
    clock.hurry()
    ids, browser, tried = private_ids(house), browsers[name], 0
    token = {"authorization": f"Bearer {tokens[name]}"}
    for route in routes(console):
        given = re.findall(r"{(\w+)}", route.path)
        if not asks(route.dependant) or not given or not set(given) <= set(ids):
            continue
        method = next(iter(route.methods or ()))
        for at in range(max(len(ids[one]) for one in given) if method == "GET" else 2):
            pair = filled(route.path, ids, at)
            if method == "GET":
                hidden, absent = (told(path, browser.get(path)) for path in pair)
            else:
                fields = {"action": "refuse", "reason": "x", "seen": "a.b"}
                hidden, absent = (told(path, browser.post(path, fields)) for path in pair)
            assert hidden == absent, pair[0]
            assert hidden[0] in {400, 404}, pair[0]
            if route.path.startswith("/api/"):
                assert len({browser.client.get(path, headers=token).text for path in pair}) == 1, pair[0]
            tried += 1
    assert tried > 50


def everything(console: Console, house: House, browser: Browser) -> Iterator[tuple[str, str]]:
    """Give all that a browser is shown without naming anything private: lists, searches, and what they lead to."""
    mixed, shown = house.mixed.run.id, house.shown
    with house.workspace.ledger.look() as connection:
        read = [each.id for each in evidence.list_evidence(connection, mixed)]
    paths = [route.path for route in routes(console) if "GET" in (route.methods or ()) and "{" not in route.path]
    paths = [path for path in paths if not path.endswith("/news") and path != "/batch"]
    paths += [f"/runs/{mixed}", f"/api/runs/{mixed}", f"/p/{shown[2:]}", f"/api/proposals/{shown}"]
    paths += [f"/log/change/{shown}", f"/api/changes/{mixed}"]
    paths += [f"/{api}evidence/{one}" for one in read for api in ("", "api/")]
    paths += [f"/p/{shown[2:]}/evidence/{ref.id}" for ref in house.workspace.service.find(shown).proposal.evidence]
    paths += [f"/api/log?about={word}" for word in ("OPS-21", "r-", "elevated", "rita", "risk-owners")]
    paths += [f"/api/log?limit=500&kind={kind}" for kind in ("", "proposal.moved", "run.requested", "card.shown")]
    paths += [f"/inbox?tool=update_ticket&requester={name}" for name in ("ana", "rita")]
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code in {200, 303, 404}, path
        yield path, answer.text


def test_nothing_private_is_in_any_list_search_count_or_story(
    house: House, console: Console, browsers: Mapping[str, Browser]
):
    secret = [*WORDS, "OPS-24", "Passwords are shown", *(name[2:] for name in house.hidden)]
    secret += [run.run.id for run in house.private]
    for name in ("mia", "lone"):
        for path, text in everything(console, house, browsers[name]):
            # Whoever names something themselves reads it again in the form that they sent.
            body = text.replace(path.partition("about=")[2] or "\0", "")
            found = [word for word in secret if word in body]
            assert not found, (name, path, found)
    parties = " ".join(text for _, text in everything(console, house, browsers["rita"]))
    assert all(word in parties for word in secret), [word for word in secret if word not in parties]


def test_those_whose_business_it_is_read_it_and_so_does_who_may_read_everything(
    house: House, browsers: Mapping[str, Browser]
):
    for name in ("ana", "rita", "sam", "audrey"):
        for hidden in house.hidden:
            assert browsers[name].get(f"/p/{hidden[2:]}").status_code == 200, (name, hidden)
        for run in house.private:
            assert browsers[name].get(f"/runs/{run.run.id}").status_code == 200, (name, run.run.id)
    for name in ("mia", "ana"):
        assert browsers[name].get(f"/p/{house.shown[2:]}").status_code == 200
    page = browsers["ana"].get("/tickets").text
    assert WORDS[0] in page
    assert WORDS[0] not in browsers["mia"].get("/tickets").text
    assert "The scores page crashes" in browsers["mia"].get("/tickets").text


def test_who_is_in_no_group_reads_only_their_own(house: House, browsers: Mapping[str, Browser]):
    lone = browsers["lone"]
    for path in (
        f"/p/{house.shown[2:]}",
        f"/runs/{house.mixed.run.id}",
        "/scorecard",
        "/scorecard.csv",
        "/policy/replay",
    ):
        assert lone.get(path).status_code == 404, path
    assert lone.get("/api/scorecard").status_code == 404
    for path, key in (("/api/proposals", "proposals"), ("/api/runs", "runs"), ("/api/tickets", "trackers")):
        assert lone.get(path).json()[key] == []
    asked = lone.post("/api/requests", {"text": "what is there"}).json()["run"]
    assert [run["id"] for run in lone.get("/api/runs").json()["runs"]] == [asked]
    assert lone.get(f"/runs/{asked}").status_code == 200
    about = [entry for entry in lone.get("/api/log?limit=500").json()["entries"] if entry["subject"] == asked]
    assert [entry["kind"] for entry in about] == ["run.requested"]
    assert browsers["mia"].get(f"/runs/{asked}").status_code == 200


def test_the_log_stays_whole_and_tells_of_the_rest_only_kinds_times_and_digests(
    house: House, browsers: Mapping[str, Browser]
):
    whole = browsers["audrey"].get("/api/log?limit=500").json()["entries"]
    seen = browsers["mia"].get("/api/log?limit=500").json()["entries"]
    known = {entry["id"]: entry for entry in seen}
    private = {*house.hidden, *(run.run.id for run in house.private)}
    bare = 0
    for entry in whole:
        mine = known[entry["id"]]
        assert (mine["seq"], mine["kind"], mine["time"]) == (entry["seq"], entry["kind"], entry["time"])
        if entry["subject"] in private:
            bare += 1
            assert mine["subject"] == "-"
            assert all(re.fullmatch("[0-9a-f]{64}", value) for value in mine["event"].values())
            assert browsers["mia"].get(f"/log/entry/{entry['id']}/proof").status_code == 200
            assert not any(each in browsers["mia"].get(f"/api/log?about={entry['id']}").text for each in private)
    assert bare > 10
    for name in private:
        assert browsers["mia"].get(f"/api/log?about={name}").json() == {"entries": [], "next": None}
        assert browsers["rita"].get(f"/api/log?about={name}").json()["entries"]


def test_a_beginning_of_an_id_is_looked_for_among_what_may_be_read(house: House, browsers: Mapping[str, Browser]):
    short = house.hidden[0][2:7]
    for path in (f"/p/{short}", f"/api/proposals/{short}", f"/log/change/{short}", f"/api/log?about=p-{short}"):
        assert browsers["mia"].get(path).status_code == 404, path
        assert browsers["rita"].get(path).status_code == 200, path


def test_a_batch_of_what_may_not_be_read_is_one_of_what_is_not_there(house: House, browsers: Mapping[str, Browser]):
    one, absent = house.hidden[0], f"p-{NOBODYS}"
    for mine in (house.shown, one):
        pair = [browsers["mia"].get(f"/batch?p={mine}&p={each}") for each in (one, absent)]
        assert [each.status_code for each in pair] == [404, 404]
        assert pair[0].text == pair[1].text
    fields = {"action": "refuse", "reason": "no", "digest": "a" * 64}
    answers = [
        browsers["mia"].post("/batch/answer", fields | {"proposals": f"{house.shown} {each}"}) for each in (one, absent)
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].text == answers[1].text


def test_news_of_the_inbox_are_news_of_what_may_be_read(house: House):
    """A private proposal that comes or goes is no news for whoever may not read it."""
    workspace = house.workspace
    mia, rita = (workspace.reader(person) for person in map(workspace.directory.principal, ("mia", "rita")) if person)
    lines = inbox._waiting(mia)  # pyright: ignore[reportPrivateUsage]
    fewer = [line for line in lines if line.id not in house.hidden]
    assert fewer != lines
    assert inbox._stamp(mia, lines) == inbox._stamp(mia, fewer)  # pyright: ignore[reportPrivateUsage]
    assert inbox._stamp(rita, lines) != inbox._stamp(rita, fewer)  # pyright: ignore[reportPrivateUsage]


def test_who_leaves_a_group_is_told_nothing_more_though_the_page_is_open(house: House):
    """Sam reads a report, its stream is open, and he is taken out of the group: the stream ends, the page is gone."""
    settings = house.workspace.folder / "twokey.toml"
    before, looks = settings.read_text(encoding="utf-8"), 0
    watched = house.private[0].proposals[0].id[2:]

    def stopping() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            without_group(house.workspace.folder, "sam")
        return looks > 6

    open_console = Console(house.workspace, Hurried())
    open_console.site = Site(house.workspace, open_console.clock, Served(ADDRESS, stopping))
    open_console.app = app.build(open_console.site)
    sam = open_console.browser("sam")
    assert sam.get(f"/p/{watched}").status_code == 200
    try:
        stream = sam.get(f"/p/{watched}/news").text
        assert looks == 2
        assert stream.count("event: state") == 1
        for path in (f"/p/{watched}", f"/p/{watched}/news", f"/runs/{house.private[0].run.id}", f"/p/{watched}/diff"):
            assert sam.get(path).status_code == 404, path
        assert sam.get("/inbox").headers["cache-control"] == "no-store"
        assert watched not in sam.get("/inbox").text
    finally:
        settings.write_text(before, encoding="utf-8")


def test_the_data_says_who_reads_what_and_counts_at_once(house: House, browsers: Mapping[str, Browser]):
    path = house.workspace.folder / house.workspace.config.policy.bundle / "data.json"
    before, mia = path.read_bytes(), browsers["mia"]
    shown, run = f"/p/{house.shown[2:]}", f"/runs/{house.mixed.run.id}"
    try:
        for entry, proposal, asked in (
            ({"to": ["model-owners"], "kinds": ["tickets"]}, 200, 200),
            ({"to": ["model-owners"], "agents": ["triage"], "environments": ["default"]}, 200, 404),
            ({"to": ["model-owners"], "tools": ["update_ticket"]}, 200, 404),
            ({"to": ["model-owners"], "kinds": ["warehouse"]}, 404, 404),
            ({"to": ["model-owners"], "owners": ["platform-owners"], "classes": ["internal"]}, 200, 200),
            ({"to": ["auditors"]}, 404, 404),
        ):
            reading(house.workspace.folder, open=[entry])
            assert (mia.get(shown).status_code, mia.get(run).status_code) == (proposal, asked), entry
            listed = [each["id"] for each in mia.get("/api/proposals").json()["proposals"]]
            assert listed == ([house.shown] if proposal == 200 else []), entry
        path.write_text("{", encoding="utf-8")
        assert mia.get(shown).status_code == 404, "without a bundle in force nothing is admitted"
        assert browsers["ana"].get(shown).status_code == 200
        assert browsers["sam"].get(shown).status_code == 200
        document = json.loads(before)
        del document["twokey_data"]["reading"]
        path.write_text(json.dumps(document), encoding="utf-8")
        assert mia.get(shown).status_code == 200
        for name, status in (("mia", 404), ("audrey", 404), ("rita", 200)):
            assert browsers[name].get(f"/p/{house.hidden[0][2:]}").status_code == status, name
    finally:
        path.write_bytes(before)


def test_an_error_of_a_hidden_address_says_nothing_to_programs(house: House, browsers: Mapping[str, Browser]):
    answers = {browsers["mia"].get(f"/p/{name[2:]}", **JSON).text for name in (*house.hidden, f"p-{NOBODYS}")}
    assert len(answers) == 1
