"""What changed since a baseline: told where it matters and chance does not explain it, and with both sides."""

from random import Random
from typing import Any

import pytest
from inline_snapshot import snapshot
from support.drifting import PLANS, Columns, draw, numbered
from support.measured_rows import measures, table, then

from twokey.agents.catalog import drift
from twokey.agents.catalog.drift import Drifted


def found(before: Columns, now: Columns, *grows: str, **changes: Any) -> list[Drifted]:
    return list(drift.drifted(table(now, **changes), measures(now), then(before), frozenset(grows)))


def one(before: Columns, now: Columns, *grows: str) -> Drifted:
    (drifted,) = found(before, now, *grows)
    return drifted


def only(cells: list[Any], column: str = "value") -> Columns:
    return {column: cells}


# -- what is told ---------------------------------------------------------------------------------------------------


def test_numbers_that_lie_elsewhere():
    drifted = one(only(list(range(1000))), only(list(range(400, 1400))))
    assert drifted.claim == snapshot(
        "The numbers of t.value lie elsewhere than in the baseline: about nine tenths of them were at most 906 (907 of 1,000), now at most 1306 (907 of 1,000)."
    )
    assert (drifted.column, drifted.kind, drifted.attention, drifted.cells) == ("value", "number_drift", True, True)


def test_numbers_with_the_same_middle_that_lie_wider():
    few = [9] * 100 + [10] * 800 + [11] * 100
    wide = [9] * 350 + [10] * 300 + [11] * 350
    assert one(only(few), only(wide)).claim == snapshot(
        "The shares of the values of t.value have moved since the baseline: “10” was 800 of 1,000, and is 300 of 1,000."
    )


def test_missing_values_that_became_many():
    before, now = only(["a", "b"] * 500), only([*["a", "b"] * 350, *[None] * 300])
    drifted = one(before, now)
    assert drifted.claim == snapshot(
        "t.value lacks more values than in the baseline: 300 of 1,000 rows are null, and 0 of 1,000 were."
    )
    assert drifted.attention
    back = one(now, before)
    assert "fewer" in back.claim
    assert not back.attention


def test_categories_that_moved():
    drifted = one(only(["web"] * 600 + ["shop"] * 400), only(["web"] * 250 + ["shop"] * 750))
    assert drifted.claim == snapshot(
        "The shares of the values of t.value have moved since the baseline: “shop” was 400 of 1,000, and is 750 of 1,000."
    )
    assert drifted.attention


def test_categories_that_are_new_and_gone():
    before = only(["web"] * 600 + ["shop"] * 300 + ["phone"] * 100)
    now = only(["web"] * 700 + ["shop"] * 200 + ["app"] * 100)
    assert one(before, now).claim == snapshot(
        "The values of t.value are others than in the baseline: “app” (100 of 1,000 values) is new and “phone” (100 of 1,000 values) is gone."
    )


def test_a_category_that_is_no_plain_word_is_not_repeated():
    odd = "<b>please approve</b> this @everyone"
    drifted = one(only(["web"] * 600 + ["shop"] * 300), only(["web"] * 600 + [odd] * 300))
    assert odd not in drifted.claim
    assert "approve" not in drifted.claim
    moved = one(only([odd] * 600 + ["shop"] * 300), only([odd] * 200 + ["shop"] * 700))
    assert "approve" not in moved.claim


def test_rows_that_were_added_are_looked_at_apart():
    before = ["web"] * 6000 + ["shop"] * 4000
    drifted = one(only(before), only([*before, *["shop"] * 300]))
    assert drifted.claim == snapshot(
        "Rows added to t since the baseline differ in t.value from those before: “shop” went from 4,000 to 4,300, while all values went from 10,000 to 10,300."
    )


def test_a_format_that_many_values_have_no_more():
    mails = [f"p{n}@example.com" for n in range(400)]
    names = [f"person {n} of the list" for n in range(400)]
    drifted = one(only(mails, "handle"), only([*mails[:200], *names[:200]], "handle"))
    assert drifted.claim == snapshot(
        "200 of 400 values of t.handle look like e-mail addresses, and 400 of 400 did in the baseline."
    )
    assert "@" not in drifted.claim


def test_rows_that_are_gone():
    many, few, none = only(["x", "y"] * 500), only(["x", "y"] * 100), only([])
    assert [item.claim for item in found(many, few)] == snapshot(
        ["t holds 200 rows, and held 1,000 in the baseline: rows were lost or are not loaded."]
    )
    assert [item.claim for item in found(many, none)] == snapshot(["t is empty; it held 1,000 rows in the baseline."])
    assert [item.attention for item in found(few, only(["x", "y"] * 900))] == [False]


def test_values_of_a_key_that_occur_twice():
    before, now = only(list(range(200)), "order_id"), only([*range(200), *range(50)], "order_id")
    drifted = one(before, now, "order_id")
    assert (drifted.kind, drifted.attention) == ("uniqueness_lost", True)


def test_numbers_that_moved_away_from_both_ends():
    before = only([*[*range(1, 10)] * 27, *[*range(11, 31)] * 12, *[10] * 2517])
    now = only([*range(1, 20), *[10] * 2981])
    drifted = one(before, now)
    assert drifted.claim == snapshot(
        "The numbers of t.value lie elsewhere than in the baseline: 243 of 3,000 were at most 9, now 9 of 3,000."
    )
    assert drifted.kind == "number_drift"


def test_of_rows_that_were_added_no_odd_value_is_repeated():
    odd = "<i>click here</i> now"
    before = [odd] * 6000 + ["shop"] * 4000
    drifted = one(only(before), only([*before, *[odd] * 300]))
    assert "click" not in drifted.claim
    assert drifted.kind == "category_drift"


# -- what is not ----------------------------------------------------------------------------------------------------


def test_keys_and_dates_grow_without_drifting():
    before = {"order_id": list(range(300)), "made_on": ["2026-01-01", "2026-01-02"] * 150}
    now = {"order_id": list(range(300, 700)), "made_on": ["2026-02-01", "2026-02-02"] * 200}
    assert found(before, now, "order_id") == []


def test_few_rows_never_shout():
    assert found(only(list(range(60))), only(list(range(1000, 1060)))) == []
    assert found(only(["a"] * 40), only(["b"] * 40)) == []
    assert found(only([None] * 40), only([1] * 40)) == []


def test_a_change_that_is_sure_and_small_is_not_told():
    before = only(["web"] * 50_000 + ["shop"] * 50_000)
    now = only(["web"] * 53_000 + ["shop"] * 47_000)
    assert found(before, now) == []


def test_columns_that_came_or_cannot_be_told_are_passed_over():
    assert found(only(["a", "b"] * 100), only(["a", "b"] * 100, "other")) == []
    odd = "***"
    assert found(only(["a"] * 200, odd), only([None] * 200, odd)) == []


def test_withheld_numbers_are_compared_by_counts_only():
    random = Random(3)  # noqa: S311 - seeded on purpose
    low = only([random.randrange(1000, 2000) for _ in range(500)], "salary")
    high = only([random.randrange(5000, 9000) for _ in range(500)], "salary")
    assert found(low, high) == []
    holed = only([*low["salary"][:300], *[None] * 200], "salary")
    drifted = one(low, holed)
    assert drifted.kind == "null_drift"


# -- how often ------------------------------------------------------------------------------------------------------


def alarms(seed: int, rows: int, **changes: Any) -> dict[str, int]:
    before, now = draw(2 * seed, rows), draw(2 * seed + 1, rows, **changes)
    told = {item.column: item for item in found(before, now)}
    return {str(column): 1 for column in told}


CALM = (120, 400, 1500, 5000)


@pytest.mark.parametrize("rows", CALM[:2])
def test_nothing_is_told_where_nothing_changed(rows: int):
    assert numbered(5, lambda seed: alarms(seed, rows)) == {}


@pytest.mark.soak
@pytest.mark.parametrize("rows", CALM)
def test_nothing_is_told_where_nothing_changed_over_200_seeds(rows: int):
    assert numbered(200, lambda seed: alarms(seed, rows)) == {}


def test_shifts_are_found():
    assert numbered(3, lambda seed: alarms(seed, 1500, shift=1.0)) == {"load": 3, "spent": 3, "seats": 3, "wait": 3}
    assert numbered(3, lambda seed: alarms(seed, 1500, weights=(30, 30, 35, 5))) == {"plan": 3}
    assert numbered(3, lambda seed: alarms(seed, 1500, plans=(*PLANS[:3], "pilot"))) == {"plan": 3}
    assert numbered(3, lambda seed: alarms(seed, 1500, missing=0.2)) == {"grade": 3}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("rows", "changes", "found_in"),
    [
        pytest.param(600, {"shift": 1.0}, ["spent", "seats", "wait"], id="numbers"),
        pytest.param(1500, {"weights": (35, 45, 15, 5)}, ["plan"], id="fifteen points of share"),
        pytest.param(400, {"missing": 0.3}, ["grade"], id="many more missing values"),
    ],
)
def test_shifts_are_found_over_200_seeds(rows: int, changes: dict[str, Any], found_in: list[str]):
    """In at least 195 of 200 pairs of tables each shifted column is told, and in none any other."""
    counted = numbered(200, lambda seed: alarms(seed, rows, **changes))
    assert all(counted[column] >= 195 for column in found_in)
    assert set(counted) <= {*found_in, "load"}
