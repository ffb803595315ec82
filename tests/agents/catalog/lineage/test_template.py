"""Templates become SQL without being run, and what cannot be known is said."""

import time

import pytest
from support.effort import seconds

from twokey.agents.catalog.lineage.template import MAX_SQL, MAX_TAGS, UNKNOWN, Call, Filled, fill, named


def filled(text: str, *, incremental: bool = True) -> Filled:
    found = fill(text, incremental=incremental)
    assert found is not None
    return found


def test_references_become_names_of_our_own_and_each_is_named_once():
    found = filled(
        "select * from {{ ref('a') }} join {{ source(\"raw\", 'b') }} using (k) join {{ref( 'a' )}} c using (k)"
    )
    assert found.sql == "select * from twokey_0 join twokey_1 using (k) join twokey_0 c using (k)"
    assert found.calls == (Call(("ref", "a")), Call(("source", "raw", "b")))
    assert not found.partial


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{ ref('shop', 'a') }}", ("ref", "a")),
        ("{{ ref('a', v=2) }}", ("ref", "a")),
        ("{{ ref('a', version='3') }}", ("ref", "a")),
        ("{{- this -}}", ("this",)),
    ],
)
def test_each_way_to_name_a_model_is_understood(text: str, parts: tuple[str, ...]):
    assert filled(text).calls == (Call(parts),)


def test_settings_and_comments_are_left_out():
    text = "{# select 1 #}{{ config(materialized='table', tags=['{']) }}{% set x = 1 %}select 1{% do log('x') %}"
    assert filled(text).sql == "select 1"


def test_what_only_an_incremental_run_does_can_be_left_out():
    text = "select a from t{% if is_incremental() %} where a > 1{% else %} where a > 2{% endif %}"
    assert filled(text).sql == "select a from t where a > 1"
    assert filled(text, incremental=False).sql == "select a from t where a > 2"
    assert not filled(text).partial


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("select {{ macro(1) }} as a", f"select {UNKNOWN} as a"),
        ("select {% if target.name == 'x' %}a{% elif y %}b{% else %}c{% endif %} from t", "select a from t"),
        ("select {% for c in columns %}x,{% endfor %} 1", "select x, 1"),
        ("{{ ref(name) }}", UNKNOWN),
        ("{{ ref('a' ~ 'b') }}", UNKNOWN),
    ],
)
def test_what_a_template_computes_is_said_to_be_unknown(text: str, sql: str):
    found = filled(text)
    assert found.sql == sql
    assert found.partial


@pytest.mark.parametrize("text", ["{% macro m() %}drop{% endmacro %}select 1", "{% set x %}drop{% endset %}select 1"])
def test_what_is_only_defined_is_not_part_of_it(text: str):
    assert filled(text).sql == "select 1"


def test_nothing_is_run_and_nothing_of_the_template_reaches_the_result():
    text = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ ref('x'); drop table y --') }}"
    assert filled(text).sql == UNKNOWN * 2


def test_a_tag_that_never_ends_is_text():
    assert filled("select '{{ ref(").sql == "select '{{ ref("
    assert filled("{% endif %}{% else %}select 1").sql == "select 1"


def test_hostile_templates_cost_bounded_time():
    began = time.process_time()
    assert fill("{{" * (MAX_SQL // 2), incremental=True) is not None
    assert fill("{{" + " " * (MAX_SQL - 10) + "}}", incremental=True) is not None
    assert fill("{{ref('" + "a" * (MAX_SQL - 20) + "')}}", incremental=True) is not None
    assert fill("x" * (MAX_SQL + 1), incremental=True) is None
    assert fill("{{x}}" * (MAX_TAGS + 1), incremental=True) is None
    assert time.process_time() - began < seconds(20)


def test_one_branch_is_read_and_never_two():
    text = "{% if is_incremental() %}a{% elif x %}b{% elif y %}c{% else %}d{% endif %}"
    assert filled(text, incremental=False).sql == "b"
    assert filled(text, incremental=False).partial
    assert filled(text).sql == "a"
    assert filled("{% for x in y %}a{% else %}b{% endfor %}").sql == "a"


def test_every_branch_and_argument_names_its_tables():
    text = """
    {# ref('commented') #}{% if a %}{{ ref('one') }}{% else %}{{ source('raw', "two") }}{% endif %}
    {{ union([ref('pkg', 'three'), ref('four', v=2)]) }} {% set x %}{{ ref( 'one' ) }}{% endset %}
    {{ ref(computed) }} {{ xref('five') }} {{ source('alone') }} {{ this }}
    """
    assert named(text) == (
        Call(("ref", "one")),
        Call(("source", "raw", "two")),
        Call(("ref", "three")),
        Call(("ref", "four")),
    )
    assert named('def model(dbt, session): return dbt.ref("a")') == (Call(("ref", "a")),)
    began = time.process_time()
    assert named("ref('a'" + " " * (MAX_SQL - 10)) == ()
    assert named("ref(" * (MAX_SQL // 4)) == ()
    assert named("{#" * (MAX_SQL // 2)) == ()
    assert named("x" * (MAX_SQL + 1)) == ()
    assert time.process_time() - began < seconds(20)
