"""The HTTP client for model endpoints: it reads so much, so long, and from the host that was configured.

Rules: a redirect is not followed, because it would carry the prompt to a host that nobody configured; a reply is read
up to a number of bytes and a deadline, so that an endpoint cannot fill the memory or hold a run by dripping; a packed
reply is refused, because its size is only known once it is unpacked. Proxies are those of the environment.

Importing this module imports ``httpx2``; the model tier does so when the first question is asked.
"""

import time
from collections.abc import Iterator

import httpx2


class NotTaken(Exception):  # noqa: N818 - becomes an EnvironmentFault where the sentence for people is known
    """The reply was not read to its end; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request, limit: int, deadline: float) -> None:
        self._stream = stream
        self._request = request
        self._limit = limit
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for chunk in self._stream:
            read += len(chunk)
            if read > self._limit:
                raise NotTaken("too_large")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the reply did not end in time", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


def client(*, timeout_s: float, limit: int) -> httpx2.Client:
    """Give a client.

    ``timeout_s`` (seconds) bounds the wait for a connection, for the head of the reply, for each piece of its body and
    for the body as a whole; ``limit`` is the size of a body in bytes. Beyond it ``NotTaken`` is raised.
    """

    def bound(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise NotTaken("protocol")
        if isinstance(response.stream, httpx2.SyncByteStream):
            deadline = time.monotonic() + timeout_s
            response.stream = _Bounded(response.stream, response.request, limit, deadline)

    return httpx2.Client(
        timeout=httpx2.Timeout(timeout_s),
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [bound]},
    )
