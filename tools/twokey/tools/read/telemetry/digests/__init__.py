"""What is told of telemetry instead of itself: pure functions from what the port gives to what an answer holds."""
