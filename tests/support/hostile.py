"""Text that would like to act or to pass for ours, in every place of a card and of the other documents."""

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

from support import cards
from twokey.agents.state import Progress
from twokey.channels.card import Around, Card, Emergency
from twokey.channels.rendering.cards import card_document
from twokey.channels.rendering.changes import PullRequestText, diff_document, pull_request_document, refuse_document
from twokey.channels.rendering.documents import (
    Desk,
    RunView,
    home_document,
    refusal_document,
    reminder_document,
    run_document,
    waiting_document,
)
from twokey.channels.rendering.model import Document, Link, Words
from twokey.core.errors import Refused
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import (
    ApprovalsNeeded,
    Evidence,
    EvidenceRef,
    FileChange,
    GroupQuorum,
    Plan,
    Reason,
    RollbackPlan,
    Step,
    Target,
)

CANARY = "qanaryq"
"""Stands in every text from outside; where it is found, such a text is."""
LINK = "https://console.example/p/1"
ATTACKS = (
    # Slack
    "<!channel>", "<!here|here>", "<@U012AB3CD>", "<#C024BE7LR|general>", "<!subteam^SAZ94GDB8>", "@channel @here @everyone",
    "<https://evil.example|Approve>", "<mailto:a@evil.example|mail>", "https://evil.example/x.png", "www.evil.example",
    "*Policy: ALLOW*", "_x_ ~y~ `z`", "```\n*Policy: ALLOW*\n```", "&lt;!channel&gt;", "&amp;lt;", ":tada: :white_check_mark:",
    "> quoted", "<!date^1392734382^{date}|now>", "\n\n*state*  approved", "•  approved by sam",
    # Markdown and GitHub
    "@octocat @org/team", "#123 GH-123 owner/repo#123", "0123456789abcdef0123456789abcdef01234567", "fixes #1 closes #2",
    "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "[^1]\n\n[^1]: note", "[x]: https://evil.example",
    "<details open><summary>Policy: ALLOW</summary>", "<!-- hidden", "-->", "<img src=x onerror=alert(1)>", "| a | b |\n|---|---|\n| 1 | 2 |",
    "~~~\n# heading\n~~~", "````\n# out\n````", "`", "``", "`" * 40, " ` ", "\\`", "\n---\n", "Policy: ALLOW\n===", "1. one\n2. two",
    "- [x] approved", "$\\sqrt{x}$ $`x`$", "<https://evil.example>", "a@evil.example", "mailto:a@evil.example", "```suggestion\nx\n```",
    "</sub></p><h1>Policy: ALLOW</h1>", "&#64;octocat", "&commat;octocat", "http://evil.example/%0a", "ssh://evil.example",
    # HTML
    "</code></pre><script>alert(1)</script>", '"><svg onload=alert(1)>', "' onmouseover='alert(1)", "<style>*{display:none}</style>",
    "]]><x>", '<a href="javascript:alert(1)">', "</textarea><script>", "<base href=//evil.example>",
    # terminals and log readers
    "\x1b[2J\x1b[H", "\x1b]8;;https://evil.example\x1b\\Approve\x1b]8;;\x1b\\", "\x1b]0;title\x07", "\a\b\b\b\b\b\b\b\b", "\x9b31m",
    "\r" + "policy          allow", "\npolicy          allow", " " * 64 + "policy          allow", "\x1bP+q544e\x1b\\", "\x7f", "\x00",
    "\v\f\x85\x1c\x1d", "\u2028policy allow\u2029", "x" * 63 + "\u3000policy          allow", "“quoted” (sha256 0000)",
    # what is not seen
    "\u202eWOLLA\u202c", "\u2066x\u2069", "\u200b\u200c\u200d\ufeff", "\u00ad", "\u3164\u2800\u115f", "\U000e0041\U000e0042", "\ufe0f\U000e0100",
    "e" + "\u0301" * 60, "\u0903" * 200, "\u0489" * 20, "👩‍👩‍👧", "🇩🇪", "\U0001f600" * 50, "ﷺ" * 30, "\u061c", "\uff21\uff2c\uff2c\uff2f\uff37",
    "\\u{1b}", "\\u{", "}", "\\", "%s %n {0} ${x}",
)  # fmt: skip
_STOPS = (None, None, None, "frozen", "data_freeze")
_PARTS = (
    "a",
    "B",
    " ",
    "\n",
    "&",
    "<",
    ">",
    "`",
    "\x1b",
    "\u202e",
    "\u0301",
    "\U0001f600",
    "字",
    "|",
    "*",
    "_",
    "@",
    "#",
    "\t",
    "\\",
)


def text(source: random.Random, most: int) -> str:
    """Something from outside, at most so long; its length and its makings differ widely."""
    size = source.choice((1, 3, 20, 80, 400, most)) if source.random() < 0.4 else source.choice((1, 20, 80, 200))
    made = CANARY
    while len(made) < size:
        kind = source.random()
        if kind < 0.4:
            made += source.choice(ATTACKS)
        elif kind < 0.8:
            made += source.choice(_PARTS) * source.choice((1, 1, 2, 7, 90))
        else:
            made += f" {CANARY} "
    return made[:most]


def card(source: random.Random, given: str | None = None) -> Card:
    """A card with text from outside in each of its places: ``given``, or something made up."""

    def some(most: int) -> str:
        return f"{CANARY}{given}"[:most] if given is not None else text(source, most)

    usual = source.random() < 0.9
    many = 2 if given is not None else source.choice((0, 1, 1, 2, 2, 3, 5) if usual else (13, 40))
    evidence = tuple(_evidence(number, some(400)) for number in range(1, many + 2))
    # The head of a preview has marked lines, so that none can begin a diff; here anything goes.
    diff = f"\ndiff --git a b\n+{some(60_000)}\n" if source.random() < 0.8 else ""
    made = cards.proposal(
        tool=source.choice(("open_pull_request", "update_ticket")),
        why=some(4000),
        preview=f"title {some(2000)}\n{diff}",
        files=tuple(FileChange(path=some(1000), added=number, removed=10**9) for number in range(many)),
        findings=tuple(cards.finding(number, some(1000), attention=number % 2 == 0) for number in range(1, many + 1)),
        rollback=RollbackPlan(text=some(4000)),
        target=Target(kind="repository", id=some(1000), version=some(200)),
        evidence=tuple(EvidenceRef(id=item.id, sha256=item.sha256) for item in evidence),
        supersedes=source.choice((None, "p-000000000008")),
        reverts=source.choice((None, "p-000000000009")),
    )
    reasons = tuple(Reason(code="changes_sensitivity", message=some(300), rule="R07") for _ in range(many + 1))
    quorums = (GroupQuorum(group="g" * 40, n=source.choice((1, 9))),) * source.choice((1, 3))
    decided = cards.decision(
        approvals=ApprovalsNeeded(all_of=quorums, exclude=("a" * 40,) * many),
        reasons=reasons,
        warnings=("break_glass", "x" * 64)[: source.choice((0, 2))],
        obligations=("tell_owner",)[: source.choice((0, 1))],
        engine=source.choice(("embedded", "opa 1.20.2")),
    )
    state = source.choice((State.AWAITING_APPROVAL, State.AWAITING_APPROVAL, *State))
    answers = tuple(dataclasses.replace(cards.answer(action="refuse"), reason=some(1000)) for _ in range(many // 4))
    seen = WriteEnded(
        proposal=cards.ID, run=cards.RUN, digest="1" * 64, executor="x-000000000001", outcome="unknown", code="unclear"
    )
    around = Around(
        stopped=source.choice(_STOPS),
        emergency=source.choice((None, Emergency("g-000000000001", "rita", some(200), cards.NOW))),
        successor=source.choice((None, "p-000000000007")),
        receipts=(seen,) * source.choice((0, 2)),
        shadow=source.choice((None, some(400))),
    )
    return Card(cards.record(made, decided, state=state), evidence, answers, cards.card().checkpoint, around)


def documents(source: random.Random, given: str | None = None) -> Iterator[Document]:
    """Every document there is, with text from outside wherever it can come from."""

    def some(most: int) -> str:
        return f"{CANARY}{given}"[:most] if given is not None else text(source, most)

    made = card(source, given)
    record = made.record
    yield card_document(made, answering=source.choice(("buttons", "key", "commands")), console=LINK)
    yield card_document(made, whole=True)
    run = dataclasses.replace(
        cards.run(source.choice(("running", "waiting", "done", "failed", "cancelled"))),
        request=cards.run().request.model_copy(update={"text": some(4000)}),
        message=some(1000),
    )
    plan = Plan(
        understood=some(500),
        steps=tuple(Step(number=n, agent="catalog", action="scan", title=some(200)) for n in (1, 2)),
    )
    progress = tuple(Progress(number % 4, some(2000), number, 41) for number in range(30))
    question: dict[str, Any] = {"question": some(2000), "suggestions": [some(300)] * 12}
    many = tuple(dataclasses.replace(record, id=f"p-{n:012}") for n in range(source.choice((0, 1, 12, 40))))
    yield run_document(RunView(run, plan, progress, many[:1], record.proposal.findings, question))
    yield run_document(RunView(run, findings=record.proposal.findings))
    yield waiting_document(many[:12], stopped=some(40))
    yield home_document(Desk("ana", many, many, (run,) * len(many)))
    yield refusal_document(Refused(some(2000), next=some(2000), code="refused"), cards.ID)
    yield reminder_document(record, cards.NOW, escalated=True)
    yield diff_document(record, source.choice((1, 2, 99)))
    yield refuse_document(record)
    refs = (EvidenceRef(id=cards.SEEN, sha256="c" * 64),) * source.choice((0, 1, 300))
    yield pull_request_document(
        PullRequestText(
            "ana",
            cards.RUN,
            some(60_000),
            some(4000),
            refs,
            record.proposal.findings,
            cards.ID,
            (Link(Words("the whole card"), LINK),),
        )
    )


def _evidence(number: int, summary: str) -> Evidence:
    return Evidence(
        id=f"e-{number:012}",
        run=cards.RUN,
        tool="query_warehouse",
        origin="app",
        trusted=False,
        summary=summary,
        sha256="c" * 64,
        salt="0" * 32,
        commitment="3" * 64,
        created_us=cards.NOW,
    )
