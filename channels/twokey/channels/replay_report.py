"""The report of a replay, for a pull request or a browser: what would have been decided otherwise, and by which rule.

Rules: text from outside (names of resources) is made harmless first and then escaped for the form it stands in, so it
can neither act nor pass for a part of the report; an HTML report is one file without script, links or anything that is
loaded; rows are written as they come and never held together. The file appears whole or not at all.
"""

import html
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from twokey.channels import plain
from twokey.channels.card import moment
from twokey.channels.replaying import Again
from twokey.core.errors import BadInput
from twokey.policies.bundle import BundleRevisions
from twokey.policies.replay import Outcome, Tally, call_of

TITLE: Final = "Policy replay"
COLUMNS: Final = ("log entry", "time", "occasion", "tool", "resource", "asked by", "change", "rules")
KIND_WORDS: Final = {
    "looser": "let through more than before",
    "stricter": "stopped or asked where it was not before",
    "approvals": "other approvals (groups, quorum, expiry, exclusions, proofs)",
    "reasons": "the same effect for other reasons, warnings or obligations",
    "fault": "the new bundle gave no decision (denied)",
    "was_fault": "the engine gave no answer then; not compared",
    "same": "the same, byte for byte",
}
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d0d7de;--soft:#f6f8fa;--warn:#9a3412;--good:#166534}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--soft:#161b22;--warn:#fdba74;
--good:#86efac}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:80rem;margin:2rem auto;
padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{border:1px solid var(--line);padding:.35rem .6rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:var(--soft)}code{font-size:.9em}
.looser,.fault{color:var(--warn)}.stricter{color:var(--good)}.scroll{overflow-x:auto}
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One changed decision, as it is shown. ``resource`` is harmless, and not escaped yet."""

    entry: str
    time: str
    occasion: str
    tool: str
    resource: str
    requester: str
    kind: str
    change: str
    rules: str
    about: str = ""
    """The proposal or the run that was decided on; no part of a report."""

    def as_json(self) -> dict[str, str]:
        """Give it as plain data."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "about"}


def change_of(again: Again, outcome: Outcome) -> Change:
    """Describe one decision that came out otherwise."""
    past, document = again.past, again.past.kept
    if document is None:
        raise ValueError("a decision that was not taken again has no change")
    call = call_of(document.document)
    gained, lost = outcome.rules()
    rules = [f"+{rule} {code}" for rule, code in gained] + [f"-{rule} {code}" for rule, code in lost]
    change = outcome.transition
    if outcome.before["approvals"] != outcome.after["approvals"]:
        change += f" ({approvals(outcome.before['approvals'])} -> {approvals(outcome.after['approvals'])})"
    return Change(
        entry=past.entry,
        time=moment(past.time_us),
        occasion=past.event.occasion,
        tool=past.event.tool,
        resource=plain.line(f"{call.resource.kind} {call.resource.id}", 200),
        requester=call.requester.name,
        kind=outcome.kind,
        change=change,
        rules=", ".join(rules),
        about=past.event.proposal or past.event.run,
    )


def approvals(needed: dict[str, Any] | None) -> str:
    """Say in words who has to say yes."""
    if needed is None:
        return "nobody is asked"
    groups = " and ".join(f"{quorum['n']} of {quorum['group']}" for quorum in needed["all_of"]) or "nobody"
    without = f", not {', '.join(needed['exclude'])}" if needed["exclude"] else ""
    proofs = ", ".join(needed.get("auth", ["key"]))
    return f"{groups}{without}, for {needed['expires_s']} s, by {proofs}"


def summary(tally: Tally, revisions: BundleRevisions) -> list[str]:
    """Say in sentences what came of a replay."""
    on = f"policy {revisions.policy[:12]}, data {revisions.data[:12]}"
    found = [
        f"{tally.decisions:,} decisions are in the log; {tally.again:,} were taken again on {on}.",
        f"{tally.changed:,} came out differently.",
    ]
    if tally.unchanged_policy:
        same = tally.unchanged_policy - tally.mismatches
        found.append(
            f"Of {tally.unchanged_policy:,} that were taken on this very bundle, {same:,} came out byte for byte."
        )
    if tally.mismatches:
        found.append(f"{tally.mismatches:,} did NOT; the first is log entry {tally.first_mismatch}.")
    if tally.unkept:
        found.append(f"The input of {tally.unkept:,} was not kept, so they could not be taken again.")
    if tally.altered:
        found.append(
            f"{tally.altered:,} stored inputs are not what the log says, the first of log entry {tally.first_altered}: "
            "treat the database as tampered with."
        )
    return found


class Report:
    """One report file. Use it as a context: rows first, then ``finish``."""

    def __init__(self, path: Path) -> None:
        """``path`` ends in ``.html`` or ``.md``.

        Raises:
            BadInput: it ends in something else, or its folder does not exist.

        """
        if path.suffix not in {".html", ".md"}:
            raise BadInput(f"{path.name[:80]} is neither .html nor .md.", next="Name the report FILE.html or FILE.md.")
        if not path.parent.is_dir():
            raise BadInput(f"There is no folder {str(path.parent)[:200]}.", next="Name a file in a folder that exists.")
        self._path = path
        self._html = path.suffix == ".html"
        self._rows: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by ``close``

    def add(self, change: Change) -> None:
        """Add one changed decision."""
        cells = [change.entry, change.time, change.occasion, change.tool, change.resource, change.requester]
        cells += [change.change, change.rules]
        if self._html:
            marked = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            self._rows.write(f'<tr class="{html.escape(change.kind)}">{marked}</tr>\n')
        else:
            self._rows.write(f"| {' | '.join(markdown(cell) for cell in cells)} |\n")

    def finish(self, tally: Tally, revisions: BundleRevisions) -> None:
        """Write the file."""
        self._rows.seek(0)
        part = self._path.with_name(f"{self._path.name}.part")
        head, foot = (_html_head, "</tbody></table></div></body></html>\n") if self._html else (_markdown_head, "")
        with part.open("w", encoding="utf-8") as file:
            file.writelines(head(tally, revisions))
            shutil.copyfileobj(self._rows, file)
            file.write(foot)
        part.replace(self._path)

    def close(self) -> None:
        """Give back what the rows took."""
        self._rows.close()


def markdown(text: str) -> str:
    """Escape text for a cell of a Markdown table: no markup, link, mention or HTML comes of it."""
    escaped = re.sub(r"([\\`*_{}\[\]#.!|~<>&@:$])", r"\\\1", text)
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def _tables(tally: Tally) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    counts = tally.as_json()
    kinds = [(kind, f"{count:,}", KIND_WORDS[kind]) for kind, count in counts["kinds"].items() if count]
    yield "What became of them", ("kind", "decisions", "meaning"), kinds
    transitions = [(name, f"{count:,}") for name, count in counts["transitions"].items()]
    yield "Changed, by effect", ("before -> after", "decisions"), transitions
    rules = [(f"{item['rule']} {item['code']}", f"{item['gained']:,}", f"{item['lost']:,}") for item in counts["rules"]]
    yield "Changed, by rule", ("rule", "gives a reason now and did not", "gave one and does not now"), rules


def _html_head(tally: Tally, revisions: BundleRevisions) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
    yield f"<title>{TITLE}</title><style>{_STYLE}</style></head><body>\n<h1>{TITLE}</h1>\n"
    for sentence in summary(tally, revisions):
        yield f"<p>{html.escape(sentence)}</p>\n"
    for title, columns, rows in _tables(tally):
        yield f"<h2>{title}</h2>\n{_html_row('th', columns, 'table', 'thead')}<tbody>\n"
        for row in rows:
            yield _html_row("td", row)
        yield "</tbody></table>\n"
    yield f'<h2>Every changed decision</h2>\n<div class="scroll">{_html_row("th", COLUMNS, "table", "thead")}<tbody>\n'


def _html_row(cell: str, values: Iterable[str], *around: str) -> str:
    row = "".join(f"<{cell}>{html.escape(value)}</{cell}>" for value in values)
    opening = "".join(f"<{name}>" for name in around)
    closing = "</thead>" if "thead" in around else ""
    return f"{opening}<tr>{row}</tr>{closing}\n"


def _markdown_head(tally: Tally, revisions: BundleRevisions) -> Iterator[str]:
    yield f"# {TITLE}\n\n"
    for sentence in summary(tally, revisions):
        yield f"- {sentence}\n"
    for title, columns, rows in _tables(tally):
        yield f"\n## {title}\n\n"
        yield from _markdown_table(columns, rows)
    yield "\n## Every changed decision\n\n"
    yield from _markdown_table(COLUMNS, [])


def _markdown_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
    for row in rows:
        yield f"| {' | '.join(markdown(cell) for cell in row)} |\n"
