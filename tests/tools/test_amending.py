"""A suggestion from a review becomes a proposal of its own, and puts in nothing but its lines."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from support.bench import Bench, git

from twokey.core.errors import CheckFailed, Refused
from twokey.core.lifecycle import State
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.amending import MAX_TEXT, Suggestion, suggested

MakeOnce = Callable[[], Bench]
CONTENT = "version: 2\nmodels:\n  - name: a\n"


def written(bench: Bench) -> ProposalRecord:
    record = bench.propose(content=CONTENT)
    bench.gate.answer(bench.answer(record), channel="cli")
    assert bench.gate.execute(record.id).state is State.DONE
    return bench.gate.find(record.id)


def amended(bench: Bench, record: ProposalRecord, requester: str = "kim", **changes: Any) -> ProposalRecord:
    run = bench.desk(requester).run
    values = {"proposal": record.id, "path": "models/a.yml", "first": 3, "last": 3, "text": "  - name: b\n"}
    return bench.gate.amend(Suggestion.model_validate(values | changes), run=run, requester=requester)


def refused(bench: Bench, record: ProposalRecord, **changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        amended(bench, record, **changes)
    assert caught.value.code == "suggestion_unfit"
    return caught.value.message


def test_the_lines_are_put_in_and_everything_else_is_as_it_was_written(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = written(bench)
    new = amended(bench, record)
    assert new.state is State.AWAITING_APPROVAL
    assert new.proposal.args["files"] == [
        {"path": "models/a.yml", "content": "version: 2\nmodels:\n  - name: b\n", "mode": "100644"}
    ]
    assert new.proposal.args["branch"] == f"twokey/{new.run}"
    assert new.proposal.args["body"].startswith(
        f"Takes the place of the pull request of {record.id}, with lines that kim suggested."
    )
    bench.gate.answer(bench.answer(new), channel="cli")
    assert bench.gate.execute(new.id).state is State.DONE
    assert git(bench.repository, "show", f"twokey/{new.run}:models/a.yml") == "version: 2\nmodels:\n  - name: b\n"
    assert git(bench.repository, "show", f"twokey/{record.run}:models/a.yml") == CONTENT, "nothing opened is touched"


def test_who_suggested_it_and_who_shaped_what_was_reviewed_approve_none_of_it(make_bench_once: MakeOnce):
    bench = make_bench_once()
    new = amended(bench, written(bench), requester="sam")
    assert (new.proposal.requester, new.proposal.contributors) == ("sam", ("sam", "ana"))
    for name in ("sam", "ana"):
        with pytest.raises(Refused) as caught:
            bench.gate.answer(bench.answer(new, name), channel="cli")
        assert caught.value.code == "own_proposal"


def test_asked_twice_for_the_same_run_there_is_one_proposal(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = written(bench)
    run = bench.desk("kim").run
    suggestion = Suggestion(proposal=record.id, path="models/a.yml", first=1, last=2, text="version: 3\n")
    first = bench.gate.amend(suggestion, run=run, requester="kim")
    assert bench.gate.amend(suggestion, run=run, requester="kim").id == first.id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"path": "README.md"}, "did not write"),
        ({"first": 3, "last": 4}, "does not have"),
        ({"first": 3, "last": 2}, "does not have"),
        ({"text": "  - name: a\n"}, "changes nothing"),
    ],
)
def test_what_does_not_fit_is_refused(make_bench_once: MakeOnce, changes: dict[str, object], why: str):
    bench = make_bench_once()
    assert why in refused(bench, written(bench), **changes)


def test_only_what_the_log_proves_to_be_written_is_amended(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = bench.propose(content=CONTENT)
    assert "opened no pull request" in refused(bench, record)
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).values(state="done"))
    with pytest.raises((Refused, CheckFailed)):
        amended(bench, bench.gate.find(record.id))
    assert bench.branches() == []


def test_where_the_file_has_changed_on_the_base_branch_it_is_suggested_anew(make_bench_once: MakeOnce):
    bench = make_bench_once()
    record = written(bench)
    (bench.repository / "models").mkdir()
    (bench.repository / "models" / "a.yml").write_text("mine\n", encoding="utf-8")
    git(bench.repository, "add", ".")
    git(bench.repository, "-c", "user.name=O", "-c", "user.email=o@example.com", "commit", "-qm", "Mine")
    assert "changed since" in refused(bench, record)


@pytest.mark.parametrize(
    ("content", "text", "after"),
    [
        ("a\nb\n", "x\ny", "x\ny\nb\n"),
        ("a\r\nb\r\n", "x\n", "x\r\nb\r\n"),
        ("a", "x\n", "x"),
        ("a\nb\n", "", "b\n"),
        ("a\nb\n", "x\u2028y\n", "x\u2028y\nb\n"),
        ("a\nb\n", "\n", "\nb\n"),
    ],
)
def test_line_endings_are_the_files_own(make_bench_once: MakeOnce, content: str, text: str, after: str):
    bench = make_bench_once()
    record = bench.propose(content=content, name="notes.md")
    bench.gate.answer(bench.answer(record), channel="cli")
    bench.gate.execute(record.id)
    new = amended(bench, bench.gate.find(record.id), path="notes.md", first=1, last=1, text=text)
    assert new.proposal.args["files"][0]["content"] == after


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("Better:\n```suggestion\na\n b\n```\nthanks", "a\n b\n"),
        ("```suggestion\r\na\r\n```\r\n", "a\n"),
        ("````suggestion\n```\n````", "```\n"),
        ("```suggestion\n```", ""),
        ("```\na\n```", None),
        ("````\n```suggestion\na\n```\n````", None),
        ("```python\nx\n```\n```suggestion\na\n```", "a\n"),
        ("```suggestion\na\n```\n```suggestion\nb\n```", None),
        ("```suggestion\nnever ends", None),
        ("nothing", None),
        ("```suggestion\n" + "x" * (MAX_TEXT + 1) + "\n```", None),
        ("```suggestion\n" * 20_000, None),
    ],
)
def test_one_suggestion_block_is_read_and_nothing_else(body: str, lines: str | None):
    assert suggested(body) == lines
