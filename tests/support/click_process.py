"""A worker process that serves some clients at once, each in a thread of its own, through the product's own service.

``python click_process.py WORKSPACE PROPOSAL NAME:ACTION...``: it opens the workspace, has every client prove
who they are, says ``ready``, waits for a line, and then has all of them answer in the same moment.
It prints one JSON object for each client: name, state and code, and how long the answer took.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from twokey.channels import wiring
from twokey.channels.workspace import Workspace
from twokey.core.errors import TwokeyError


def main() -> None:
    folder, proposal, *answers = sys.argv[1:]
    told: list[dict[str, Any]] = []
    with wiring.opened(Path(folder)) as workspace:
        barrier = threading.Barrier(len(answers) + 1)
        threads = [
            threading.Thread(target=_client, args=(workspace, proposal, *answer.split(":"), barrier, told))
            for answer in answers
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        barrier.wait()
        for thread in threads:
            thread.join()
    for line in told:
        sys.stdout.write(json.dumps(line) + "\n")


def _client(  # what one client needs
    workspace: Workspace, proposal: str, name: str, action: Any, barrier: threading.Barrier, told: list[dict[str, Any]]
) -> None:
    identity, credential = workspace.identify(name, "cli")
    barrier.wait()
    barrier.wait()
    began = time.monotonic()
    line: dict[str, Any] = {"name": name, "action": action}
    try:
        result = workspace.service.answer(
            identity, credential, action=action, proposal=proposal, tell=lambda _progress: None
        )
        line |= {"state": result.state.value, "code": result.code}
    except TwokeyError as error:
        line |= {"state": "error", "code": error.code, "message": error.message, "exit": error.exit_code}
    except BaseException as error:
        line |= {"state": "fault", "code": repr(error)}
        raise
    finally:
        told.append(line | {"seconds": round(time.monotonic() - began, 3)})


if __name__ == "__main__":
    main()
