"""The append-only log of what happened, which an outsider can verify (audit/SPEC.md)."""
