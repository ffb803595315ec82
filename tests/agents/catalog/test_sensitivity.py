"""How sensitive columns are judged, and the traps that others fall into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.warehouse_facts import column, few, integers, profile, table

from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.judgement import Judgement
from twokey.agents.catalog.sensitivity import judge


def of(found: Column, *neighbours: Column | str, name: str = "events", reference: bool = False) -> Judgement:
    return judge(table(name, found, *neighbours), found, reference=reference)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "email"),
        ("E_Mail_Adresse", "email"),
        ("correo_electronico", "email"),
        ("phone_number", "phone"),
        ("Telefonnummer", "phone"),
        ("téléphone", "phone"),
        ("first_name", "person_name"),
        ("Nachname", "person_name"),
        ("prénom", "person_name"),
        ("apellidos", "person_name"),
        ("home_address", "street_address"),
        ("Straße", "street_address"),
        ("house_number", "street_address"),
        ("date_of_birth", "birth_date"),
        ("Geburtsdatum", "birth_date"),
        ("dob", "birth_date"),
        ("gender", "gender"),
        ("religion", "demographic"),
        ("marital_status", "demographic"),
        ("ssn", "id_number"),
        ("passport_no", "id_number"),
        ("tax_id", "id_number"),
        ("ip_address", "network_address"),
        ("device_id", "device"),
        ("password_hash", "credential"),
        ("api_key", "credential"),
        ("diagnosis", "health"),
        ("username", "user_name"),
    ],
)
def test_personal_by_name_in_several_languages(name: str, kind: str):
    found = of(column(name))
    assert (found.level, found.kind) == ("pii", kind)


@pytest.mark.parametrize(
    "name",
    [
        "email_verified",
        "is_email_confirmed",
        "has_phone",
        "email_count",
        "phone_type",
        "email_status",
        "address_id",
        "last_email_at",
        "email_sent_on",
        "email_template",
        "password_updated_at",
        "gender_source",
        "mac_count",
    ],
)
def test_what_only_speaks_about_a_personal_thing_is_not_personal(name: str):
    assert of(column(name)).level == "operational"


def test_values_outweigh_a_harmless_name():
    found = of(column("email_status", profile=profile(patterns={"email": 190, "embedded_email": 190})))
    assert (found.level, found.kind) == ("pii", "email")
    assert found.reasons == ("190 of 200 values are e-mail addresses",)


def test_a_few_addresses_in_notes_are_enough_and_want_attention():
    notes = column("notes", profile=profile(5_000, checked=1_152, patterns={"embedded_email": 37}))
    found = of(notes)
    assert (found.level, found.kind, found.doubt) == ("pii", "email", True)
    assert found.reasons == ("37 of 1,152 values hold e-mail addresses",)


def test_one_address_among_thousands_is_not():
    assert of(column("notes", profile=profile(5_000, patterns={"embedded_email": 1}))).level == "operational"


def test_a_name_that_its_values_deny_is_doubted():
    found = of(column("mail", profile=few("sent", "queued")))
    assert (found.level, found.doubt) == ("operational", True)


def test_names_of_people_need_a_table_about_people():
    name = column("name", profile=profile())
    assert of(name, name="customers").kind == "person_name"
    assert of(name, "email", "birth_date", "gender", name="things").level == "pii"
    for harmless in ("products", "albums", "plans", "customer_orders", "stores"):
        assert of(name, name=harmless).level != "pii", harmless


def test_what_a_city_keeps_about_its_own_work_is_not_published():
    name = column("employee_name", profile=profile())
    assert of(name, name="city_payroll").level == "pii"
    assert of(column("name", profile=profile()), "email", name="team").level != "public"
    assert of(column("population", "INTEGER", integers()), name="city_list").level == "public"
    assert of(column("poblacion", "INTEGER", integers()), name="paises_indicadores").level == "public"


def test_a_total_of_things_is_no_money():
    assert of(column("bedrooms_total", "INTEGER", integers())).level == "operational"
    for money in ("total", "order_total", "total_fees", "grand_total"):
        assert of(column(money, "DECIMAL", integers())).level == "financial", money


def test_numbers_that_are_no_ages_are_measures():
    scaled = integers(patterns={"number": 200}, looked=200)
    assert of(column("f_age_scaled", "REAL", scaled)).level == "operational"
    assert (
        of(column("age", "INTEGER", integers(patterns={"number": 200}, looked=200, signals={"age": 200}))).level
        == "pii"
    )
    assert of(column("age_group", profile=few("18-24", "25-34", looked=300))).level == "pii"


def test_what_a_name_says_vaguely_is_outweighed_by_full_names():
    people = profile(signals={"full_name": 150, "words": 190}, looked=200)
    for name in ("details_name", "principal"):
        assert of(column(name, profile=people)).column_class == "PERSON_NAME", name
    words = profile(signals={"organisation": 150, "words": 190}, looked=200)
    assert of(column("details", profile=words)).kind == "free_text"


@pytest.mark.parametrize("name", ["user", "usr"])
def test_a_user_is_named_by_a_column_of_that_name_alone(name: str):
    assert of(column(name, profile=profile())).kind == "user_name"
    assert of(column(f"{name}_segment", profile=profile())).level == "operational"


def test_the_address_of_a_page_is_told_as_one():
    found = of(column("website", profile=profile(patterns={"url": 200}, looked=200)))
    assert found.reasons[0] == "the name says the address of a page"


def test_a_shop_with_mail_and_phone_is_no_person():
    assert of(column("name"), "email", "phone", "opening_hours", name="stores").level != "pii"


def test_browsers_and_products_are_no_persons():
    assert of(column("browser", profile=few("Chrome", "Safari", "Firefox"))).level == "operational"
    assert of(column("name", profile=few("Siena", "Florence")), name="product_lines").level == "operational"


@pytest.mark.parametrize("name", ["country_code", "status_code", "year", "order_id", "model_year", "cvv_code_type"])
def test_codes_and_years_are_no_cards(name: str):
    found = of(column(name, "INTEGER", integers(patterns={"card": 20})))
    assert found.level in {"operational", "public"}


def test_cards_are_found_by_name_and_check_digit():
    plain = column("number", "BIGINT", integers(patterns={"card": 198}))
    assert (of(plain).level, of(plain).kind) == ("financial", "card_number")
    named = column("card_number", profile=profile(patterns={"card": 120}))
    assert of(named).confidence > of(plain).confidence
    assert of(column("order_id", "BIGINT", integers(patterns={"card": 198}))).kind == "key"
    short = column("card_number", profile=profile(longest=4))
    assert of(short).doubt


def test_accounts_and_money_are_financial():
    assert of(column("iban")).kind == "bank_account"
    assert of(column("reference", profile=profile(patterns={"iban": 150}))).level == "financial"
    assert of(column("unit_price", "NUMERIC", integers())).level == "financial"
    assert of(column("Gehalt", "INTEGER")).kind == "pay"
    assert of(column("payment_method", profile=few("card", "cash"))).level == "operational"
    assert of(column("total", "TEXT", few("yes", "no"))).level == "operational"


def test_telephone_numbers_without_a_name_need_their_shape():
    dialled = profile(patterns={"phone": 180}, shapes=(("+99 999 9999999", 120), ("(999) 999-9999", 60)))
    assert of(column("reached_via", profile=dialled)).kind == "phone"
    assert of(column("reference", profile=profile(patterns={"phone": 180, "number": 180}))).level == "operational"
    assert of(column("seen_on", profile=profile(patterns={"phone": 190, "date": 200}))).kind == "moment"
    assert of(column("phone", profile=profile(patterns={"phone": 10}))).doubt


def test_secrets_are_found_and_ids_are_not():
    assert of(column("config", profile=profile(patterns={"secret": 4}))).kind == "credential"
    uuids = profile(patterns={"secret": 200, "uuid": 200}, longest=36, average_length=36)
    assert of(column("session", profile=uuids)).kind == "credential"  # most values look like one
    hashes = profile(patterns={"secret": 50}, longest=40, average_length=40)
    assert of(column("checksum", profile=hashes)).level == "operational"


def test_addresses_of_machines_and_versions():
    assert of(column("seen_from", profile=profile(patterns={"ip": 199}))).kind == "network_address"
    assert of(column("version", profile=profile(patterns={"ip": 199}))).level == "operational"
    assert of(column("ip", profile=profile())).doubt
    assert of(column("email_address_id", "INTEGER")).kind == "key"
    assert of(column("web_address")).kind == "url"


def test_places_depend_on_whose_place_it_is():
    assert of(column("city"), name="customers").level == "operational"
    assert of(column("latitude", "REAL"), name="employees").kind == "location"
    assert of(column("name"), name="cities").level == "public"
    assert of(column("country"), name="airports").level == "public"
    assert of(column("country"), name="invoices").level == "operational"


def test_keys_flags_and_references_are_operational():
    assert of(column("customer_id", "INTEGER", integers())).kind == "key"
    assert of(column("contact", "INTEGER"), reference=True).kind == "key"
    assert of(column("is_active", "INTEGER")).kind == "flag"
    assert of(column("done", "BOOLEAN")).kind == "flag"
    assert of(column("contact_verified", "INTEGER", few("0", "1", texts=0, integers=300))).kind == "flag"


def test_the_rest_is_told_apart():
    assert of(column("created_at", "TIMESTAMP")).kind == "moment"
    assert of(column("title"), name="albums").kind == "title"
    assert of(column("logins", "INTEGER", integers())).kind == "measure"
    assert of(column("topic", profile=few("a", "b"))).kind == "category"
    assert of(column("params")).kind == "other"
    assert of(column("remarks")).kind == "free_text"
    assert of(column("remarks"), name="patients").doubt
    assert of(column("company_name")).kind == "company"
    assert of(column("currency")).level == "public"
    assert of(column("language")).level == "operational"
    assert of(column("singer_name"), name="singers").level == "public"
    assert of(column("first_name"), name="authors").level == "public"
    assert of(column("full_name", "INTEGER", integers())).level == "operational"


PATTERNS = ["email", "embedded_email", "phone", "card", "iban", "ip", "secret", "uuid", "date", "number", "country"]


@given(
    st.text(max_size=30),
    st.sampled_from(["TEXT", "INTEGER", "REAL", "DATE", "BOOLEAN", ""]),
    st.dictionaries(st.sampled_from(PATTERNS), st.integers(0, 50)),
    st.text(max_size=20),
)
def test_every_column_is_judged_and_no_outside_text_is_in_the_reasons(
    name: str, declared: str, patterns: dict[str, int], owner: str
):
    marked = f"zq{name}zq"
    found = Column(marked, declared, profile=Profile(rows=50, distinct=50, texts=50, checked=50, patterns=patterns))
    judged = judge(Table(key="t", schema="", name=f"{owner}qz", columns=(found,)), found)
    assert 0 <= judged.confidence <= 100
    assert judged.reasons
    assert all("zq" not in reason and "qz" not in reason for reason in judged.reasons)
