"""Predictions beside what came true: which columns, how good, by period and version."""

from datetime import date, timedelta
from math import sqrt
from random import Random
from statistics import mean, stdev
from typing import Any

import pytest
from support.measured_rows import measures

from twokey.tools.read.warehouse import Outcome

DAY = date(2026, 1, 5)


def scored(count: int = 1200, *, seed: int = 1, bad_from: int | None = None) -> dict[str, list[Any]]:
    """Scores of which the outcomes are drawn; from row ``bad_from`` on they are drawn of nothing."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    scores = [round(random.betavariate(2, 3), 4) for _ in range(count)]
    happened = [
        int(random.random() < (score if bad_from is None or row < bad_from else 0.4))
        for row, score in enumerate(scores)
    ]
    return {
        "score": scores,
        "actual": happened,
        "scored_on": [(DAY + timedelta(days=row * 70 // count)).isoformat() for row in range(count)],
        "model_version": ["v1" if row < count // 2 else "v2" for row in range(count)],
    }


def only(columns: dict[str, list[Any]]) -> Outcome:
    (found,) = measures(columns).outcomes
    return found


def by_hand(scores: list[float], happened: list[int]) -> float:
    yes = [score for score, it in zip(scores, happened, strict=True) if it]
    no = [score for score, it in zip(scores, happened, strict=True) if not it]
    wins = sum((one > two) + 0.5 * (one == two) for one in yes for two in no)
    return wins / (len(yes) * len(no))


def test_a_score_beside_a_label_is_measured():
    rows = scored()
    found = only(rows)
    assert (found.column, found.truth, found.kind, found.named) == ("score", "actual", "score", True)
    assert (found.time, found.version) == ("scored_on", "model_version")
    assert found.rows == 1200
    assert float(found.all.auc) == pytest.approx(by_hand(rows["score"], rows["actual"]), abs=1e-4)
    assert found.all.positives == sum(rows["actual"])
    assert float(found.all.expected) == pytest.approx(sum(rows["score"]), abs=0.01)
    right = sum((score >= 0.5) == bool(it) for score, it in zip(rows["score"], rows["actual"], strict=True))
    assert found.all.right == right


def test_periods_part_the_rows_and_the_last_one_is_apart():
    found = only(scored())
    assert [part.name for part in found.periods] == [(DAY + timedelta(days=7 * week)).isoformat() for week in range(10)]
    assert found.earlier is not None
    assert found.earlier.rows + found.periods[-1].rows == found.rows
    assert [part.name for part in found.versions] == ["v1", "v2"]
    assert sum(part.rows for part in found.versions) == found.rows


def test_ties_count_half():
    rows = scored(400)
    rows["score"] = [round(score, 1) for score in rows["score"]]
    assert measures(rows).outcomes == ()  # so few different numbers are no probabilities
    rows["score"] = [round(score * 40) / 40 for score in scored(400)["score"]]
    assert float(only(rows).all.auc) == pytest.approx(by_hand(rows["score"], rows["actual"]), abs=1e-4)


def test_rows_without_an_outcome_yet_are_not_counted():
    rows = scored()
    rows["actual"][-300:] = [None] * 300
    assert only(rows).rows == 900


def test_a_guess_of_classes_is_measured_too():
    random = Random(2)  # noqa: S311 - seeded on purpose
    truth = [random.choice(("cat", "dog", "bird")) for _ in range(300)]
    guess = [it if random.random() < 0.8 else "dog" for it in truth]
    found = only({"predicted_class": guess, "actual_class": truth})
    right = sum(one == two for one, two in zip(guess, truth, strict=True))
    assert (found.kind, found.all.right, found.all.auc, found.periods) == ("class", right, "", ())


def amounts(count: int = 400, *, seed: int = 3) -> dict[str, list[Any]]:
    """Amounts that were guessed, at most a tenth off."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    actual = [round(random.lognormvariate(4, 0.5), 2) for _ in range(count)]
    return {
        "actual_demand": actual,
        "predicted_demand": [round(amount * random.uniform(0.9, 1.1), 2) for amount in actual],
    }


def test_a_guess_of_amounts_is_measured_by_how_far_it_is_off():
    rows = amounts()
    found = only(rows)
    off = [abs(one - two) for one, two in zip(rows["predicted_demand"], rows["actual_demand"], strict=True)]
    assert (found.column, found.truth, found.kind, found.named) == ("predicted_demand", "actual_demand", "number", True)
    assert float(found.all.off) == pytest.approx(mean(off), rel=1e-5)
    assert float(found.all.off_error) == pytest.approx(stdev(off) / sqrt(400), rel=1e-5)
    assert (found.all.right, found.all.auc) == (0, "")


def test_which_amount_is_meant_is_told_by_the_rest_of_the_names():
    one, two = amounts(), amounts(seed=4)
    both = {
        **one,
        "actual_returns": two["actual_demand"],
        "forecast_returns": two["predicted_demand"],
        "estimated_stock": two["predicted_demand"],
    }
    pairs = {(found.column, found.truth) for found in measures(both).outcomes}
    assert pairs == {("predicted_demand", "actual_demand"), ("forecast_returns", "actual_returns")}
    bare = {"y_true": one["actual_demand"], "y_pred": one["predicted_demand"]}
    assert (only(bare).column, only(bare).truth) == ("y_pred", "y_true")
    other = {"actual_sales": one["actual_demand"], "prediction": one["predicted_demand"]}
    assert only(other).column == "prediction"


def test_other_numbers_are_no_guess_of_an_amount():
    rows = amounts()
    actual: list[float] = rows["actual_demand"]
    others: dict[str, list[Any]] = {
        "another size": [amount / 1000 for amount in actual],
        "huge": [amount * 1e200 for amount in actual],
        "few values": [round(amount) % 7 for amount in actual],
        "words": [f"about {amount}" for amount in actual],
    }
    found = {what: measures({**rows, "predicted_demand": cells}).outcomes for what, cells in others.items()}
    assert found == dict.fromkeys(others, ())
    assert measures({"predicted_demand": others["huge"], "actual_demand": others["huge"]}).outcomes == ()


def test_amounts_without_telling_names_are_not_compared():
    rows = amounts()
    assert measures({"demand": rows["actual_demand"], "plan": rows["predicted_demand"]}).outcomes == ()


def test_without_telling_names_only_one_pair_of_the_right_form_is_taken():
    rows = scored()
    bare = {"score": rows["score"], "churned": rows["actual"]}
    assert only(bare).named is False
    assert measures({**bare, "is_active": rows["actual"]}).outcomes == ()
    assert measures({"ratio": rows["score"], "churned": rows["actual"]}).outcomes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"actual": ["maybe", "no"] * 600},
        {"actual": [1] * 1200},
        {"score": [n / 100 for n in range(1200)]},
        {"score": ["x", *(n / 1200 for n in range(1199))]},
    ],
)
def test_other_forms_are_no_models(change: dict[str, list[Any]]):
    assert measures({**scored(), **change}).outcomes == ()


def test_few_rows_are_not_measured():
    assert measures(scored(150)).outcomes == ()


def test_rows_of_one_kind_have_no_curve():
    rows = scored(600)
    rows["actual"] = [int(row < 60) for row in range(600)]
    found = only(rows)
    assert found.periods[-1].auc == ""
    assert found.all.auc != ""


def test_versions_that_may_be_people_or_are_odd_are_not_shown():
    for values in (["a@example.com", "b@example.com"], ["<b>v1</b>", "v2"], ["v1", "v1"]):
        rows = scored(600)
        rows["model_version"] = [values[row % 2] for row in range(600)]
        assert only(rows).version is None
    rows = scored(600)
    rows["customer_model"] = rows.pop("model_version")
    found = only(rows)
    assert found.version in {None, "customer_model"}


def test_periods_are_as_short_as_rows_allow():
    rows = scored(600)
    rows["scored_on"] = [(DAY + timedelta(days=row)).isoformat() for row in range(600)]
    assert only(rows).periods[0].name == "2026-01-01"
    rows["scored_on"] = [(DAY + timedelta(days=5 * row)).isoformat() for row in range(600)]
    assert only(rows).periods[0].name == "2026-01-01"
    rows["scored_on"] = [(DAY + timedelta(days=row // 200)).isoformat() for row in range(600)]
    assert [part.name for part in only(rows).periods] == ["2026-01-05", "2026-01-06", "2026-01-07"]
