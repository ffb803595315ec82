"""Tickets in a folder: one Markdown file each, or many in a JSONL or CSV file. See ``folder`` for the rules."""

from twokey.tools.local_tickets.folder import LocalTickets

__all__ = ["LocalTickets"]
