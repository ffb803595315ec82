"""How good models were: a drop is told beyond its interval, with what to go back to."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from inline_snapshot import snapshot
from support.measured_rows import measures, then
from support.warehouse_facts import table

from twokey.agents.catalog import accuracy
from twokey.agents.catalog.accuracy import Judged

DAY = date(2026, 1, 5)
OWNER = table("churn", "score", "actual", "scored_on", "model_version")


def scored(
    count: int = 3000, *, seed: int = 1, bad_from: float = 1.0, blind: float = 1.0, **changes: Any
) -> dict[str, list[Any]]:
    """Ten weeks of scores; of the share of rows from ``bad_from`` on, ``blind`` of the outcomes are drawn of nothing."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    scores = [round(random.betavariate(1.2, 1.8), 4) for _ in range(count)]
    happened = [
        int(random.random() < (0.4 if row >= bad_from * count and random.random() < blind else score))
        for row, score in enumerate(scores)
    ]
    rows = {
        "score": scores,
        "actual": happened,
        "scored_on": [(DAY + timedelta(days=row * 70 // count)).isoformat() for row in range(count)],
        "model_version": ["v1" if row < 0.9 * count else "v2" for row in range(count)],
    }
    return {name: cells for name, cells in (rows | changes).items() if cells}


def told(rows: dict[str, list[Any]], before: dict[str, list[Any]] | None = None) -> list[Judged]:
    return list(accuracy.judged(OWNER, measures(rows), then(before) if before is not None else None))


def drop(rows: dict[str, list[Any]], before: dict[str, list[Any]] | None = None) -> Judged | None:
    return next((each for each in told(rows, before) if each.kind == "model_drop"), None)


def test_a_good_model_is_told_and_nothing_more():
    (judged,) = told(scored())
    assert judged.claim == snapshot(
        "churn.score predicts actual, as their names say: its area under the ROC curve is 0.7912 over 3,000 rows, 1,193 of them true."
    )
    assert (judged.kind, judged.attention) == ("model_accuracy", False)


def test_a_model_that_became_worse_with_its_newest_version():
    judged = drop(scored(bad_from=0.9))
    assert judged is not None
    assert judged.claim == snapshot(
        "churn.score became worse: since 2026-03-09 its area under the ROC curve is 0.5348 (300 rows, 109 true), in the periods before its area under the ROC curve is 0.7882 (2,700 rows, 1,085 true). Suggested rule: go back to version “v1” (its area under the ROC curve is 0.7882 (2,700 rows, 1,085 true)) while version “v2” stays worse (its area under the ROC curve is 0.5348 (300 rows, 109 true)). This is for the owners of the model."
    )
    assert (judged.attention, judged.baseline) == (True, False)


def test_without_versions_the_last_good_one_is_not_known():
    judged = drop(scored(bad_from=0.9, model_version=[]))
    assert judged is not None
    assert "Which version was last good is not known: the table names no versions." in judged.claim


def test_where_no_version_was_better_none_is_suggested():
    mixed = scored(bad_from=0.9, model_version=[f"v{row % 2}" for row in range(3000)])
    judged = drop(mixed)
    assert judged is not None
    assert "no version before the newest one is better" in judged.claim


def test_a_drop_since_the_baseline():
    bad = scored(bad_from=0.0, model_version=[])
    assert drop(bad) is None
    judged = drop(bad, scored(seed=2, model_version=[]))
    assert judged is not None
    assert judged.baseline
    assert "in the baseline" in judged.claim


def test_a_guess_of_classes_can_become_worse_too():
    random = Random(4)  # noqa: S311 - seeded on purpose
    truth = [random.choice(("cat", "dog")) for _ in range(2000)]
    guess = [it if row < 1800 and random.random() < 0.9 else "dog" for row, it in enumerate(truth)]
    days = [(DAY + timedelta(days=row * 70 // 2000)).isoformat() for row in range(2000)]
    rows = {"predicted_kind": guess, "actual_kind": truth, "predicted_on": days}
    (good, worse) = accuracy.judged(table("pets", *rows), measures(rows), None)
    assert good.claim == snapshot(
        "pets.predicted_kind predicts actual_kind, as their names say: it is right in 1,793 of 2,000 rows."
    )
    assert worse.claim == snapshot(
        "pets.predicted_kind became worse: since 2026-03-09 92 of 200 answers are right, in the periods before 1,701 of 1,800 answers are right. Which version was last good is not known: the table names no versions. This is for the owners of the model."
    )


def forecast(count: int = 3000, *, seed: int = 5, late: float = 0.1) -> dict[str, list[Any]]:
    """Ten weeks of guessed amounts, a tenth off at most and ``late`` in the last week."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    actual = [round(random.lognormvariate(4, 0.5), 2) for _ in range(count)]
    off = [late if row >= 0.9 * count else 0.1 for row in range(count)]
    return {
        "predicted_demand": [
            round(amount * random.uniform(1 - most, 1 + most), 2) for amount, most in zip(actual, off, strict=True)
        ],
        "actual_demand": actual,
        "predicted_on": [(DAY + timedelta(days=row * 70 // count)).isoformat() for row in range(count)],
        "model_version": ["v1" if row < 0.9 * count else "v2" for row in range(count)],
    }


def of_amounts(rows: dict[str, list[Any]]) -> list[Judged]:
    return list(accuracy.judged(table("demand", *rows), measures(rows), None))


def test_guessed_amounts_that_lie_further_off_than_before():
    (good, worse) = of_amounts(forecast(late=0.2))
    assert good.claim == snapshot(
        "demand.predicted_demand predicts actual_demand, as their names say: it is 3.38545 off on average, over 3,000 rows."
    )
    assert worse.claim == snapshot(
        "demand.predicted_demand became worse: since 2026-03-09 it is 6.31067 off on average (300 rows), in the periods before it is 3.06043 off on average (2,700 rows). Suggested rule: go back to version “v1” (it is 3.06043 off on average (2,700 rows)) while version “v2” stays worse (it is 6.31067 off on average (300 rows)). This is for the owners of the model."
    )
    assert worse.attention


def test_guessed_amounts_are_told_as_worse_neither_by_chance_nor_for_little():
    kinds = [[each.kind for each in of_amounts(forecast(600, seed=seed))] for seed in range(10)]
    assert kinds == [["model_accuracy"]] * 10
    steady = forecast(1200)
    for late, expected in ((1.05, ["model_accuracy"]), (1.2, ["model_accuracy", "model_drop"])):
        off = [late if row >= 1080 else 1.0 for row in range(1200)]
        guessed = [round(true + most, 2) for true, most in zip(steady["actual_demand"], off, strict=True)]
        assert [each.kind for each in of_amounts({**steady, "predicted_demand": guessed})] == expected


def test_scores_that_stopped_being_probabilities():
    rows = scored()
    late = [score if row < 2700 else round(score / 3, 4) for row, score in enumerate(rows["score"])]
    judged = next(each for each in told(rows | {"score": late}) if each.kind == "model_calibration")
    assert judged.attention
    assert judged.claim == snapshot(
        "The scores of churn.score are no probabilities of actual: since 2026-03-09 they add up to 40.17 in 300 rows, and 108 came true; they were right before. Calibrate them again, or do not read them as shares. This is for the owners of the model."
    )


def test_scores_that_never_were_probabilities_want_no_attention():
    rows = scored()
    judged = next(
        each
        for each in told(rows | {"score": [round(score / 3, 4) for score in rows["score"]]})
        if each.kind == "model_calibration"
    )
    assert not judged.attention


def test_few_rows_never_shout():
    assert [each.kind for each in told(scored(210, bad_from=0.9))] == ["model_accuracy"]


def test_names_that_cannot_be_told_are_passed_over():
    rows = scored()
    rows["*" * 130 + "score"] = rows.pop("score")
    assert told(rows) == []


@pytest.mark.soak
def test_over_200_seeds_no_good_model_is_accused_and_nearly_every_bad_one_found():
    assert [seed for seed in range(200) if drop(scored(seed=seed)) is not None] == []
    assert sum(drop(scored(seed=seed, bad_from=0.9)) is not None for seed in range(200)) >= 195


def test_a_few_seeds_of_the_same():
    assert [seed for seed in range(8) if drop(scored(seed=seed)) is not None] == []
    assert sum(drop(scored(seed=seed, bad_from=0.9)) is not None for seed in range(4)) == 4
