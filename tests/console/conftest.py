"""A real workspace, its real server and worker, and real browsers: one of each for the tests of a module."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.command import repository, warehouse
from support.house import PEOPLE, House, MovedClock, People

from twokey.channels import creation, wiring

CHROMIUM = shutil.which("chromium") or ""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own browser; no other is ever downloaded.

    One for each module, as long as it lasts and no longer: the driver keeps an event loop in this thread, beside which
    tests of other modules could start none.
    """
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed, and CI has to bring it")
        pytest.skip("chromium is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        home = folder / "home"
        home.mkdir()
        patch.setenv("TWOKEY_HOME", str(home))
        sections = {
            "places.app": {"kind": "warehouse", "location": f"sqlite:///{folder / 'small.db'}"},
            "places.dbt": {"kind": "repository", "location": str(folder / "repo")},
            "catalog": {"warehouse": "app", "repository": "dbt"},
        }
        creation.create(folder / "w", PEOPLE, store=f"sqlite:///{folder / 'house.db'}", sections=sections)
        repository(folder / "repo")
        warehouse(folder / "small.db")
        clock = MovedClock()
        yield House(stack.enter_context(wiring.opened(folder / "w", clock=clock)), clock, folder)


@pytest.fixture
def people(chromium: Browser, house: House) -> Iterator[People]:
    made = People(chromium, house)
    try:
        yield made
    finally:
        made.close()
