"""The card shows what is hashed: who asks, diff, evidence, rollback plan, policy's reasons, digest; none of it raw."""

import dataclasses
import unicodedata

import pytest
from inline_snapshot import snapshot
from support import cards

from twokey.channels import card
from twokey.channels.rendering import terminal
from twokey.channels.rendering.cards import card_document
from twokey.channels.rendering.cards import needed as who_approves
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import ApprovalsNeeded, FileChange, GroupQuorum, RollbackPlan, Target


def shown(made: card.Card, *, whole_diff: bool = False) -> str:
    """The card as the terminal shows it."""
    return "\n".join(terminal.lines(card_document(made, whole=whole_diff, answering="commands")))


def test_a_card_that_waits():
    assert shown(cards.card()) == snapshot("""\
p-000000000001  open_pull_request 1 → /dbt @ 4be1c0200000 · asked by ana, run r-000000000001, 2026-01-01T00:00:00Z
state           awaiting_approval (needs_approval)
why             One column is personal and not marked.
digest          1111111111111111111111111111111111111111111111111111111111111111
files           1 file, +1 -1: models/schema.yml
findings        ! 90 % e-000000000001: b.mail is personal.
                  90 % e-000000000001: b has one row per person.
text            title   Document b
                branch  twokey/1 -> main
diff            diff --git a/models/schema.yml b/models/schema.yml
                --- a/models/schema.yml
                +++ b/models/schema.yml
                @@ -1,2 +1,3 @@
                 models:
                -  - name: a
                +  - name: b
evidence        e-000000000001 (sha256 cccccccccccc): b.mail: 50 of 50 values are e-mail addresses
rollback        Close the pull request.
                Delete the branch.
policy          require_approval · needs 1 of platform-owners, not ana
                R07 changes_sensitivity: Changes sensitivity tags.
                bundle dddddddddddd · data eeeeeeeeeeee · engine embedded
log             checkpoint 1,204 · root 9c410000…a1e7
expires         2026-01-02T00:00:00Z
approve         twokey approvals approve p-000000000001
refuse          twokey approvals refuse p-000000000001 --reason "..."\
""")


def test_a_card_that_was_answered_and_has_no_evidence():
    made = cards.record(cards.proposal(findings=()), state=State.REFUSED, code="refused_by_person")
    text = shown(cards.card(made, answers=(cards.answer(action="refuse"),), bare=True))
    assert text == snapshot("""\
p-000000000001  open_pull_request 1 → /dbt @ 4be1c0200000 · asked by ana, run r-000000000001, 2026-01-01T00:00:00Z
state           refused (refused_by_person)
why             One column is personal and not marked.
digest          1111111111111111111111111111111111111111111111111111111111111111
files           1 file, +1 -1: models/schema.yml
text            title   Document b
                branch  twokey/1 -> main
diff            diff --git a/models/schema.yml b/models/schema.yml
                --- a/models/schema.yml
                +++ b/models/schema.yml
                @@ -1,2 +1,3 @@
                 models:
                -  - name: a
                +  - name: b
evidence        none
rollback        Close the pull request.
                Delete the branch.
policy          require_approval · needs 1 of platform-owners, not ana
                R07 changes_sensitivity: Changes sensitivity tags.
                bundle dddddddddddd · data eeeeeeeeeeee · engine embedded
answers         sam refused 2026-01-01T00:01:00Z (log l-000000000001)\
""")


def test_the_card_for_programs_has_every_part():
    assert card.as_json(cards.card(answers=(cards.answer(),))) == snapshot(
        {
            "id": "p-000000000001",
            "digest": "1111111111111111111111111111111111111111111111111111111111111111",
            "state": "awaiting_approval",
            "code": "needs_approval",
            "run": "r-000000000001",
            "tool": {
                "name": "open_pull_request",
                "version": "1",
                "schema": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            },
            "args": {"branch": "twokey/1"},
            "why": "One column is personal and not marked.",
            "preview": """\
title   Document b
branch  twokey/1 -> main

diff --git a/models/schema.yml b/models/schema.yml
--- a/models/schema.yml
+++ b/models/schema.yml
@@ -1,2 +1,3 @@
 models:
-  - name: a
+  - name: b
""",
            "content": [{"name": "tree", "hash": "git:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}],
            "rollback": {
                "text": """\
Close the pull request.
Delete the branch.\
""",
                "tool": None,
                "args": {},
            },
            "evidence": [
                {
                    "id": "e-000000000001",
                    "sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                    "tool": "query_warehouse",
                    "origin": "app",
                    "summary": "b.mail: 50 of 50 values are e-mail addresses",
                    "trusted": False,
                }
            ],
            "findings": [
                {
                    "id": "f-1",
                    "subject": "b",
                    "kind": "describes",
                    "claim": "b.mail is personal.",
                    "evidence": ["e-000000000001"],
                    "confidence": 90,
                    "attention": True,
                },
                {
                    "id": "f-2",
                    "subject": "b",
                    "kind": "describes",
                    "claim": "b has one row per person.",
                    "evidence": ["e-000000000001"],
                    "confidence": 90,
                    "attention": False,
                },
            ],
            "target": {"kind": "repository", "id": "/dbt", "version": "4be1c02000000000000000000000000000000000"},
            "requester": "ana",
            "contributors": ["ana"],
            "decision": {
                "digest": "2222222222222222222222222222222222222222222222222222222222222222",
                "effect": "require_approval",
                "approvals": {
                    "all_of": [{"group": "platform-owners", "n": 1}],
                    "exclude": ["ana"],
                    "distinct": True,
                    "expires_s": 86400,
                    "max_uses": 1,
                    "binds": ["proposal_digest", "decision_digest"],
                    "auth": ["key"],
                },
                "reasons": [{"code": "changes_sensitivity", "message": "Changes sensitivity tags.", "rule": "R07"}],
                "obligations": [],
                "warnings": [],
                "policy_revision": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
                "data_revision": "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
                "engine": "embedded",
                "input_digest": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            },
            "approvals": [
                {"principal": "sam", "action": "approve", "at": "2026-01-01T00:01:00Z", "entry": "l-000000000001"}
            ],
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-02T00:00:00Z",
            "checkpoint": {"size": 1204, "root": "9c4100000000000000000000000000000000000000000000000000000000a1e7"},
            "result": None,
            "supersedes": None,
            "reverts": None,
            "successor": None,
            "stopped": None,
            "emergency": None,
            "receipts": [],
        }
    )


def test_of_a_long_diff_the_rest_is_counted_and_shown_when_asked_for():
    lines = "".join(f"+line {number}\n" for number in range(500))
    made = cards.card(cards.record(cards.proposal(preview=f"title   x\n\n{cards.DIFF}{lines}")))
    assert "… 447 more lines: twokey approvals show p-000000000001 --diff" in shown(made)
    assert "line 499" not in shown(made)
    assert "line 499" in shown(made, whole_diff=True)


def test_what_wants_attention_comes_first_and_the_rest_is_counted():
    found = [cards.finding(number, f"claim {number}") for number in range(1, 40)]
    found.append(cards.finding(40, "look here", attention=True))
    text = shown(cards.card(cards.record(cards.proposal(findings=tuple(found)))))
    assert text.index("! 90 % e-000000000001: look here") < text.index("claim 1")
    assert "… 28 more" in text
    assert "claim 39" not in text


def test_a_preview_of_another_tool_is_all_words():
    made = cards.record(cards.proposal(tool="update_ticket", preview="set the label\n\ndiff --git is a word here\n"))
    text = shown(cards.card(made))
    assert "text            set the label" in text
    assert "\ndiff " not in text


def test_more_files_than_fit_are_counted():
    files = tuple(FileChange(path=f"models/{number}.yml", added=2, removed=1) for number in range(7))
    assert "7 files, +14 -7: models/0.yml, models/1.yml, models/2.yml, models/3.yml, models/4.yml and 2 more" in shown(
        cards.card(cards.record(cards.proposal(files=files)))
    )


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (None, snapshot("nobody can approve this")),
        (ApprovalsNeeded(all_of=(GroupQuorum(group="owners", n=1),)), snapshot("needs 1 of owners")),
        (
            ApprovalsNeeded(
                all_of=(GroupQuorum(group="owners", n=2), GroupQuorum(group="risk", n=1)), exclude=("ana", "eve")
            ),
            snapshot("needs 2 of owners and 1 of risk, not ana, eve"),
        ),
    ],
)
def test_who_has_to_approve_is_said_in_words(needed: ApprovalsNeeded | None, words: str):
    assert terminal.as_text(who_approves(cards.decision(approvals=needed))) == words


def test_nothing_from_outside_is_rendered_raw():
    bad = "\x1b[2J\u202e\x9b\u200b\r"
    made = cards.proposal(
        why=f"why {bad}",
        preview=f"title {bad}\n\n{cards.DIFF}+{bad}\n",
        files=(FileChange(path=f"models/{bad}.yml", added=1, removed=0),),
        findings=(cards.finding(1, f"claim {bad}"),),
        rollback=RollbackPlan(text=f"undo {bad}"),
        target=Target(kind="repository", id=f"/{bad}", version=f"{bad}abc"),
    )
    text = shown(cards.card(cards.record(made)), whole_diff=True)
    assert not [item for item in text if unicodedata.category(item) in {"Cc", "Cf"} and item != "\n"]
    assert text.count("\\u{1b}[2J\\u{202e}\\u{9b}\\u{200b}\\u{d}") >= 6


def test_what_bears_on_a_card_from_outside_stands_first():
    made = cards.record(cards.proposal(supersedes="p-000000000008", reverts="p-000000000009"))
    emergency = card.Emergency("g-000000000001", "rita", "INC-1\x1b[31m", cards.NOW + 60_000_000)
    outside = card.Around(stopped="frozen", emergency=emergency)
    text = shown(dataclasses.replace(cards.card(made), around=outside)).splitlines()
    assert "\n".join(text[2:7]) == snapshot("""\
STOPPED         writes are stopped (frozen): nothing is approved or begun, see twokey freeze
EMERGENCY       g-000000000001, declared by rita until 2026-01-01T00:01:00Z
                a review is due afterwards · ticket INC-1\\u{1b}[31m
undoes          p-000000000009
instead of      p-000000000008, whose target had moved on\
""")
    assert card.as_json(dataclasses.replace(cards.card(made), around=outside))["emergency"] == {
        "id": "g-000000000001",
        "by": "rita",
        "ticket": "INC-1\x1b[31m",
        "until": "2026-01-01T00:01:00Z",
    }


def test_a_card_whose_place_was_taken_names_its_successor_and_says_nothing_of_a_freeze():
    made = cards.record(state=State.SUPERSEDED, code="stale_target")
    text = shown(dataclasses.replace(cards.card(made), around=card.Around("frozen", successor="p-000000000007")))
    assert "STOPPED" not in text
    assert text.splitlines()[2] == snapshot(
        "successor       p-000000000007 means the same on the target as it was then"
    )


def test_a_card_that_somebody_edited_says_who_and_the_other_one_where_it_went():
    new = cards.record(cards.proposal(agent="edit", requester="kim", supersedes="p-000000000008"))
    assert shown(cards.card(new)).splitlines()[2] == snapshot("instead of      p-000000000008, which kim edited")
    old = cards.record(state=State.SUPERSEDED, code="edited")
    text = shown(dataclasses.replace(cards.card(old), around=card.Around(None, successor="p-000000000007")))
    assert text.splitlines()[2] == snapshot("successor       p-000000000007 is what somebody made of it")


def test_a_card_of_an_unknown_outcome_says_what_everybody_saw_and_how_to_settle_it():
    seen = WriteEnded(
        proposal=cards.ID,
        run=cards.RUN,
        digest="1" * 64,
        executor="x-000000000001",
        outcome="unknown",
        code="written_not_found",
    )
    late = seen.model_copy(update={"executor": "x-000000000002", "outcome": "written", "code": "written"})
    made = cards.record(state=State.UNKNOWN, code="written_not_found")
    held = dataclasses.replace(cards.card(made), around=card.Around(receipts=(seen, late)))
    assert "\n".join(shown(held).splitlines()[-4:]) == snapshot("""\
seen            x-000000000001 unknown: written_not_found
                x-000000000002 written: written
settle          look at the target, then: twokey approvals confirm p-000000000001 --written --reason "..."
                (or --not-written)\
""")
    assert card.as_json(held)["receipts"][1] == {"executor": "x-000000000002", "outcome": "written", "code": "written"}


def test_a_card_of_what_was_written_says_how_to_undo_it():
    text = shown(cards.card(cards.record(state=State.DONE, code="written")))
    assert text.splitlines()[-1] == snapshot("undo            twokey approvals revert p-000000000001")
