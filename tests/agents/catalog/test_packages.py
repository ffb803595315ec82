"""Which packages a project says it uses."""

import pytest

from twokey.agents.catalog.packages import used


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n", {"dbt_utils"}),
        ('packages:\n  - package: metaplane/dbt_expectations\n    version: [">=0.10"]\n', {"dbt_expectations"}),
        ("packages:\n  - git: https://example.com/dbt-labs/dbt-utils.git\n    revision: 1.3.0\n", {"dbt_utils"}),
        ("packages:\n  - git: git@example.com:dbt-labs/dbt-utils.git\n", {"dbt_utils"}),
        ("packages:\n  - package: somebody/dbt_utils_of_mine\n", set()),
        ("packages:\n  - local: ../dbt_utils\n", set()),
        ("packages: dbt_utils\n", set()),
        ("packages:\n  - dbt_utils\n  - package: 7\n", set()),
        ("- dbt_utils\n", set()),
        ("packages: [\n", set()),
        ("", set()),
    ],
)
def test_packages_are_those_that_the_file_names(text: str, found: set[str]):
    assert used({"analytics/packages.yml": text.encode()}, "analytics") == found


def test_each_project_has_its_own():
    files = {"a/dependencies.yml": b"packages:\n  - package: dbt-labs/dbt_utils\n", "b/packages.yml": b"packages: []\n"}
    assert used(files, "a") == {"dbt_utils"}
    assert used(files, "b") == used(files, "") == frozenset()
