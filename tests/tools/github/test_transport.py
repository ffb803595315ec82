"""The way to GitHub: patient where that is safe, bounded, to one host only, and with nothing of the token shown."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import FixedClock
from twins.github.fixtures import FULL_NAME, LOCATION, URL, Stand, stand
from twins.github.server import Fault

from twokey.core.errors import TryLater, TwokeyError
from twokey.core.sections import GitHubSection
from twokey.tools.github.access import AppAccess, TokenAccess, access_of, private_key
from twokey.tools.github.client import BRIEF_S, Client, Memory
from twokey.tools.github.forge import GitHubForge
from twokey.tools.github.limits import wait_of
from twokey.tools.github.models import Pull, read
from twokey.tools.github.wire import Reply, Wire

REPO = "/repos/acme/dbt"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("github")) as stood:
        yield stood


@pytest.fixture(autouse=True)
def _no_faults(there: Stand) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    there.twin.faults, there.pauses[:] = [], []
    there.world.tokens[there.token].left = 5000
    there.twin.calls.clear()
    yield
    there.twin.faults = []


def client(there: Stand, **more: Any) -> Client:
    return Client(there.wire(), TokenAccess(there.token), FULL_NAME, pause=there.pauses.append, **more)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    shown = f"{caught.value} {caught.value.next}"
    assert "ghp_" not in shown
    assert "127.0.0.1:" not in shown
    return caught.value.code


def test_a_read_is_tried_again_and_a_write_that_is_not_keyed_is_not(there: Stand) -> None:
    there.twin.faults = [Fault("500", times=2)]
    assert client(there).get(REPO).json()["full_name"] == FULL_NAME
    assert there.pauses == [0.5, 1.0]
    there.twin.faults = [Fault("cut_before", times=3)]
    assert refused(lambda: client(there).get(REPO)) == "github_unreachable"
    before = len(there.repository.tickets)
    body = {"title": "once"}
    there.twin.faults = [Fault("cut_after", "POST")]
    assert refused(lambda: client(there).send("POST", f"{REPO}/issues", body, keyed=False)) == "github_unreachable"
    there.twin.faults = [Fault("500", "POST")]
    assert refused(lambda: client(there).send("POST", f"{REPO}/issues", body, keyed=False)) == "github_unreachable"
    assert len(there.repository.tickets) == before + 1


def test_an_answer_that_breaks_off_is_no_answer(there: Stand) -> None:
    there.twin.faults = [Fault("cut_short", times=3)]
    assert refused(lambda: client(there).get(REPO)) == "github_unreachable"


def test_an_answer_that_does_not_come_ends_by_its_time(there: Stand) -> None:
    there.twin.faults = [Fault("slow", times=3)]
    slow = Client(there.wire(1), TokenAccess(there.token), FULL_NAME, pause=there.pauses.append)
    assert refused(lambda: slow.send("PATCH", f"{REPO}/issues/1", {}, keyed=False)) == "github_unreachable"
    there.twin.released.set()


def test_a_rate_limit_is_waited_for_as_long_as_github_says(there: Stand) -> None:
    there.twin.faults = [Fault("secondary", "GET", retry_after=7)]
    client(there).get(REPO)
    there.twin.faults = [Fault("secondary", "POST", retry_after=None)]
    client(there).send("POST", f"{REPO}/issues", {"title": "limited"}, keyed=False)
    assert there.pauses == [7.0, 60.0]


def test_patience_with_rate_limits_has_an_end(there: Stand) -> None:
    there.twin.faults = [Fault("secondary", "GET", retry_after=3600)]
    assert refused(lambda: client(there).get(REPO)) == "github_rate_limit"
    there.twin.faults = [Fault("secondary", "GET", retry_after=0, times=999)]
    assert refused(lambda: client(there, patience_s=3.0).get(REPO)) == "github_rate_limit"
    assert len(there.pauses) == 3


@pytest.mark.parametrize(
    ("asked", "seconds"), [("3600", 3600.0), ("9" * 12, 3600.0), ("9" * 400, 60.0), ("\u0663", 60.0)]
)
def test_who_is_not_waited_for_says_when_to_come_back(there: Stand, asked: str, seconds: float) -> None:
    reply = Reply(403, b"You have exceeded a secondary rate limit.", {"retry-after": asked})
    assert wait_of(reply) == seconds
    dated = {"date": "Thu, 01 Jan 1970 00:00:00 GMT", "x-ratelimit-remaining": "0", "x-ratelimit-reset": asked}
    assert wait_of(Reply(429, b"", dated)) == seconds
    there.twin.faults = [Fault("secondary", "GET", retry_after=3600)]
    with pytest.raises(TryLater) as caught:
        client(there, patience_s=BRIEF_S).get(REPO)
    assert (caught.value.seconds, there.pauses) == (3600.0, [])


def test_an_app_that_is_asked_to_wait_for_its_token_waits(there: Stand) -> None:
    app, _ = there.world.app("waiting", FULL_NAME)
    access = AppAccess(there.wire(), app.id, app.pem(), clock_now(there))
    there.twin.faults = [Fault("secondary", "GET", "/installation", retry_after=9)]
    with pytest.raises(TryLater) as caught:
        access.auth(FULL_NAME)
    assert caught.value.seconds == 9.0


def test_the_primary_limit_is_waited_for_by_githubs_own_clock(there: Stand) -> None:
    grant = there.world.tokens[there.token]
    grant.left = 0

    def refill(seconds: float) -> None:
        there.pauses.append(seconds)
        grant.left = 10

    waiting = Client(there.wire(), TokenAccess(there.token), FULL_NAME, pause=refill)
    waiting.get(REPO)
    [waited] = there.pauses
    assert 1 <= waited <= 3


def test_what_did_not_change_is_not_sent_twice(there: Stand) -> None:
    asking = client(there)
    first = asking.get(REPO)
    assert asking.get(REPO) is first
    assert "if-none-match" in there.twin.calls[1].headers
    there.repository.default_branch = "other"
    assert asking.get(REPO).json()["default_branch"] == "other"
    there.repository.default_branch = "main"


def test_a_memory_is_bounded() -> None:
    memory = Memory(10)
    memory.put("a", Reply(200, b"12345"))
    memory.put("b", Reply(200, b"12345"))
    memory.put("c", Reply(200, b"1"))
    memory.put("d", Reply(200, b"12345678901"))
    assert (memory.get("a"), memory.get("d")) == (None, None)
    assert memory.get("b") == Reply(200, b"12345")


def test_pages_are_counted_and_bounded(there: Stand) -> None:
    for number in range(101):
        there.world.ticket(there.repository, f"ticket {number}", None, there.world.user("ana"))
    asking = client(there)
    pages = list(asking.pages(f"{REPO}/issues", {"state": "all"}, most=5))
    assert [len(page) for page in pages] == [100, len(there.repository.tickets) - 100]
    assert refused(lambda: list(asking.pages(f"{REPO}/issues", {"state": "all"}, most=1))) == "github_too_many"
    assert refused(lambda: list(asking.pages(REPO, most=1))) == "github_answer"


def test_a_redirect_is_not_followed_and_the_token_stays_here(there: Stand, tmp_path: Path) -> None:
    with stand(tmp_path) as other:
        there.twin.faults = [Fault("redirect", location=f"{other.twin.api}{REPO}")]
        assert refused(lambda: client(there).get(REPO)) == "github_moved"
        assert other.twin.calls == []


def test_neither_proxy_nor_netrc_of_the_environment_plays_a_part(
    there: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client(there).get(REPO)
    assert there.twin.calls[0].headers["authorization"] == f"Bearer {there.token}"
    assert there.twin.calls[0].headers["x-github-api-version"] == "2022-11-28"


def test_no_token_and_no_address_reach_the_programs_log(there: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    access = TokenAccess(there.token)
    client(there).get(REPO)
    assert there.token not in caplog.text
    assert there.token not in repr(access) + repr(access.auth("x")) + repr(vars(access))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "github_auth"),
        (403, "github_forbidden"),
        (404, "github_not_found"),
        (409, "github_refused"),
        (413, "github_too_large"),
        (418, "github_answer"),
        (302, "github_moved"),
    ],
)
def test_each_refusal_is_one_clear_error(status: int, code: str) -> None:
    class Fixed(Wire):
        def exchange(self, *_: Any, **__: Any) -> Reply:
            return Reply(status, b"<html>secret words</html>")

    fixed = Client(Fixed("http://127.0.0.1:9"), TokenAccess("ghp_x"), FULL_NAME, pause=lambda _: None)
    with pytest.raises(TwokeyError) as caught:
        fixed.get(REPO)
    assert caught.value.code == code
    assert "secret words" not in str(caught.value)


def test_what_is_no_json_and_what_lacks_a_field_is_said_plainly() -> None:
    assert refused(lambda: Reply(200, b"<html>").json()) == "github_answer"
    assert refused(lambda: Reply(200, b"[" * 100_000).json()) == "github_answer"
    with pytest.raises(TwokeyError, match=r"lacks 'number'"):
        read(Pull, {"state": "open", "head": {"ref": "a", "sha": "b"}, "base": {"ref": "a", "sha": "b"}})


def test_an_answer_without_end_is_cut(there: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.tools.github.wire.MAX_ANSWER", 100)
    assert refused(lambda: client(there).get(REPO)) == "github_answer"


def test_nobody_listens_and_no_certificate_file(tmp_path: Path) -> None:
    dead = Client(Wire("http://127.0.0.1:9"), TokenAccess("ghp_x"), FULL_NAME, pause=lambda _: None)
    assert refused(lambda: dead.get(REPO)) == "github_unreachable"
    assert refused(lambda: Wire(URL, ca_file=tmp_path / "none.pem")) == "bad_settings"


def test_plain_http_answers_to_tls_are_no_connection(there: Stand) -> None:
    secure = Wire(there.twin.api.replace("http:", "https:"), timeout_s=2)
    tls = Client(secure, TokenAccess("ghp_x"), FULL_NAME, pause=lambda _: None)
    assert refused(lambda: tls.get(REPO)) in {"github_certificate", "github_unreachable"}
    secure.close()


# -- an App -----------------------------------------------------------------------------------------------------------


def app_forge(there: Stand, clock: FixedClock) -> tuple[GitHubForge, AppAccess]:
    app, _ = there.world.app("twokey-ops", FULL_NAME)
    access = AppAccess(there.wire(), app.id, app.pem(), clock)
    return there.forge(access), access


def clock_now(there: Stand) -> FixedClock:
    return FixedClock(int(there.world.now() * 1_000_000))


def test_an_apps_token_is_kept_for_its_hour_and_renewed_before_its_end(there: Stand) -> None:
    clock = clock_now(there)
    forge, access = app_forge(there, clock)
    for _ in range(2):
        with forge.open(LOCATION) as repository:
            repository.describe()
    made = [call for call in there.twin.calls if call.path.endswith("access_tokens")]
    assert len(made) == 1
    clock.advance(3600 - 290)
    later = {"expires_at": "2100-01-01T00:00:00Z"}
    there.twin.faults = [Fault("tamper", "POST", "access_tokens", change=lambda value: {**value, **later})]
    with forge.open(LOCATION) as repository:
        repository.describe()
    assert len([call for call in there.twin.calls if call.path.endswith("access_tokens")]) == 2
    assert "ghs_" not in repr(access)


def test_a_token_that_was_revoked_is_renewed_once(there: Stand) -> None:
    forge, _ = app_forge(there, clock_now(there))
    with forge.open(LOCATION) as repository:
        repository.describe()
        for token in [token for token in there.world.tokens if token.startswith("ghs_")]:
            del there.world.tokens[token]
        there.commit({"x.md": b"x\n"})
        repository.tip("main")
    there.twin.faults = [Fault("tamper", "POST", "access_tokens", times=9, change=lambda v: {**v, "token": "ghs_no"})]
    forge, _ = app_forge(there, clock_now(there))
    with forge.open(LOCATION) as repository:
        assert refused(lambda: repository.tip("main")) == "github_auth"


def test_many_threads_ask_for_one_token(there: Stand) -> None:
    _, access = app_forge(there, clock_now(there))
    threads = [threading.Thread(target=access.auth, args=(FULL_NAME,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([call for call in there.twin.calls if call.path.endswith("access_tokens")]) == 1


def test_an_apps_token_opens_one_repository(there: Stand) -> None:
    _, access = app_forge(there, clock_now(there))
    access.auth(FULL_NAME)
    assert [grant.repositories for token, grant in there.world.tokens.items() if token.startswith("ghs_")][-1] == {
        FULL_NAME
    }


def test_an_app_that_is_not_installed_or_has_another_key_says_so(there: Stand) -> None:
    app, installation = there.world.app("elsewhere", "acme/other")
    access = AppAccess(there.wire(), app.id, app.pem(), clock_now(there))
    assert refused(lambda: access.auth(FULL_NAME)) == "github_not_installed"
    installation.repositories.add(FULL_NAME)
    installation.suspended = True
    assert refused(lambda: access.auth(FULL_NAME)) == "github_not_installed"
    stranger, _ = there.world.app("stranger", FULL_NAME)
    wrong = AppAccess(there.wire(), app.id, stranger.pem(), clock_now(there))
    assert refused(lambda: wrong.auth(FULL_NAME)) == "github_auth"
    assert refused(AppAccess(there.wire(), app.id, b"no key", clock_now(there)).app) == "github_key"
    there.twin.faults = [Fault("500", "GET", "/installation")]
    assert refused(lambda: access.auth(FULL_NAME)) == "github_unreachable"


# -- where the proof comes from ---------------------------------------------------------------------------------------


def test_a_token_comes_from_its_variable(there: Stand, tmp_path: Path) -> None:
    section = GitHubSection(token_env="GH_TOKEN")
    wire, clock = there.wire(), clock_now(there)
    assert isinstance(access_of(section, wire, clock, tmp_path, {"GH_TOKEN": "ghp_x\n"}), TokenAccess)
    for wrong in ({}, {"GH_TOKEN": " "}, {"GH_TOKEN": "a\nb"}, {"GH_TOKEN": "ü"}):
        assert refused(lambda wrong=wrong: access_of(section, wire, clock, tmp_path, wrong)) == "github_no_token"
    assert refused(lambda: access_of(GitHubSection(), wire, clock, tmp_path, {})) == "github_not_set_up"


def test_a_key_is_taken_only_where_nobody_else_can_read_it(there: Stand, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    inside, outside = workspace / "key.pem", tmp_path / "key.pem"
    for file in (inside, outside):
        file.write_bytes(b"key")
        file.chmod(0o600)
    assert private_key(str(outside), workspace) == b"key"
    link = tmp_path / "link.pem"
    link.symlink_to(inside)
    for path in (str(inside), "key.pem", str(link), str(tmp_path), str(tmp_path / "none")):
        assert refused(lambda path=path: private_key(path, workspace)) == "github_key_kept_badly"
    outside.chmod(0o640)
    assert refused(lambda: private_key(str(outside), workspace)) == "github_key_kept_badly"
    outside.chmod(0o600)
    section = GitHubSection(app_id=7, key_file=str(outside))
    assert isinstance(access_of(section, there.wire(), clock_now(there), workspace, {}), AppAccess)
