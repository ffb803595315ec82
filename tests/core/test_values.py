"""Values: frozen, closed, narrow; and a digest that changes with every byte of what it covers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from support import store_values as made

from twokey.core import canonical, values
from twokey.core.canonical import NotCanonicalError
from twokey.core.values import Answer, Call, Change, Decision, Identity, Order, Principal, Proposal, Statement, Value

KINDS = [
    kind for kind in vars(values).values() if isinstance(kind, type) and issubclass(kind, Value) and kind is not Value
]

STATEMENT = Statement(
    workspace="w-000000000001",
    action="approve",
    proposal=made.PROPOSAL,
    proposal_digest="a" * 64,
    decision_digest="b" * 64,
    principal="sam",
    at_us=1,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_value_is_frozen_and_closed(kind: type[BaseModel]):
    assert kind.model_config.get("frozen") is True
    assert kind.model_config.get("extra") == "forbid"


def test_a_value_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        made.proposal().step = 3  # pyright: ignore[reportAttributeAccessIssue] - that is what is refused


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Principal.model_validate({"name": "ana", "admin": True})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Ana",
        "ana ng",
        "ana\n",
        "-ana",
        "4na",
        "a" * 41,
        "ana@example.com",
        "\u0430na",
        "ana\u200b",
        "../ana",
        None,
        5,
    ],
)
def test_a_name_is_narrow(name: object):
    with pytest.raises(ValidationError):
        Principal.model_validate({"name": name})


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "000000000001",
        "p-00000000001",
        "p-0000000000001",
        "r-000000000001",
        "P-000000000001",
        "p-00000000000i",
        "p-00000000000l",
        "p-00000000000o",
        "p-00000000000u",
        "p-00000000000A",
        "p-000000000001\n",
        "p-000000000001/",
    ],
)
def test_an_id_has_its_prefix_and_twelve_characters(identifier: str):
    with pytest.raises(ValidationError):
        made.proposal(id=identifier)


@pytest.mark.parametrize("moment", [-1, 2**53, 1.5, "soon", None])
def test_a_time_is_a_whole_number_of_microseconds(moment: object):
    with pytest.raises(ValidationError):
        made.proposal(created_us=moment)


def call(effect: str, change: Change | None) -> Call:
    return Call.model_validate(
        {
            "requester": Principal(name="ana"),
            "agent": "catalog",
            "run": made.RUN,
            "step": 1,
            "tool": "open_pull_request",
            "version": "1",
            "tool_schema": "a" * 64,
            "effect": effect,
            "args": {},
            "resource": made.PLACE,
            "change": change,
            "now_us": 1,
        }
    )


CHANGE = Change(proposal=made.PROPOSAL, contributors=("ana",), files=(), evidence=1, rollback=True)


def test_a_write_states_its_change_and_a_read_has_none():
    assert call("write", CHANGE).change == CHANGE
    assert call("read", None).change is None
    for effect, change in (("write", None), ("read", CHANGE)):
        with pytest.raises(ValidationError, match="a write states its change, a read has none"):
            call(effect, change)


def test_there_is_no_emergency_for_a_read():
    fields = call("read", None).canonical()
    assert isinstance(fields, dict)
    with pytest.raises(ValidationError, match="no glass to break"):
        Call.model_validate({**fields, "break_glass": {"id": "g-000000000001", "opened_by": "sam", "until_us": 9}})


def test_an_answer_by_key_is_signed_and_no_other_is():
    key, signature = "f" * 16, "0" * 128
    assert Answer(statement=STATEMENT, auth="key", key=key, signature=signature).key == key
    assert Answer(statement=STATEMENT, auth="asserted").signature is None
    for fields in (
        {"auth": "key"},
        {"auth": "key", "key": key},
        {"auth": "key", "signature": signature},
        {"auth": "asserted", "key": key},
        {"auth": "asserted", "signature": signature},
        {"auth": "system", "key": key, "signature": signature},
    ):
        with pytest.raises(ValidationError, match="an answer by key carries"):
            Answer.model_validate({"statement": STATEMENT, **fields})


def test_a_proof_from_elsewhere_names_the_identity_there_and_no_other_does():
    for auth, external in (
        ("slack", "slack:T1/U1"),
        ("github", "github:583231"),
        ("oidc", f"oidc:{'0' * 32}"),
    ):
        assert Answer.model_validate({"statement": STATEMENT, "auth": auth, "external": external}).external == external
        identity = {"principal": {"name": "ana"}, "auth": auth, "channel": "slack", "external": external}
        assert Identity.model_validate(identity).external == external
    for auth, external in (
        ("slack", None),
        ("slack", "github:583231"),
        ("github", "slack:T1/U1"),
        ("asserted", "slack:T1/U1"),
        ("system", "github:1"),
    ):
        with pytest.raises(ValidationError, match="names the identity there"):
            Answer.model_validate({"statement": STATEMENT, "auth": auth, "external": external})
        with pytest.raises(ValidationError, match="names the identity there"):
            Identity.model_validate(
                {"principal": {"name": "ana"}, "auth": auth, "channel": "slack", "external": external}
            )


@pytest.mark.parametrize(
    "external",
    [
        "",
        "slack:U1",
        "slack:T1/",
        "slack:t1/u1",
        "slack:E1/U1",
        "slack:T1/U1\n",
        "slack:T1/U1/U2",
        "github:0",
        "github:01",
        "github:ana",
        "gitlab:1",
        "oidc:ana",
        f"oidc:{'0' * 33}",
    ],
)
def test_an_external_identity_is_made_of_ids(external: str):
    with pytest.raises(ValidationError):
        Answer.model_validate({"statement": STATEMENT, "auth": external.partition(":")[0], "external": external})


def test_orders_about_links_name_an_identity_and_no_other_does():
    fields = {"workspace": "w-000000000001", "principal": "ana", "at_us": 1}
    linked = Order.model_validate({**fields, "order": "link", "external": "github:1"})
    assert linked.canonical() == {**linked.model_dump(mode="json")}
    for order, external in (("link", None), ("unlink", None), ("freeze_on", "github:1")):
        with pytest.raises(ValidationError, match="name an external identity"):
            Order.model_validate({**fields, "order": order, "external": external})


def test_an_order_that_names_no_identity_is_signed_as_before_there_were_any():
    order = Order.model_validate({"workspace": "w-000000000001", "order": "freeze_on", "principal": "ana", "at_us": 1})
    assert canonical.encode(order.canonical()) == (
        b'{"at_us":1,"order":"freeze_on","principal":"ana","subject":null,"type":"twokey/order/v1",'
        b'"until_us":null,"words":null,"workspace":"w-000000000001"}'
    )


# -- what a digest covers -------------------------------------------------------------------------------------------


def test_the_digest_of_a_proposal_is_that_of_its_canonical_bytes():
    proposal = made.proposal()
    assert proposal.digest() == canonical.digest(proposal.canonical())
    assert Proposal.model_validate(canonical.decode(canonical.encode(proposal.canonical()))) == proposal


OTHER: dict[str, Any] = {
    "id": "p-000000000002",
    "nonce": "0" * 31 + "2",
    "run": "r-000000000002",
    "requester": "sam",
    "contributors": ("ana", "sam"),
    "agent": "triage",
    "step": 3,
    "tool": "update_ticket",
    "tool_version": "2",
    "tool_schema": "0" * 64,
    "args": {"title": "Document it", "files": [{"path": "a.yml", "content": "e\n"}]},
    "provenance": ({"path": "title", "label": "untrusted"},),
    "copied": ("title",),
    "mentioned": ("title",),
    "fields": ({"kind": "personal", "count": 1},),
    "resource": made.PLACE.model_copy(update={"granted_by": "request"}),
    "content": ({"name": "tree", "hash": "git:" + "0" * 40},),
    "preview": "+ e",
    "labels": ("changes_sensitivity",),
    "files": (),
    "rollback": {"text": "Close the pull request!"},
    "evidence": ({"id": made.EVIDENCE, "sha256": "0" * 64},),
    "findings": ({"id": "f-1", "subject": "a", "kind": "k", "claim": "c", "evidence": (), "confidence": 1},),
    "target": {"kind": "repository", "id": "dbt", "version": "c" * 40},
    "why": "It is not documented!",
    "supersedes": "p-000000000003",
    "reverts": "p-000000000004",
    "created_us": 6,
}


def test_every_field_of_a_proposal_is_under_its_digest():
    assert {*OTHER, "type"} == set(Proposal.model_fields)
    digests = {name: made.proposal(**{name: value}).digest() for name, value in OTHER.items()}
    assert len({*digests.values(), made.proposal().digest()}) == len(OTHER) + 1


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ARGUMENTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.recursive(TEXT | st.integers(-9, 9) | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3)),
    max_size=4,
)


@settings(deadline=None)  # a shared machine may stall
@given(one=ARGUMENTS, other=ARGUMENTS)
def test_proposals_have_one_digest_exactly_when_their_arguments_are_the_same_bytes(
    one: dict[str, Any], other: dict[str, Any]
):
    """Bytes and not Python's equality, for which 1 is True."""
    same = canonical.encode(one) == canonical.encode(other)
    assert (made.proposal(args=one).digest() == made.proposal(args=other).digest()) is same


@pytest.mark.parametrize("value", [1.5, 2**53, "\ud800", {"é": 1}, float("nan")], ids=repr)
def test_what_has_no_canonical_form_gets_no_digest(value: object):
    with pytest.raises(NotCanonicalError):
        made.proposal(args={"x": value}).digest()


BINDING: list[dict[str, Any]] = [
    {"effect": "deny"},
    {"approvals": None},
    {"approvals": {"all_of": [{"group": "owners", "n": 2}], "exclude": ["ana"]}},
    {"approvals": {"all_of": [{"group": "owners", "n": 1}], "exclude": []}},
    {"approvals": {"all_of": [{"group": "owners", "n": 1}], "exclude": ["ana"], "expires_s": 60}},
    {"approvals": {"all_of": [{"group": "owners", "n": 1}], "exclude": ["ana"], "auth": ["key", "slack"]}},
    {"approvals": {"all_of": [{"group": "owners", "n": 1}], "exclude": ["ana"], "auth": ["key", "github"]}},
    {"reasons": [{"code": "changes_sensitivity", "message": "A person has to agree.", "rule": "R01"}]},
    {"reasons": []},
    {"obligations": ["redact"]},
    {"warnings": ["large"]},
]
BESIDE: list[dict[str, Any]] = [
    {"policy_revision": "0" * 64},
    {"data_revision": "0" * 64},
    {"engine": "opa 1.2"},
    {"input_digest": "0" * 64},
    {"reasons": [{"code": "needs_approval", "message": "Worded anew.", "rule": "R01"}]},
    {"reasons": [{"code": "needs_approval", "message": "A person has to agree.", "rule": "R02"}]},
]


def test_a_decision_that_asks_for_something_else_is_another():
    digests = [made.decision(**changes).digest() for changes in BINDING]
    assert len({*digests, made.decision().digest()}) == len(BINDING) + 1


@pytest.mark.parametrize("changes", BESIDE, ids=str)
def test_an_unrelated_policy_edit_voids_nothing(changes: dict[str, Any]):
    assert made.decision(**changes).digest() == made.decision().digest()


def test_that_keys_alone_count_goes_without_saying():
    """So that the digests of decisions from before other proofs were known stay what they were."""
    approvals = {"all_of": [{"group": "owners", "n": 1}], "exclude": ["ana"]}
    plain, said = made.decision(approvals=approvals), made.decision(approvals={**approvals, "auth": ["key"]})
    assert plain.digest() == said.digest()
    form = plain.model_dump(mode="json", exclude={"approvals": {"auth"}})["approvals"]
    assert plain.digest() == canonical.digest(
        {
            "type": "twokey/decision/v1",
            "effect": plain.effect,
            "approvals": form,
            "obligations": sorted(plain.obligations),
            "reasons": sorted({reason.code for reason in plain.reasons}),
            "warnings": sorted(plain.warnings),
        }
    )


def test_the_order_in_which_rules_fire_is_no_difference():
    def one(*order: int) -> Decision:
        reasons = [{"code": f"reason_{number}", "message": "", "rule": "R01"} for number in order]
        return made.decision(
            reasons=reasons,
            warnings=[f"warning_{number}" for number in order],
            obligations=[f"obligation_{number}" for number in order],
        )

    assert one(1, 2).digest() == one(2, 1).digest() != one(1).digest()
