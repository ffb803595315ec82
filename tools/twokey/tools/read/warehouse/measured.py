"""What the rows of a table measure, as frozen values: enough to compare two days, and never a row.

Rules: counts are integers, every other number is text; a column whose values may be personal has no ``Spread``. What
is measured over a sample is true of the sample, which says how large it is.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Value

Name = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A column, as in ``values``."""
Figure = Annotated[str, StringConstraints(max_length=80)]


class Spread(Value):
    """How the numbers of one column lie: ``rows_upto[i]`` of the ``rows`` that hold one are at most ``upto[i]``.

    ``whole``: every different number is in ``upto``. Else they are numbers that stand in the column, evenly far apart
    in rows, the last one being the greatest.
    """

    column: Name
    rows: Count
    whole: bool
    upto: tuple[Figure, ...]
    rows_upto: tuple[Count, ...]


class Arrivals(Value):
    """When rows arrived: gaps between one ``unit`` in which some did and the next one.

    ``times`` is how many such units there are, and ``age`` how many lie between the last one and the moment of the
    reading. ``warn_after`` and ``error_after``: ages that no gap explains; half as long again as the longest one, and
    three times it, and one more.
    """

    column: Name
    unit: Literal["hour", "day"]
    times: Count
    gap_middle: Count
    gap_long: Count
    """Nineteen of twenty gaps are at most this."""
    gap_longest: Count
    age: Count
    warn_after: Count
    error_after: Count


class Order(Value):
    """Two columns of dates of which ``column`` is never later than ``later`` in the ``rows`` that hold both."""

    column: Name
    later: Name
    rows: Count


class Part(Value):
    """How good predictions were in the rows of one period or version.

    ``right``: rows whose class is the predicted one (a score of at least a half says yes). ``positives``: rows in which
    it happened. ``auc``: the area under the ROC curve, where rows of both kinds are there. ``expected``: the sum of the
    scores, which is how often it should have happened, and ``variance`` that of score x (1 - score). ``off``: how far
    numbers lie from what they should be, on average and whatever the sign; ``off_error``: the standard error of that.
    """

    name: Figure
    rows: Count
    right: Count = 0
    positives: Count = 0
    auc: Figure = ""
    expected: Figure = ""
    variance: Figure = ""
    off: Figure = ""
    off_error: Figure = ""


class Outcome(Value):
    """A ``column`` that seems to predict another one of the same table, and how good it was.

    ``kind``: ``score`` is a probability for something that is true or false, ``class`` names one of a few values,
    ``number`` is an amount.
    ``periods`` are in order of time, by ``time``; ``versions``, by ``version``, in order of time too, where there is
    one. ``all`` are all rows, ``earlier`` those before the last period.
    """

    column: Name
    truth: Name
    kind: Literal["score", "class", "number"]
    named: bool
    """Whether the names of both columns say what they are; else it is the form of their values that does."""
    rows: Count
    time: Name | None = None
    version: Name | None = None
    all: Part
    earlier: Part | None = None
    periods: Annotated[tuple[Part, ...], Field(max_length=40)] = ()
    versions: Annotated[tuple[Part, ...], Field(max_length=40)] = ()


class Measured(Value):
    """What is measured of one table."""

    spreads: tuple[Spread, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    orders: tuple[Order, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
