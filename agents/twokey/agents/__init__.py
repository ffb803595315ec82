"""Agents: they plan, read, find and draft. They hold a desk, not a key.

What LangGraph reads from the environment is fixed here, because it looks while it is imported.
"""

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
for _name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
    # A tracer would send prompts and results to a host that no contract lists.
    os.environ[_name] = "false"
