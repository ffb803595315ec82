"""The incident agent's parts: what happened, shown with evidence."""
