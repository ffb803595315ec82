"""How well a known ticket is found again: ``twokey eval duplicates --reports CSV --pairs CSV``.

Rules: reports are gone through in the order they were made (``created_at``, then the order of the file). Each is first
looked up among those before it, by the product's own index, and then put into it: nothing later is ever seen. The pairs
are used for scoring only. A report with several originals counts by the share of them that is found.

Format: ``reports`` has ``id``, ``created_at`` (ISO 8601), ``title``, ``body``; ``pairs`` has ``id``, ``duplicate_of``.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from twokey.core.errors import BadInput, NotFound
from twokey.tools.local_tickets.files import Unreadable
from twokey.tools.local_tickets.rows import rows
from twokey.tools.retrieval.index import Index, Text

DEPTHS: Final = (1, 5, 10)


def evaluate(reports: Path, pairs: Path) -> dict[str, Any]:
    """Look every report up and score those that have an original.

    Gives ``recall_at`` (``1``, ``5``, ``10``), ``mean_reciprocal_rank``, ``queries``, ``queries_per_s`` (looking up
    alone), ``reports``, ``reports_per_s`` (putting in and looking up together), ``unread`` (rows that are no report)
    and ``without_earlier`` (pairs whose original is not among the earlier reports; they count as missed).

    Raises:
        NotFound: a file is not there.
        BadInput: it has not the columns, or no pair speaks of a report.

    """
    texts, unread = _texts(reports)
    originals = _pairs(pairs)
    asked = {text.key: originals[text.key] for text in texts if text.key in originals}
    if not asked:
        raise BadInput(
            "No pair names a report of the file.", next="Check the columns id and duplicate_of.", code="bad_pairs"
        )
    index = Index()
    ranks: list[Sequence[int | None]] = []
    seen: set[str] = set()
    without = 0
    looking_s = 0.0
    began = time.perf_counter()
    for text in texts:
        if text.key in asked:
            since = time.perf_counter()
            found = [item.key for item in index.similar(text, max(DEPTHS))]
            looking_s += time.perf_counter() - since
            without += sum(1 for original in asked[text.key] if original not in seen)
            ranks.append([found.index(key) + 1 if key in found else None for key in asked[text.key]])
        index.put(text)
        seen.add(text.key)
    whole_s = time.perf_counter() - began
    index.close()
    return {
        "recall_at": {str(depth): _recall(ranks, depth) for depth in DEPTHS},
        "mean_reciprocal_rank": round(
            sum(max((1 / r for r in row if r), default=0.0) for row in ranks) / len(ranks), 4
        ),
        "queries": len(ranks),
        "queries_per_s": round(len(ranks) / max(looking_s, 1e-9), 1),
        "reports": len(texts),
        "reports_per_s": round(len(texts) / max(whole_s, 1e-9), 1),
        "unread": unread,
        "without_earlier": without,
    }


def as_lines(result: Mapping[str, Any]) -> list[str]:
    """Say it for people."""
    return [
        *(f"recall@{depth:<3} {result['recall_at'][str(depth)]:.3f}" for depth in DEPTHS),
        f"queries    {result['queries']} of {result['reports']} reports, {result['queries_per_s']:.1f}/s",
    ]


def _recall(ranks: Sequence[Sequence[int | None]], depth: int) -> float:
    shares = [sum(1 for rank in row if rank is not None and rank <= depth) / len(row) for row in ranks]
    return round(sum(shares) / len(shares), 4)


def _texts(path: Path) -> tuple[list[Text], int]:
    found: list[Text] = []
    unread = 0
    try:
        with path.open("rb") as file:
            for at, row in enumerate(rows(file, path.name)):
                try:
                    if isinstance(row, Unreadable):
                        raise row
                    record = row.record
                    made = record.seconds()
                    found.append(Text(at, record.key, row.version, made, record.text("title"), record.body))
                except Unreadable:
                    unread += 1
    except FileNotFoundError:
        raise NotFound(f"There is no file {path.name}.", next="Name a CSV file of reports.") from None
    if not found:
        raise BadInput(
            "The file holds no report.", next="It needs the columns id, created_at, title and body.", code="bad_reports"
        )
    found.sort(key=lambda text: (text.made, text.number))
    return found, unread


def _pairs(path: Path) -> dict[str, list[str]]:
    from csv import DictReader, Error  # noqa: PLC0415 - here alone

    found: dict[str, list[str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = DictReader(file)
            if not {"id", "duplicate_of"} <= {*(reader.fieldnames or ())}:
                raise BadInput(
                    "The pairs need the columns id and duplicate_of.", next="Correct the first row.", code="bad_pairs"
                )
            for row in reader:
                id_, original = (row["id"] or "").strip(), (row["duplicate_of"] or "").strip()
                if id_ and original and original not in found.setdefault(id_, []):
                    found[id_].append(original)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path.name}.", next="Name a CSV file of pairs.") from None
    except (Error, UnicodeDecodeError) as error:
        raise BadInput("The pairs are no CSV file.", next="Write them as UTF-8 CSV.", code="bad_pairs") from error
    return found
