"""When two counts differ by more than chance explains: the bounds that comparisons rest on.

Rules: pure arithmetic on counts. Every bound is set so that among a million columns in which nothing changed about one
is told by mistake, because a warehouse has thousands of columns and is looked at every day. A difference must also be
large enough to matter, which the caller says. Rows are taken for draws that do not depend on each other; where they
come in batches the bounds are too narrow, which is why the least differences that are told are wide.

Sources
- two shares: the normal approximation with the pooled variance (Fleiss, Statistical Methods for Rates and Proportions,
  3rd ed., section 3.1);
- two distributions: the asymptotic bound of Smirnov for the greatest distance between two distribution functions
  (Conover, Practical Nonparametric Statistics, 3rd ed., section 6.3);
- population stability index: the symmetrised Kullback-Leibler divergence of shares; times n * m / (n + m) it is
  chi-squared with one degree of freedom fewer than there are shares (Yurdakul and Naranjo, 2020);
- chi-squared quantiles: Wilson and Hilferty, 1931;
- area under the ROC curve: Hanley and McNeil, Radiology 143 (1982).
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import log, sqrt
from typing import Final

from twokey.tools.read.warehouse import Spread

CHANCE: Final = 4.9
"""Standard errors that a normal value exceeds about once in a million times, either way."""
_SMIRNOV: Final = 2.7
"""The same for the greatest distance of two distribution functions: sqrt(-ln(1e-6 / 2) / 2), rounded up."""
_EXPECTED: Final = 14.0
"""Rows expected below which that none came is no surprise: -ln(1e-6), rounded up."""
BINS: Final = 10


def shares_differ(part: int, whole: int, other: int, of: int) -> bool:
    """Tell whether two shares differ by more than chance explains."""
    if not whole or not of:
        return False
    pooled = (part + other) / (whole + of)
    error = sqrt(pooled * (1 - pooled) * (1 / whole + 1 / of))
    return error > 0 and abs(part / whole - other / of) > CHANCE * error


def surprising_absence(rows: int, share: float) -> bool:
    """Tell whether it is a surprise that among so many rows there is none of what has this share elsewhere."""
    return rows * share >= _EXPECTED


def chance_of_index(parts: int, before: int, now: int) -> float:
    """Give the population stability index that chance alone reaches once in a million times."""
    freedom = max(1, parts - 1)
    quantile = freedom * (1 - 2 / (9 * freedom) + CHANCE * sqrt(2 / (9 * freedom))) ** 3
    return quantile * (1 / before + 1 / now)


def stability_index(before: Sequence[float], now: Sequence[float]) -> float:
    """Give the population stability index of two lists of counts; an empty part counts as half a row."""
    total, other = sum(before), sum(now)
    index = 0.0
    for one, two in zip(before, now, strict=True):
        if one or two:
            first, second = max(one, 0.5) / total, max(two, 0.5) / other
            index += (second - first) * log(second / first)
    return index


def chance_of_distance(before: int, now: int) -> float:
    """Give the distance of two distribution functions that chance alone reaches once in a million times."""
    return _SMIRNOV * sqrt((before + now) / (before * now))


class Curve:
    """What a ``Spread`` says of a distribution function: at each number the least and most rows up to it."""

    def __init__(self, spread: Spread) -> None:
        self.cuts = [float(text) for text in spread.upto]
        self.spread = spread

    def at(self, number: float) -> tuple[int, int]:
        """Give the least and the most rows that hold at most ``number``."""
        rows, index = self.spread.rows_upto, bisect_right(self.cuts, number)
        least = rows[index - 1] if index else 0
        if self.spread.whole or (index and self.cuts[index - 1] == number) or index == len(rows):
            return least, least
        return least, max(least, rows[index] - 1)


def distance(before: Curve, now: Curve) -> tuple[float, float]:
    """Give the greatest distance of two distribution functions that is certain, and the number where it lies."""
    n, m = before.spread.rows, now.spread.rows
    best, where = 0.0, before.cuts[0]
    for number in sorted({*before.cuts, *now.cuts}):
        (least, most), (low, high) = before.at(number), now.at(number)
        found = max(least / n - high / m, low / m - most / n)
        if found > best:
            best, where = found, number
    return best, where


def index_of(before: Curve, now: Curve) -> tuple[float, int]:
    """Give the population stability index over about ten equal parts of the earlier rows, and how many these are.

    Where it is not known how many rows of today lie below the end of a part, it is as many as before, as far as that
    can be: what is not certain makes no difference.
    """
    n = before.spread.rows
    edges: list[float] = []
    step = 1
    for number, rows in zip(before.cuts[:-1], before.spread.rows_upto, strict=False):
        if rows * BINS >= step * n:
            edges.append(number)
            step = rows * BINS // n + 1
    then = [before.at(edge)[0] for edge in edges]
    today: list[float] = []
    for edge, rows in zip(edges, then, strict=True):
        least, most = now.at(edge)
        today.append(min(max(rows / n * now.spread.rows, least), most))
    return stability_index(_parts(then, n), _parts(today, now.spread.rows)), len(edges) + 1


def _parts(upto: Sequence[float], rows: int) -> list[float]:
    return [after - before for before, after in zip([0.0, *upto], [*upto, float(rows)], strict=True)]


def error_of_auc(auc: float, positives: int, negatives: int) -> float:
    """Give the standard error of an area under the ROC curve."""
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (positives - 1) * (one - auc * auc) + (negatives - 1) * (two - auc * auc)) / (
        positives * negatives
    )
    return sqrt(max(0.0, variance))
