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
from twokey.tools.read.warehouse.inspection.pairs import alike, may_be_told, may_tell, pairs_of, probes_of

ENOUGH_ROWS: Final = 40
ENOUGH_PAIRS: Final = 30
PROMISING: Final = 0.65
ENOUGH_GROUPS: Final = 5
HOLDS: Final = 0.86
HOLDS_FOR_KNOWN: Final = 0.955
"""Share for which a rule holds before it contradicts a value that is right elsewhere."""
TELLS: Final = 0.7
TELLS_LITTLE: Final = 0.35
"""Enough where a rule holds nearly always: then hardly anything but slips is left to explain."""
NEARLY_ALWAYS: Final = 0.955
HOLDS_FOR_BLANKS: Final = 0.97
NEARLY_FILLED: Final = 0.9
MOST_COLUMNS: Final = 60
MOST_FLAGGED: Final = 0.15


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
    paired = pairs_of(grid, {rule.right for rule in rules})
    telling = [*grid.columns, *(left for left, _ in paired)]
    rules += [
        rule
        for left, right in paired
        if (rule := _measure(left, grid.columns[right], _guess(grid.columns[right]))) is not None
        and rule.holds >= NEARLY_ALWAYS
    ]
    others = _other_things(telling, grid.columns, rules)
    by_right: defaultdict[int, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_right[rule.right].append(rule)
    courts = {right: _Court(grid.columns[right], told, telling, others) for right, told in by_right.items()}
    verdicts = {right: court.contradicted() for right, court in courts.items()}
    for right, told in by_right.items():
        column = grid.columns[right]
        lefts = [telling[rule.left] for rule in sorted(told, key=lambda rule: -rule.tells)]
        by = tuple(dict.fromkeys(part for left in lefts for part in left.parts or (left.index,)))[:3]
        rows = [row for row, against in verdicts[right].items() if not _is_others_fault(row, right, against, verdicts)]
        if rows and len(rows) <= MOST_FLAGGED * column.filled:
            yield Problem("dependency", (right,), cells_of(right, rows), 86, by=by)
        blanks = courts[right].known_blanks() if column.filled >= NEARLY_FILLED * grid.rows else []
        if blanks:
            yield Problem("dependency", (right,), cells_of(right, blanks), 75, "missing", by=by)


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
    lefts = [column for column in grid.columns if may_tell(column, grid.rows)][:MOST_COLUMNS]
    rights = [column for column in grid.columns if may_be_told(column, grid.rows)][:MOST_COLUMNS]
    found: list[Rule] = []
    for left in lefts:
        probes = probes_of(left)
        if len(probes) < ENOUGH_PAIRS // 2:
            continue
        for right in rights:
            if (
                right.index != left.index
                and right.distinct <= 1.5 * left.distinct
                and alike(probes, right) >= PROMISING
            ):
                rule = _measure(left, right, _guess(right))
                if rule is not None:
                    found.append(rule)
    return found


def _guess(column: Column) -> float:
    """Give the share of rows for which naming the most frequent value is right."""
    return column.most / column.filled


def _measure(left: Column, right: Column, guess: float) -> Rule | None:
    """Measure how well ``left`` tells ``right``, each group judged without the row it is to tell."""
    groups: dict[int, Group] = {}
    codes = right.codes
    kept = total = 0
    # exceptions that no group still to come can make up for: what cannot hold any more is not measured to its end
    most_lost = (1 - HOLDS) * sum(len(rows) - 1 for rows in left.groups.values()) + 1
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
        if total - kept > most_lost:
            return None
    if total < ENOUGH_PAIRS or sum(group.size >= 3 for group in groups.values()) < ENOUGH_GROUPS:
        return None
    holds = kept / total
    tells = (holds - guess) / (1 - guess) if guess < 1 else 0.0
    enough = tells >= TELLS or (holds >= NEARLY_ALWAYS and tells >= TELLS_LITTLE)
    return Rule(left.index, right.index, holds, tells, groups) if holds >= HOLDS and enough else None


def _is_of_one_mind(group: Group, at_home: set[int]) -> bool:
    """Whether a group holds one value, and beside it at most a few that are right nowhere."""
    if group.most == group.size:
        return True
    return group.most >= 0.8 * group.size and at_home.isdisjoint(group.counts.keys() - {group.usual})


def _other_things(telling: Sequence[Column], columns: Sequence[Column], rules: Sequence[Rule]) -> set[tuple[int, int]]:
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
        codes = telling[left].codes
        for rule in told:
            rights = columns[rule.right].codes
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

    column: Column
    rules: Sequence[Rule]
    telling: Sequence[Column]
    others: set[tuple[int, int]]

    def contradicted(self) -> Mapping[int, frozenset[int]]:
        """Give the rows whose cell most of its determinants contradict, and which of them do."""
        at_home = self._at_home()
        trust = {id(rule): self._for_known(rule, at_home) for rule in self.rules}
        lefts = [(self.telling[rule.left].codes, rule, trust[id(rule)]) for rule in self.rules]
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

    def _at_home(self) -> set[int]:
        """Give the values that are right somewhere."""
        return {group.usual for rule in self.rules for group in rule.groups.values() if group.most >= 2}

    def known_blanks(self) -> list[int]:
        """Give the rows that hold nothing where every rule that knows the row knows one value, slips left aside."""
        rules = [rule for rule in self.rules if rule.holds >= HOLDS_FOR_BLANKS]
        lefts = [(self.telling[rule.left].codes, rule) for rule in rules]
        at_home = self._at_home()
        found: list[int] = []
        for row, own in enumerate(self.column.codes):
            if own != BLANK:
                continue
            groups = [group for codes, rule in lefts if (group := rule.groups.get(codes[row])) is not None]
            if (
                groups
                and all(group.size >= 3 and _is_of_one_mind(group, at_home) for group in groups)
                and len({g.usual for g in groups}) == 1
            ):
                found.append(row)
        return found

    def _for_known(self, rule: Rule, at_home: set[int]) -> bool:
        """Whether a rule holds so well that it may contradict a value that is right elsewhere.

        Slips are left aside, and so are rows that are other things by what the rule's left column tells.
        """
        kept = total = 0
        for group in rule.groups.values():
            kept += group.most - 1
            total += sum(count for code, count in group.counts.items() if code in at_home) - 1
        total -= sum(
            1
            for left, row in self.others
            if left == rule.left and self.column.codes[row] in at_home and self._deviates(rule, row)
        )
        return total > 0 and kept / total >= HOLDS_FOR_KNOWN

    def _deviates(self, rule: Rule, row: int) -> bool:
        group = rule.groups.get(self.telling[rule.left].codes[row])
        return group is not None and group.counts[self.column.codes[row]] < group.most
