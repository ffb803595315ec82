"""Rows of linked identities: one for an identity elsewhere, one for a principal with a provider, and no authority."""

import dataclasses
from typing import Any

import pytest
from sqlalchemy import Connection, update

from twokey.core.errors import CheckFailed
from twokey.store import links, tables
from twokey.store.links import LinkRecord

SAM = LinkRecord(
    external="slack:T01/U0SAM",
    principal="sam",
    provider="slack",
    entry="l-000000000001",
    linked_us=1_700_000_000_000_000,
)
KIM = dataclasses.replace(SAM, external="slack:T01/U0KIM", principal="kim", entry="l-000000000002")


def test_a_link_comes_back_by_its_identity_and_by_its_principal(connection: Connection):
    assert links.list_links(connection) == []
    assert links.add_link(connection, SAM)
    assert links.add_link(connection, KIM)
    assert links.get_link(connection, SAM.external) == SAM
    assert links.find_link(connection, "kim", "slack") == KIM
    assert links.list_links(connection) == [KIM, SAM]
    assert links.is_indexed(connection, SAM.external)


def test_what_is_not_linked_has_no_row(connection: Connection):
    links.add_link(connection, SAM)
    assert links.get_link(connection, KIM.external) is None
    assert links.find_link(connection, "sam", "github") is None
    assert not links.is_indexed(connection, KIM.external)


@pytest.mark.parametrize(
    "second",
    [
        dataclasses.replace(KIM, external=SAM.external),
        dataclasses.replace(KIM, principal=SAM.principal),
    ],
    ids=["of the same identity", "of the same principal with the same provider"],
)
def test_a_second_one_is_not_added_and_the_transaction_goes_on(connection: Connection, second: LinkRecord):
    links.add_link(connection, SAM)
    assert not links.add_link(connection, second)
    assert links.list_links(connection) == [SAM]


def test_a_principal_has_one_with_every_provider(connection: Connection):
    hub = dataclasses.replace(SAM, external="github:583231", provider="github", entry="l-000000000003")
    assert links.add_link(connection, SAM)
    assert links.add_link(connection, hub)
    assert links.list_links(connection) == [hub, SAM]


def test_a_link_is_removed_once_and_may_come_again(connection: Connection):
    links.add_link(connection, SAM)
    assert links.remove_link(connection, SAM.external)
    assert not links.remove_link(connection, SAM.external)
    assert links.add_link(connection, dataclasses.replace(SAM, principal="kim"))


@pytest.mark.parametrize("values", [{"entry": "x"}, {"linked_us": -1}, {"external": "slack:nobody"}])
def test_a_row_that_does_not_fit_is_reported(connection: Connection, values: dict[str, Any]):
    links.add_link(connection, SAM)
    connection.execute(update(tables.links).values(**values))
    external = values.get("external", SAM.external)
    for read in (
        lambda: links.get_link(connection, external),
        lambda: links.find_link(connection, "sam", "slack"),
        lambda: links.list_links(connection),
    ):
        with pytest.raises(CheckFailed) as caught:
            read()
        assert caught.value.code == "link_tampered"
    assert links.is_indexed(connection, external)
