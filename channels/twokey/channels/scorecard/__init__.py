"""The quarterly scorecard: figures from what really happened, each with where it is from or why it is unknown."""
