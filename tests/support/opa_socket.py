"""A real OPA server behind a socket of its own in the file system: no port, nobody else's."""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

PATIENCE_S = 120


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(str(self._path))


class Socket:
    """Speaks with the server over one connection, one question at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = _Connection(path)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def put(self, path: str, body: str) -> int:
        """Put a policy or data; gives the status."""
        return self._exchange("PUT", path, body)[0]

    def ask(self, reference: str) -> object:
        """Give what a reference like ``data.x.y`` is, none where it is undefined or in error."""
        status, text = self._exchange("GET", f"/v1/{reference.replace('.', '/')}", "")
        found: dict[str, object] = json.loads(text) if status == http.HTTPStatus.OK else {}
        return found.get("result")

    def _exchange(self, method: str, path: str, body: str) -> tuple[int, bytes]:
        self._connection.request(method, path, body=body.encode())
        reply = self._connection.getresponse()
        return reply.status, reply.read()


@contextmanager
def serving(opa: Path, folder: Path, bundle: Path) -> Generator[Socket]:
    """Start a server that holds the policies and data of a folder under their names in it, and end it."""
    path = folder / "opa"
    command = [opa, "run", "--server", "--addr", f"unix://{path}", "--log-level", "error", "."]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=bundle, stdout=null, stderr=null, env={"GOGC": "400"}) as server:
        try:
            until = time.monotonic() + PATIENCE_S
            while not _answers(path):
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.05)
            with closing(Socket(path)) as spoken:
                yield spoken
        finally:
            server.kill()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0
