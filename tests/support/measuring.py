"""Which tests are measured where one run does all of them: measuring costs three quarters as much time again.

Rules: nothing happens unless this process is measured and ``MEASURED_TESTS`` names the folders and files of the tests
that are meant to cover what has to be covered whole (``.ci/gates`` names them). What the modules of those parts do when
they are read is measured once, in the beginning; from then on measuring goes on in the tests that are named, and in the
processes that they start. Tests on PostgreSQL are left out but for those of store and log: nothing else has code that is
for one database alone.
"""

import importlib
import os
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

WHOLE = ("twokey.core", "twokey.store", "twokey.audit", "twokey.policies", "twokey.tools.gate", "twokey.tools.executor")
"""What has to be covered whole: packages with all that is below them, and modules."""
_ON_BOTH = ("store", "audit")
_ROOT = Path(__file__).resolve().parents[2]


def _modules() -> Iterator[str]:
    for name in WHOLE:
        yield name
        path = getattr(importlib.import_module(name), "__path__", None)
        if path is not None:
            yield from (module.name for module in pkgutil.walk_packages(path, f"{name}.") if not _aside(module.name))


def _aside(name: str) -> bool:
    return "migrations" in name or name.endswith("__main__")


class Measuring:
    """What this process measures, and when. ``coverage`` is nothing where nothing is turned on and off."""

    def __init__(self, coverage: Any, named: str, variables: Mapping[str, str]) -> None:
        self._coverage = coverage
        self._named = tuple(_ROOT / path for path in named.split())
        self.variables = dict(variables)
        """What a child process needs of our environment so that it is measured; nothing where nobody is."""
        self._on = True
        self._begun = False

    @property
    def turns(self) -> bool:
        """Whether anything is turned on and off here."""
        return self._coverage is not None

    def begin(self) -> None:
        """Read what has to be covered whole, and measure nothing more for now."""
        if self.turns:
            self._begun = True
            for name in _modules():
                importlib.import_module(name)
            self._turn(on=False)

    def at(self, item: pytest.Item) -> None:
        """Measure this test, or do not."""
        if self.turns:
            self._turn(on=self._wanted(item))

    def end(self) -> None:
        """Keep what was measured, in a process that did tests: one that ends slowly is not waited for."""
        if self._begun:
            self._turn(on=False)
            self._coverage.save()

    def _wanted(self, item: pytest.Item) -> bool:
        if item.get_closest_marker("postgresql") is not None and item.path.parent.name not in _ON_BOTH:
            return False
        return any(item.path == path or path in item.path.parents for path in self._named)

    def _turn(self, *, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        if on:
            os.environ.update(self.variables)
            self._coverage.start()
        else:
            self._coverage.stop()
            for name in self.variables:
                os.environ.pop(name, None)


def _of_this_process() -> Measuring:
    named = os.environ.get("MEASURED_TESTS", "")
    variables = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    held = None
    if named and "COVERAGE_PROCESS_CONFIG" in variables:
        from coverage import Coverage

        held = Coverage.current()
    return Measuring(held, named, variables)


MEASURING = _of_this_process()
