"""Time and identifiers as the running product takes them. Tests pass their own."""

import secrets
import time

from twokey.core.values import ID_ALPHABET


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1000


class RandomIds:
    """Identifiers from the operating system's random source."""

    def new(self, prefix: str) -> str:
        """Give ``PREFIX-`` and 12 random characters (60 bits)."""
        return f"{prefix}-{''.join(ID_ALPHABET[byte & 31] for byte in secrets.token_bytes(12))}"

    def salt(self) -> str:
        """128 random bits as 32 hexadecimal digits."""
        return secrets.token_hex(16)
