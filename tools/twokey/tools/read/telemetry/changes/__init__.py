"""How a window differs from its baseline: metrics, log lines, operations; pure functions over the port's values."""
