"""Attack strings for pages, and a workspace whose every field of outside text is made of them."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import store_values as made
from twokey.channels.workspace import Workspace
from twokey.core import canonical
from twokey.core.lifecycle import State
from twokey.core.values import Evidence, EvidenceRef, FileChange, Finding, Report, Request, RollbackPlan, Target
from twokey.store import evidence, proposals, runs

OWN: list[str] = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "<svg onload=alert(1)>",
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    '" autofocus onfocus=alert(1) x="',
    "{{7*7}}{% raw %}",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "</style><style onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "<base href=//example.invalid>",
    "\u202e<script>alert(1)</script>",
]


def vectors(folder: Path | None) -> list[str]:
    """Our own strings, and those of the development data where it is here."""
    path = None if folder is None else folder / "attacks" / "xss_vectors.jsonl"
    if path is None or not path.exists():
        return OWN
    lines = path.read_text(encoding="utf-8").splitlines()
    return [*OWN, *(str(json.loads(line)["payload"]) for line in lines)]


def plant(workspace: Workspace, strings: Sequence[str]) -> dict[str, str]:
    """Put the strings wherever outside text can come to stand; gives what can be looked at."""
    strings = [text.replace("\0", "") for text in strings]
    run, identifiers = "r-00000000xss0", iter(f"{number:012d}" for number in range(9000, 99999))
    whole, now = "\n".join(strings), time.time_ns() // 1000
    part = whole[:3900]
    with workspace.ledger.change() as unit:
        connection = unit.connection
        request = Request(text=part, intent="ask", channel="cli", requester="ana")
        runs.add_run(connection, run=run, request=request, auth="key", places=[made.PLACE], now=now)
        runs.move_run(connection, run, before=["running"], after="failed", now=now, code="failed", message=part)
        cited = _evidence(connection, run, next(identifiers), {"texts": strings}, strings)
        findings = tuple(
            Finding(
                id=f"f-{number}",
                subject=text[:400],
                kind=("summary_what", "sensitivity", "timeline_said", "factors_other")[number % 4],
                claim=text[:1000],
                evidence=(cited.id,),
                confidence=90,
                attention=number % 3 == 0,
            )
            for number, text in enumerate(strings, 1)
            if text.strip()
        )
        report = Report(agent="catalog", findings=findings).canonical()
        runs.put_document(connection, run=run, name="report-1", body=report, now=now)
        runs.put_document(connection, run=run, name="incident-evidence", body=[["overview", cited.id, {}]], now=now)
        _catalog(connection, run, next(identifiers), strings)
        proposal = made.proposal(
            id="p-00000000xss0",
            run=run,
            why=part,
            preview="\n".join(f"+{line}" for line in whole.splitlines()),
            args={"title": part[:200], "files": [{"path": "a.yml", "content": whole}]},
            files=tuple(FileChange(path=text[:200], added=1, removed=0) for text in strings[:300] if text.strip()),
            rollback=RollbackPlan(text=part),
            evidence=(EvidenceRef(id=cited.id, sha256=cited.sha256),),
            findings=findings[:500],
            target=Target(kind="repository", id=part[:900], version="b" * 40),
            created_us=now,
        )
        proposals.add_proposal(
            connection,
            proposal,
            made.decision(),
            state=State.AWAITING_APPROVAL,
            expires_us=2**52,
            code="moved",
            now=now,
        )
    lines = "\n".join(f'"{text[:50].replace(chr(34), chr(39))}",,' for text in strings[:40] if text.strip())
    (workspace.folder / "training.csv").write_text(f"level,completed,pulse\n{lines}\n", encoding="utf-8")
    return {"proposal": proposal.id, "run": run, "evidence": cited.id}


def plant_change(workspace: Workspace, lines: int) -> tuple[str, str]:
    """Put a proposal there whose change has so many lines; gives its id and what the last line says."""
    run, now = f"r-{lines:012d}", time.time_ns() // 1000
    last = f"select {lines} as the_very_last_column"
    body = "".join(f"+select {number} as a_column_with_a_rather_long_name\n" for number in range(1, lines))
    head = "diff --git a/long.sql b/long.sql\n--- a/long.sql\n+++ b/long.sql\n"
    with workspace.ledger.change() as unit:
        request = Request(text="It is long.", intent="ask", channel="cli", requester="ana")
        runs.add_run(unit.connection, run=run, request=request, auth="key", places=[made.PLACE], now=now)
        proposal = made.proposal(
            id=f"p-{lines:012d}",
            run=run,
            preview=f"A long one\n\n{head}@@ -0,0 +1,{lines} @@\n{body}+{last}\n",
            created_us=now,
        )
        proposals.add_proposal(
            unit.connection,
            proposal,
            made.decision(),
            state=State.AWAITING_APPROVAL,
            expires_us=2**52,
            code="moved",
            now=now,
        )
    return proposal.id, last


def _evidence(connection: Any, run: str, name: str, content: Any, strings: Sequence[str]) -> Evidence:
    value = made.evidence(
        content, id=f"e-{name}", run=run, origin="".join(strings)[:400], summary="".join(strings[5:])[:400]
    )
    evidence.add_evidence(connection, value, canonical.encode(content))
    return value


def _catalog(connection: Any, run: str, name: str, strings: Sequence[str]) -> None:
    columns = [
        {
            "name": text[:200],
            "position": number,
            "type": text[:200],
            "nullable": True,
            "has_default": False,
            "comment": "",
        }
        for number, text in enumerate(strings, 1)
        if text.strip()
    ]
    table = {"schema_name": "", "name": strings[1][:200]}
    answer = {"op": "schema", "dialect": "sqlite", "complete": True, "version": "", "notices": [], "tables": [
        {"table": table, "is_view": False, "columns": columns, "primary_key": [], "unique": [], "foreign_keys": [],
         "comment": "", "rows": 1, "rows_exact": True, "version": "", "problem": ""}
    ]}  # fmt: skip
    held = _evidence(connection, run, name, {"warehouse": strings[1][:100], "answer": answer}, strings)
    notes = {"warehouse": strings[0], "schema": held.id}
    runs.put_document(connection, run=run, name="scan-1", body=notes, now=9)
