"""What a person is told about a run, and what a program gets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from support import cards

from twokey.agents.state import Progress
from twokey.channels.cli.following import report, tell
from twokey.channels.cli.session import SESSION
from twokey.channels.service import Outcome
from twokey.core.errors import BadInput
from twokey.core.lifecycle import State


@pytest.fixture(params=[False, True], ids=["person", "program"])
def as_json(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Once for a person, once for a program."""
    SESSION.as_json = request.param
    yield request.param
    SESSION.as_json = False


def test_progress_is_one_harmless_line(capsys: pytest.CaptureFixture[str]):
    tell(Progress(0, "Document\x1b[2J all"))
    tell(Progress(1, "profiled t", 3, 1100))
    assert capsys.readouterr().out == snapshot("""\
 plan  Document\\u{1b}[2J all
    1  profiled t  (3 of 1,100)
""")


def test_what_waits_is_told_and_given(as_json: bool, capsys: pytest.CaptureFixture[str]):
    report(Outcome(cards.run(), (cards.record(),)), ended_badly_fails=True)
    said = capsys.readouterr()
    people = said.err if as_json else said.out
    assert people == snapshot("""\
proposal p-000000000001 · open_pull_request · 1 file, +1 -1 · awaiting_approval
policy   needs 1 of platform-owners, not ana · "Changes sensitivity tags." (R07)
waiting  twokey approvals show p-000000000001 · until 2026-01-02T00:00:00Z
run      r-000000000001 is waiting
""")
    if as_json:
        assert json.loads(said.out) == snapshot(
            {
                "run": "r-000000000001",
                "state": "waiting",
                "code": "waits_for_people",
                "proposals": [
                    {
                        "id": "p-000000000001",
                        "digest": "1111111111111111111111111111111111111111111111111111111111111111",
                        "state": "awaiting_approval",
                    }
                ],
            }
        )


def test_a_denial_and_a_failed_run_fail_the_command_that_asked(as_json: bool, capsys: pytest.CaptureFixture[str]):
    denied = cards.record(decided=cards.decision("deny"), state=State.DENIED, code="too_many_files")
    outcomes: list[tuple[Any, Any]] = [
        (cards.run("done", "denied"), (denied,)),
        (cards.run("failed", "unbacked_claim"), ()),
    ]
    for record, proposals in outcomes:
        outcome = Outcome(record, proposals)
        with pytest.raises(SystemExit) as caught:
            report(outcome, ended_badly_fails=True)
        assert caught.value.code == 1
        said = capsys.readouterr()
        assert record.code in said.out
        if as_json:
            assert set(json.loads(said.out)) >= {"run", "state", "proposals"}
        report(outcome, ended_badly_fails=False)
        capsys.readouterr()


def test_a_request_that_was_not_understood_is_asked_back():
    question = {"question": "Which\x1b table?", "suggestions": ['document "churn"', "scan app"]}
    with pytest.raises(BadInput) as caught:
        report(Outcome(cards.run("failed", "unclear"), (), question), ended_badly_fails=True)
    assert caught.value.as_json() == snapshot(
        {"error": {"code": "unclear", "message": "Which\\u{1b} table?", "next": 'Try: "document "churn"" · "scan app"'}}
    )
    with pytest.raises(BadInput) as caught:
        report(Outcome(cards.run("failed", "unclear"), (), {"question": "What?"}), ended_badly_fails=True)
    assert caught.value.next == snapshot("Say it in other words.")


def test_findings_are_told_where_nothing_was_proposed(capsys: pytest.CaptureFixture[str]):
    findings = (
        cards.finding(1, "b has one row per person."),
        cards.finding(2, "b.mail is personal: e-mail addresses.", kind="sensitivity"),
        cards.finding(3, "broken could not be read\x1b", attention=True, kind="unreadable"),
        *(cards.finding(number, f"claim {number}") for number in range(4, 40)),
    )
    report(Outcome(cards.run("done", "nothing_to_propose"), (), findings=findings), ended_badly_fails=True)
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == snapshot(
        [
            "  ! broken could not be read\\u{1b} (90 %)",
            "    b.mail is personal: e-mail addresses. (90 %)",
            "    b has one row per person. (90 %)",
        ]
    )
    assert told[-2:] == snapshot(["    ... 14 more: --json gives them all", "run      r-000000000001 is done"])
