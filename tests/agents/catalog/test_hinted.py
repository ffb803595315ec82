"""Short, misspelt and vague names are believed only where the values say the same."""

import pytest
from support.warehouse_facts import column, profile, table

from twokey.agents.catalog.facts import Profile
from twokey.agents.catalog.hinted import kind_hinted
from twokey.agents.catalog.sensitivity import judge


def seen(rows: int = 200, **signals: int) -> Profile:
    """A profile of texts that were recognised as something."""
    return profile(rows, looked=rows, signals=signals)


STATES = seen(state_code=200, one_word=200)
STREETS = seen(street=150, numbered=20)
FULL_NAMES = seen(full_name=120, words=200)
SURNAMES = seen(surname=150, one_word=200)


@pytest.mark.parametrize(
    ("name", "found", "kind"),
    [
        ("cust_st_cd", STATES, "state"),
        ("st", STREETS, "street_address"),
        ("cust_lnm", SURNAMES, "person_name"),
        ("prov_last_nm", SURNAMES, "person_name"),
        ("ph", seen(phone_number=190), "phone"),
        ("cp", seen(zip=200), "postal_code"),
        ("ccy", profile(200, looked=200, distinct=5, patterns={"currency": 200}), "currency"),
        ("cty_nm", seen(one_word=200, city=40), "city"),
        ("cty", seen(country=190, one_word=200), "country"),
        ("bene_sex_cd", seen(gender=200, initial=200), "gender"),
        ("Telphone", seen(phone_number=190), "phone"),
        ("g_nero", seen(gender=200), "gender"),
        ("brth", profile(200, looked=200, patterns={"date": 200}), "birth_date"),
        ("ADZIP", seen(zip=200), "postal_code"),
        ("emp_mid_init", seen(initial=200), "person_name"),
        ("borrower", FULL_NAMES, "person_name"),
        ("signed_by", FULL_NAMES, "person_name"),
        ("elector_name", FULL_NAMES, "person_name"),
    ],
)
def test_name_and_values_agree(name: str, found: Profile, kind: str):
    judged = judge(table("events", column(name, profile=found)), column(name, profile=found))
    assert kind_hinted(column(name, profile=found)) == kind
    assert judged.kind == kind
    assert judged.column_class != "other" or kind == "birth_date"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("st", seen(one_word=200)),
        ("st", profile(200, looked=200, distinct=1, signals={"state_code": 200})),
        ("ph", profile(200, looked=200, patterns={"number": 200})),
        ("cty", seen(one_word=200)),
        ("lnm", seen(one_word=200)),
        ("lnm", seen(one_word=200, surname=190, organisation=150)),
        ("lnm", profile(200, looked=200, distinct=2, signals={"one_word": 200, "surname": 200})),
        ("brth", seen(one_word=200)),
        ("borrower", seen(full_name=60, words=200)),
        ("borrower", seen(full_name=120, organisation=110, words=200)),
        ("borrower_type", FULL_NAMES),
        ("is_borrower", FULL_NAMES),
        ("gadget", FULL_NAMES),
        ("", FULL_NAMES),
        ("ms", STATES),
    ],
)
def test_a_hint_alone_says_nothing(name: str, found: Profile):
    assert kind_hinted(column(name, profile=found)) is None


@pytest.mark.parametrize("found", [None, profile(200)])
def test_without_values_there_is_no_hint(found: Profile | None):
    assert kind_hinted(column("cust_lnm", profile=found)) is None


def test_a_reference_is_a_key_whatever_it_hints_at():
    st = column("st", profile=STATES)
    assert judge(table("events", st), st, reference=True).kind == "key"
