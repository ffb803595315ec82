"""One workspace and its console for the tests of a module."""

from collections.abc import Iterator

import pytest
from support.console import Console
from support.workspace import Place, ana

from twokey.channels import wiring
from twokey.channels.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("console")
    with pytest.MonkeyPatch.context() as patch:
        home = folder / "home"
        home.mkdir()
        patch.setenv("TWOKEY_HOME", str(home))
        place = Place(folder, f"sqlite:///{folder / 'console.db'}")
        with wiring.opened(place.folder) as opened:
            opened.catalog(ana(opened), f"sqlite:///{place.warehouse}", str(place.repository), [], lambda _: None)
            yield opened


@pytest.fixture(scope="module")
def console(workspace: Workspace) -> Console:
    return Console(workspace)


@pytest.fixture(scope="module")
def proposal(workspace: Workspace) -> str:
    """The proposal that waits, as a page's address names it."""
    return workspace.service.waiting()[0].id.removeprefix("p-")
