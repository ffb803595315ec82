"""How fast the console's pages are: ``twokey bench console``, beside a floor measured in the same run.

Rules
- The workspace is made for it and gone afterwards: proposals, runs, answers and reservations are put into the store by
  the product's own writers, their entries into the log by the ledger, which signs them; only the writes themselves,
  which no page shows, never happened.
- Pages are asked for over HTTP from the product's own server, by somebody who came in with a one-time link, one after
  another. The first page is the first one that a fresh server gives.
- The floor is an address of the same server that answers two letters and looks at nothing.
"""

import base64
import contextlib
import http.client
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twokey.channels import creation, wiring
from twokey.channels.bench_console_filling import Filled, fill
from twokey.channels.passes import one_time_link, public_of
from twokey.channels.serving import serving
from twokey.channels.workspace import Workspace
from twokey.core.entropy import SystemClock
from twokey.core.errors import CheckFailed

PROPOSALS: Final = 100_000
ENTRIES: Final = 1_000_000
QUICK: Final = 20
"""A quick measurement is made on this much less."""
_PEOPLE: Final = (("ana", ("analysts",)), ("sam", ("platform-owners",)))


def measure(*, quick: bool = False, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure; gives milliseconds of each page, of the first one, and of the floor.

    Raises:
        CheckFailed: a page did not come.

    """
    proposals, entries = (PROPOSALS // QUICK, ENTRIES // QUICK) if quick else (PROPOSALS, ENTRIES)
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as scratch, _own_home(Path(scratch) / "home"):
        folder = Path(scratch) / "workspace"
        creation.create(folder, _PEOPLE)
        with wiring.opened(folder) as workspace:
            started = time.perf_counter()
            filled = fill(workspace, proposals=proposals, entries=entries, tell=tell)
            fill_s = time.perf_counter() - started
            tell(f"filled in {fill_s:.0f} s")
        with wiring.opened(folder) as workspace, _served(workspace) as address:
            visit = _Visit(workspace, address)
            result = _measured(visit, filled, rounds=8 if quick else 20)
    return {
        "proposals": proposals,
        "log_entries": filled.entries,
        **result,
        "fill_s": round(fill_s, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


@contextlib.contextmanager
def _own_home(home: Path) -> Generator[None]:
    """Keep the keys of the scratch workspace away from those of this account."""
    home.mkdir()
    before = os.environ.get("TWOKEY_HOME")
    os.environ["TWOKEY_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TWOKEY_HOME"]
        else:
            os.environ["TWOKEY_HOME"] = before


@contextlib.contextmanager
def _served(workspace: Workspace) -> Generator[str]:
    site = workspace.connected()["console"].app
    with serving((), workspace.rejections, host="127.0.0.1", port=0, site=site) as address:
        yield address


class _Visit:
    """A browser without a screen: one connection, one cookie."""

    def __init__(self, workspace: Workspace, address: str) -> None:
        self._address = address
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self._cookie = ""
        identity, credential = workspace.identify("sam", "cli")
        link = one_time_link(workspace, identity, credential, clock=SystemClock(), address=address)
        self._enter(link)

    def _enter(self, link: str) -> None:
        given = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(link.partition("#")[2] + "="))
        own = Ed25519PrivateKey.generate()
        offered, _ = self._send("/login/offer", {"pass_key": public_of(given), "key": public_of(own)})
        text = str(offered["opening"]).encode()
        fields = {
            "session": str(offered["session"]),
            "signature": given.sign(text).hex(),
            "possession": own.sign(text).hex(),
            "next": "/inbox",
        }
        _, cookie = self._send("/login/open", fields)
        self._cookie = cookie.partition(";")[0]

    def _send(self, path: str, fields: Mapping[str, str]) -> tuple[dict[str, Any], str]:
        headers = {"content-type": "application/json", "accept": "application/json", "origin": self._address}
        self._connection.request("POST", path, json.dumps(fields), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise _not_there(path, answer.status)
        return json.loads(body), answer.headers.get("set-cookie", "")

    def get(self, path: str) -> float:
        """Ask for a page; gives how long the whole of it took, in milliseconds."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers={"cookie": self._cookie})
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise _not_there(path, answer.status)
        return took


def _not_there(path: str, status: int) -> CheckFailed:
    return CheckFailed(f"The console answered {status} at {path}.", next="Report it.", code="page_failed")


def _measured(visit: _Visit, filled: Filled, *, rounds: int) -> dict[str, Any]:
    first = visit.get("/inbox")
    taken: dict[str, list[float]] = {name: [] for name in filled.pages}
    floor: list[float] = []
    for _ in range(rounds):
        floor.append(visit.get("/healthz"))
        for name, path in filled.pages.items():
            taken[name].append(visit.get(path))
    figures = {
        name: {"p50_ms": round(statistics.median(times), 1), "p95_ms": round(_p95(times), 1)}
        for name, times in taken.items()
    }
    slowest = max(figures, key=lambda name: figures[name]["p95_ms"])
    return {
        "first_page_ms": round(first, 1),
        "floor_ms": round(statistics.median(floor), 2),
        "worst_p95_ms": figures[slowest]["p95_ms"],
        "slowest": slowest,
        "pages": figures,
    }


def _p95(times: list[float]) -> float:
    """Give the smallest time that 95 % of the requests did not exceed (nearest rank)."""
    return sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]
