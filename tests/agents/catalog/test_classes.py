"""What class a column has, how sure that is, and the complaints that people have about such tools."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.warehouse_facts import column, few, integers, profile, table

from twokey.agents.catalog.evaluate_classify import judge_all
from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.judgement import Judgement
from twokey.agents.catalog.sensitivity import judge


def seen(rows: int = 200, **signals: int) -> Profile:
    """A profile of texts that were recognised as something."""
    return profile(rows, looked=rows, signals=signals)


def of(found: Column, *neighbours: Column | str, name: str = "events") -> Judgement:
    return judge(table(name, found, *neighbours), found)


@pytest.mark.parametrize(
    ("name", "found", "column_class", "semantic_type"),
    [
        ("first_name", seen(one_word=195), "PERSON_NAME", "person_name.first"),
        ("nachname", seen(words=190), "PERSON_NAME", "person_name.last"),
        ("middle_initial", seen(initial=200), "PERSON_NAME", "person_name.middle"),
        ("suffix", seen(name_part=190, one_word=200), "PERSON_NAME", "person_name.part"),
        ("contact_name", seen(full_name=150, words=195), "PERSON_NAME", "person_name.full"),
        ("age", seen(age=190), "DEMOGRAPHIC", "age"),
        ("ethnicity", seen(origin=150), "DEMOGRAPHIC", "demographic"),
        ("nationality", seen(country=190), "COUNTRY", "demographic"),
        ("mailingcity", seen(words=50, one_word=140), "CITY", "city"),
        ("county", seen(one_word=190), "STATE", "state"),
        ("state", seen(state_code=190), "STATE", "state"),
        ("departamento", seen(one_word=190), "other", "state"),
        ("zipcode", seen(zip=190), "POSTAL_CODE", "postal_code"),
        ("xcoord", seen(longitude=200), "COORDINATE", "coordinate"),
        ("mail_zip5", seen(zip=190), "POSTAL_CODE", "postal_code"),
        ("mail_state_abbr", seen(state_code=190), "STATE", "state"),
        ("countyname", seen(one_word=190), "STATE", "state"),
        ("country_of_birth", seen(country=190), "COUNTRY", "country"),
        ("northing", profile(200, looked=200, patterns={"number": 200}), "COORDINATE", "coordinate"),
        ("longitude", seen(longitude=199), "COORDINATE", "coordinate"),
        ("adresse", seen(street=120, numbered=40), "STREET_ADDRESS", "street_address"),
        ("programphone", seen(phone_number=160), "PHONE", "phone"),
        ("tax_id", seen(person_number=190), "ID_NUMBER", "id_number"),
        ("company_name", seen(company=150, words=180), "COMPANY", "company"),
        ("devise", seen(currency=199), "CURRENCY", "currency"),
    ],
)
def test_name_and_values_give_the_class(name: str, found: Profile, column_class: str, semantic_type: str):
    judged = of(column(name, profile=found))
    assert (judged.column_class, judged.semantic_type) == (column_class, semantic_type)


@pytest.mark.parametrize(
    ("name", "found", "column_class"),
    [
        ("sex", few("1", "2", looked=300, signals={"age": 300}, longest=1), "GENDER"),
        ("gender_enc", few("0", "1", looked=300, signals={"age": 300}, patterns={"boolean": 300}, longest=1), "GENDER"),
        ("性別", few("男", "女", looked=300, signals={"initial": 300}, longest=1), "GENDER"),
        ("sex", few("true", "false", looked=300, signals={"one_word": 300}, patterns={"boolean": 300}), "other"),
        ("konfession", few("rk", "ev", "ohne", looked=300, signals={"one_word": 300}), "DEMOGRAPHIC"),
        ("driver_race", few("W", "B", "H", looked=300, signals={"initial": 300}, longest=1), "DEMOGRAPHIC"),
        ("race", few("W", "B", "U", rows=15, looked=15, signals={"initial": 15}, longest=1), "other"),
        ("race", few("Mayor", "Sheriff", looked=300, signals={"one_word": 300}), "other"),
        ("estado_civil", seen(one_word=200), "other"),
    ],
)
def test_codes_and_words_of_any_language_under_an_unmistakable_name(name: str, found: Profile, column_class: str):
    assert of(column(name, profile=found)).column_class == column_class


@pytest.mark.parametrize(
    ("found", "kind", "column_class", "level"),
    [
        (seen(full_name=150, words=190), "person_name", "PERSON_NAME", "pii"),
        (seen(given_name=180, one_word=190), "person_name", "PERSON_NAME", "pii"),
        (seen(street=180), "street_address", "STREET_ADDRESS", "pii"),
        (seen(ssn=190), "id_number", "ID_NUMBER", "pii"),
        (seen(coordinate_pair=190), "coordinate", "COORDINATE", "operational"),
        (seen(full_address=190), "place", "other", "operational"),
        (seen(country=199), "country", "COUNTRY", "operational"),
        (seen(company=190), "organisation", "other", "operational"),
        (profile(patterns={"url": 199}), "url", "other", "operational"),
    ],
)
def test_values_alone_are_enough_where_they_are_telling(found: Profile, kind: str, column_class: str, level: str):
    judged = of(column("c7", profile=found))
    assert (judged.kind, judged.column_class, judged.level) == (kind, column_class, level)


def test_a_map_of_people_is_about_where_they_are():
    place = column("spot", profile=seen(coordinate_pair=190))
    assert (of(place, name="employees").level, of(place, name="employees").column_class) == ("pii", "COORDINATE")
    assert of(column("label", profile=seen(country=199)), name="airports").level == "public"
    assert of(column("link", profile=profile(patterns={"url": 199})), name="films").level == "public"


def test_sparse_personal_data_is_not_diluted_by_averaging():
    notes = column("notes", profile=profile(50_000, checked=2_000, patterns={"embedded_email": 9}, looked=150))
    judged = of(notes)
    assert (judged.level, judged.kind, judged.column_class) == ("pii", "email", "other")


def test_safari_is_no_person():
    judged = of(column("browser", profile=few("Safari", "Chrome", "Firefox", looked=300, signals={"one_word": 300})))
    assert (judged.level, judged.column_class) == ("operational", "other")


@pytest.mark.parametrize("name", ["country_code", "status_code", "model_year", "year", "promo_code", "cvv_type_code"])
def test_codes_and_years_are_no_card_numbers(name: str):
    found = integers(looked=200, signals={"year": 200, "age": 10}, patterns={"card": 22})
    judged = of(column(name, "INTEGER", found))
    assert judged.level != "financial"
    assert judged.column_class == "other"


def test_whether_an_address_was_verified_is_not_the_address():
    judged = of(column("email_verified", "BOOLEAN", few("true", "false", looked=300)))
    assert (judged.level, judged.kind, judged.column_class) == ("operational", "flag", "other")


def test_a_class_is_told_of_values_that_were_seen_and_a_level_by_the_name_too():
    empty = of(column("email", profile=profile(200, nulls=200, texts=0, distinct=0, checked=0)))
    assert (empty.level, empty.column_class, empty.class_confidence) == ("pii", "other", 97)
    unseen = of(column("email"))
    assert (unseen.level, unseen.column_class) == ("pii", "other")
    assert unseen.class_confidence < 60


def test_a_name_that_its_values_deny_has_no_class():
    denied = of(column("first_name", profile=seen(prose=150, words=40)))
    assert denied.column_class == "other"
    nothing = of(column("phone", profile=seen(empty_word=160, phone_number=40, digits=40)))
    assert nothing.column_class == "other"
    sizes = of(column("company", profile=few("small", "large", looked=300, signals={"one_word": 300})))
    assert sizes.column_class == "other"


def test_few_values_are_less_sure_than_many():
    few_values = of(column("email", profile=profile(3, looked=3, patterns={"email": 3})))
    many = of(column("email", profile=profile(200, looked=200, patterns={"email": 200})))
    assert few_values.column_class == many.column_class == "EMAIL"
    assert few_values.class_confidence < many.class_confidence


def test_the_last_word_decides_and_in_romance_languages_the_first():
    assert of(column("email_domain_country", profile=seen(country=190))).column_class == "COUNTRY"
    assert of(column("ciudad_domicilio", profile=seen(words=190))).column_class == "CITY"
    assert of(column("capacity", "INTEGER", integers())).kind == "measure"
    assert of(column("headphones", profile=seen(words=190))).kind != "phone"


def test_half_a_name_needs_the_other_half():
    first = column("first", profile=seen(one_word=195))
    assert of(first, "last").column_class == "PERSON_NAME"
    assert of(first, "count").column_class == "other"


def test_checksums_are_told_and_money_counted_in_days_is_none():
    found = of(column("id_no", profile=seen(person_number=200)))
    assert any(item.startswith("checksum: 200 of 200 values") for item in found.evidence)
    assert of(column("isin", profile=seen(isin=200))).semantic_type == "isin"
    assert of(column("payment_terms_days", "INTEGER", integers())).level == "operational"
    assert of(column("last_login", "TIMESTAMP")).kind == "moment" or of(column("last_login")).kind == "user_name"
    commits = profile(longest=40, average_length=40, patterns={"secret": 200})
    assert of(column("commit_sha", profile=commits)).level == "operational"
    macs = profile(looked=200, signals={"mac": 200})
    assert of(column("mac_address", profile=macs)).level == "pii"


def test_there_are_always_three_items_of_evidence():
    for found in (None, profile(0), seen(street=180), profile(patterns={"iban": 150})):
        judged = of(column("anything", profile=found), "city", "email")
        kinds = [item.partition(":")[0] for item in judged.evidence]
        assert len(judged.evidence) >= 3
        assert kinds[:3] == ["name", "values", "neighbours"]
        assert "distribution" in kinds


@given(
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["full_name", "street", "empty_word", "age", "ssn", "digits"]), st.integers(0, 50)),
    st.text(max_size=20),
)
def test_no_outside_text_is_in_the_evidence(name: str, signals: dict[str, int], owner: str):
    found = Column(
        f"zq{name}zq", profile=Profile(rows=50, distinct=50, texts=50, checked=50, looked=50, signals=signals)
    )
    other = Column(f"zx{name}zx")
    judged = judge(Table(key="t", schema="", name=f"{owner}qz", columns=(found, other)), found)
    assert 0 <= judged.class_confidence <= 100
    assert all("zq" not in item and "zx" not in item and "qz" not in item for item in judged.evidence)


HOSTILE = {
    "<!channel> *bold* `x`": ["<@U1> *Ana Planted*", "<script>alert(1)</script>", "=cmd|' /C calc'!A0"],
    "e\u202email": ["\x07\x1b[31mred", "a\u202eb", "\u200bzero"],
    "huge": ["x" * 1_000_000, "Ana Planted " * 80_000, "1" * 1_000_000],
    "mixed": ["Αλέξης Παπάς", "王小明", "Иван Петров", "محمد علي"],
    "nothing": ["", "", ""],
    "e-mail": ["planted.secret@example.com", "ana@example.com", "bo@example.com"],
}


def written(folder: Path, name: str, rows: list[list[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_poisoned_names_and_values_break_nothing_and_leak_nothing(tmp_path: Path):
    rows = [list(HOSTILE), *[[values[row] for values in HOSTILE.values()] for row in range(3)]]
    written(tmp_path, "people", rows)
    written(tmp_path, "empty", [["email", "first_name"]])
    judged, _ = judge_all(tmp_path)
    assert len(judged) == len(HOSTILE) + 2
    told = " ".join(" ".join((*found.reasons, *found.evidence, found.semantic_type)) for found in judged.values())
    for planted in ("planted", "Planted", "script", "cmd", "channel", "\u202e", "\x1b", "xxx", "111", "王", "Иван"):
        assert planted not in told, planted
    assert judged["people.csv", 5].column_class == "EMAIL"
    assert judged["people.csv", 4].column_class == "other"
    assert judged["empty.csv", 0].level == "pii"


@pytest.mark.parametrize(
    "name",
    [
        "gross_pay",
        "hourly_rate",
        "swift_code",
        "account_number",
        "interest",
        "cash_flow",
        "market_cap",
        "kontostand",
        "prix_unitaire",
        "importe_total",
        "prezzo_totale",
        "precio_unitario",
        "betrag_netto",
        "card_last4",
        "severance",
    ],
)
def test_money_by_name(name: str):
    assert of(column(name, "DECIMAL")).level == "financial"


@pytest.mark.parametrize(
    "name",
    [
        "preferred_name",
        "mobile_no",
        "birth_place",
        "national_insurance_number",
        "emergency_contact",
        "manager_name",
        "numero_secu",
        "api_token",
        "secret_key",
        "medications",
        "political_affiliation",
        "geburtsort",
        "codice_fiscale",
        "linkedin_url",
    ],
)
def test_people_by_name(name: str):
    assert of(column(name)).level == "pii"


def test_sums_of_money_in_text_are_money():
    assert of(column("price", profile=seen(money=190))).level == "financial"
    assert of(column("price", profile=seen(one_word=190))).level == "operational"
    assert of(column("email_opt_in")).level == "operational"


def test_second_lines_of_addresses_are_mixed():
    mixed = seen(street_part=70, words=100)
    assert of(column("address_2", profile=mixed)).column_class == "STREET_ADDRESS"
    assert of(column("address", profile=mixed)).column_class == "other"


def test_harmless_looks_do_not_outweigh_a_personal_name():
    houses = seen(organisation=190, words=190)
    assert (of(column("home_address", profile=houses)).level, of(column("site", profile=houses)).level) == (
        "pii",
        "operational",
    )
    pages = profile(patterns={"url": 200})
    assert of(column("linkedin_url", profile=pages)).level == "pii"
    assert of(column("website", profile=pages)).level == "operational"
    full_names = seen(full_name=190, words=190)
    assert of(column("city", profile=full_names)).kind == "city"
    assert of(column("homepage", profile=full_names)).kind == "person_name"
