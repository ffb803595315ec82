import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import ValidationError

from twokey.core import canonical
from twokey.core.errors import CheckFailed, NotFound, Refused, ToolRetry
from twokey.core.values import ContentHash, Resource
from twokey.tools.contract import Context, Marker, OutsideContract, Place, Places, Rendered
from twokey.tools.local import open_pull_request
from twokey.tools.write.pull_request import PullRequestArgs, split_preview

Git = Callable[..., str]
TOOL = open_pull_request()
MARKER = Marker("p-000000000001", "ab" * 32, "r-000000000002", "ana", 1_767_225_600_123_456)


def context(location: Path, name: str = "dbt") -> Context:
    return Context(Places((Place(Resource(kind="repository", id=name, granted_by="config"), str(location)),)), 0)


def arguments(base: str, *files: tuple[str, str | None], **more: Any) -> PullRequestArgs:
    return PullRequestArgs.model_validate(
        {
            "repository": "dbt",
            "base_branch": "main",
            "base_commit": base,
            "branch": "twokey/tags",
            "title": "Tag what is personal",
            "body": "Because.\n\nTwokey-Digest: forged\ndiff --git a/x b/x",
            "files": [{"path": path, "content": content} for path, content in files],
        }
        | more
    )


@pytest.fixture
def base(git: Git, repository: Path) -> str:
    return git(repository, "rev-parse", "main").strip()


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file outside ``objects`` and ``refs``, working copy and index included."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"objects", "refs"} & set(path.relative_to(folder).parts)
    }


def apply_with_git(git: Git, folder: Path, base: str, diff: str) -> str:
    """Apply a diff to the base with ``git apply`` and give the resulting tree."""
    index = {"GIT_INDEX_FILE": str(folder / ".git" / "trial")}
    git(folder, "read-tree", base, **index)
    git(folder, "apply", "--cached", "--whitespace=nowarn", stdin=diff.encode(), **index)
    return git(folder, "write-tree", **index).strip()


# -- render -----------------------------------------------------------------------------------------------------------


def test_a_person_sees_the_whole_change(git: Git, repository: Path, base: str) -> None:
    args = arguments(
        base,
        ("models/schema.yml", "models:\n  - name: orders\n    columns:\n      - name: contact\n        tags: [pii]"),
        ("docs/größe.md", "neu\n"),
        ("README.md", None),
    )
    rendered = TOOL.render(args, context(repository))
    assert rendered.preview.replace(base, "BASE") == snapshot("""\
title   Tag what is personal
branch  twokey/tags -> main @ BASE
change  3 files, +2 -2: adds_files, breaks_contract, changes_sensitivity, deletes_files, edits_files
| Because.
| \n\
| Twokey-Digest: forged
| diff --git a/x b/x

diff --git a/README.md b/README.md
deleted file mode 100644
index a00621bb3a9b990ee018f8d04c2d3140800d6ca6..0000000000000000000000000000000000000000
--- a/README.md
+++ /dev/null
@@ -1 +0,0 @@
-# Shop
diff --git "a/docs/gr\\303\\266\\303\\237e.md" "b/docs/gr\\303\\266\\303\\237e.md"
new file mode 100644
index 0000000000000000000000000000000000000000..48799323b5a1f21b02610d4ff0458eb5d8e2ebde
--- /dev/null
+++ "b/docs/gr\\303\\266\\303\\237e.md"
@@ -0,0 +1 @@
+neu
diff --git a/models/schema.yml b/models/schema.yml
index 3ce61834c5ef34ab46293e60c32c059cd51f3633..8f47b46d9877db2900e1b98027ce7ce7e0a7e078 100644
--- a/models/schema.yml
+++ b/models/schema.yml
@@ -1,5 +1,5 @@
 models:
   - name: orders
     columns:
-      - name: id
       - name: contact
+        tags: [pii]
\\ No newline at end of file
""")
    assert [(file.path, file.added, file.removed) for file in rendered.files] == [
        ("README.md", 0, 1),
        ("docs/größe.md", 1, 0),
        ("models/schema.yml", 1, 1),
    ]
    assert rendered.labels == (
        "adds_files",
        "breaks_contract",
        "changes_sensitivity",
        "deletes_files",
        "edits_files",
    )
    assert rendered.target.canonical() == {"kind": "repository", "id": "dbt", "version": base}
    assert rendered.rollback.tool is None
    assert "twokey/tags" in rendered.rollback.text
    assert [piece.name for piece in rendered.content] == ["tree", "docs/größe.md", "models/schema.yml"]
    head, diff = split_preview(rendered.preview)
    assert head + diff == rendered.preview
    assert f"git:{apply_with_git(git, repository, base, diff)}" == rendered.content[0].hash


def test_rendering_writes_nothing_and_gives_the_same_bytes_again(repository: Path, base: str) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in repository.rglob("*") if path.is_file()}

    args = arguments(base, ("a/b/c.md", "new\n"), ("README.md", "other\n"))
    before = everything()
    rendered = TOOL.render(args, context(repository))
    assert everything() == before
    assert TOOL.render(args, context(repository)) == rendered
    turned = args.model_copy(update={"files": args.files[::-1]})
    assert TOOL.render(turned, context(repository)) == rendered


def test_a_base_that_is_not_the_tip_is_stale(commit: Git, repository: Path, base: str) -> None:
    commit(repository, {"later.md": b"x\n"})
    with pytest.raises(Refused) as caught:
        TOOL.render(arguments(base, ("README.md", "x\n")), context(repository))
    assert caught.value.code == "stale_target"
    with pytest.raises(Refused) as caught:
        TOOL.render(arguments("0" * 40, ("README.md", "x\n")), context(repository))
    assert caught.value.code == "stale_target"
    with pytest.raises(NotFound) as missing:
        TOOL.render(arguments(base, ("README.md", "x\n"), base_branch="production"), context(repository))
    assert missing.value.code == "no_branch"


def test_a_repository_that_the_run_was_not_given_stays_closed(repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "x\n"), repository=str(repository))
    rendered = TOOL.render(arguments(base, ("README.md", "x\n")), context(repository))
    with pytest.raises(OutsideContract):
        TOOL.render(args, context(repository))
    with pytest.raises(OutsideContract):
        TOOL.apply(args, rendered, MARKER, context(repository))
    with pytest.raises(OutsideContract):
        TOOL.reconcile(args, rendered, MARKER, context(repository))
    assert TOOL.place_name(args) == str(repository)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("README.md", "# Shop\n")], "unsafe_change"),  # changes nothing
        ([("absent.md", None)], "unsafe_change"),
        ([("absent/x.md", None)], "unsafe_change"),
        ([("models", "x")], "unsafe_change"),  # a folder
        ([("README.md/x", "x")], "unsafe_change"),  # through a file
        ([("readme.md", "x")], "unsafe_change"),  # collides on a case-blind disk
        ([("Models/x.md", "x")], "unsafe_change"),
        ([("new.md", "x"), ("NEW.md", "y")], "unsafe_change"),
        ([("new/a.md", "x"), ("New/b.md", "y")], "unsafe_change"),
        ([("new", "x"), ("new/a", "y")], "unsafe_change"),
        ([("link.md", "x")], "unsafe_change"),
        ([("link.md", None)], "unsafe_change"),
        ([("folder_link/x.md", "x")], "unsafe_change"),
        ([("sub/x.md", "x")], "unsafe_change"),
        ([("sub", None)], "unsafe_change"),
        ([("run.sh", "x")], "unsafe_change"),
        ([("picture.png", "x")], "unsafe_change"),
        ([("latin.md", None)], "unsafe_change"),
        ([("big.md", "x")], "unsafe_change"),
        ([("new.md", "a\0b")], "unsafe_change"),
        ([("new.md", "ü" * 600_000)], "unsafe_change"),
        ([(f"n{number}.md", "x" * 1_000_000) for number in range(5)], "too_large"),
        ([(".git/hooks/post-commit", "x")], "unsafe_path"),
        ([("../x", "x")], "unsafe_path"),
        ([("a/.GIT./x", "x")], "unsafe_path"),
    ],
)
def test_a_change_that_leads_elsewhere_or_cannot_be_shown_is_refused(
    git: Git, commit: Git, repository: Path, files: list[tuple[str, str | None]], code: str
) -> None:
    (repository / "link.md").symlink_to("/etc/passwd")
    (repository / "folder_link").symlink_to("models")
    (repository / "run.sh").write_bytes(b"#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    some = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{some},sub")
    (repository / "sub").mkdir()
    base = commit(
        repository, {"picture.png": b"\x89PNG\0", "latin.md": b"gr\xfcn\n", "big.md": b"x" * (1024 * 1024 + 1)}
    )
    with pytest.raises(ToolRetry) as caught:
        TOOL.render(arguments(base, *files), context(repository))
    assert caught.value.code == code
    assert caught.value.message.isprintable()


def test_arguments_that_do_not_fit_never_reach_the_tool(base: str) -> None:
    good: dict[str, Any] = arguments(base, ("README.md", "x\n")).model_dump()
    file: dict[str, Any] = good["files"][0]
    for bad in (
        {"branch": "main"},
        {"branch": "twokey/x/../../main"},
        {"base_branch": "twokey/tags"},
        {"base_commit": "HEAD"},
        {"base_commit": base[:39]},
        {"title": "a\nb"},
        {"body": "a\x1bb"},
        {"files": []},
        {"files": [file, file]},
        {"files": [file | {"mode": "120000"}]},
        {"files": [file | {"mode": "100755"}]},
        {"files": [file | {"path": f"{number}.md"} for number in range(201)]},
        {"files": [file | {"content": 1.5}]},
        {"files": [file | {"content": "\ud800"}]},
        {"extra": 1},
    ):
        with pytest.raises(ValidationError):
            PullRequestArgs.model_validate(good | bad)
    canonical.encode(arguments(base, ("README.md", None)).canonical())


def test_a_file_may_take_the_place_of_a_folder_and_back(git: Git, repository: Path, base: str) -> None:
    args = arguments(
        base,
        ("docs/guide.md", None),
        ("docs", "a file now\n"),
        ("README.md", None),
        ("README.md/a.md", "in a folder\n"),
    )
    rendered = TOOL.render(args, context(repository))
    diff = split_preview(rendered.preview)[1]
    assert f"git:{apply_with_git(git, repository, base, diff)}" == rendered.content[0].hash


NAMES = ["README.md", "models/schema.yml", "models/deep/er/x.md", "a b.md", "größe.md", "empty.md"]
CONTENT = st.none() | st.lists(
    st.sampled_from(
        [
            "a\n",
            "b\n",
            "\n",
            "c\r\n",
            "x",
            "--- a/README.md\n",
            "+++ b/x\n",
            "@@ -1 +1 @@\n",
            "diff --git a/x b/x\n",
            "\\ No newline at end of file",
            "\x0c\n",
            "\u2028\n",
            "ü\n",
            "-- \n",
            "From 0 Mon\n",
        ]
    ),
    max_size=14,
).map("".join)


@pytest.fixture(scope="module")
def scratch(git: Git, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch")
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), CONTENT), st.dictionaries(st.sampled_from(NAMES), CONTENT, min_size=1))
def test_the_previewed_diff_gives_exactly_the_rendered_tree(
    git: Git, scratch: Path, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    there = {name: text for name, text in before.items() if text is not None}
    edits = {name: text for name, text in after.items() if there.get(name) != text}
    if not edits:
        return
    index = {"GIT_INDEX_FILE": str(scratch / ".git" / "base")}
    git(scratch, "read-tree", "--empty", **index)
    for name, text in there.items():
        blob = git(scratch, "hash-object", "-w", "--stdin", stdin=text.encode()).strip()
        git(scratch, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", **index)
    base = git(scratch, "commit-tree", "-m", "base", git(scratch, "write-tree", **index).strip()).strip()
    git(scratch, "update-ref", "refs/heads/main", base)
    rendered = TOOL.render(arguments(base, *edits.items()), context(scratch))
    diff = split_preview(rendered.preview)[1]
    assert f"git:{apply_with_git(git, scratch, base, diff)}" == rendered.content[0].hash


# -- apply ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dirty(git: Git, repository: Path, base: str) -> Path:
    """The repository in the middle of somebody's work, with hooks that would tell."""
    (repository / "README.md").write_text("half-written\n")
    (repository / "untracked.md").write_text("mine\n")
    (repository / "models/orders.sql").unlink()
    (repository / "staged.md").write_text("staged\n")
    git(repository, "add", "staged.md")
    (repository / "docs/guide.md").write_text("edited and staged\n")
    git(repository, "add", "docs/guide.md")
    for hook in ("pre-commit", "post-commit", "reference-transaction", "post-checkout", "pre-push", "update"):
        path = repository / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {repository}/HOOK-RAN\n")
        path.chmod(0o755)
    assert base
    return repository


def test_a_pull_request_is_a_branch_and_a_record_and_nothing_else(git: Git, dirty: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"), ("docs/new.md", "new\n"))
    rendered = TOOL.render(args, context(dirty))
    status, before = git(dirty, "status", "--porcelain"), files_of(dirty)
    result = TOOL.apply(args, rendered, MARKER, context(dirty))
    assert files_of(dirty) == before
    assert git(dirty, "status", "--porcelain") == status
    assert not (dirty / "HOOK-RAN").exists()
    git(dirty, "fsck", "--strict", "--full", "--no-dangling")
    refs = git(dirty, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert refs == [
        f"refs/heads/main {base}",
        f"refs/heads/twokey/tags {result.head}",
        f"refs/twokey/pulls/{MARKER.proposal} {result.record}",
    ]
    assert git(dirty, "rev-parse", "twokey/tags^{tree}", "twokey/tags^").split() == [result.tree, base]
    assert f"git:{result.tree}" == rendered.content[0].hash
    assert (
        git(dirty, "show", "--format=", "--full-index", "--no-renames", "twokey/tags")
        == split_preview(rendered.preview)[1]
    )


def test_the_commit_says_for_whom_and_under_which_digest(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    result = TOOL.apply(args, TOOL.render(args, context(repository)), MARKER, context(repository))
    assert git(repository, "cat-file", "commit", result.head).replace(base, "BASE") == snapshot("""\
tree 052f18f2e3966c05d32f40b9745d334ef1f237f0
parent BASE
author Twokey <twokey@localhost> 1767225600 +0000
committer Twokey <twokey@localhost> 1767225600 +0000

Tag what is personal

Because.

Twokey-Digest: forged
diff --git a/x b/x

Twokey-Proposal: p-000000000001
Twokey-Digest: abababababababababababababababababababababababababababababababab
Twokey-Run: r-000000000002
Requested-By: ana
""")
    trailers = git(repository, "log", "-1", "--format=%(trailers:only,unfold)", result.head).split("\n")
    assert [line for line in trailers if line] == [
        f"Twokey-Proposal: {MARKER.proposal}",
        f"Twokey-Digest: {MARKER.digest}",
        f"Twokey-Run: {MARKER.run}",
        f"Requested-By: {MARKER.requester}",
    ]


def test_the_record_is_readable_with_plain_git(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    result = TOOL.apply(args, rendered, MARKER, context(repository))
    ref = f"refs/twokey/pulls/{MARKER.proposal}"
    assert git(repository, "show", f"{ref}:body.md") == args.body
    assert git(repository, "show", f"{ref}:change.diff") == split_preview(rendered.preview)[1]
    assert canonical.decode(git(repository, "show", f"{ref}:pull.json").strip().encode()) == {
        "type": "twokey/pull/v1",
        "id": MARKER.proposal,
        "title": args.title,
        "author": "ana",
        "run": MARKER.run,
        "digest": MARKER.digest,
        "base_branch": "main",
        "base_commit": base,
        "branch": "twokey/tags",
        "head": result.head,
        "tree": result.tree,
        "opened_us": MARKER.created_us,
    }
    assert git(repository, "rev-parse", f"{ref}^").strip() == result.head


def test_applying_twice_is_applying_once(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).seen == "absent"
    first = TOOL.apply(args, rendered, MARKER, context(repository))
    assert TOOL.apply(args, rendered, MARKER, context(repository)) == first
    git(repository, "pack-refs", "--all")
    git(repository, "gc", "--quiet")
    assert TOOL.apply(args, rendered, MARKER, context(repository)) == first
    outcome = TOOL.reconcile(args, rendered, MARKER, context(repository))
    assert (outcome.seen, outcome.result) == ("written", first)


def test_what_was_merged_and_tidied_up_is_not_opened_again(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    first = TOOL.apply(args, rendered, MARKER, context(repository))
    git(repository, "merge", "--quiet", "--no-ff", "--no-edit", "twokey/tags")
    git(repository, "branch", "--delete", "twokey/tags")
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).result == first
    assert TOOL.apply(args, rendered, MARKER, context(repository)) == first
    assert git(repository, "branch", "--list", "twokey/*") == ""


def test_only_what_was_reviewed_is_applied(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    other = ContentHash(name="tree", hash=f"git:{'0' * 40}")
    altered: list[tuple[PullRequestArgs, Rendered]] = [
        (args, replace(rendered, preview=rendered.preview.replace("shop", "Shop"))),
        (args, replace(rendered, content=(other, *rendered.content[1:]))),
        (args, replace(rendered, labels=())),
        (args, replace(rendered, files=())),
        (arguments(base, ("README.md", "# The shop!\n")), rendered),
        (arguments(base, ("README.md", "# The shop\n"), title="Something else"), rendered),
    ]
    for changed_args, changed in altered:
        with pytest.raises(CheckFailed) as caught:
            TOOL.apply(changed_args, changed, MARKER, context(repository))
        assert caught.value.code == "differs_from_review"
    assert git(repository, "for-each-ref", "refs/twokey", "refs/heads/twokey") == ""


def test_somebody_elses_branch_of_that_name_is_left_alone(git: Git, repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    git(repository, "branch", "twokey/tags", base)
    before = git(repository, "count-objects")
    with pytest.raises(Refused) as caught:
        TOOL.apply(args, rendered, MARKER, context(repository))
    assert caught.value.code == "branch_exists"
    assert git(repository, "rev-parse", "twokey/tags").strip() == base
    assert git(repository, "for-each-ref", "refs/twokey") == ""
    assert git(repository, "count-objects") == before
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).seen == "different"


def test_trailers_that_anybody_can_type_prove_nothing(git: Git, repository: Path, base: str) -> None:
    """Same tree, same message, same digest in the trailers: but not the commit that was intended."""
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    tree = apply_with_git(git, repository, base, split_preview(rendered.preview)[1])
    message = f"{args.title}\n\nTwokey-Proposal: {MARKER.proposal}\nTwokey-Digest: {MARKER.digest}\n"
    forged = git(repository, "commit-tree", tree, "-p", base, stdin=message.encode()).strip()
    git(repository, "update-ref", "refs/heads/twokey/tags", forged)
    git(repository, "update-ref", f"refs/twokey/pulls/{MARKER.proposal}", forged)
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).seen == "different"
    with pytest.raises(Refused):
        TOOL.apply(args, rendered, MARKER, context(repository))


def test_a_branch_that_people_worked_on_is_still_the_one_that_was_written(
    git: Git, commit: Git, repository: Path, base: str
) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    first = TOOL.apply(args, rendered, MARKER, context(repository))
    git(repository, "checkout", "--quiet", "twokey/tags")
    commit(repository, {"more.md": b"more\n"})
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).result == first
    git(repository, "update-ref", "-d", f"refs/twokey/pulls/{MARKER.proposal}")
    assert TOOL.reconcile(args, rendered, MARKER, context(repository)).seen == "absent"
    assert TOOL.apply(args, rendered, MARKER, context(repository)) == first
    assert git(repository, "log", "-1", "--format=%s", "twokey/tags") == "a change\n"


def test_a_marker_of_another_proposal_is_another_pull_request(repository: Path, base: str) -> None:
    args = arguments(base, ("README.md", "# The shop\n"))
    rendered = TOOL.render(args, context(repository))
    TOOL.apply(args, rendered, MARKER, context(repository))
    for other in (replace(MARKER, proposal="p-000000000009"), replace(MARKER, digest="cd" * 32)):
        assert TOOL.reconcile(args, rendered, other, context(repository)).seen == "different"
        with pytest.raises(Refused):
            TOOL.apply(args, rendered, other, context(repository))


def test_the_same_change_gives_the_same_ids_anywhere(git: Git, repository: Path, base: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repository), str(copy)], check=True)
    args = arguments(base, ("README.md", "# The shop\n"))
    results = [
        TOOL.apply(args, TOOL.render(args, context(where)), MARKER, context(where)) for where in (repository, copy)
    ]
    assert results[0] == results[1]
    git(copy, "fsck", "--strict")


def test_the_contract_is_fixed() -> None:
    assert (TOOL.name, TOOL.version, TOOL.kind, TOOL.effect, TOOL.guarantee) == (
        "open_pull_request",
        "1",
        "repository",
        "write",
        "keyed",
    )
    assert TOOL.schema_digest() == snapshot("fa28b2a2c4a361491ce892d7510f335a21e4cbb790a27b6cc231badd47b7ccb3")
