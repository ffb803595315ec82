"""Who reads what: the rules of the data against one thing and one person."""

from typing import Any

import pytest

from twokey.core.values import Principal, Resource
from twokey.policies.bundle import Bundle
from twokey.policies.facts import ROOT, InvalidPolicyData, check, complete
from twokey.policies.reading import NOTHING, UNSAID, ReadingRules, Thing, rules_of

DESK = Resource(kind="tickets", id="desk", granted_by="config")
VAULT = Resource(kind="warehouse", id="vault/pay", granted_by="config", environment="production")
DATA: dict[str, Any] = {
    "owners": [
        {"kind": "warehouse", "under": "vault/", "group": "data-owners"},
        {"kind": "warehouse", "id": "vault/pay", "group": "risk-owners"},
    ],
    "default_owner": "platform-owners",
    "classes": [{"kind": "warehouse", "under": "vault/", "class": "restricted"}],
    "default_class": "internal",
}
PRIVATE = {"labels": ["security_report"], "classes": ["restricted"], "to": ["risk-owners"]}


def who(*groups: str) -> Principal:
    return Principal(name="eve", groups=groups)


def thing(**parts: Any) -> Thing:
    return Thing(**{"people": frozenset({"ana", "kim"}), "resources": (DESK,), **parts})


def rules(*entries: dict[str, Any], everything: tuple[str, ...] = ()) -> ReadingRules:
    said = {"everything": list(everything), "open": list(entries), "private": PRIVATE}
    return rules_of({**DATA, "reading": said})


@pytest.mark.parametrize(
    "said",
    [thing(), thing(marked=True), thing(labels=frozenset({"security_report"})), thing(resources=(VAULT,))],
)
def test_parties_read_it_whatever_it_is(said: Thing):
    asked = Thing(people=said.people, asked=frozenset({"on-call"}), labels=said.labels, marked=said.marked)
    for held in (rules(), ReadingRules(NOTHING, {}), rules_of(DATA)):
        assert held.reads(Principal(name="ana"), said)
        assert held.reads(Principal(name="kim"), said)
        assert held.reads(who("on-call"), asked)
        assert held.is_party(who("on-call"), asked)
        assert not held.reads(who(), said)
        assert not held.is_party(who("members"), said)


@pytest.mark.parametrize(
    "said",
    [
        thing(marked=True),
        thing(labels=frozenset({"security_report", "labels_ticket"})),
        thing(resources=(VAULT,)),
        thing(resources=(DESK, VAULT)),
    ],
)
def test_what_is_private_is_read_by_whom_it_is_for(said: Thing):
    held = rules({"to": []}, everything=("auditors",))
    assert held.is_private(said)
    assert [held.reads(who(group), said) for group in ("risk-owners", "auditors", "members")] == [True, True, False]
    unsaid = rules_of(DATA)
    assert unsaid.reading == UNSAID
    assert not unsaid.reads(who("risk-owners"), said)
    assert unsaid.reads(who("members"), thing())
    assert not ReadingRules(NOTHING, {}).reads(who("members"), thing())


@pytest.mark.parametrize(
    ("entry", "said", "reads"),
    [
        ({}, thing(), True),
        ({"to": ["members"]}, thing(), True),
        ({"to": ["others"]}, thing(), False),
        ({"kinds": ["tickets"]}, thing(), True),
        ({"kinds": ["tickets"]}, thing(resources=()), False),
        ({"kinds": ["catalog"]}, thing(), False),
        ({"environments": ["default"]}, thing(), True),
        ({"environments": ["production"]}, thing(), False),
        ({"classes": ["internal"]}, thing(), True),
        ({"classes": ["public"]}, thing(), False),
        ({"owners": ["platform-owners"]}, thing(), True),
        ({"owners": ["data-owners"]}, thing(), False),
        ({"owners": ["data-owners"]}, thing(resources=()), False),
        ({"agents": ["triage"]}, thing(agents=frozenset({"triage"})), True),
        ({"agents": ["triage"]}, thing(agents=frozenset({"triage", "catalog"})), False),
        ({"agents": ["triage"]}, thing(), False),
        ({"tools": ["update_ticket"]}, thing(tools=frozenset({"update_ticket"})), True),
        ({"tools": ["update_ticket"]}, thing(), False),
        ({"tools": ["update_ticket"], "kinds": ["catalog"]}, thing(tools=frozenset({"update_ticket"})), False),
    ],
)
def test_an_entry_admits_what_fits_all_that_it_names(entry: dict[str, Any], said: Thing, reads: bool):
    assert rules(entry).reads(who("members"), said) is reads
    assert not rules(entry).reads(who(), said), "who is in no group reads only what is their own"


def test_every_owner_of_a_resource_counts():
    said = thing(resources=(VAULT,))
    held = rules_of({**DATA, "classes": [], "reading": {"everything": [], "open": [], "private": PRIVATE}})
    assert not held.reads(who("data-owners"), said)
    for owner in ("data-owners", "risk-owners"):
        entry = {"everything": [], "open": [{"owners": [owner]}], "private": PRIVATE | {"classes": []}}
        assert rules_of({**DATA, "classes": [], "reading": entry}).reads(who("members"), said)


def test_it_is_known_where_labels_alone_decide():
    """Then a list need not look at what its rows touch."""
    public = {**DATA, "classes": []}
    whole = {"everything": [], "open": [{"to": ["members"]}], "private": PRIVATE}
    assert rules_of({**public, "reading": whole}).opens_all(who("members"))
    assert not rules_of({**public, "reading": whole}).looks_at_plans
    assert not rules_of({**public, "reading": whole}).opens_all(who("others"))
    assert not rules_of({**DATA, "reading": whole}).opens_all(who("members")), "a class is private"
    assert rules_of({**DATA, "reading": whole}).looks_at_plans
    for part in ({"kinds": ["tickets"]}, {"agents": ["triage"]}, {"owners": ["members"]}):
        entry = {"everything": [], "open": [part], "private": PRIVATE}
        assert not rules_of({**public, "reading": entry}).opens_all(who("members"))
        assert rules_of({**public, "reading": entry}).looks_at_plans


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({}, "reading.everything"),
        ({"everything": [], "open": [{}]}, "reading.private"),
        ({"everything": ["strangers"], "open": [], "private": PRIVATE}, "the group strangers"),
        ({"everything": [], "open": [{"to": ["strangers"]}], "private": PRIVATE}, "the group strangers"),
        ({"everything": [], "open": [{"owners": ["strangers"]}], "private": PRIVATE}, "the group strangers"),
        ({"everything": [], "open": [], "private": PRIVATE | {"to": ["strangers"]}}, "the group strangers"),
        ({"everything": [], "open": [], "private": PRIVATE | {"classes": ["secret"]}}, "the class secret"),
        ({"everything": [], "open": [{"classes": ["secret"]}], "private": PRIVATE}, "the class secret"),
        ({"everything": [], "open": [{"kinds": ["mainframe"]}], "private": PRIVATE}, "reading.open.0.kinds"),
        ({"everything": [], "open": [{"everybody": True}], "private": PRIVATE}, "reading.open.0.everybody"),
    ],
)
def test_data_that_cannot_be_meant_is_refused(bundle: Bundle, reading: dict[str, Any], said: str):
    document = bundle.document()
    document[ROOT]["reading"] = reading
    with pytest.raises(InvalidPolicyData, match=said):
        check(document)


def test_data_without_it_stays_as_it_is(bundle: Bundle):
    """What was signed before there was ``reading`` keeps its digest."""
    document = bundle.document()
    assert document[ROOT]["reading"]["private"]["to"] == ["risk-owners"]
    del document[ROOT]["reading"]
    assert "reading" not in complete(document)[ROOT]
    assert rules_of(complete(document)[ROOT]).reading == UNSAID
