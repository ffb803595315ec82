"""An incident bundle behind the telemetry port: a folder of files, read safely and fast."""

from twokey.tools.read.telemetry.bundle.folder import Bundle, find_bundles

__all__ = ["Bundle", "find_bundles"]
