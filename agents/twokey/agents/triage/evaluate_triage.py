"""How well kinds of tickets are told: ``twokey eval triage --train CSV --test CSV``, or ``--folds K``.

Rules
- The product's own reader learns from the labelled tickets and judges the others; the labels of those are read for
  scoring only. With ``--shots N`` it learns from N tickets per kind and group, drawn anew in every fold; with
  ``--shots 0`` the general reader judges, and of the labelled tickets it knows the names of the kinds alone.
- The kind that is scored is the likeliest one, whether or not the reader stands by it; coverage is the share it stands
  by at the target, and accuracy at coverage is the share of those that are right.
- The first text column is the title, the others together are the body. Draws are made by fixed seeds, so that the same
  files give the same figures.

Formulas: macro F1 is the mean of F1 over the kinds that occur in truth or answers; with groups it is taken within
each, over all folds together, and averaged over groups. ``target_met`` is the share of bootstrap samples of the judged
tickets (with replacement, within groups; Efron 1979) in which what the reader stands by is right at least as often as
the target asks, and it stands by something.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from twokey.agents.triage import general, labelled
from twokey.agents.triage.confidence import Judged, calibration_error, reliability
from twokey.agents.triage.labelled import NEXT
from twokey.agents.triage.learned import Learned, Sorted
from twokey.agents.triage.reader import TicketReader
from twokey.agents.triage.taught import Taught
from twokey.core.errors import BadInput

RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    train: Path | None = None
    test: Path | None = None
    folds: int | None = None
    label: str = "label"
    text: tuple[str, ...] = ("title", "body")
    group: str | None = None
    shots: int | None = None
    target: float = 0.9
    resamples: int = RESAMPLES


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one ticket, and what is true."""

    group: str
    true: str
    said: str
    stands: bool
    confidence_permille: int


def evaluate(plan: Plan, clock: Callable[[], float] = time.perf_counter) -> dict[str, Any]:
    """Learn, judge and score; see the module.

    Gives ``macro_f1``, ``per_group`` {name: macro F1}, ``per_kind`` {kind: {p, r, f1, n}}, ``coverage``,
    ``accuracy_at_coverage``, ``target_met`` (all 0 to 1), ``ece``, ``reliability``, ``tickets``, ``learned_from``,
    ``learn_s`` and ``docs_per_s`` (reading and judging once learned).

    Raises:
        BadInput: the files do not fit the arguments, or hold too little to learn from.

    """
    answers: list[Answer] = []
    learn = judge = 0.0
    learned_from = 0
    for train, test in _splits(plan):
        chosen = labelled.shots(train, plan.shots) if plan.shots is not None else train
        learned_from = max(learned_from, len(chosen))
        started = clock()
        reader = _reader(chosen, sorted({ticket.kind for ticket in train}), plan)
        between = clock()
        understood = reader.understand([ticket.text for ticket in test])
        judge += clock() - between
        learn += between - started
        for ticket, each in zip(test, understood, strict=True):
            best = each.kinds[0] if each.kinds else None
            answers.append(
                Answer(
                    ticket.text.project,
                    ticket.kind,
                    best.value if best is not None else "",
                    each.kind is not None,
                    best.confidence_permille if best is not None else 0,
                )
            )
    result = score(answers, plan.target, plan.resamples)
    result["learned_from"] = learned_from
    result["learn_s"] = round(learn, 2)
    result["docs_per_s"] = round(len(answers) / max(judge, 1e-9), 1)
    return result


def _reader(tickets: Sequence[Sorted], kinds: Sequence[str], plan: Plan) -> TicketReader:
    target = round(plan.target * 1_000)
    if plan.shots == 0:
        return TicketReader.by(Taught(None, None, tuple(kinds), ()), general.model(), target_permille=target)
    learned = Learned.fit(tickets)
    if learned is None:
        raise BadInput("There are too few labelled tickets to learn from.", next=NEXT)
    return TicketReader.of_kinds(learned, target_permille=target)


def score(answers: Sequence[Answer], target: float, resamples: int) -> dict[str, Any]:
    """Score answers; see ``evaluate``."""
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.group].append(answer)
    per_group = {name: macro_f1(members) for name, members in sorted(groups.items())}
    stood = [answer for answer in answers if answer.stands]
    known = [Judged(answer.confidence_permille, answer.said == answer.true) for answer in answers]
    return {
        "macro_f1": round(sum(per_group.values()) / len(per_group), 4),
        "per_group": {name or "all": round(value, 4) for name, value in per_group.items()},
        "per_kind": per_kind(answers),
        "accuracy": _share(answer.said == answer.true for answer in answers),
        "target": target,
        "coverage": round(len(stood) / len(answers), 4),
        "accuracy_at_coverage": _share(answer.said == answer.true for answer in stood),
        "target_met": target_met(list(groups.values()), target, resamples),
        "resamples": resamples,
        "ece": round(calibration_error(known), 4),
        "reliability": [
            {"from": each.lowest_permille, "to": each.highest_permille, "n": each.judged,
             "claimed": each.claimed_permille, "right": each.right_permille}
            for each in reliability(known)
        ],
        "tickets": len(answers),
    }  # fmt: skip


def _share(rights: Iterable[bool]) -> float:
    listed = list(rights)
    return round(sum(listed) / len(listed), 4) if listed else 0.0


def macro_f1(answers: Sequence[Answer]) -> float:
    """Give the mean F1 over the kinds that occur."""
    figures = per_kind(answers)
    return sum(each["f1"] for each in figures.values()) / len(figures)


def per_kind(answers: Sequence[Answer]) -> dict[str, dict[str, Any]]:
    """Give precision, recall, F1 and the number of true tickets of each kind that occurs."""
    true, said = Counter(answer.true for answer in answers), Counter(answer.said for answer in answers)
    hits = Counter(answer.true for answer in answers if answer.true == answer.said)
    return {
        kind: {
            "p": round(hits[kind] / said[kind], 4) if said[kind] else 0.0,
            "r": round(hits[kind] / true[kind], 4) if true[kind] else 0.0,
            "f1": round(2 * hits[kind] / (true[kind] + said[kind]), 4),
            "n": true[kind],
        }
        for kind in sorted((set(true) | set(said)) - {""})
    }


def target_met(groups: Sequence[Sequence[Answer]], target: float, resamples: int) -> float:
    """Give the share of bootstrap samples in which the target is met."""
    chance = np.random.default_rng(0)
    met = 0
    codes = [
        np.asarray([answer.stands + 2 * (answer.stands and answer.said == answer.true) for answer in members])
        for members in groups
    ]
    for _ in range(resamples):
        drawn = [members[chance.integers(0, len(members), len(members))] for members in codes]
        stood = sum(int((sample > 0).sum()) for sample in drawn)
        right = sum(int((sample == 3).sum()) for sample in drawn)
        met += stood > 0 and right >= target * stood
    return round(met / resamples, 4) if resamples else 0.0


def _splits(plan: Plan) -> list[tuple[list[Sorted], list[Sorted]]]:
    """Read what is learned from and what is judged, fold by fold."""
    if not plan.text or not 0 < plan.target < 1 or plan.resamples < 0 or (plan.shots is not None and plan.shots < 0):
        raise BadInput("--text needs a column, --target a share, --shots and --resamples a count.", next=NEXT)
    given = [
        labelled.read(path, plan.label, plan.text, plan.group) for path in (plan.train, plan.test) if path is not None
    ]
    if plan.folds is None:
        if len(given) != 2:
            raise BadInput("Give --train and --test, or one file and --folds.", next=NEXT)
        return [(given[0], given[1])]
    if len(given) != 1 or not 2 <= plan.folds <= 100:
        raise BadInput("With --folds (2 to 100) give one file, as --train.", next=NEXT)
    places = labelled.folds_of(given[0], plan.folds)
    return [labelled.without(given[0], places, fold) for fold in range(plan.folds)]


def as_lines(result: Mapping[str, Any]) -> list[str]:
    """Write a result for a reader."""
    stood = f"accuracy {result['accuracy_at_coverage']:.3f} of the {result['coverage']:.3f} it stands by"
    met = f"target met in {result['target_met']:.3f} of {result['resamples']:,} samples"
    speed = f"{result['docs_per_s']:,} tickets a second, learned from {result['learned_from']:,}"
    lines = [
        f"macro F1       {result['macro_f1']:.3f}   accuracy {result['accuracy']:.3f}, {result['tickets']:,} tickets",
        f"at {result['target']:.2f}        {stood}; {met}",
        f"calibration    error {result['ece']:.3f}   {speed}",
    ]
    lines += [f"  {name[:40]:<32} {value:.3f}" for name, value in result["per_group"].items()]
    lines += [
        f"  {kind[:40]:<32} P {each['p']:.3f}  R {each['r']:.3f}  F1 {each['f1']:.3f}  of {each['n']}"
        for kind, each in result["per_kind"].items()
    ]
    lines += [
        f"  claimed {each['claimed'] / 10:5.1f} %   right {each['right'] / 10:5.1f} %   of {each['n']}"
        for each in result["reliability"]
    ]
    return lines
