"""Ports that a test may take twice, or tell to others before anybody listens on them."""

import secrets
import socket
from pathlib import Path
from typing import Final

LOWEST: Final = 10_000
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Give a port of 127.0.0.1 on which nobody listens, and which the system hands out to nobody who asks for any.

    One that the system chose would be given to whoever asks next, a moment after it is let go.
    """
    highest = int(_RANGE.read_text(encoding="ascii").split()[0]) if _RANGE.exists() else 32_768
    while True:
        port = LOWEST + secrets.randbelow(highest - LOWEST)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
