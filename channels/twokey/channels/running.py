"""Everything of a workspace in one process: what listens for channels, and the worker.

Rules: what listens only stores and acknowledges, so it may end at any moment; the worker leaves runs at the next
boundary of a step. Where one of them cannot begin, none does; where a connection that listens by itself ends early, all
end.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Sequence

from twokey.channels.connected import Connected
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.worker import Done
from twokey.channels.workspace import Workspace
from twokey.core.errors import EnvironmentFault, TwokeyError


def run_up(
    workspace: Workspace,
    *,
    host: str,
    port: int,
    concurrency: int,
    tell: Callable[[str], None],
    stop: Stop | None = None,
    started: Callable[[str], None] | None = None,
) -> Done:
    """Listen and work until asked to stop, by SIGTERM, SIGINT or ``stop``; gives what the worker did.

    ``started`` is told the address once something listens there.

    Raises:
        EnvironmentFault: the port is taken, or a connection could not be held.

    """
    from twokey.channels.serving import serving  # noqa: PLC0415 - the web framework comes in where something listens

    stop = stop or Stop()
    connected = workspace.connected()
    routes = [route for made in connected.values() for route in made.routes]
    site = next((made.app for made in connected.values() if made.app is not None), None)
    with (
        stop.heard(),  # from before anybody is told that there is something to stop
        serving(routes, workspace.rejections, host=host, port=port, site=site) as address,
        _listening(list(connected.values()), stop) as failures,
    ):
        names = ", ".join(sorted(connected)) or "no channel"
        tell(f"up: {workspace.config.workspace.id} listens at {address} for {names}; SIGTERM or Ctrl-C ends it")
        if started is not None:
            started(address)
        done = workspace.worker().run(concurrency=concurrency, stop=stop)
    if failures:
        raise failures[0]
    return done


@contextlib.contextmanager
def _listening(connected: Sequence[Connected], stop: Stop) -> Generator[list[TwokeyError]]:
    """Run what listens by itself, each in a thread of its own, until the block ends."""
    failures: list[TwokeyError] = []

    def run(listen: Callable[[Stop], None]) -> None:
        try:
            listen(stop)
        except TwokeyError as error:
            failures.append(error)
        except Exception as error:  # noqa: BLE001 - a fault of Twokey itself ends everything, with a sentence
            failures.append(_broken(error))
        finally:
            stop.ask()

    threads = [
        threading.Thread(target=run, args=(made.listen,), name="twokey-listening", daemon=True)
        for made in connected
        if made.listen is not None
    ]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.ask()
        for thread in threads:
            thread.join(10)


def _broken(error: Exception) -> EnvironmentFault:
    return EnvironmentFault(
        f"What listens for a channel failed ({type(error).__name__}).",
        next="Start it again; report it if it comes back.",
        code="internal",
    )
