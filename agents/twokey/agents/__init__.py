"""Agents: they plan, read, find and draft. They hold a desk, not a key."""
