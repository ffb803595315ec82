"""The model tiers behind one port."""
