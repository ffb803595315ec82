"""The planner: from a request in words to a typed plan."""
