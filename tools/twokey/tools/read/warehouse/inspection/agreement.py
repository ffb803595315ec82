"""Columns that tell another column: rows that agree on one ought to agree on the other.

Rules: a dependency is believed where it holds for nearly all rows and tells much more than the most frequent value
would (Goodman and Kruskal's lambda); keys and measures determine nothing. Within the rows that share a determinant the
majority speaks, and the determinants of a cell vote, each with the weight of how well it holds.
Two things are no faults: an exception that repeats, and rows that differ in most of what a determinant tells, for they
are another thing of the same name. A value that is right nowhere is doubted sooner
than one that is right elsewhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH_ROWS: Final = 40
ENOUGH_PAIRS: Final = 30
ENOUGH_GROUPS: Final = 5
HOLDS: Final = 0.86
HOLDS_FOR_KNOWN: Final = 0.955
"""Share for which a rule holds before it contradicts a value that is right elsewhere."""
TELLS: Final = 0.7
TELLS_LITTLE: Final = 0.35
"""Enough where a rule holds nearly always: then hardly anything but slips is left to explain."""
NEARLY_ALWAYS: Final = 0.955
MOST_COLUMNS: Final = 60
MOST_FLAGGED: Final = 0.15
_PROBES: Final = 48


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share a value of the left column: how often each right value occurs, blanks left out."""

    counts: Mapping[int, int]
    size: int
    usual: int
    most: int


@dataclass(frozen=True, slots=True)
class Rule:
    """``left`` tells ``right``: the share of rows for which it holds, and by how much it beats guessing."""

    left: int
    right: int
    holds: float
    tells: float
    groups: Mapping[int, Group]


def find(grid: Grid) -> Iterator[Problem]:
    """Give one problem per column whose cells others contradict."""
    if grid.rows < ENOUGH_ROWS:
        return
    rules = rules_of(grid)
    others = _other_things(grid, rules)
    by_right: defaultdict[int, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_right[rule.right].append(rule)
    verdicts = {
        right: _Court(grid, grid.columns[right], told, others).contradicted() for right, told in by_right.items()
    }
    for right, told in by_right.items():
        column = grid.columns[right]
        rows = [row for row, against in verdicts[right].items() if not _is_others_fault(row, right, against, verdicts)]
        if rows and len(rows) <= MOST_FLAGGED * column.filled:
            by = tuple(rule.left for rule in sorted(told, key=lambda rule: -rule.tells)[:3])
            yield Problem("dependency", (right,), cells_of(right, rows), 86, by=by)


def _is_others_fault(
    row: int, right: int, against: frozenset[int], verdicts: Mapping[int, Mapping[int, frozenset[int]]]
) -> bool:
    """Whether a cell is contradicted only by one that it contradicts, in a column with more faults than its own."""
    if len(against) != 1:
        return False
    (left,) = against
    mutual = verdicts.get(left, {}).get(row) == frozenset({right})
    return mutual and (len(verdicts[left]), -left) > (len(verdicts[right]), -right)


def rules_of(grid: Grid) -> list[Rule]:
    """Find the dependencies of a table, one column upon one other."""
    lefts = [column for column in grid.columns if _may_tell(column, grid.rows)][:MOST_COLUMNS]
    rights = [column for column in grid.columns if _may_be_told(column, grid.rows)][:MOST_COLUMNS]
    guesses = {column.index: max(column.counts) / column.filled for column in rights}
    found: list[Rule] = []
    for left in lefts:
        probes = _probes(left)
        if len(probes) < ENOUGH_PAIRS // 2:
            continue
        for right in rights:
            if right.index != left.index and right.distinct <= 1.5 * left.distinct and _is_promising(probes, right):
                rule = _measure(left, right, guesses[right.index])
                if rule is not None:
                    found.append(rule)
    return found


def _may_tell(column: Column, rows: int) -> bool:
    if not 2 <= column.distinct <= 0.6 * rows or column.filled < 0.5 * rows:
        return False
    return not (column.numeric > 0.9 * column.filled and any("." in text for text in column.texts[:50]))


def _may_be_told(column: Column, rows: int) -> bool:
    return 2 <= column.distinct <= 0.6 * rows and column.filled >= 0.3 * rows


def _probes(left: Column) -> list[tuple[int, int]]:
    """Pairs of rows that agree on ``left``, from as many groups as possible."""
    groups = list(left.groups.values())
    if not groups:
        return []
    step = max(1, len(groups) // _PROBES)
    each = max(1, _PROBES // len(groups))
    pairs = [(rows[at], rows[-1 - at]) for rows in groups[::step] for at in range(min(each, len(rows) // 2))]
    return pairs[:_PROBES]


def _is_promising(probes: Sequence[tuple[int, int]], right: Column) -> bool:
    codes = right.codes
    both = [(codes[a], codes[b]) for a, b in probes if codes[a] != BLANK and codes[b] != BLANK]
    return len(both) >= 8 and sum(a == b for a, b in both) >= 0.65 * len(both)


def _measure(left: Column, right: Column, guess: float) -> Rule | None:
    """Measure how well ``left`` tells ``right``, each group judged without the row it is to tell."""
    groups: dict[int, Group] = {}
    codes = right.codes
    kept = total = 0
    for code, rows in left.groups.items():
        counts = Counter([codes[row] for row in rows])
        counts.pop(BLANK, None)
        size = counts.total()
        if size < 2:
            continue
        usual, most = max(counts.items(), key=lambda item: (item[1], -item[0]))
        groups[code] = Group(counts, size, usual, most)
        kept += most - 1
        total += size - 1
    if total < ENOUGH_PAIRS or sum(group.size >= 3 for group in groups.values()) < ENOUGH_GROUPS:
        return None
    holds = kept / total
    tells = (holds - guess) / (1 - guess) if guess < 1 else 0.0
    enough = tells >= TELLS or (holds >= NEARLY_ALWAYS and tells >= TELLS_LITTLE)
    return Rule(left.index, right.index, holds, tells, groups) if holds >= HOLDS and enough else None


def _other_things(grid: Grid, rules: Sequence[Rule]) -> set[tuple[int, int]]:
    """Give (left column, row) where a row differs in most of what the left column tells."""
    by_left: defaultdict[int, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_left[rule.left].append(rule)
    found: set[tuple[int, int]] = set()
    for left, told in by_left.items():
        if len(told) < 2:
            continue
        against: Counter[int] = Counter()
        asked: Counter[int] = Counter()
        codes = grid.columns[left].codes
        for rule in told:
            rights = grid.columns[rule.right].codes
            for row, code in enumerate(codes):
                group = rule.groups.get(code)
                if group is not None and rights[row] != BLANK:
                    asked[row] += 1
                    against[row] += group.counts[rights[row]] < group.most
        found |= {(left, row) for row, count in against.items() if count >= 2 and 2 * count > asked[row]}
    return found


@dataclass(frozen=True, slots=True)
class _Court:
    """The determinants of one column, and what each says of a row."""

    grid: Grid
    column: Column
    rules: Sequence[Rule]
    others: set[tuple[int, int]]

    def contradicted(self) -> Mapping[int, frozenset[int]]:
        """Give the rows whose cell most of its determinants contradict, and which of them do."""
        at_home = {group.usual for rule in self.rules for group in rule.groups.values() if group.most >= 2}
        trust = {id(rule): self._for_known(rule, at_home) for rule in self.rules}
        lefts = [(self.grid.columns[rule.left].codes, rule, trust[id(rule)]) for rule in self.rules]
        found: dict[int, frozenset[int]] = {}
        for row, own in enumerate(self.column.codes):
            if own == BLANK:
                continue
            against = agreeing = 0.0
            by: list[int] = []
            for codes, rule, known in lefts:
                group = rule.groups.get(codes[row])
                if group is None or (rule.left, row) in self.others:
                    continue
                weight = rule.holds
                mine = group.counts[own]
                if mine == group.most:
                    agreeing += weight * (mine - 1) / (group.size - 1)
                elif group.most >= 2 and mine <= max(1, 0.12 * group.most):
                    if own not in at_home or (known and group.most >= 3):
                        against += weight * group.most / (group.size - 1)
                        by.append(rule.left)
                elif mine >= 3:
                    agreeing += weight * 0.5
            if against > 1.2 * agreeing and against >= 0.5:
                found[row] = frozenset(by)
        return found

    def _for_known(self, rule: Rule, at_home: set[int]) -> bool:
        """Whether a rule holds so well, slips aside, that it may contradict a value that is right elsewhere."""
        kept = total = 0
        for group in rule.groups.values():
            kept += group.most - 1
            total += sum(count for code, count in group.counts.items() if code in at_home) - 1
        return total > 0 and kept / total >= HOLDS_FOR_KNOWN
