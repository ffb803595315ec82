"""Whether a type still holds what a documented one promised."""

import pytest

from twokey.agents.catalog.type_changes import Verdict, compare


@pytest.mark.parametrize(
    ("documented", "actual", "verdict"),
    [
        ("bigint", "BIGINT", "same"),
        ("varchar(20)", "character varying(20)", "same"),
        ("timestamp", "TIMESTAMP WITH TIME ZONE", "same"),
        ("integer", "int4", "same"),
        ("bigint", "integer", "narrower"),
        ("int8", "smallint", "narrower"),
        ("smallint", "bigint", "wider"),
        ("number(38,0)", "number(10,0)", "narrower"),
        ("tinyint", "hugeint", "wider"),
        ("varchar(200)", "varchar(50)", "narrower"),
        ("text", "varchar(50)", "narrower"),
        ("varchar(50)", "text", "wider"),
        ("numeric(12, 2)", "numeric(10,2)", "narrower"),
        ("numeric(12,2)", "numeric(12,4)", "narrower"),
        ("numeric(12,2)", "numeric(14,2)", "wider"),
        ("numeric(12,2)", "double precision", "wider"),
        ("double", "real", "narrower"),
        ("double", "numeric(10,2)", "narrower"),
        ("integer", "numeric(10,2)", "wider"),
        ("numeric(10,2)", "integer", "narrower"),
        ("timestamp", "date", "narrower"),
        ("date", "timestamp", "wider"),
        ("text", "integer", "other"),
        ("boolean", "varchar", "other"),
        ("geography", "integer", "unknown"),
        ("integer", "", "unknown"),
        ("", "", "same"),
        ("varchar(99999999999999999999)", "varchar(3)", "narrower"),
    ],
)
def test_types_are_compared_by_what_they_hold(documented: str, actual: str, verdict: Verdict):
    assert compare(documented, actual) == verdict


def test_sizes_do_not_count_where_the_database_does_not_keep_them():
    assert compare("bigint", "INTEGER", dialect="sqlite") == "same"
    assert compare("varchar(9)", "VARCHAR(3)", dialect="sqlite") == "same"
    assert compare("integer", "TEXT", dialect="sqlite") == "other"
