"""Past decisions taken again from the policy page, and an inbox that is listed anew while it is open."""

import threading
from pathlib import Path

import pytest
from support.console import Browser, Console, text_of
from support.workspace import ana

from twokey.channels.overview.replays import Replays
from twokey.channels.workspace import Workspace
from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, EnvironmentFault
from twokey.policies.bundle import Bundle, BundleRevisions

WAIT_S = 120


@pytest.fixture(scope="module")
def sam(console: Console) -> Browser:
    return console.browser("sam")


class Slow:
    """An engine that answers nothing until it is let go."""

    def __init__(self, held: Bundle, begun: threading.Event, let_go: threading.Event) -> None:
        self._held = held
        self._begun = begun
        self._let_go = let_go

    def evaluate_many(self, documents: list[bytes]) -> list[object]:
        self._begun.set()
        assert self._let_go.wait(WAIT_S)
        return [EnvironmentFault("It fell silent.", next="Wait.", code="silent") for _ in documents]

    def revisions(self) -> BundleRevisions:
        return self._held.revisions

    def close(self) -> None:
        """Nothing is held."""


def test_a_replay_is_asked_for_watched_and_read(console: Console, sam: Browser, workspace: Workspace):
    assert "No replay was asked for" in text_of(sam.get("/policy/replay").text)
    assert 'href="/policy/replay"' in sam.get("/policy").text
    size = workspace.ledger.checkpoint()
    begun = sam.submit("/policy/replay", {"bundle": "workspace", "span": "7"})
    assert (begun.status_code, begun.headers["location"]) == (303, "/policy/replay")
    console.site.replays.wait(WAIT_S)
    last = console.site.replays.last
    assert (last.stage, last.ok, last.by, last.left_off) == ("done", True, "sam", 0)
    assert last.decisions > 0
    page = text_of(sam.get("/policy/replay").text)
    assert "came out byte for byte" in page
    assert "decisions of the last 7 days on the bundle in the workspace's folder" in page
    part = sam.get("/policy/replay", **{"x-part": "yes"}).text
    assert "<html" not in part
    assert "byte for byte" in part
    assert workspace.ledger.checkpoint() == size, "nothing is written by it"


@pytest.mark.parametrize(
    "asked",
    [
        {"bundle": "../../etc", "span": "7"},
        {"bundle": "/etc", "span": "all"},
        {"bundle": "shadow", "span": "7"},
        {"bundle": "workspace", "span": "-1"},
        {},
    ],
)
def test_only_what_the_settings_name_can_be_replayed(sam: Browser, asked: dict[str, str]):
    answer = sam.submit("/policy/replay", asked)
    assert answer.status_code == 400
    assert "There is no such replay" in text_of(answer.text)


def test_a_replay_needs_somebody_who_is_in_and_their_token(console: Console, sam: Browser):
    for path in ("/policy/replay", "/policy/replay/stop"):
        assert sam.submit(path, {"csrf": "0" * 64, "bundle": "workspace", "span": "7"}).status_code == 409
        assert console.browser().post(path, {}).status_code == 401
    assert console.browser().get("/policy/replay").status_code == 303
    assert console.browser().get("/policy/replay/news").status_code == 303
    assert sam.client.get("/policy/replay/stop").status_code == 405


def test_one_runs_at_a_time_and_can_be_stopped(console: Console, sam: Browser, workspace: Workspace):
    """What is stopped leaves no report, and one that runs is shown to whoever asks for another."""
    begun, let_go = threading.Event(), threading.Event()
    before = console.site.replays
    console.site.replays = Replays(
        workspace.ledger,
        {"workspace": workspace.folder / workspace.config.policy.bundle},
        lambda held: Slow(held, begun, let_go),
        SystemClock(),
        lambda: False,
    )
    try:
        assert sam.submit("/policy/replay", {"bundle": "workspace", "span": "all"}).status_code == 303
        assert begun.wait(WAIT_S)
        page = sam.get("/policy/replay").text
        assert 'data-follow="/policy/replay"' in page
        assert "Stop it" in text_of(page)
        assert sam.submit("/policy/replay", {"bundle": "workspace", "span": "all"}).status_code == 303
        assert not console.site.replays.begin("workspace", "all", "ana")
        assert sam.submit("/policy/replay/stop", {}).status_code == 303
        let_go.set()
        console.site.replays.wait(WAIT_S)
        last = console.site.replays.last
        assert (last.stage, last.by, last.sentences) == ("cancelled", "sam", ())
        assert "there is no report of a part" in text_of(sam.get("/policy/replay").text)
    finally:
        let_go.set()
        console.site.replays = before


def test_a_replay_that_changes_something_names_it_and_one_that_fails_says_why(workspace: Workspace, tmp_path: Path):
    """An engine that fails denies everything, as it would then; one that cannot begin is a sentence."""
    let_go, folders = threading.Event(), {"workspace": workspace.folder / workspace.config.policy.bundle}
    let_go.set()
    silent = Replays(
        workspace.ledger, folders, lambda held: Slow(held, threading.Event(), let_go), SystemClock(), lambda: False
    )
    assert silent.begin("workspace", "all", "sam")
    silent.wait(WAIT_S)
    told = silent.last
    assert (told.stage, told.ok) == ("done", False)
    assert {kind for kind, _, _ in told.kinds} == {"fault"}
    assert told.changes
    assert len(told.changes) + told.left_off == sum(count for _, count, _ in told.kinds)

    def broken(_: Bundle) -> Slow:
        raise EnvironmentFault("No engine can be started.", next="Wait.", code="no_engine")

    failing = Replays(workspace.ledger, folders, broken, SystemClock(), lambda: False)
    assert failing.begin("workspace", "1", "sam")
    failing.wait(WAIT_S)
    assert (failing.last.stage, failing.last.reason) == ("failed", "No engine can be started.")
    nowhere = Replays(workspace.ledger, {"shadow": tmp_path / "none"}, broken, SystemClock(), lambda: False)
    with pytest.raises(BadInput):
        nowhere.begin("shadow", "all", "sam")
    assert nowhere.last.stage == "never"
    ending = Replays(
        workspace.ledger, folders, lambda held: Slow(held, threading.Event(), let_go), SystemClock(), lambda: True
    )
    assert ending.begin("workspace", "all", "sam")
    ending.wait(WAIT_S)
    assert ending.last.stage == "cancelled", "the server's end is its end"


def test_the_inbox_is_listed_anew_with_what_waits_now(console: Console, sam: Browser, workspace: Workspace):
    def stamp() -> str:
        return sam.get("/inbox").text.partition('data-stamp="')[2].partition('"')[0]

    before = stamp()
    assert stamp() == before
    assert console.browser().get("/inbox/news").status_code == 303
    name = workspace.service.waiting()[0].id
    part = sam.get("/inbox?tool=open_pull_request", **{"x-part": "yes"}).text
    assert "<html" not in part
    assert part.count("data-list=") == 2
    assert f'href="/p/{name[2:]}"' in part
    assert f'href="/p/{name[2:]}"' not in sam.get("/inbox?tool=update_ticket", **{"x-part": "yes"}).text
    assert 'data-news="/inbox/news?tool=%22%3E%3Cx"' in sam.get("/inbox?tool=%22%3E%3Cx").text
    identity, key = workspace.identify("ana", "cli")
    assert identity == ana(workspace)
    workspace.service.answer(identity, key, action="withdraw", proposal=name, tell=lambda _: None)
    assert stamp() != before
