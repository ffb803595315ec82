"""Tools, their contracts, and the gate that every write has to pass."""
