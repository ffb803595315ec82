"""Connections over HTTP that end when their time is over, however slowly an answer comes."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Generator


@contextlib.contextmanager
def connected(
    host: str, port: int | None, timeout_s: float, tls: ssl.SSLContext | None
) -> Generator[tuple[http.client.HTTPConnection, threading.Event]]:
    """Give a connection that is cut when the time is over, and what tells that it was; over TLS where ``tls`` is given.

    Raises:
        TimeoutError: it was cut.
        OSError, http.client.HTTPException: it failed before that.

    """
    late, lines = threading.Event(), list[socket.socket]()
    connection = (
        http.client.HTTPSConnection(host, port, timeout=timeout_s, context=tls)
        if tls is not None
        else http.client.HTTPConnection(host, port, timeout=timeout_s)
    )

    def cut() -> None:
        late.set()
        for line in lines:
            with contextlib.suppress(OSError):  # it has just ended by itself
                line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        lines.append(connection.sock)  # an answer that ends with the connection takes it away from there
        yield connection, late
    except (OSError, http.client.HTTPException) as error:
        raise (TimeoutError if late.is_set() else error) from error
    finally:
        timer.cancel()
        connection.close()
