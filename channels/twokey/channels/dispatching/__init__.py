"""How jobs reach workers: one port, an in-process queue in the store, and Procrastinate on PostgreSQL."""
