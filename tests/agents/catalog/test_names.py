"""Where the words of a name are, and what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.agents.catalog import names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customer_id", "customer id"),
        ("SupportRepId", "support rep id"),
        ("supportRepID", "support rep id"),
        ("customerIDs", "customer ids"),
        ("HTTPServerId", "http server id"),
        ("artistid", "artist id"),
        ("EMPLOYEEID", "employee id"),
        ("paid", "paid"),
        ("is_valid", "is valid"),
        ("payment ref", "payment ref"),
        ("address2", "address 2"),
        ("logins_30d", "logins 30d"),
        ("v1", "v1"),
        ("größeInMm", "größe in mm"),
        ("order-line.No", "order line no"),
        ("", ""),
        ("___", ""),
    ],
)
def test_words_are_found_whatever_the_house_style(name: str, words: str):
    assert " ".join(names.words(name)) == words


@given(st.text())
def test_any_text_is_a_name(text: str):
    for word in names.words(text):
        assert word
        assert word == word.lower()
        assert word[0].isalnum()
    names.entity(text)
    names.stem(text)
    names.phrase(names.expanded(text))


@given(st.lists(st.sampled_from(["order", "line", "customer", "ship", "date"]), min_size=2, max_size=4))
def test_snake_camel_and_pascal_case_read_the_same(parts: list[str]):
    snake = "_".join(parts)
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    pascal = "".join(part.capitalize() for part in parts)
    assert names.words(snake) == names.words(camel) == names.words(pascal) == tuple(parts)


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("customers", "customer"),
        ("addresses", "address"),
        ("categories", "category"),
        ("boxes", "box"),
        ("invoices", "invoice"),
        ("people", "person"),
        ("statuses", "status"),
        ("children", "child"),
        ("movies", "movie"),
        ("series", "series"),
    ],
)
def test_one_and_many(many: str, one: str):
    assert names.singular(many) == one
    assert names.plural(one) == many
    assert names.singular(one) == one


@pytest.mark.parametrize("word", ["status", "address", "analysis", "gas", "bus", "news", "business"])
def test_a_word_in_s_is_not_many_for_that(word: str):
    assert not names.is_plural(word)


@pytest.mark.parametrize(
    ("table", "entity"),
    [
        ("dim_customers", "customer"),
        ("PlaylistTrack", "playlist track"),
        ("stg_order_lines", "order line"),
        ("raw", "raw"),
    ],
)
def test_an_entity_is_what_one_row_is(table: str, entity: str):
    assert " ".join(names.entity(table)) == entity


@pytest.mark.parametrize(
    ("column", "stem"), [("CustomerId", "customer"), ("id", ""), ("fk_cust_id", "customer"), ("invoice_no", "invoice")]
)
def test_a_stem_is_what_a_key_speaks_of(column: str, stem: str):
    assert " ".join(names.stem(column)) == stem


def test_abbreviations_that_mean_one_thing_are_written_out():
    assert names.phrase(names.expanded("CustAddr")) == "customer address"
    assert names.phrase(names.words("api_url")) == "API URL"
