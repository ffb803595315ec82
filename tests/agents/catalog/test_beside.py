"""Columns without a telling name are judged by their values and those beside them."""

from typing import Any

import pytest
from support.warehouse_facts import column, profile, table

from twokey.agents.catalog.facts import Column
from twokey.agents.catalog.judgement import Judgement
from twokey.agents.catalog.sensitivity import judge


def seen(name: str = "col_9", rows: int = 200, **changes: Any) -> Column:
    """A column of texts that were recognised as something, or that have a pattern."""
    return column(name, profile=profile(rows, looked=rows, **changes))


STREETS = seen("col_3", signals={"street": 190})
GIVEN = seen("col_1", signals={"given_name": 190, "one_word": 200})
STATES = seen("col_5", signals={"state_code": 200, "one_word": 200, "country_code": 100}, patterns={"country": 100})
COUNTRIES: dict[str, Any] = {
    "signals": {"country_code": 200, "one_word": 200},
    "patterns": {"country": 200},
    "shapes": (("AA", 200),),
}
SURNAMES: dict[str, Any] = {"signals": {"surname": 170, "one_word": 200, "city": 10}}
CITIES: dict[str, Any] = {"signals": {"city": 50, "one_word": 200, "given_name": 9}}
CODES: dict[str, Any] = {"signals": {"zip": 200}, "patterns": {"postal": 200}, "longest": 5}
PHONES: dict[str, Any] = {"signals": {"phone_number": 190}, "patterns": {"phone": 200}}
LETTERS: dict[str, Any] = {"signals": {"gender": 200, "initial": 200}, "longest": 1, "distinct": 2}
LOWER_CASE: dict[str, Any] = {**COUNTRIES, "shapes": (("aa", 200),)}
WITHOUT_SHAPES: dict[str, Any] = {**COUNTRIES, "shapes": ()}
MANY_LETTERS: dict[str, Any] = {**LETTERS, "distinct": 9}


def of(found: Column, *neighbours: Column, name: str = "export") -> Judgement:
    return judge(table(name, *neighbours, found), found)


@pytest.mark.parametrize(
    ("found", "beside", "column_class", "level"),
    [
        (seen(patterns={"currency": 200}, distinct=5), (), "CURRENCY", "public"),
        (STATES, (), "STATE", "operational"),
        (seen(**COUNTRIES), (), "COUNTRY", "operational"),
        (seen(**SURNAMES), (GIVEN,), "PERSON_NAME", "pii"),
        (seen(**PHONES), (), "PHONE", "pii"),
        (seen(**CODES), (STREETS,), "POSTAL_CODE", "operational"),
        (seen(**CODES), (STATES,), "POSTAL_CODE", "operational"),
        (seen(**CODES), (column("city"),), "other", "operational"),
        (seen(**CITIES), (STREETS,), "CITY", "operational"),
        (seen(**LETTERS), (GIVEN,), "GENDER", "pii"),
        (seen(**LETTERS), (seen("col_1", signals={"full_name": 190}),), "GENDER", "pii"),
    ],
)
def test_values_of_columns_without_a_name(found: Column, beside: tuple[Column, ...], column_class: str, level: str):
    judged = of(found, *beside)
    assert (judged.column_class, judged.level) == (column_class, level)


def test_what_is_personal_by_this_alone_is_in_doubt():
    assert of(seen(**SURNAMES), GIVEN).doubt
    assert not of(STATES).doubt


def test_letters_for_gender_in_a_table_that_says_whom_it_holds():
    assert of(seen(**LETTERS), name="customers").column_class == "GENDER"


@pytest.mark.parametrize(
    ("found", "beside"),
    [
        (seen(patterns={"currency": 200}, distinct=2), ()),
        (seen(signals={"state_code": 200}, distinct=4), ()),
        (seen(signals={"state_code": 200}, patterns={"country": 200}), ()),
        (seen(**LOWER_CASE), ()),
        (seen(**WITHOUT_SHAPES), ()),
        (seen(**SURNAMES), ()),
        (seen(**SURNAMES), (STREETS,)),
        (seen("line", **CODES), (STREETS,)),
        (seen(**CODES), (GIVEN,)),
        (seen("reference", **PHONES), ()),
        (seen(**CITIES), (GIVEN,)),
        (seen(**LETTERS), (STREETS,)),
        (seen("grade", **MANY_LETTERS), (GIVEN,)),
    ],
)
def test_what_does_not_stand_beside_what_belongs_to_it_is_nothing(found: Column, beside: tuple[Column, ...]):
    assert of(found, *beside).column_class == "other"


def test_a_table_of_cities_makes_what_is_found_there_public():
    assert of(seen("abbr", **COUNTRIES), name="countries").level == "public"
