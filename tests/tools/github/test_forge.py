"""Pull requests on GitHub: opened once, found by what they are, closed once; whatever is cut off, moved or forged."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.git_repo import run_git
from twins.github.fixtures import LOCATION, Stand, stand
from twins.github.issues import comment
from twins.github.pulls import merge
from twins.github.server import Fault

from twokey.core.errors import TwokeyError
from twokey.core.values import Resource, RollbackPlan, Target
from twokey.tools.contract import Context, Marker, Outcome, Place, Places, Rendered
from twokey.tools.forge import Closing
from twokey.tools.github.forge import GitHubForge
from twokey.tools.write.close_pull_request import CloseArgs, ClosePullRequest
from twokey.tools.write.pull_request import OpenedPullRequest, OpenPullRequest, PullRequestArgs, stamp_of

OPENING = Marker("p-000000000001", "ab" * 32, "r-000000000002", "ana", 1_767_225_600_123_456)
CLOSING = Marker("p-000000000003", "cd" * 32, "r-000000000004", "kim", 1_767_225_700_123_456)
CONTEXT = Context(Places((Place(Resource(kind="repository", id="dbt", granted_by="config"), LOCATION),)), 0)
FILES = [
    {"path": "docs/a/b.md", "content": "new\n"},
    {"path": "README.md", "content": "# The shop\n"},
    {"path": "docs/guide.md", "content": None},
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A twin that several tests read from."""
    with stand(tmp_path_factory.mktemp("github")) as there:
        yield there


def arguments(github: Stand, **other: Any) -> PullRequestArgs:
    usual = {
        "repository": "dbt",
        "base_branch": "main",
        "base_commit": github.branches()["main"],
        "branch": "twokey/tags",
        "title": "Tag what is personal",
        "body": "Why:\n- because\n",
        "files": FILES,
    }
    return PullRequestArgs.model_validate(usual | other)


class Opening:
    """One pull request that is to be opened; each step with a fresh forge, as a process would have after a crash."""

    def __init__(self, github: Stand, marker: Marker = OPENING, **other: Any) -> None:
        self.github = github
        self.marker = marker
        self.args = arguments(github, **other)
        self.rendered = OpenPullRequest(github.forge()).render(self.args, CONTEXT)

    def apply(self, forge: GitHubForge | None = None) -> OpenedPullRequest:
        return OpenPullRequest(forge or self.github.forge()).apply(self.args, self.rendered, self.marker, CONTEXT)

    def look(self) -> Outcome[OpenedPullRequest]:
        return OpenPullRequest(self.github.forge()).reconcile(self.args, self.rendered, self.marker, CONTEXT)


def close_args(pull: OpenedPullRequest) -> CloseArgs:
    return CloseArgs(repository="dbt", pull=pull.id, branch=pull.branch, head=pull.head)


class Shutting:
    """The closing of a pull request."""

    def __init__(self, github: Stand, pull: OpenedPullRequest) -> None:
        self.github = github
        self.args = close_args(pull)
        target = Target(kind="repository", id="dbt", version=pull.head)
        self.rendered = Rendered("", (), target, (), (), RollbackPlan(text="Open it again."))

    def apply(self) -> None:
        ClosePullRequest(self.github.forge()).apply(self.args, self.rendered, CLOSING, CONTEXT)

    def look(self) -> str:
        return ClosePullRequest(self.github.forge()).reconcile(self.args, self.rendered, CLOSING, CONTEXT).seen


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def test_a_pull_request_is_what_was_reviewed(github: Stand) -> None:
    main = github.branches()["main"]
    opening = Opening(github)
    made = opening.apply()
    assert github.branches() == {"main": main, "twokey/tags": made.head}
    [pull] = github.repository.pulls.values()
    assert (pull.base, pull.head, pull.ticket.title) == ("main", "twokey/tags", "Tag what is personal")
    assert pull.ticket.body is not None
    assert pull.ticket.body.startswith("Why:\n- because\n\n---\nProposal `p-000000000001` of run `r-000000000002`")
    assert f"<!-- twokey:pull p-000000000001 {'ab' * 32} -->" in pull.ticket.body
    assert pull.ticket.labels == ["twokey", "twokey: adds files", "twokey: deletes files", "twokey: edits files"]
    bare = Path(github.repository.git.path)
    assert run_git(bare, "diff", "--name-status", f"{main}..{made.head}").split() == (
        ["M", "README.md", "A", "docs/a/b.md", "D", "docs/guide.md"]
    )
    assert run_git(bare, "rev-parse", f"{made.head}^", f"{made.head}^{{tree}}").split() == [main, made.tree]
    run_git(bare, "fsck", "--strict", "--no-dangling")
    seen = opening.look()
    assert (seen.seen, seen.result) == ("written", made)


def test_opening_twice_is_opening_once(github: Stand) -> None:
    opening = Opening(github)
    assert opening.apply() == opening.apply()
    assert len(github.repository.pulls) == 1


def test_a_look_before_it_was_opened_sees_nothing(github: Stand) -> None:
    assert Opening(github).look().seen == "absent"


def outcome(call: Callable[[], object]) -> str:
    """Say how a call ended."""
    try:
        call()
    except TwokeyError as error:
        return error.code
    return "done"


def test_cut_off_at_any_call_it_is_completed_and_never_doubled(tmp_path: Path) -> None:
    """Each call of opening, before and after its effect; then the same process of recovery as the gate's."""
    with stand(tmp_path / "counted") as github:
        opening = Opening(github)
        start = len(github.twin.calls)
        wanted = opening.apply()
        calls = list(github.twin.calls[start:])
        writes = [number for number, call in enumerate(calls) if call.method != "GET"]
    assert [calls[number].path.removeprefix("/repos/acme/dbt/") for number in writes] == [
        "git/trees",
        "git/commits",
        "git/refs",
        "pulls",
        "issues/1/labels",
    ]
    with stand(tmp_path / "cut") as github:
        opening = Opening(github)
        for number in range(len(calls)):
            for kind in ("cut_before", "cut_after"):
                # four times: as often as a patient client tries a keyed write, and once more
                github.twin.faults = [Fault(kind, calls[number].method, calls[number].path, times=4)]
                assert outcome(opening.apply) in {"done", "github_unreachable"}
                github.twin.faults = []
                seen = opening.look()
                assert seen.seen in {"written", "absent"}
                if seen.seen == "absent":
                    assert not github.repository.pulls
                assert opening.apply() == wanted
                assert opening.look().result == wanted
                assert len(github.repository.pulls) == 1
                assert set(github.branches()) == {"main", "twokey/tags"}
                github.repository.pulls.clear()
                github.repository.tickets.clear()
                del github.repository.git.refs[b"refs/heads/twokey/tags"]  # pyright: ignore[reportArgumentType]


def test_cut_off_at_any_call_a_closing_is_completed_and_recorded_once(tmp_path: Path) -> None:
    with stand(tmp_path) as github:
        opening = Opening(github)
        pull = opening.apply()
        shutting = Shutting(github, pull)
        start = len(github.twin.calls)
        shutting.apply()
        calls = github.twin.calls[start:]
        assert [call.method for call in calls if call.method != "GET"] == ["PATCH", "DELETE", "POST"]
        for call in calls:
            for kind in ("cut_before", "cut_after"):
                _again(github, opening)
                github.twin.faults = [Fault(kind, call.method, call.path, times=4)]
                assert outcome(shutting.apply) in {"done", "github_unreachable"}
                github.twin.faults = []
                if shutting.look() == "absent":
                    shutting.apply()
                assert shutting.look() == "written"
                [ticket] = github.repository.tickets.values()
                assert (ticket.state, len(ticket.comments)) == ("closed", 1)
                assert set(github.branches()) == {"main"}


def _again(github: Stand, opening: Opening) -> None:
    """Start over with the pull request open."""
    github.repository.pulls.clear()
    github.repository.tickets.clear()
    opening.apply()


def test_a_base_that_moved_is_found_before_anything_is_written(github: Stand) -> None:
    args = arguments(github)
    github.commit({"other.md": b"x\n"})
    assert refused(lambda: OpenPullRequest(github.forge()).render(args, CONTEXT)) == "stale_target"


def test_a_change_is_put_on_top_of_a_base_that_moved_elsewhere(github: Stand) -> None:
    args = arguments(github)
    tip = github.commit({"other.md": b"x\n"})
    again = OpenPullRequest(github.forge()).rebase(args, CONTEXT)
    assert again is not None
    assert again.base_commit == tip
    github.commit({"README.md": b"# Mine\n"})
    assert OpenPullRequest(github.forge()).rebase(args, CONTEXT) is None


def test_a_foreign_branch_of_the_same_name_is_left_alone(github: Stand) -> None:
    opening = Opening(github)
    run_git(github.work, "checkout", "--quiet", "-B", "twokey/tags", "origin/main")
    run_git(github.work, "push", "--quiet", "origin", "twokey/tags")
    foreign = github.commit({"theirs.md": b"theirs\n"}, "twokey/tags")
    assert opening.look().seen == "different"
    assert refused(opening.apply) == "branch_exists"
    assert github.branches()["twokey/tags"] == foreign
    assert not github.repository.pulls


def test_a_branch_that_somebody_makes_at_the_last_moment_is_left_alone(github: Stand) -> None:
    opening = Opening(github)
    main = github.branches()["main"]

    def thief(value: Any) -> Any:
        github.repository.git.refs[b"refs/heads/twokey/tags"] = main.encode()  # pyright: ignore[reportArgumentType]
        return value

    github.twin.faults = [Fault("tamper", "POST", "/git/commits", change=thief)]
    assert refused(opening.apply) == "branch_exists"
    assert github.branches()["twokey/tags"] == main
    assert not github.repository.pulls


def test_a_pull_request_that_somebody_made_of_our_branch_is_not_taken_for_ours(github: Stand) -> None:
    opening = Opening(github)
    github.twin.faults = [Fault("cut_before", "POST", "/pulls", times=4)]
    assert refused(opening.apply) == "github_unreachable"
    github.twin.faults = []
    tip = github.branches()["twokey/tags"]
    stranger = github.world.user("mallory")
    ticket = github.world.ticket(github.repository, "Mine", "all mine", stranger)
    from twins.github.world import PullRequest

    github.repository.pulls[ticket.number] = PullRequest(ticket, "twokey/tags", "main", tip, github.branches()["main"])
    assert opening.look().seen == "different"
    assert refused(opening.apply) == "branch_exists"
    assert len(github.repository.pulls) == 1


def test_a_pull_request_edited_by_hand_is_still_found_and_one_without_its_mark_is_not(github: Stand) -> None:
    opening = Opening(github)
    made = opening.apply()
    [pull] = github.repository.pulls.values()
    pull.ticket.title = "Better words"
    assert opening.look().result == made
    body, pull.ticket.body = pull.ticket.body, "I wrote this anew."
    assert opening.look().seen == "different"
    with github.forge().open(LOCATION) as repository:
        assert repository.pull(OPENING.proposal) is None
    pull.ticket.body = str(body).replace("ab" * 32, "ba" * 32)
    with github.forge().open(LOCATION) as repository:
        assert repository.pull(OPENING.proposal) is None
        assert repository.pulls().damaged == ("#1",)


def test_what_others_add_to_the_branch_is_seen_and_kept(github: Stand) -> None:
    made = Opening(github).apply()
    github.commit({"more.md": b"more\n"}, "twokey/tags")
    opening = Opening(github)
    assert opening.look().result == made
    assert opening.apply() == made
    with github.forge().open(LOCATION) as repository:
        record = repository.pull(OPENING.proposal)
        assert record is not None
        assert (record.head, record.state) == (made.head, "open")
    closing = ClosePullRequest(github.forge())
    assert refused(lambda: closing.render(close_args(made), CONTEXT)) == "branch_moved"
    assert refused(Shutting(github, made).apply) == "branch_moved"
    assert github.repository.pulls[1].ticket.state == "open"


def test_a_fork_with_our_words_is_none_of_ours(github: Stand) -> None:
    opening = Opening(github)
    made = opening.apply()
    fork = {"id": 99, "full_name": "mallory/dbt"}

    def moved(value: Any) -> Any:
        return [{**item, "head": {**item["head"], "repo": {**item["head"]["repo"], **fork}}} for item in value]

    github.twin.faults = [Fault("tamper", "GET", "/pulls", change=moved, times=9)]
    with github.forge().open(LOCATION) as repository:
        assert repository.pull(made.id) is None


def test_words_that_somebody_copied_make_no_pull_request_of_ours(github: Stand) -> None:
    made = Opening(github).apply()
    [ours] = github.repository.pulls.values()
    github.look_alike(ours, "mallory", branch="twokey/copy")
    with github.forge().open(LOCATION) as repository:
        record = repository.pull(made.id)
        assert record is not None
        assert (record.branch, record.head) == ("twokey/tags", made.head)
        assert [seen.head for seen in repository.pulls().records] == [made.head]
        assert not repository.pulls().damaged
    Shutting(github, made).apply()
    assert (ours.ticket.state, len(ours.ticket.comments), Shutting(github, made).look()) == ("closed", 1, "written")


@pytest.mark.parametrize("crafted", ["two parents", "no such person", "one parent"])
def test_words_copied_into_a_later_commit_hide_nothing(github: Stand, crafted: str) -> None:
    """Somebody who may push adds a commit to our branch that says of itself what ours says."""
    opening = Opening(github)
    made = opening.apply()
    [ours] = github.repository.pulls.values()
    run_git(github.work, "fetch", "--quiet", "origin")
    words = run_git(github.work, "log", "-1", "--format=%B", made.head).strip()
    if crafted == "no such person":
        words = words.rpartition("Requested-By: ")[0] + "Requested-By: No Such Person!"
    parents = ["-p", made.head] + (["-p", ours.base_sha] if crafted == "two parents" else [])
    tip = run_git(github.work, "commit-tree", f"{ours.base_sha}^{{tree}}", *parents, "-m", words).strip()
    run_git(github.work, "push", "--quiet", "origin", f"{tip}:refs/heads/{ours.head}")
    ours.head_sha = tip
    with github.forge().open(LOCATION) as repository:
        found = repository.pull(made.id)
        assert found is not None
        assert (found.head, found.tree) == (made.head, made.tree)
        listed = repository.pulls()
        assert ([record.id for record in listed.records], listed.damaged) == ([made.id], ())
        if crafted != "one parent":
            assert [record.head for record in listed.records] == [made.head]
    assert opening.look().result == made, "it was opened, whatever was added"
    assert refused(Shutting(github, made).apply) == "branch_moved"
    merge(github.world, github.repository, 1, github.world.user("sam"))
    with github.forge().open(LOCATION) as repository:
        assert [record.state for record in repository.pulls().records] == ["merged"]


def test_what_was_closed_is_opened_again_from_the_commit_that_was_closed_alone(github: Stand) -> None:
    made = Opening(github).apply()
    run_git(github.work, "fetch", "--quiet", "origin")
    shutting = Shutting(github, made)
    shutting.apply()
    [ours] = github.repository.pulls.values()
    copy = github.look_alike(ours, "mallory", branch="twokey/copy")
    ours.head_sha = copy.head_sha
    tool = ClosePullRequest(github.forge())
    assert refused(lambda: tool.reverse(shutting.args, shutting.rendered, CLOSING, CONTEXT)) == "nothing_to_undo"


def test_a_second_pull_request_of_our_branch_is_not_closed_in_place_of_ours(github: Stand) -> None:
    made = Opening(github).apply()
    [ours] = github.repository.pulls.values()
    copy = github.look_alike(ours, "mallory", base="other")
    shutting = Shutting(github, made)
    shutting.apply()
    assert (ours.ticket.state, len(ours.ticket.comments), copy.ticket.comments) == ("closed", 1, [])
    assert shutting.look() == "written"


def test_a_pull_request_in_the_name_of_twokey_is_closed_for_its_own_commit_only(github: Stand) -> None:
    """Twokey may write as somebody's own account: then that person can open what looks like it."""
    made = Opening(github).apply()
    [ours] = github.repository.pulls.values()
    github.look_alike(ours, "twokey", branch="twokey/copy")
    forged = Shutting(github, made)
    forged.args = forged.args.model_copy(update={"branch": "twokey/copy"})
    assert refused(forged.apply) == "no_pull_request"
    assert {pull.ticket.state for pull in github.repository.pulls.values()} == {"open"}


def test_a_pull_request_that_somebody_opened_of_our_branch_with_our_words_is_another(github: Stand) -> None:
    opening = Opening(github)
    made = opening.apply()
    [ours] = github.repository.pulls.values()
    ours.ticket.user = github.world.user("mallory")
    assert opening.look().seen == "different"
    assert refused(opening.apply) == "branch_exists"
    with github.forge().open(LOCATION) as repository:
        assert repository.pull(made.id) is None


def test_the_tree_that_github_makes_is_held_to_the_reviewed_one(github: Stand) -> None:
    opening = Opening(github)
    github.twin.faults = [Fault("tamper", "POST", "/git/trees", change=lambda value: {**value, "sha": "0" * 40})]
    assert refused(opening.apply) == "tree_differs"
    github.twin.faults = [Fault("tamper", "POST", "/git/commits", change=lambda value: {**value, "sha": "0" * 40})]
    assert refused(opening.apply) == "tree_differs"
    assert set(github.branches()) == {"main"}
    assert not github.repository.pulls


def test_owners_are_asked_to_look_and_those_who_may_not_be_are_left_out(github: Stand) -> None:
    owners = b"* @ana\n/docs/ @sam @acme/platform-owners @stranger\n"
    github.commit({".github/CODEOWNERS": owners})
    Opening(github).apply()
    [pull] = github.repository.pulls.values()
    assert [user.login for user in pull.reviewers] == ["sam", "ana"]
    assert pull.teams == ["platform-owners"]


def test_without_the_right_to_label_the_pull_request_stands(github: Stand) -> None:
    opening = Opening(github)
    no_labels = Fault("forbidden", "POST", "/labels")
    github.twin.faults = [no_labels]
    made = opening.apply()
    assert no_labels.times == 0
    assert opening.look().result == made


def test_merged_and_closed_are_told_by_github(github: Stand) -> None:
    made = Opening(github).apply()
    merge(github.world, github.repository, 1, github.world.user("sam"), squash=True)
    with github.forge().open(LOCATION) as repository:
        assert [record.state for record in repository.pulls().records] == ["merged"]
        assert refused(lambda: ClosePullRequest(github.forge()).render(close_args(made), CONTEXT)) == "nothing_to_undo"


def test_a_merge_is_taken_back_by_a_change_and_an_open_one_by_closing(github: Stand) -> None:
    opening = Opening(github)
    made = opening.apply()
    tool = OpenPullRequest(github.forge())
    undo = tool.reverse(opening.args, opening.rendered, OPENING, CONTEXT)
    assert (undo.tool, undo.args["head"]) == ("close_pull_request", made.head)
    merge(github.world, github.repository, 1, github.world.user("sam"))
    undo = OpenPullRequest(github.forge()).reverse(opening.args, opening.rendered, OPENING, CONTEXT)
    assert undo.tool == "open_pull_request"
    assert {item["path"]: item["content"] for item in undo.args["files"]} == {
        "README.md": "# Shop\n",
        "docs/a/b.md": None,
        "docs/guide.md": "one\ntwo\nthree",
    }


def test_a_closing_closes_deletes_and_records_once(github: Stand) -> None:
    made = Opening(github).apply()
    preview = ClosePullRequest(github.forge()).render(close_args(made), CONTEXT).preview
    assert f"branch  twokey/tags @ {made.head} is deleted" in preview
    shutting = Shutting(github, made)
    assert shutting.look() == "absent"
    shutting.apply()
    shutting.apply()
    assert shutting.look() == "written"
    [ticket] = github.repository.tickets.values()
    assert (ticket.state, len(ticket.comments), set(github.branches())) == ("closed", 1, {"main"})
    run_git(github.work, "fetch", "--quiet", "origin")
    # somebody makes the branch again: closing again leaves it alone
    github.repository.git.refs[b"refs/heads/twokey/tags"] = made.head.encode()  # pyright: ignore[reportArgumentType]
    shutting.apply()
    assert set(github.branches()) == {"main", "twokey/tags"}


def test_what_was_closed_can_be_proposed_again(github: Stand) -> None:
    made = Opening(github).apply()
    shutting = Shutting(github, made)
    shutting.apply()
    undo = ClosePullRequest(github.forge()).reverse(shutting.args, shutting.rendered, CLOSING, CONTEXT)
    assert (undo.tool, undo.args["branch"]) == ("open_pull_request", "twokey/tags-again")
    assert {item["path"] for item in undo.args["files"]} == {"README.md", "docs/a/b.md", "docs/guide.md"}


def test_a_comment_of_somebody_else_is_no_record_of_a_closing(github: Stand) -> None:
    made = Opening(github).apply()
    closing = Closing(pull=made.id, branch=made.branch, head=made.head, stamp=stamp_of(CLOSING))
    text = f"<!-- twokey:closing {CLOSING.proposal} {CLOSING.digest} -->"
    comment(github.world, github.repository.tickets[1], github.world.user("mallory"), text)
    with github.forge().open(LOCATION) as repository:
        assert repository.is_closed(closing) == "absent"
        assert refused(lambda: repository.is_closed(dataclasses.replace(closing, pull="p-0000000000zz"))) == (
            "no_pull_request"
        )


def test_a_branch_that_may_not_be_deleted_is_no_closing(github: Stand) -> None:
    made = Opening(github).apply()
    github.repository.protected.add("twokey/tags")
    assert refused(Shutting(github, made).apply) == "branch_not_deleted"
    assert Shutting(github, made).look() == "absent"


@pytest.mark.parametrize(
    "location",
    [
        "https://github.example/acme",
        "https://github.example/acme/dbt/tree/main",
        "https://github.example/acme/..",
        "https://evil.example/acme/dbt",
        "http://github.example/acme/dbt",
        "https://token@github.example/acme/dbt",
        "https://github.example/acme/dbt?x=1",
        "https://github.example/acme/dbt#x",
        "https://[/acme/dbt",
    ],
)
def test_only_repositories_of_this_github_are_opened(shared: Stand, location: str) -> None:
    with pytest.raises(TwokeyError) as caught, shared.forge().open(location):
        pass
    assert caught.value.code == "no_repository"
    assert "token@" not in str(caught.value)
