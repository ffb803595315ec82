"""Shows a change as the unified diff that ``git diff --full-index`` prints and ``git apply`` takes.

Rules: the diff is complete and exact: applying it gives the new bytes, whatever the lines hold. Lines end at a line
feed and nowhere else. The text is deterministic, and its cost is bounded however hostile the two files are: lines that
are unique on both sides anchor it (patience diff, Bram Cohen), only small gaps between them are compared line by line,
and a large gap without anchors is shown as a whole removed and added.
"""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from twokey.tools.git_paths import quoted
from twokey.tools.write.git_tree import Changed

CONTEXT: Final = 3
_CELLS: Final = 250_000
"""Largest product of line counts of one gap that is compared line by line."""
_ALL_CELLS: Final = 4_000_000
"""The same for all gaps of a file together."""
_NO_ID: Final = "0" * 40

Block = tuple[int, int, int]
"""Start in the old lines, start in the new lines, number of equal lines."""


def lines_of(content: bytes | None) -> list[bytes]:
    """Split at line feeds and keep them; only the last line may lack one."""
    if not content:
        return []
    lines = content.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def count(changed: Changed) -> tuple[int, int]:
    """Give the number of lines added and removed, as the diff shows them."""
    old, new = lines_of(changed.before), lines_of(changed.after)
    same = sum(length for _, _, length in matching(old, new))
    return len(new) - same, len(old) - same


def unified(changed: Changed) -> str:
    """Give the diff of one file, header included."""
    path = changed.path.encode()
    lines = [f"diff --git {quoted(path, 'a/')} {quoted(path, 'b/')}\n"]
    if changed.before is None:
        lines.append("new file mode 100644\n")
    elif changed.after is None:
        lines.append("deleted file mode 100644\n")
    both = changed.before is not None and changed.after is not None
    lines.append(f"index {changed.before_id or _NO_ID}..{changed.after_id or _NO_ID}{' 100644' if both else ''}\n")
    old, new = lines_of(changed.before), lines_of(changed.after)
    if old or new:
        lines.append(f"--- {_side(path, 'a/', there=changed.before is not None)}\n")
        lines.append(f"+++ {_side(path, 'b/', there=changed.after is not None)}\n")
        for hunk in _hunks(matching(old, new), len(old), len(new)):
            lines.extend(_shown(hunk, old, new))
    return "".join(lines)


def _side(path: bytes, prefix: str, *, there: bool) -> str:
    """Name one side. Git closes a name that holds a blank with a tab, so that a reader finds its end."""
    if not there:
        return "/dev/null"
    name = quoted(path, prefix)
    return f"{name}\t" if " " in name else name


def matching(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """Give the runs of equal lines, in order and without overlap."""
    found: list[Block] = []
    gaps = [(0, len(old), 0, len(new))]
    budget = _ALL_CELLS
    while gaps:
        low, high, new_low, new_high = gaps.pop()
        start = low
        while low < high and new_low < new_high and old[low] == new[new_low]:
            low, new_low = low + 1, new_low + 1
        if low > start:
            found.append((start, new_low - (low - start), low - start))
        end = high
        while low < high and new_low < new_high and old[high - 1] == new[new_high - 1]:
            high, new_high = high - 1, new_high - 1
        if end > high:
            found.append((high, new_high, end - high))
        if low == high or new_low == new_high:
            continue
        cells = (high - low) * (new_high - new_low)
        if cells <= min(_CELLS, budget):
            budget -= cells
            found.extend(
                (low + at, new_low + new_at, length)
                for at, new_at, length in SequenceMatcher(
                    None, old[low:high], new[new_low:new_high], autojunk=False
                ).get_matching_blocks()
                if length
            )
        elif cells > _CELLS:
            anchors = _anchors(old, new, (low, high, new_low, new_high))
            for (before, new_before), (at, new_at) in zip([(low, new_low), *anchors], anchors, strict=False):
                gaps.append((before, at, new_before, new_at))
            if anchors:
                gaps.append((anchors[-1][0], high, anchors[-1][1], new_high))
    return _joined(sorted(found))


def _anchors(old: Sequence[bytes], new: Sequence[bytes], gap: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    """Give the longest rising run of lines that occur once on both sides of the gap."""
    low, high, new_low, new_high = gap
    old_counts, new_counts = Counter(old[low:high]), Counter(new[new_low:new_high])
    new_at = {new[at]: at for at in range(new_low, new_high) if new_counts[new[at]] == 1}
    pairs = [(at, new_at[old[at]]) for at in range(low, high) if old_counts[old[at]] == 1 and old[at] in new_at]
    # patience sorting: `tails[n]` is the smallest end of a rising run of n+1 pairs, `before` links a pair to its run
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, position) in enumerate(pairs):
        pile = bisect.bisect_left(tails, position)
        before.append(ends[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(position)
            ends.append(index)
        else:
            tails[pile], ends[pile] = position, index
    run: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _joined(blocks: Sequence[Block]) -> list[Block]:
    joined: list[Block] = []
    for at, new_at, length in blocks:
        if joined:
            last, new_last, last_length = joined[-1]
            if last + last_length == at and new_last + last_length == new_at:
                joined[-1] = (last, new_last, last_length + length)
                continue
        joined.append((at, new_at, length))
    return joined


Change = tuple[int, int, int, int]
"""Old lines from, to; new lines from, to."""


def _hunks(blocks: Sequence[Block], old_length: int, new_length: int) -> Iterator[list[Change]]:
    """Group the changes between equal runs: those at most twice the context apart share a hunk."""
    hunk: list[Change] = []
    at = new_at = 0
    for block_at, block_new, length in [*blocks, (old_length, new_length, 0)]:
        if block_at > at or block_new > new_at:
            if hunk and at - hunk[-1][1] > 2 * CONTEXT:
                yield hunk
                hunk = []
            hunk.append((at, block_at, new_at, block_new))
        at, new_at = block_at + length, block_new + length
    if hunk:
        yield hunk


def _shown(hunk: Sequence[Change], old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    lead = min(CONTEXT, first[0])
    trail = min(CONTEXT, len(old) - last[1])
    start, end = first[0] - lead, last[1] + trail
    new_start, new_end = first[2] - lead, last[3] + trail
    yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
    at = start
    for low, high, new_low, new_high in hunk:
        yield from (_line(" ", line) for line in old[at:low])
        yield from (_line("-", line) for line in old[low:high])
        yield from (_line("+", line) for line in new[new_low:new_high])
        at = high
    yield from (_line(" ", line) for line in old[at:end])


def _range(start: int, end: int) -> str:
    length = end - start
    begin = start + 1 if length else start
    return f"{begin}" if length == 1 else f"{begin},{length}"


def _line(sign: str, line: bytes) -> str:
    text = line.decode("utf-8")
    return f"{sign}{text}" if text.endswith("\n") else f"{sign}{text}\n\\ No newline at end of file\n"
