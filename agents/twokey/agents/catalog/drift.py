"""How a table has changed since a baseline: rows, missing values, categories, numbers, formats, uniqueness.

Rules
- Told is only what chance does not explain (``margins``) and what is large enough to matter: shares that moved by a
  tenth of all rows, a stability index of at least 0.2 (by custom, 0.1 to 0.25 is a moderate shift and more a major
  one), half of the rows gone. Below ``ENOUGH`` rows on either side nothing is told.
- What follows from growth is no drift: keys, references, dates and the number of rows themselves may grow.
- Where everything that was there is still there, what was added since is compared too, because a large table hides
  what happens to its newest rows.
- Columns whose values are withheld are compared by counts only: missing values and formats.
- A claim holds counts of both sides that stand in the evidence of both. A category is named where it is a plain word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import inert, margins
from twokey.agents.catalog.baseline import Then
from twokey.agents.catalog.facts import Profile, Table
from twokey.agents.catalog.margins import Curve
from twokey.agents.catalog.phrases import listed, place
from twokey.tools.read.warehouse import Measured, Spread

ENOUGH: Final = 100
"""Rows on each side below which nothing is told."""
LEAST: Final = 0.1
"""Share of rows that must have moved."""
LEAST_INDEX: Final = 0.2
MAJOR: Final = 0.25
_FEW_NULLS: Final = 0.01
"""Share of missing values that matters where there were none."""
_NULLS: Final = 0.05
_LOST: Final = 0.5
_GROWN: Final = 5
_PLAIN: Final = re.compile(r"(?=.{1,30}\Z)\w[\w.+&/-]*(?: [\w.+&/-]+){0,2}", re.UNICODE)
_MOST_NAMED: Final = 3
_FORMATS: Final[Mapping[str, str]] = {
    "email": "e-mail addresses",
    "date": "dates",
    "datetime": "dates with a time",
    "uuid": "UUIDs",
    "url": "web addresses",
    "number": "numbers",
    "phone": "telephone numbers",
    "ip": "network addresses",
    "iban": "account numbers",
}


@dataclass(frozen=True, slots=True)
class Drifted:
    """One change in words. ``column`` is None for the table. ``cells``: it rests on measures and not on profiles."""

    column: str | None
    kind: str
    claim: str
    confidence: int
    attention: bool
    cells: bool = False


def drifted(table: Table, measured: Measured | None, then: Then, grows: frozenset[str]) -> Iterator[Drifted]:
    """Tell how a table has changed; ``grows`` are columns of keys and references, whose values move with the rows."""
    yield from _rows(table, then)
    spreads = {spread.column: spread for spread in measured.spreads} if measured else {}
    before = {spread.column: spread for spread in then.measured.spreads} if then.measured else {}
    for column in table.columns:
        profile, earlier = column.profile, then.columns.get(column.name)
        if profile is None or earlier is None or not inert.speakable(column.name):
            continue
        at = _At(table, column.name, earlier, profile)
        yield from at.nulls()
        yield from at.formats()
        if column.name in grows:
            yield from at.repeats()
            continue
        if at.few:
            yield from () if profile.share("date", "datetime") >= LEAST else at.categories()
        elif column.name in spreads and column.name in before:
            yield from _numbers(table, column.name, before[column.name], spreads[column.name])


def _rows(table: Table, then: Then) -> Iterator[Drifted]:
    before, now = then.rows, table.rows
    if before is None or now is None or not (then.rows_exact and table.rows_exact) or before < ENOUGH:
        return
    name = inert.prose(table.name)
    if now == 0:
        yield Drifted(None, "volume_drift", f"{name} is empty; it held {before:,} rows in the baseline.", 95, True)
    elif now < _LOST * before:
        claim = f"{name} holds {now:,} rows, and held {before:,} in the baseline: rows were lost or are not loaded."
        yield Drifted(None, "volume_drift", claim, 90, True)
    elif now > _GROWN * before:
        claim = f"{name} holds {now:,} rows, and held {before:,} in the baseline: look whether it was loaded twice."
        yield Drifted(None, "volume_drift", claim, 75, False)


@dataclass(frozen=True, slots=True)
class _At:
    """One column on both sides, by its profiles."""

    table: Table
    column: str
    then: Profile
    now: Profile

    @property
    def name(self) -> str:
        return place(self.table, self.column)

    @property
    def enough(self) -> bool:
        return min(self.then.rows, self.now.rows) >= ENOUGH

    def _told(self, kind: str, claim: str, confidence: int, *, attention: bool) -> Drifted:
        return Drifted(self.column, kind, claim, confidence, attention)

    def nulls(self) -> Iterator[Drifted]:
        """Tell of missing values that became many more, or many fewer."""
        before, now = self.then, self.now
        if not self.enough or not margins.shares_differ(before.nulls, before.rows, now.nulls, now.rows):
            return
        change = now.nulls / now.rows - before.nulls / before.rows
        if abs(change) < (_FEW_NULLS if not before.nulls else _NULLS):
            return
        more = "more" if change > 0 else "fewer"
        claim = (
            f"{self.name} lacks {more} values than in the baseline: {now.nulls:,} of {now.rows:,} rows are null, "
            f"and {before.nulls:,} of {before.rows:,} were."
        )
        yield self._told("null_drift", claim, 90, attention=change >= LEAST or (change > 0 and not before.nulls))

    def formats(self) -> Iterator[Drifted]:
        """Tell of a form that most values had and many have no more, or the other way round."""
        before, now = self.then, self.now
        if not (before.texts and now.texts) or min(before.checked, now.checked) < ENOUGH:
            return
        for pattern, words in _FORMATS.items():
            then, today = before.patterns.get(pattern, 0), now.patterns.get(pattern, 0)
            moved = abs(then / before.checked - today / now.checked)
            most = max(then / before.checked, today / now.checked)
            if moved < LEAST or most < 0.5 or not margins.shares_differ(then, before.checked, today, now.checked):
                continue
            claim = (
                f"{today:,} of {now.checked:,} values of {self.name} look like {words}, "
                f"and {then:,} of {before.checked:,} did in the baseline."
            )
            yield self._told("format_drift", claim, 88, attention=moved >= MAJOR)
            return

    def repeats(self) -> Iterator[Drifted]:
        """Tell of a column in which no value occurred twice, and now some do."""
        before, now = self.then, self.now
        if self.enough and before.unique and before.complete and now.complete and not now.unique and now.distinct:
            claim = f"Values of {self.name} occur more than once; in the baseline none did."
            yield self._told("uniqueness_lost", claim, 95, attention=True)

    # -- few values -----------------------------------------------------------------------------------------------

    @property
    def few(self) -> bool:
        """Whether every value was counted on both sides."""
        return self.then.whole and self.now.whole

    def categories(self) -> Iterator[Drifted]:
        """Tell of categories that are new or gone, else of shares that moved."""
        before, now = dict(self.then.frequent), dict(self.now.frequent)
        was, held = sum(before.values()), sum(now.values())
        if min(was, held) < ENOUGH:
            return
        new = [text for text in now if text not in before and margins.surprising_absence(was, now[text] / held)]
        gone = [text for text in before if text not in now and margins.surprising_absence(held, before[text] / was)]
        if new or gone:
            yield from self._came_and_went(new, gone, before, now)
            return
        texts = sorted({*before, *now})
        then, today = [before.get(text, 0) for text in texts], [now.get(text, 0) for text in texts]
        moved = self._moved(texts, then, today)
        if moved is not None:
            text, index = moved
            start = f"The shares of the values of {self.name} have moved since the baseline"
            claim = f"{start}{self._example(text, before, now, was, held)}."
            yield self._told("category_drift", claim, 90, attention=index >= MAJOR)
        elif self._only_added(texts, before, now):
            added = [now.get(text, 0) - before.get(text, 0) for text in texts]
            newest = self._moved(texts, then, added) if sum(added) >= ENOUGH else None
            if newest is not None:
                text, index = newest
                start = f"Rows added to {self.table_name} since the baseline differ in {self.name} from those before"
                claim = f"{start}{self._growth(text, before, now, was, held)}."
                yield self._told("category_drift", claim, 85, attention=index >= MAJOR)

    @property
    def table_name(self) -> str:
        return inert.prose(self.table.name)

    def _only_added(self, texts: list[str], before: Mapping[str, int], now: Mapping[str, int]) -> bool:
        whole = self.then.complete and self.now.complete
        return whole and all(now.get(text, 0) >= before.get(text, 0) for text in texts)

    def _moved(self, texts: list[str], then: list[int], now: list[int]) -> tuple[str, float] | None:
        """Give the value whose share moved most, and the index of all; None where chance or little explains it."""
        was, held = sum(then), sum(now)
        index = margins.stability_index(then, now)
        moved = [abs(one / was - two / held) for one, two in zip(then, now, strict=True)]
        at = max(range(len(texts)), key=lambda number: moved[number])
        by_index = index >= LEAST_INDEX and index > margins.chance_of_index(len(texts), was, held)
        by_share = moved[at] >= LEAST and margins.shares_differ(then[at], was, now[at], held)
        return (texts[at], index) if by_index or by_share else None

    def _example(self, text: str, before: Mapping[str, int], now: Mapping[str, int], was: int, held: int) -> str:
        if not self._stand(was, held) or not _PLAIN.fullmatch(text):
            return ""
        return f": {_quoted(text)} was {before.get(text, 0):,} of {was:,}, and is {now.get(text, 0):,} of {held:,}"

    def _growth(self, text: str, before: Mapping[str, int], now: Mapping[str, int], was: int, held: int) -> str:
        if not self._stand(was, held) or not _PLAIN.fullmatch(text):
            return ""
        return (
            f": {_quoted(text)} went from {before.get(text, 0):,} to {now.get(text, 0):,}, while all values went "
            f"from {was:,} to {held:,}"
        )

    def _stand(self, was: int, held: int) -> bool:
        """Whether the totals are counts that the profiles hold."""
        return was == self.then.rows - self.then.nulls and held == self.now.rows - self.now.nulls

    def _came_and_went(
        self, new: list[str], gone: list[str], before: Mapping[str, int], now: Mapping[str, int]
    ) -> Iterator[Drifted]:
        parts: list[str] = []
        for texts, counts, verb, of in (
            (new, now, "new", self.now.rows - self.now.nulls),
            (gone, before, "gone", self.then.rows - self.then.nulls),
        ):
            if texts:
                plain = [text for text in texts if _PLAIN.fullmatch(text)][:_MOST_NAMED]
                named = [f"{_quoted(text)} ({counts[text]:,} of {of:,} values)" for text in plain]
                several = "is" if len(plain) == 1 else "are"
                parts.append(f"{listed(named, 'and') if named else 'some values'} {several} {verb}")
        share = max([*(now[text] for text in new), 0]) / max(1, self.now.rows)
        went = max([*(before[text] for text in gone), 0]) / max(1, self.then.rows)
        claim = f"The values of {self.name} are others than in the baseline: {' and '.join(parts)}."
        yield self._told("category_drift", claim, 92, attention=max(share, went) >= LEAST)


def _numbers(table: Table, column: str, before: Spread, now: Spread) -> Iterator[Drifted]:
    """Tell of numbers that lie elsewhere."""
    if min(before.rows, now.rows) < ENOUGH:
        return
    then, today = Curve(before), Curve(now)
    moved, _ = margins.distance(then, today)
    index, parts = margins.index_of(then, today)
    by_distance = moved >= LEAST and moved > margins.chance_of_distance(before.rows, now.rows)
    by_index = index >= LEAST_INDEX and index > margins.chance_of_index(parts, before.rows, now.rows)
    if by_distance or by_index:
        claim = f"The numbers of {place(table, column)} lie elsewhere than in the baseline: {_levels(then, today)}."
        attention = moved >= 2 * LEAST or index >= MAJOR
        yield Drifted(column, "number_drift", claim, 90, attention, cells=True)


_LEVELS: Final = ((0.5, "half of them"), (0.1, "a tenth of them"), (0.9, "nine tenths of them"))


def _levels(then: Curve, now: Curve) -> str:
    """Say at which of a few levels the numbers differ most, with the counts of both sides."""
    n, m = then.spread.rows, now.spread.rows
    found: list[tuple[float, str]] = []
    for level, words in _LEVELS:
        one, two = _reaching(then, level), _reaching(now, level)
        low, high = now.at(then.cuts[one])
        apart = abs((low + high) / 2 / m - then.spread.rows_upto[one] / n)
        said = (
            f"about {words} were at most {then.spread.upto[one]} ({then.spread.rows_upto[one]:,} of {n:,}), "
            f"now at most {now.spread.upto[two]} ({now.spread.rows_upto[two]:,} of {m:,})"
        )
        found.append((apart if then.cuts[one] != now.cuts[two] else -1.0, said))
    apart, said = max(found)
    if apart >= 0:
        return said
    # the levels lie at numbers that both sides know; of all such numbers, the one where most rows moved is told
    at = max(range(len(then.cuts)), key=lambda index: _apart(then, now, index))
    here = now.cuts.index(then.cuts[at])
    return (
        f"{then.spread.rows_upto[at]:,} of {n:,} were at most {then.spread.upto[at]}, "
        f"now {now.spread.rows_upto[here]:,} of {m:,}"
    )


def _apart(then: Curve, now: Curve, index: int) -> float:
    low, high = now.at(then.cuts[index])
    known = then.cuts[index] in now.cuts
    moved = abs((low + high) / 2 / now.spread.rows - then.spread.rows_upto[index] / then.spread.rows)
    return moved if known else moved - 1


def _reaching(curve: Curve, level: float) -> int:
    rows = curve.spread.rows_upto
    return next((index for index, count in enumerate(rows) if count >= level * curve.spread.rows), len(rows) - 1)


def _quoted(text: str) -> str:
    return f"“{inert.prose(text, 40)}”"
