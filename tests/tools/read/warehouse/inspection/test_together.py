"""Faults that a column's scale, its codes, or the other cells of a row tell: each found, and its near miss left alone."""

import random
from collections.abc import Sequence

import pytest
from support.inspected_rows import grid, problems, rows_of

from twokey.tools.read.warehouse.inspection import (
    codes,
    contained,
    cut,
    domains,
    extremes,
    misplaced,
    scales,
    shortened,
    sums,
)
from twokey.tools.read.warehouse.inspection.found import Problem


def rng() -> random.Random:
    return random.Random(7)  # noqa: S311 - repeatable, no secret


def told(problems: Sequence[Problem]) -> list[tuple[str, str, list[int]]]:
    return [(problem.code, problem.detail, rows_of(problem)) for problem in problems]


# --- shorter forms ---------------------------------------------------------------------------------------------------

SEXES = [*["female"] * 60, *["male"] * 50]


def test_initials_of_frequent_values() -> None:
    assert told(list(shortened.find(grid({"a": [*SEXES, "F", "M", "F"]})))) == [
        ("spelling_variants", "shortened", [110, 111, 112])
    ]


@pytest.mark.parametrize(
    "more", [["F"], ["F", "X"], ["F"] * 40 + ["M"] * 40, ["F", "M", *["father"] * 20]], ids=lambda more: str(len(more))
)
def test_letters_that_may_be_values_themselves(more: list[str]) -> None:
    assert not list(shortened.find(grid({"a": [*SEXES, *more]})))


def test_abbreviations_with_a_full_stop() -> None:
    names = [*["Karin Nakamura"] * 40, *["Kevin Underwood"] * 40]
    assert told(list(shortened.find(grid({"a": [*names, "K. Nakamura", "X. Nakamura", "Karin N."]})))) == [
        ("spelling_variants", "shortened", [80, 82])
    ]
    assert not list(shortened.find(grid({"a": [*names, *["Karla Nakamura"] * 40, "K. Nakamura"]})))


def test_other_words_for_yes_and_no() -> None:
    answers = ["yes", "no"] * 40
    assert told(list(shortened.find(grid({"a": [*answers, "Y", "FALSE", "1"]})))) == [
        ("spelling_variants", "shortened", [80, 81, 82])
    ]
    assert not list(shortened.find(grid({"a": ["1", "0"] * 40 + ["yes", "2", "3"]})))
    assert not list(shortened.find(grid({"a": ["yes", "true", "maybe"] * 30})))


# --- scales ----------------------------------------------------------------------------------------------------------


def test_no_answer_on_a_scale() -> None:
    marks = [str(number % 5 + 1) for number in range(200)]
    assert told(list(scales.find(grid({"a": [*marks, "9", "99", "-1", "50", "6", "12"]})))) == [
        ("outlier", "scale", [200, 201, 202, 203])
    ]


def test_few_values_in_two_units() -> None:
    rates = ["0.19", "0.07", "0.19"] * 60
    (problem,) = scales.find(grid({"a": [*rates, "19", "7", "19"]}))
    assert (problem.code, rows_of(problem)) == ("unit_mismatch", [180, 181, 182])
    assert [item.factor for item in problem.conversions] == ["0.01"]
    assert not list(scales.find(grid({"a": [*["1", "2", "3", "100", "200"] * 40]})))


def test_a_group_of_another_unit() -> None:
    some = rng()
    heights = [f"{some.gauss(171, 8):.1f}" for _ in range(300)]
    (problem,) = scales.find(grid({"a": [*heights, *(f"{some.gauss(1.71, 0.08):.3f}" for _ in range(12))]}))
    assert (problem.code, problem.detail, rows_of(problem)) == ("unit_mismatch", "scale", list(range(300, 312)))
    assert problem.conversions[0].factor == "100"


def test_a_long_tail_is_of_the_same_unit() -> None:
    some = rng()
    assert not list(scales.find(grid({"a": [f"{some.lognormvariate(5, 1.5):.2f}" for _ in range(500)]})))


def test_signs_ends_and_thousands() -> None:
    some = rng()
    east = [f"{some.uniform(13, 14):.4f}" for _ in range(200)]
    assert told(list(scales.find(grid({"a": [*east, "-13.5", "-13.7"]})))) == [("outlier", "sign", [200, 201])]
    assert told(list(scales.find(grid({"a": [*east, *["0", "0.0"] * 3]})))) == [
        ("placeholder", "", list(range(200, 206)))
    ]
    west = [f"-{text}" for text in east]
    assert told(list(scales.find(grid({"a": [*west, "13.5"]})))) == [("outlier", "sign", [200])]
    seen = [str(some.randint(4000, 60_000)) for _ in range(200)]
    assert told(list(scales.find(grid({"a": [*seen, "17.907", *["999999"] * 4]})))) == [
        ("format_break", "thousands", [200]),
        ("placeholder", "", [201, 202, 203, 204]),
    ]
    assert not list(scales.find(grid({"a": [*seen, "17.9"]})))
    assert not list(scales.find(grid({"a": [*seen, "1.907"]})))


def test_amounts_that_were_booked_back_are_no_outliers() -> None:
    some = rng()
    amounts = [f"{some.lognormvariate(5, 1):.2f}" for _ in range(300)]
    assert not list(extremes.find(grid({"a": [*amounts, "-400.00", "-900.00"]})))


# --- codes -----------------------------------------------------------------------------------------------------------


def test_codes_of_one_build() -> None:
    cards = [f"{number:02X}:{number * 7 % 256:02X}:A{number % 9}" for number in range(60, 200)]
    wrong = ["AA-01-A1", "AA:01:A", "aa:01:a1"]
    assert told(list(codes.find(grid({"a": [*cards, *wrong]})))) == [("format_break", "format", [140, 141, 142])]
    growing = [f"K{number}" for number in range(1, 1000)]
    assert not list(codes.find(grid({"a": [*growing, "K1000", "K1001"]})))


def test_a_letter_that_codes_do_not_use() -> None:
    some = rng()
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    plates = ["W" + "".join(some.choice(letters) for _ in range(15)) + "7" for _ in range(200)]
    assert told(list(codes.find(grid({"a": [*plates, plates[0][:8] + "O" + plates[0][9:]]})))) == [
        ("format_break", "format", [200])
    ]


def test_signs_among_words() -> None:
    assert told(list(codes.find(grid({"a": ["EUR", "USD"] * 40 + ["€"]})))) == [("format_break", "characters", [80])]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ([f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 7)], "26:10"),
        ([f"{month:02}/{year}" for month in range(1, 13) for year in range(2000, 2012)], "14/2005"),
        ([f"10.0.{net}.{host}" for net in range(9) for host in range(1, 250, 20)], "10.0.3.300"),
    ],
)
def test_numbers_that_no_clock_calendar_or_network_has(right: list[str], wrong: str) -> None:
    assert told(list(codes.find(grid({"a": [*right, wrong]})))) == [("impossible_range", "", [len(right)])]
    assert not list(codes.find(grid({"a": right})))


def isbn(number: int) -> str:
    digits = f"978{number:09d}"
    return digits + str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10)


def falling(number: int) -> str:
    digits = f"{number:07d}"
    rest = -sum(int(digit) * (8 - at) for at, digit in enumerate(digits)) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if rest == 10 else rest}"


def luhn(number: int) -> str:
    digits = f"4{number:014d}"
    doubled = (sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return digits + str(-sum(doubled) % 10)


def iban(number: int) -> str:
    account = f"37040044{number:010d}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


@pytest.mark.parametrize("right", [isbn, falling, luhn, iban], ids=lambda made: made.__name__)
def test_a_wrong_check_digit(right: object) -> None:
    assert callable(right)
    texts = [str(right(number * 7919)) for number in range(1, 90)]
    turned = texts[3][:-1] + ("1" if texts[3][-1] != "1" else "2")
    assert told(list(codes.find(grid({"a": [*texts, turned]})))) == [("format_break", "check_digit", [89])]


# --- cut and wrapped -------------------------------------------------------------------------------------------------

WORDS = [
    "prevalence",
    "treatment",
    "outcome",
    "diagnosis",
    "management",
    "prevention",
    "assessment",
    "children",
    "adults",
    "asthma",
]


def test_texts_cut_at_one_length() -> None:
    some = rng()
    texts = [" ".join(some.choice(WORDS) for _ in range(5)) for _ in range(200)]
    short = [text[:25] for text in texts[:20]]
    (problem,) = cut.find(grid({"a": [*texts[20:], *short]}))
    assert (problem.code, problem.detail) == ("format_break", "cut")
    assert set(rows_of(problem)) <= set(range(180, 200))
    assert len(problem.cells) >= 12
    assert not list(cut.find(grid({"a": texts})))


def test_texts_in_brackets() -> None:
    names = [f"{word} {number}" for word in WORDS for number in range(9)]
    assert told(list(cut.find(grid({"a": [*names, "{a b}", "{c}", "{d, e}"]})))) == [
        ("format_break", "characters", [90, 91, 92])
    ]
    assert not list(cut.find(grid({"a": [*names, "{a b}", "{c} d", "{e}"]})))


# --- columns together ------------------------------------------------------------------------------------------------


def test_cells_that_changed_places_and_rows_that_moved() -> None:
    rows = [
        [["Sales", "Legal"][at % 2], ["Lyon", "Graz", "Porto"][at % 3], f"{at % 40 + 20}", f"A-{at:03d}"]
        for at in range(300)
    ]
    rows[5][0], rows[5][1] = rows[5][1], rows[5][0]
    for at in (7, 9):
        rows[at] = [*rows[at][1:], ""]
    columns = {name: [row[at] or None for row in rows] for at, name in enumerate(("team", "town", "age", "code"))}
    exchanged, moved = misplaced.find(grid(columns))
    assert told([exchanged, moved]) == [("spilled_value", "columns", [5]), ("spilled_value", "rows", [7, 9])]
    assert (len(exchanged.cells), len(moved.cells)) == (2, 8)


def test_a_value_that_the_longer_text_does_not_hold() -> None:
    some = rng()
    stages = [some.choice(["prod", "stage", "dev"]) for _ in range(200)]
    hosts = [f"web-{stage}-{at}.example" for at, stage in enumerate(stages)]
    wrong = ["dev" if stages[0] != "dev" else "prod", *stages[1:]]
    held = contained.containments(grid({"host": hosts, "stage": wrong}))
    assert told(list(contained.contradicted(held, set()))) == [("dependency", "contained", [0])]
    hosts[3] = "web-3.example"
    found = contained.contradicted(contained.containments(grid({"host": hosts, "stage": stages})), set())
    assert [(problem.columns, rows_of(problem)) for problem in found] == [((0,), [3])]
    assert not list(contained.contradicted(held, {(0, 1)}))


def test_totals_and_their_parts() -> None:
    some = rng()
    nets = [round(some.lognormvariate(5, 1), 2) for _ in range(200)]
    taxes = [round(net * 0.2, 2) for net in nets]
    columns = {
        "net": [f"{net:.2f}" for net in nets],
        "tax": [f"{tax:.2f}" for tax in taxes],
        "gross": [f"{net + tax:.2f}" for net, tax in zip(nets, taxes, strict=True)],
    }
    assert not list(sums.find(grid(columns), set()))
    columns["gross"][4] = f"{nets[4] + taxes[4] + 10:.2f}"
    columns["tax"][8] = "-" + columns["tax"][8]
    found = {problem.columns: rows_of(problem) for problem in sums.find(grid(columns), set())}
    assert found == {(2,): [4], (1,): [8]}
    assert not list(sums.find(grid(columns), {(4, 2), (8, 1)}))


def test_a_part_that_is_greater_than_its_whole() -> None:
    some = rng()
    wholes = [some.randint(0, 6) for _ in range(300)]
    parts = [some.randint(0, whole) for whole in wholes]
    parts[10] = 15
    columns = {"part": list(map(str, parts)), "whole": list(map(str, wholes))}
    assert told(list(sums.find(grid(columns), set()))) == [("wrong_order", "numbers", [10])]
    others = {"part": list(map(str, parts)), "whole": [str(some.randint(0, 6)) for _ in range(300)]}
    assert not list(sums.find(grid(others), set()))


def test_a_value_of_another_domain() -> None:
    some = rng()
    towns = [some.randrange(8) for _ in range(800)]
    codes_of = [f"{town}{some.randrange(4)}0" for town in towns]
    for row in (3, 30, 300):
        codes_of[row] = f"{(towns[row] + 1) % 8}00"
    columns = {"town": [f"town {town}" for town in towns], "area": [str(town) for town in towns], "zip": codes_of}
    assert told(list(domains.find(grid(columns), set()))) == [("dependency", "domain", [3, 30, 300])]
    assert not list(domains.find(grid(columns), {(row, 2) for row in (3, 30, 300)}))


def test_a_word_among_what_no_word_is() -> None:
    owners = [f"Ann{chr(97 + at % 26)} Lee{chr(97 + at // 26)}" for at in range(120)]
    (problem,) = problems({"owner": [*owners, "tbd"]})
    assert (problem.code, rows_of(problem)) == ("missing_as_text", [120])
