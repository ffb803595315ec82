"""How well log lines are told apart: ``twokey eval logs DIR``, with one configuration for all systems.

Rules: each ``SYSTEM/log.csv`` (line_id, content, event_id, template) is mined alone, by the read tool's own code, line
by line in the file's order; labels are looked at only afterwards. A line counts as grouped where its group holds just
the lines of its true event; it counts as parsed where its template is the true one. Blanks count once, and values that
stand side by side or are joined by punctuation (``<*>:<*>``, ``<*>.<*>``) count as one value in both, for people
label them either way; ``parsing_accuracy_exact`` counts without that. Speed is processor time of this thread.
"""

import csv
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from twokey.core.errors import BadInput
from twokey.tools.read.telemetry.log_templates import LogTemplates

COLUMNS: Final = ("content", "event_id", "template")
MAX_LINES: Final = 10_000_000
_SIDE_BY_SIDE: Final = re.compile(r"<\*>(?:[-_.,:/# ]{0,2}<\*>)+")


def on_folder(folder: Path) -> dict[str, Any]:
    """Mine every system below ``folder``, and score.

    Gives ``systems`` {name: {grouping_accuracy, parsing_accuracy, parsing_accuracy_exact, lines_per_s, lines,
    templates, true_templates}} and ``mean`` of the first four; accuracies from 0 to 1.

    Raises:
        BadInput: there is no ``SYSTEM/log.csv``, or one lacks a column.

    """
    files = sorted(folder.glob("*/log.csv"))
    if not files:
        raise BadInput(
            f"{folder} holds no SYSTEM/log.csv.", next="Name the folder that holds a folder for each system."
        )
    systems = {file.parent.name: _score(*_read(file)) for file in files}
    keys = ("grouping_accuracy", "parsing_accuracy", "parsing_accuracy_exact", "lines_per_s")
    mean = {key: round(sum(each[key] for each in systems.values()) / len(systems), 4) for key in keys}
    return {"systems": systems, "mean": mean}


def _read(file: Path) -> tuple[list[str], list[str], list[str]]:
    csv.field_size_limit(1 << 30)
    lines, events, templates = [], [], []
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            reader = csv.DictReader(opened)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise BadInput(f"{file} lacks a column.", next=f"It needs {', '.join(COLUMNS)}.")
            for row in reader:
                lines.append(row["content"] or "")
                events.append(row["event_id"] or "")
                templates.append(row["template"] or "")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file} cannot be read as CSV.", next="It is UTF-8, with commas and a header.") from error
    if not lines:
        raise BadInput(f"{file} holds no line.", next="Leave the system out, or fill it.")
    return lines, events, templates


def _score(lines: Sequence[str], events: Sequence[str], truths: Sequence[str]) -> dict[str, Any]:
    started = time.thread_time()
    mined = LogTemplates()
    found = [mined.add(line) for line in lines]
    found = [mined.resolve(each) for each in found]
    seconds = time.thread_time() - started
    groups: defaultdict[int, list[int]] = defaultdict(list)
    true: defaultdict[str, list[int]] = defaultdict(list)
    for at, (group, event) in enumerate(zip(found, events, strict=True)):
        groups[group].append(at)
        true[event].append(at)
    grouped = sum(len(group) for group in groups.values() if true[events[group[0]]] == group)
    texts = {group: mined.text(group) for group in groups}
    parsed = sum(_plain(texts[group]) == _plain(truth) for group, truth in zip(found, truths, strict=True))
    exact = sum(texts[group] == truth for group, truth in zip(found, truths, strict=True))
    count = len(lines)
    return {
        "grouping_accuracy": round(grouped / count, 4),
        "parsing_accuracy": round(parsed / count, 4),
        "parsing_accuracy_exact": round(exact / count, 4),
        "lines_per_s": round(count / max(seconds, 1e-9)),
        "lines": count,
        "templates": len(groups),
        "true_templates": len(true),
    }


def _plain(template: str) -> str:
    return _SIDE_BY_SIDE.sub("<*>", " ".join(template.split()))
