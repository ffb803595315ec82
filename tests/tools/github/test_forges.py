"""Which forge a repository is opened with follows from where it lies, and from nothing else."""

from pathlib import Path

import pytest
from support.git_repo import small_project

from twokey.core.errors import TwokeyError
from twokey.core.values import Resource
from twokey.tools import registry
from twokey.tools.contract import Context, Place, Places
from twokey.tools.forge import Forge
from twokey.tools.forges import Forges, through
from twokey.tools.read.catalog import CatalogArgs, ReadCatalog
from twokey.tools.write.local_git import LocalGit


def test_a_path_is_here_and_an_address_is_elsewhere(tmp_path: Path) -> None:
    project = small_project(tmp_path / "dbt")
    asked: list[str] = []

    def elsewhere() -> Forge:
        asked.append("elsewhere")
        return LocalGit()

    forges = Forges(LocalGit(), elsewhere)
    with forges.open(str(project)) as repository:
        assert repository.describe().branch == "main"
    assert asked == []
    with pytest.raises(TwokeyError), forges.open("https://github.example/acme/dbt"):
        pass
    assert asked == ["elsewhere"]


@pytest.mark.parametrize(
    "location", ["https://github.example/acme/dbt", "ssh://git@github.example/acme/dbt", "file:///x"]
)
def test_what_is_not_set_up_is_not_opened(location: str) -> None:
    with pytest.raises(TwokeyError) as caught:
        Forges(LocalGit(), None).open(location)
    assert caught.value.code == "github_not_set_up"


def test_the_tools_for_repositories_are_put_in_front_of_it(tmp_path: Path) -> None:
    project = small_project(tmp_path / "dbt")
    place = Place(Resource(kind="repository", id="dbt", granted_by="config"), "https://github.example/acme/dbt")

    class Here:
        def open(self, location: str):
            del location
            return LocalGit().open(str(project))

    tools = registry.installed({})
    behind = through(Here(), tools)
    assert [(tool.name, tool.schema_digest()) for tool in behind.all()] == [
        (tool.name, tool.schema_digest()) for tool in tools.all()
    ]
    reader = behind.reader("read_catalog")
    assert isinstance(reader, ReadCatalog)
    assert reader.call(CatalogArgs(repository="dbt"), Context(Places((place,)), 0)).branch == "main"
