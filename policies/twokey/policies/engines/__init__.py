"""Three engines behind the port ``PolicyEngine``. One is chosen by setting; none ever stands in for another."""
