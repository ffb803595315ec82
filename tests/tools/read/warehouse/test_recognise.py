"""What single values are recognised as."""

import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import seconds

from twokey.tools.read.warehouse import gazetteer, official_numbers
from twokey.tools.read.warehouse.recognise import signals
from twokey.tools.read.warehouse.signal_names import SIGNALS

EXAMPLES: Final = {
    "age": ("34", "0", "120", "62.5"),
    "city": ("Los Angeles", "paris"),
    "colour": ("Blue", "rojo"),
    "company": ("Lantern Works Inc.", "Beacon GmbH", "Area 51 Ltd"),
    "coordinate_pair": ("(40.712, -74.006)", "48.8566, 2.3522"),
    "country": ("Portugal", "Deutschland", "ESPAÑA", "USA", "Korea, Republic of", "Pays-Bas"),
    "country_code": ("DE", "PRT"),
    "currency": ("EUR", "Euro"),
    "digits": ("6123456789",),
    "empty_word": ("N/A", "none", "-", "No aplica"),
    "full_address": ("12 Mill Rd\nLeiden, OR 97301", "9 Cedar Ave, Portland, OR 97201"),
    "full_name": ("Maria Garcia", "SMITH, JOHN A", "María del Carmen Ruiz", "Anna-Lena Schmidt", "Dr. Peter Weber"),
    "gender": ("F", "female", "männlich", "Mujer"),
    "geometry": ("POINT (-73.9 40.8)", "MULTIPOLYGON (((0 0, 1 1, 1 0, 0 0)))"),
    "given_name": ("Maria", "GIULIA", "François"),
    "host": ("example.org", "www.example.org/a", "shop.b2b.example"),
    "initial": ("A", "b."),
    "language": ("German", "français"),
    "latitude": ("48.8566", "-33.8688"),
    "longitude": ("-122.419416", "52\u00b031'12.0\"N", "13\u00b0 24' 36.5\" E", "4\u00b030'S"),
    "mac": ("00:1b:63:84:45:e6", "00-1B-63-84-45-E6"),
    "money": ("$1,200.50", "12,50 €", "EUR 30"),
    "month": ("January", "août"),
    "name_part": ("Jr.", "III", "Frau"),
    "numbered": ("17 Larkspur",),
    "one_word": ("Larkspur",),
    "organisation": ("Harbor Middle School", "Universidad de Leiden"),
    "origin": ("White", "Black, Non-Hispanic", "Asian / Pacific Islander", "verheiratet"),
    "prose": ("the box arrived late and was damaged on one side",),
    "ssn": ("219-09-9999",),
    "state": ("Oregon", "Bayern", "Marin County"),
    "state_code": ("OR", "NSW"),
    "street": (
        "12 Mill Street",
        "1600 N Cedar Ave",
        "Hauptstraße 5",
        "Keizersgracht 12",
        "12 rue des Lilas",
        "Calle 10 No. 24 - 131",
        "Rua Augusta, 17",
        "P.O. Box 77",
        "45 W 103rd",
        "avenue du Parc 3",
        "東京都新宿区本町3-12",
        "北京市海淀区中关村大街27号",
    ),
    "street_part": ("Apt 4", "Suite B", "# 12B", "#12", "2nd Floor", "c/o Mill House"),
    "surname": ("Garcia", "MOREAU"),
    "weekday": ("Monday", "Freitag"),
    "words": ("Larkspur Lantern",),
    "year": ("1998",),
    "zip": ("97201", "97201-1234", "1012", "97201.0", "2134.0"),
}
COUNTEREXAMPLES: Final = {
    "age": ("121", "-3", "1998"),
    "company": ("Inc", "Company picnic"),
    "coordinate_pair": ("(140.1, 190.2)", "1, 2", "(95.5, 95.5)"),
    "country": ("Hungry", "Jordan Smith"),
    "full_name": (
        "Safari",
        "Google Chrome",
        "Internet Explorer",
        "Harbor Middle School",
        "Maria Garcia Ltd",
        "Main Street",
        "New York",
        "Late delivery",
        "Mr.",
    ),
    "gender": ("mixer", "fe"),
    "given_name": ("Safari", "Firefox", "Larkspur"),
    "latitude": ("91.5000", "48"),
    "longitude": ("181.123", "21\u00b0C", "\u00b0", "1234\u00b056'"),
    "ssn": ("000-12-3456", "666-12-3456", "912-12-3456", "219-00-9999", "219-09-0000"),
    "state_code": ("or", "in"),
    "street": ("12", "3 apples and pears", "2 of 4", "v1.2", "A 12", "製品3"),
    "year": ("1799", "2101", "998"),
    "zip": ("97201.5", "123.0"),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in EXAMPLES.items() for text in texts])
def test_examples_are_recognised(name: str, text: str) -> None:
    assert name in signals(text)
    assert name in signals(f"  {text} ")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in COUNTEREXAMPLES.items() for text in texts])
def test_counterexamples_are_not(name: str, text: str) -> None:
    assert name not in signals(text)


def test_every_signal_is_known_and_has_an_example() -> None:
    counted_by_schemes = {"imei", "isbn", "isin", "lei", "person_number", "phone_number", "trade_number", "vin"}
    assert set(EXAMPLES) | counted_by_schemes == set(SIGNALS)


@given(st.text(max_size=200))
def test_any_text_gives_known_signals_and_nothing_else(text: str) -> None:
    found = signals(text)
    assert set(found) <= set(SIGNALS)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "1 " * 500_000,
        "a, " * 300_000,
        "12 rue " * 150_000,
        "A." * 500_000,
        "(1.1" * 250_000,
        "9-" * 79,
    ],
    ids=["letters", "numbers", "lists", "streets", "dots", "brackets", "dashes"],
)
def test_a_million_characters_take_no_time(text: str) -> None:
    started = time.process_time()
    signals(text)
    official_numbers.numbers(text)
    assert time.process_time() - started < seconds(0.5)


def test_blank_and_foreign_texts_mean_nothing() -> None:
    assert signals("") == ()
    assert signals(" \t\n") == ()
    assert signals("١٢٣٤") == ()
    assert signals("!?*") == ()
    assert "full_name" not in signals("Maria\u202eGarcia")


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("isin", "US0378331005"),
        ("lei", "213800KUD8LAJWSQ9D15"),
        ("isbn", "978-0-306-40615-7"),
        ("imei", "49-015420-323751-8"),
        ("vin", "1M8GDM9AXKP042788"),
        ("es.dni", "12345678Z"),
        ("it.codicefiscale", "RCCMNL83S18D969H"),
        ("br.cpf", "390.533.447-05"),
        ("nl.bsn", "111222333"),
        ("ean", "4006381333931"),
    ],
)
def test_numbers_with_check_digits(scheme: str, text: str) -> None:
    assert scheme in official_numbers.numbers(text)
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    assert scheme not in official_numbers.numbers(wrong)
    assert official_numbers.kind_of_number(scheme) in SIGNALS


def test_what_is_no_code_is_no_number() -> None:
    assert official_numbers.numbers("abc") == ()
    assert official_numbers.numbers("x" * 40) == ()
    assert official_numbers.numbers("ABCDEFGHIJ") == ()
    assert official_numbers.numbers("1M8GDM9AIKP042788", ("vin",)) == ()
    assert official_numbers.chance("ean")
    assert not official_numbers.chance("isin")


def test_telephone_numbers_of_some_country() -> None:
    assert official_numbers.is_phone_number("+49 30 901820")
    assert official_numbers.is_phone_number("(503) 378-4423")
    assert not official_numbers.is_phone_number("+49")
    assert not official_numbers.is_phone_number("0000000")
    assert not official_numbers.is_phone_number("+" + "9" * 300)


def test_lists_are_folded_and_without_directions() -> None:
    known = gazetteer.known()
    assert gazetteer.fold("São JOSÉ") == "sao jose"
    assert all(word == gazetteer.fold(word) for word in known)
    assert not known.get("north", 0) & (gazetteer.STATE | gazetteer.GIVEN)
    assert known["oregon"] & gazetteer.STATE


_WITH_DIGITS: Final = st.lists(
    st.sampled_from([text for texts in EXAMPLES.values() for text in texts])
    | st.sampled_from(["Sector 6", "1453-", "123-45-6789", "12.5", "10.1.2.3", "2020-01-01", "Route 66", "P.O. Box 5"])
    | st.text("0123456789abxAB .,;-/#()$@:", max_size=12),
    min_size=1,
    max_size=3,
).map(" ".join)


@given(_WITH_DIGITS, st.data())
def test_texts_that_differ_in_digits_are_still_told_apart(text: str, data: st.DataObject) -> None:
    digits = data.draw(st.lists(st.sampled_from("0123456789"), min_size=len(text), max_size=len(text)))
    other = "".join(digit if sign in "0123456789" else sign for sign, digit in zip(text, digits, strict=True))
    # what is remembered of the one must not be said of the other
    signals(text)
    # a text beyond the length that is remembered is looked at by itself, and outer blanks do not count
    assert signals(other) == signals(other + " " * 200)
