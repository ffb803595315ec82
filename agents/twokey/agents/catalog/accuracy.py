"""How good a model's predictions were, where a table holds them beside what came true; and when to go back.

Rules
- Which column predicts which is proposed with its reason: the names of both, or the form of their values.
- The newest period is compared with all earlier ones, and with the baseline where there is one. A drop is told only
  beyond its interval (``margins.CHANCE`` would hide too much: a table has few models, so it is ``SURE`` standard errors
  of both sides together, about once in thirty thousand) and only where it matters.
- A rollback is suggested to the last version that was good, from the versions that the table names; where it names
  none, or none was better, it says that this is not known. Nothing is rolled back here: that is a proposal of its own.
- Every number of a claim stands in the evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from twokey.agents.catalog import inert, margins
from twokey.agents.catalog.baseline import Then
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.phrases import place
from twokey.tools.read.warehouse import Measured, Outcome, Part

SURE: Final = 4.0
"""Standard errors beyond which a drop is none of chance."""
LEAST: Final = 0.03
"""Drop of the share of right answers, or of the area under the ROC curve, that matters."""
LEAST_MORE: Final = 0.1
"""By what share of itself the average error of a predicted amount has to grow so that it matters."""
LEAST_OFF: Final = 0.05
"""How far promised and real shares may lie apart."""
FOR: Final = "This is for the owners of the model"


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement about a model. ``baseline``: it rests on the baseline too."""

    column: str
    kind: str
    claim: str
    confidence: int
    attention: bool
    baseline: bool = False


def judged(table: Table, measured: Measured, then: Then | None) -> Iterator[Judged]:
    """Tell how good each model of a table is, whether it became worse, and what to go back to."""
    told: set[str] = set()
    for outcome in measured.outcomes:
        names = (outcome.column, outcome.truth, *filter(None, (outcome.time, outcome.version)))
        if outcome.column in told or not all(inert.speakable(name) for name in names):
            continue
        told.add(outcome.column)
        before = _same(outcome, then)
        yield Judged(outcome.column, "model_accuracy", _accuracy(table, outcome), 80, attention=False)
        yield from _worse(table, outcome, before)
        yield from _promises(table, outcome)


def _same(outcome: Outcome, then: Then | None) -> Outcome | None:
    measured = then.measured if then is not None else None
    return next(
        (
            other
            for other in (measured.outcomes if measured is not None else ())
            if (other.column, other.truth, other.kind) == (outcome.column, outcome.truth, outcome.kind)
        ),
        None,
    )


def _accuracy(table: Table, outcome: Outcome) -> str:
    name = place(table, outcome.column)
    truth = inert.prose(outcome.truth)
    why = (
        "as their names say"
        if outcome.named
        else "which is told by the form of their values (a number from 0 to 1 beside something true or false)"
    )
    return f"{name} predicts {truth}, {why}: {_said(outcome, outcome.all)}."


def _said(outcome: Outcome, part: Part) -> str:
    if outcome.kind == "score" and part.auc:
        return f"its area under the ROC curve is {part.auc} over {part.rows:,} rows, {part.positives:,} of them true"
    if outcome.kind == "number":
        return f"it is {part.off} off on average, over {part.rows:,} rows"
    return f"it is right in {part.right:,} of {part.rows:,} rows"


# --- worse than before ---------------------------------------------------------------------------------------------


def _worse(table: Table, outcome: Outcome, before: Outcome | None) -> Iterator[Judged]:
    """Tell of a newest period that is worse than the earlier ones, or than the baseline."""
    if not outcome.periods:
        return
    newest = outcome.periods[-1]
    references: list[tuple[Part, str, bool]] = []
    if outcome.earlier is not None:
        references.append((outcome.earlier, "in the periods before", False))
    if before is not None:
        references.append((before.all, "in the baseline", True))
    for reference, when, of_baseline in references:
        if _is_worse(outcome, newest, reference):
            name = place(table, outcome.column)
            claim = (
                f"{name} became worse: since {newest.name} {_figure(outcome, newest)}, {when} "
                f"{_figure(outcome, reference)}. {_rule(outcome)} {FOR}."
            )
            yield Judged(outcome.column, "model_drop", claim, 90, attention=True, baseline=of_baseline)
            return


def _figure(outcome: Outcome, part: Part) -> str:
    if _by_auc(outcome, part):
        return f"its area under the ROC curve is {part.auc} ({part.rows:,} rows, {part.positives:,} true)"
    if outcome.kind == "number":
        return f"it is {part.off} off on average ({part.rows:,} rows)"
    return f"{part.right:,} of {part.rows:,} answers are right"


def _by_auc(outcome: Outcome, part: Part) -> bool:
    return outcome.kind == "score" and bool(part.auc)


def _is_worse(outcome: Outcome, part: Part, reference: Part) -> bool:
    """Tell whether a part is worse than another by more than the intervals of both allow, and by what matters."""
    if _by_auc(outcome, part) and _by_auc(outcome, reference):
        one, two = float(part.auc), float(reference.auc)
        error = sqrt(_of_auc(part) ** 2 + _of_auc(reference) ** 2)
        return two - one >= LEAST and two - one > SURE * error
    if outcome.kind == "number":
        return _is_further_off(part, reference)
    if outcome.kind == "score" or not part.rows or not reference.rows:
        return False
    one, two = part.right / part.rows, reference.right / reference.rows
    error = sqrt(_variance(part) + _variance(reference))
    return two - one >= LEAST and two - one > SURE * error


def _is_further_off(part: Part, reference: Part) -> bool:
    """Tell whether amounts are further off on average."""
    one, two = float(part.off or 0), float(reference.off or 0)
    error = sqrt(float(part.off_error or 0) ** 2 + float(reference.off_error or 0) ** 2)
    return one - two >= LEAST_MORE * two and one - two > SURE * error


def _variance(part: Part) -> float:
    """Give the variance of a share, drawn to the middle so that it is not nothing where all answers are right."""
    share = (part.right + 2) / (part.rows + 4)
    return share * (1 - share) / part.rows


def _of_auc(part: Part) -> float:
    return margins.error_of_auc(float(part.auc), part.positives, part.rows - part.positives)


def _rule(outcome: Outcome) -> str:
    """Suggest what to go back to."""
    good = last_good(outcome, outcome.versions)
    if good is None:
        known = "no version before the newest one is better" if outcome.versions else "the table names no versions"
        return f"Which version was last good is not known: {known}."
    newest = outcome.versions[-1]
    return (
        f"Suggested rule: go back to version {_quoted(good.name)} ({_figure(outcome, good)}) while version "
        f"{_quoted(newest.name)} stays worse ({_figure(outcome, newest)})."
    )


def last_good(outcome: Outcome, versions: Sequence[Part]) -> Part | None:
    """Give the last version before the newest that was better than the newest by more than chance."""
    if len(versions) < 2:
        return None
    newest = versions[-1]
    return next((part for part in reversed(versions[:-1]) if _is_worse(outcome, newest, part)), None)


# --- what scores promise -------------------------------------------------------------------------------------------


def _promises(table: Table, outcome: Outcome) -> Iterator[Judged]:
    """Tell of scores that promise another share than came true, and that did not before."""
    newest = outcome.periods[-1] if outcome.periods else outcome.all
    if outcome.kind != "score" or not _is_off(newest):
        return
    name, truth = place(table, outcome.column), inert.prose(outcome.truth)
    since = f"since {newest.name} " if outcome.periods else ""
    claim = (
        f"The scores of {name} are no probabilities of {truth}: {since}they add up to {newest.expected} in "
        f"{newest.rows:,} rows, and {newest.positives:,} came true"
    )
    was_off = outcome.earlier is None or _is_off(outcome.earlier)
    if was_off:
        yield Judged(outcome.column, "model_calibration", f"{claim}.", 75, attention=False)
    else:
        claim = f"{claim}; they were right before. Calibrate them again, or do not read them as shares. {FOR}."
        yield Judged(outcome.column, "model_calibration", claim, 85, attention=True)


def _is_off(part: Part) -> bool:
    expected, variance = float(part.expected or 0), float(part.variance or 0)
    apart = abs(expected - part.positives)
    return apart >= LEAST_OFF * part.rows and apart > SURE * sqrt(variance)


def _quoted(text: str) -> str:
    return f"“{inert.prose(text, 60)}”"
