"""What was measured and logged around an incident: read without changing anything."""
