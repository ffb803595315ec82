"""Servers that stand for others: they speak real HTTP and refuse what the real ones refuse."""
