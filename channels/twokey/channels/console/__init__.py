"""The web console: everything one needs to decide, in a browser."""
