"""Read tools: they look, and leave evidence."""
